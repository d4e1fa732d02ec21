"""Building the libraries: once, again when it must be, and never over what others put there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from insitu.ascent import build
from insitu.ascent.build import BuildError, Libraries, libraries
from insitu.cli.command_line import main


@pytest.mark.parallel(1)
def test_what_is_there(built: Libraries) -> None:
    """Every name that a simulation links to, headers, and no libpython or libgfortran needed."""
    lib = built.ascent.parent
    parts = ("", "_blueprint", "_blueprint_mpi", "_relay", "_relay_mpi", "_relay_mpi_io")
    names = [f"libconduit{part}" for part in parts]
    names += [f"libascent{part}" for part in ("", "_mpi", "_flow", "_lodepng")]
    assert all((lib / f"{name}.so").is_file() for name in names)
    assert all((folder / header).is_file() for folder, header in zip(
        built.includes, ("conduit.h", "ascent.h"), strict=False))  # fmt: skip
    for library in (built.conduit, built.ascent):
        needed = subprocess.run(["ldd", library], capture_output=True, text=True).stdout
        assert "libpython" not in needed and "gfortran" not in needed
        assert "not found" not in needed


@pytest.mark.parallel(1)
def test_built_once(built: Libraries) -> None:
    before = built.ascent.stat().st_mtime_ns
    assert libraries() == built
    assert built.ascent.stat().st_mtime_ns == before


@pytest.mark.parallel(1)
def test_refusals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("all of it")
    with pytest.raises(BuildError, match="contains other files"):
        libraries(tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").is_file()
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(BuildError, match="'no-such-compiler' not found; set CXX="):
        libraries(tmp_path / "new")
    monkeypatch.setenv("CXX", "c++ --no-such-flag")
    with pytest.raises(BuildError, match="no-such-flag"):
        libraries(tmp_path / "new")
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parallel(1)
def test_command(
    built: Libraries, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lines, evaluated by a shell, lead to the libraries."""
    for name in ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK", "MV2_COMM_WORLD_RANK"):
        monkeypatch.delenv(name, raising=False)
    assert main(["ascent-libs"]) == 0
    lines = capsys.readouterr().out
    names = ("PYFR_CONDUIT_LIBRARY_PATH", "PYFR_ASCENT_MPI_LIBRARY_PATH", "LD_LIBRARY_PATH")
    names += ("CMAKE_PREFIX_PATH", "PKG_CONFIG_PATH")
    script = lines + "".join(f'printf "%s\\n" "${name}"\n' for name in names)
    environment = {**os.environ, "LD_LIBRARY_PATH": "/before", "CMAKE_PREFIX_PATH": "/other"}
    environment.pop("PKG_CONFIG_PATH", None)
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, env=environment)
    lib = built.ascent.parent
    found = [str(built.conduit), str(built.ascent), f"{lib}:/before"]
    found += [f"{lib.parent}:/other", f"{lib}/pkgconfig"]
    assert done.stdout.splitlines() == found

    assert main(["ascent-libs", "--cflags", "--libs"]) == 0
    flags = capsys.readouterr().out.split()
    assert f"-I{lib.parent / 'include' / 'ascent'}" in flags
    assert flags[-2:] == ["-lascent_mpi", "-lconduit"]


@pytest.mark.parallel(1)
def test_c_program_without_python(built: Libraries, tmp_path: Path) -> None:
    """The tree is there for programs that never open Ascent; the headers are C."""
    source = tmp_path / "tree.c"
    source.write_text(
        '#include <conduit.h>\n#include <conduit_blueprint.h>\n#include <ascent.h>\n'
        "int main(void) {\n"
        "    conduit_node *node = conduit_node_create();\n"
        '    conduit_node_set_path_float64(node, "a/b", 2.5);\n'
        "    conduit_node_print(node);\n"
        "    conduit_node_destroy(node);\n"
        "    return 0;\n}\n"
    )  # fmt: skip
    lib = built.ascent.parent
    command = ["cc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", str(source)]
    command += [*(f"-I{folder}" for folder in built.includes), "-o", str(tmp_path / "tree")]
    command += [f"-L{lib}", f"-Wl,-rpath,{lib}", "-lascent_mpi", "-lconduit"]
    subprocess.run(command, check=True)
    done = subprocess.run([tmp_path / "tree"], capture_output=True, text=True, check=True)
    assert done.stdout == "a:\n  b: 2.5\n"


@pytest.mark.parallel(1)
def test_cpp_headers(built: Libraries, tmp_path: Path) -> None:
    """They are C++11, without a warning, and a program of one file needs no more than them."""
    source = tmp_path / "mesh.cpp"
    source.write_text(
        "#include <ascent.hpp>\n#include <conduit_relay.hpp>\n#include <vtkh/vtkh.hpp>\n"
        "int main() {\n"
        "  conduit::Node mesh, info;\n"
        '  conduit::blueprint::mesh::examples::braid("hexs", 3, 3, 3, mesh);\n'
        '  mesh["fields/braid/values"].as_float64_array().fill(2);\n'
        '  std::cout << conduit::blueprint::mesh::verify(mesh, info)\n'
        '            << mesh["fields/braid/values"].as_float64_array().sum() << std::endl;\n'
        "  return 0;\n}\n"
    )  # fmt: skip
    lib = built.ascent.parent
    command = ["c++", "-std=c++11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", str(source)]
    command += [*(f"-I{folder}" for folder in built.includes), "-o", str(tmp_path / "mesh")]
    command += [f"-L{lib}", f"-Wl,-rpath,{lib}", "-lascent_mpi", "-lconduit"]
    subprocess.run(command, check=True)
    done = subprocess.run([tmp_path / "mesh"], capture_output=True, text=True, check=True)
    assert done.stdout == "154\n"


@pytest.mark.parallel(1)
def test_python_side_imports_no_mpi_to_build() -> None:
    code = "import sys, insitu.ascent.build; sys.exit('mpi4py.MPI' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_an_installed_package_builds_into_the_users_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Uninstalling it leaves nothing in the environment."""
    installed = tmp_path / "site-packages" / "insitu" / "ascent"
    installed.mkdir(parents=True)
    monkeypatch.setattr(build, "HERE", installed)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert build._default_folder().is_relative_to(tmp_path / "cache" / "insitu")
