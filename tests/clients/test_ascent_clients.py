"""Programs that were written for Ascent, on insitu's libraries: C, Fortran and PyFR as they are.

They need Debian packages; `make test-clients` runs them, `make test` does not.
"""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import insitu
from insitu.ascent.build import CONDUIT, HERE, Libraries
from tests.support.programs import EXAMPLES, program, run

pytestmark = pytest.mark.clients

FLAGS = ["-Wall", "-Wextra", "-Werror", "-O2"]


def flags(built: Libraries) -> list[str]:
    lib = built.ascent.parent
    found = [f"-I{folder}" for folder in built.includes]
    return [*found, f"-L{lib}", f"-Wl,-rpath,{lib}", "-lascent_mpi", "-lconduit"]


def check_output(folder: Path, field: str, prefix: str, size: int) -> None:
    """Five steps of a field in the record, and a picture of each that shows something."""
    record = insitu.open_record(folder / "insitu_record")
    assert field in record.fields
    np.testing.assert_array_equal(record[field].cycles, [0, 10, 20, 30, 40])
    np.testing.assert_allclose(record[field].times, [0, 0.25, 0.5, 0.75, 1])
    assert all(record[field].sel(step=i).summary.psnr_db >= 39.5 for i in range(5))
    last = record[field].sel(step=-1)
    np.testing.assert_allclose(last.summary.bounds, [[0, 0, 0], [10, 10, 10]], atol=1e-9)
    assert len(last.boxes) == 4
    assert np.isfinite(last(np.full((1, 3), 5.0))).all()
    for cycle in range(0, 50, 10):
        picture = np.asarray(Image.open(folder / f"{prefix}_{cycle:04d}.png"))
        assert picture.shape == (size, size, 3)
        assert picture.reshape(-1, 3).std(axis=0).max() > 5


def test_c(built: Libraries, tmp_path: Path) -> None:
    """blast.c on 4 ranks, with the MPI that mpi4py has."""
    source = EXAMPLES / "blast.c"
    run(
        [program("mpicc"), "-std=c99", *FLAGS, source, *flags(built), "-lm", "-o", "blast"],
        tmp_path,
    )
    out = run([program("mpiexec"), "-n", 4, "./blast"], tmp_path)
    assert out.count("Ascent::execute completed") == 5
    check_output(tmp_path, "density", "blast", 384)
    assert "peak" in (tmp_path / "ascent_session.yaml").read_text()
    for rank in range(4):
        name, seconds, count = (
            (tmp_path / f"ascent_timers_{rank}.csv").read_text().splitlines()[1].split(",")
        )
        assert (name, count) == ("in_situ", "5") and float(seconds) > 0


def test_cpp(built: Libraries, tmp_path: Path) -> None:
    """simulation.cpp on 3 ranks: an interleaved field, functions that actions call, and a record
    that is what the program computed."""
    source = Path(__file__).with_name("simulation.cpp")
    compiler = [program("mpicxx"), "-std=c++11", *FLAGS, source, *flags(built)]
    run([*compiler, "-o", "simulation"], tmp_path)
    out = run([program("mpiexec"), "-n", 3, "./simulation", 12, 4], tmp_path)
    assert out.count("Ascent::execute completed") == 4
    assert "insitu: 1 condition, asked 4, commanded 4" in out
    assert [p.name for p in sorted(tmp_path.glob("ball*.png"))] == [
        "ball_0020.png",
        "ball_0030.png",
    ]
    assert (tmp_path / "state.yaml").read_text() == "domain_id: 0\ncycle: 30\ntime: 1.5\n"
    assert "ADVANCE" in (tmp_path / "ascent_timers_1.csv").read_text()
    record = insitu.open_record(tmp_path / "insitu_record")
    assert record.fields == ["density"]
    np.testing.assert_array_equal(record["density"].cycles, [0, 10, 20, 30])
    last = record["density"].sel(step=-1)
    assert last.summary.psnr_db >= 39.5
    points = np.random.default_rng(0).uniform(0.05, 0.95, (2000, 3)) * [3, 1, 1]
    truth = np.tanh(8 * (0.8 - np.linalg.norm(points - [1.5, 0.5, 0.5], axis=1)))
    assert np.sqrt(np.mean((last(points).reshape(-1) - truth) ** 2)) < 0.05


def test_fortran(built: Libraries, tmp_path: Path) -> None:
    """wave.f90 on 4 ranks, with the system's MPICH, which mpi4py knows by another name."""
    assert built.fortran, "no Fortran compiler"
    (tmp_path / "mpi").mkdir()
    wrapper = Path("/usr/bin/mpifort.mpich")
    library = Path("/usr/lib") / f"{_multiarch()}/libmpich.so.12"
    assert wrapper.is_file() and library.is_file(), "the packages mpich and libmpich-dev are needed"
    (tmp_path / "mpi" / "libmpi.so.12").symlink_to(library)
    source = EXAMPLES / "wave.f90"
    run([wrapper, "-O2", source, *flags(built), "-o", "wave"], tmp_path)
    path = {"LD_LIBRARY_PATH": str(tmp_path / "mpi")}
    out = run(["/usr/bin/mpiexec.mpich", "-n", 4, "./wave"], tmp_path, **path)
    assert out.count("Ascent::execute completed") == 5
    check_output(tmp_path, "velocity", "pulse", 384)


def test_fortran_modules(built: Libraries, tmp_path: Path) -> None:
    """Nodes as objects, and the other modules of conduit."""
    source = Path(__file__).with_name("tree.f90")
    run(["gfortran", "-Wall", source, *flags(built), "-o", "tree"], tmp_path)
    assert "all is well" in run(["./tree"], tmp_path)


PROJECT = """\
cmake_minimum_required(VERSION 3.14)
project(client CXX)
set(CMAKE_CXX_STANDARD 11)
find_package(Conduit 0.9 REQUIRED)
add_executable(tree tree.cpp)
target_link_libraries(tree conduit::conduit)
find_package(Ascent REQUIRED)
add_executable(about about.cpp)
target_link_libraries(about ascent::ascent_mpi)
"""


def test_cmake_pkg_config_and_make(built: Libraries, tmp_path: Path) -> None:
    """What projects find Ascent by leads to these libraries, and so do the ones' run paths."""
    (tmp_path / "CMakeLists.txt").write_text(PROJECT)
    (tmp_path / "tree.cpp").write_text((Path(__file__).with_name("tree.cpp")).read_text())
    about = "#include <ascent.hpp>\nint main() { std::cout << ascent::about(); }\n"
    (tmp_path / "about.cpp").write_text(about)
    found = run([program("insitu"), "ascent-libs", "--cmake"], tmp_path).split()
    run(["cmake", "-S", ".", "-B", "build", *found], tmp_path)
    run(["cmake", "--build", "build"], tmp_path)
    assert "8 passed, 0 failed" in run(["build/tree"], tmp_path)
    assert 'implementation: "insitu"' in run(["build/about"], tmp_path)
    paths = {"PKG_CONFIG_PATH": str(built.ascent.parent / "pkgconfig")}
    words = run(["pkg-config", "--cflags", "--libs", "ascent"], tmp_path, **paths).split()
    run(["g++", "about.cpp", *words, "-o", "with_pkg_config"], tmp_path)
    assert 'implementation: "insitu"' in run(["./with_pkg_config"], tmp_path)
    (tmp_path / "Makefile").write_text(
        f"include {built.folder}/share/ascent/ascent_config.mk\n"
        "with_make: about.cpp\n"
        "\tg++ $< $(ASCENT_INCLUDE_FLAGS) $(ASCENT_LINK_RPATH) $(ASCENT_MPI_LIB_FLAGS) -o $@\n"
    )
    run(["make", "with_make"], tmp_path)
    assert 'implementation: "insitu"' in run(["./with_make"], tmp_path)


def test_pyfr(built: Libraries, tmp_path: Path) -> None:
    """PyFR as it is, 2 ranks: the velocity in the record is the vortex that the run starts from,
    which a fiftieth of a time unit does not change by much."""
    libraries = Path("/usr/lib") / _multiarch()
    names = {"OPENCL": "OpenCL.so.1", "CLBLAST": "clblast.so.1", "SCOTCH": "scotch-7.0.so"}
    environment = {
        f"PYFR_{name}_LIBRARY_PATH": f"{libraries}/lib{file}" for name, file in names.items()
    }
    assert all(Path(file).is_file() for file in environment.values()), environment
    environment["PYFR_CONDUIT_LIBRARY_PATH"] = str(built.conduit)
    environment["PYFR_ASCENT_MPI_LIBRARY_PATH"] = str(built.ascent)
    # Kernels in the order of submission, under the name of older and of newer PoCL.
    environment["POCL_DEVICES"] = "basic" if _pocl() < 4 else "cpu-minimal"
    case, pyfr = EXAMPLES / "pyfr", program("pyfr")
    mesh = run([program("python"), case / "make_mesh.py", 6], tmp_path)
    (tmp_path / "box.msh").write_text(mesh)
    run([pyfr, "import", "box.msh", "box.pyfrm"], tmp_path)
    run([pyfr, "partition", "add", "-p", "scotch", "box.pyfrm", 2], tmp_path, **environment)
    start = [program("mpiexec"), "-n", 2, pyfr, "run", "-b", "opencl"]
    run([*start, "box.pyfrm", case / "tgv.ini"], tmp_path, **environment)

    record = insitu.open_record(tmp_path / "insitu_record")
    assert record.fields == ["velocity"]
    np.testing.assert_allclose(record["velocity"].times, [0, 0.01, 0.02])
    points = np.random.default_rng(0).uniform(-3, 3, (2000, 3))
    x, y, z = points.T
    speeds = np.sin(x) * np.cos(y) * np.cos(z), -np.cos(x) * np.sin(y) * np.cos(z), 0 * x
    for step in range(3):
        decoded = record["velocity"].sel(step=step)
        assert len(decoded.boxes) == 2
        assert decoded.summary.psnr_db >= 39.5
        assert np.sqrt(np.mean((decoded(points) - np.stack(speeds, axis=1)) ** 2)) < 0.02
    for time in ("0.000", "0.010", "0.020"):
        picture = np.asarray(Image.open(tmp_path / f"speed-{time}.png"))
        assert picture.shape == (384, 384, 3)
        assert picture.reshape(-1, 3).std(axis=0).max() > 5


def test_trees_under_sanitizers(tmp_path: Path) -> None:
    """The C library alone, compiled with the address and undefined-behaviour sanitizers, under a
    program in C and one in C++."""
    checked = ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    include = f"-I{HERE / 'include' / 'conduit'}"
    here = Path(__file__).parent
    strict = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", include]
    compile = ["-c", *strict, *checked]
    run(["gcc", "-std=c99", *compile, here / "node.c", "-o", "node.o"], tmp_path)
    run(["g++", "-std=c++11", *compile, here / "tree.cpp", "-o", "tree.o"], tmp_path)
    run(["g++", "-std=c++20", "-fsyntax-only", *strict, here / "tree.cpp"], tmp_path)
    sources = [HERE / "cpp" / name for name in CONDUIT]
    version = '-DINSITU_VERSION="checked"'
    library = ["g++", "-std=c++17", *checked, version, include, "-fPIC", "-shared", *sources]
    run([*library, "-ldl", "-o", "libtree.so"], tmp_path)
    for name, outcome in (("node", "5 passed, 0 failed"), ("tree", "8 passed, 0 failed")):
        run(["g++", *checked, f"{name}.o", "./libtree.so", "-o", name], tmp_path)
        assert outcome in run([f"./{name}"], tmp_path)


def test_c_under_valgrind(built: Libraries, tmp_path: Path) -> None:
    """The whole way, Python included: nothing is read or written that is not there.

    Python's allocator is told to use malloc, so that valgrind sees every object.
    """
    source = EXAMPLES / "blast.c"
    run([program("mpicc"), "-g", source, *flags(built), "-lm", "-o", "blast"], tmp_path)
    valgrind = [program("valgrind"), "-q", "--error-exitcode=9", "--leak-check=no"]
    # What NumPy and MPI do with bits that were never set is theirs to know.
    valgrind.append("--undef-value-errors=no")
    valgrind.append(f"--suppressions={Path(__file__).with_name('valgrind.supp')}")
    environment = {"PYTHONMALLOC": "malloc", "INSITU_ISA": "portable"}
    out = run([*valgrind, "./blast", 8, 10], tmp_path, **environment)
    assert out.count("Ascent::execute completed") == 2


def _pocl() -> int:
    """The major version of PoCL, which is that of its package."""
    return int(run(["dpkg-query", "-W", "-f", "${Version}", "pocl-opencl-icd"], Path.cwd())[0])


def _multiarch() -> str:
    """The folder of Debian's libraries; a Python of another origin does not know it."""
    return run(["gcc", "-print-multiarch"], Path.cwd()).strip()
