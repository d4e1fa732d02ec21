"""What an installed Ascent lacks to run the extract; the lines that are printed mend it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from insitu.ascent import installation, mpi_library
from insitu.cli.command_line import main
from insitu.core.errors import ConfigError

pytestmark = pytest.mark.parallel(1)


@pytest.fixture
def ascent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as Ascent and conduit install themselves, with this Python and an MPI of its own."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.chdir(tmp_path)  # modules are found there, too
    prefix = tmp_path / "ascent"
    for name in ("conduit", "ascent"):
        (prefix / "python-modules" / name).mkdir(parents=True)
        (prefix / "python-modules" / name / "__init__.py").write_text("")
    (prefix / "lib/cmake/ascent").mkdir(parents=True)
    settings = {
        "ASCENT_CONDUIT_DIR": prefix,
        "ASCENT_PYTHON_ENABLED": "TRUE",
        "ASCENT_PYTHON_EXECUTABLE": sys.executable,
    }
    (prefix / "lib/cmake/ascent/AscentConfig.cmake").write_text(
        "".join(f'    set({name} "{value}")\n' for name, value in settings.items())
    )
    return prefix


def link_to_mpi(prefix: Path, name: str) -> None:
    """libascent_mpi.so, linked to a library that has an MPI's name."""
    lib = prefix / "lib"
    (lib / "mpi.c").write_text("int MPI_Nothing(void) { return 0; }\n")
    (lib / "ascent.c").write_text(
        "int MPI_Nothing(void);\nint ascent(void) { return MPI_Nothing(); }\n"
    )
    shared = ["cc", "-shared", "-fPIC"]
    subprocess.run([*shared, "mpi.c", f"-Wl,-soname,{name}", "-o", name], cwd=lib, check=True)
    subprocess.run(
        [*shared, "ascent.c", f"./{name}", "-Wl,-rpath,$ORIGIN", "-o", "libascent_mpi.so"],
        cwd=lib,
        check=True,
    )


def test_the_lines_mend_what_is_missing(ascent: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ascent-extract", "--check", "--ascent", str(ascent)]) == 1
    told = capsys.readouterr()
    assert "does not find conduit and ascent, without which Ascent hands no data" in told.err
    assert "does not find insitu" in told.err
    base = installation._base(sys.executable)
    script = told.out + f"{base} -c 'import insitu.ascent, conduit, ascent, mpi4py, numpy'"
    subprocess.run(["sh", "-c", script], check=True)
    line = next(line for line in told.out.splitlines() if line.startswith("export PYTHONPATH"))
    shell = subprocess.run(
        ["sh", "-c", f"{line}; echo $PYTHONPATH"], capture_output=True, text=True, check=True
    )
    environment = os.environ | {"PYTHONPATH": shell.stdout.strip()}
    command = [sys.executable, "-m", "insitu", "ascent-extract", "--check", "--ascent", str(ascent)]
    again = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert again.returncode == 0 and again.stdout == ""
    assert again.stderr == "insitu: nothing is missing\n"


def test_another_mpi(ascent: Path) -> None:
    """mpi4py's own, beside the one that Ascent is linked to."""
    link_to_mpi(ascent, "libmpich.so.12")
    found = installation.check(ascent)
    mpi = ascent / "lib/libmpich.so.12"
    assert any(f"Ascent's MPI is {mpi}, but mpi4py finds" in text for text in found.problems)
    assert any(line.startswith(f"ln -sf {mpi} ") for line in found.lines)
    assert any(line.startswith("export LD_LIBRARY_PATH=") for line in found.lines)


def test_a_library_that_cannot_be_loaded(ascent: Path) -> None:
    """It is named, not mpi4py, which comes after it."""
    (ascent / "lib/libascent_mpi.so").write_text("none")
    (problem,) = [p for p in installation.check(ascent).problems if "cannot be loaded" in p]
    assert problem.startswith(f"{ascent / 'lib/libascent_mpi.so'} cannot be loaded: OSError: ")


@pytest.mark.parametrize(
    ("setting", "value", "problem"),
    [
        ("ASCENT_PYTHON_ENABLED", "FALSE", "built without Python"),
        ("ASCENT_PYTHON_EXECUTABLE", "/no/such/python", None),
    ],
)
def test_an_ascent_that_cannot_run_it(
    ascent: Path, setting: str, value: str, problem: str | None
) -> None:
    config = ascent / "lib/cmake/ascent/AscentConfig.cmake"
    config.write_text(config.read_text() + f"set({setting} {value})\n")
    if problem is None:
        with pytest.raises(ConfigError, match="this Python cannot be asked"):
            installation.check(ascent)
    else:
        assert [problem in text for text in installation.check(ascent).problems] == [True]


def test_no_ascent_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ascent-extract", "--ascent", str(tmp_path)]) == 2
    assert "no Ascent there: expected its install folder" in capsys.readouterr().err


def test_mpi_libraries_of_a_memory_map() -> None:
    lines = [
        "7f00-7f01 r-xp 00000000 00:01 1    /opt/a/lib/libmpich.so.12.2.2",
        "7f01-7f02 r--p 00000000 00:01 1    /opt/a/lib/libmpich.so.12.2.2",
        "7f02-7f03 r-xp 00000000 00:01 2    /opt/b/lib/libmpi.so.12",
        "7f03-7f04 r-xp 00000000 00:01 3    /opt/b/lib/libmpifort.so.12",
        "7f04-7f05 rw-p 00000000 00:00 0",
        "7f05-7f06 rw-p 00000000 00:00 0    [heap]",
    ]
    found = [str(path) for path in mpi_library.in_map(lines)]
    assert found == ["/opt/a/lib/libmpich.so.12.2.2", "/opt/b/lib/libmpi.so.12"]
    assert len(mpi_library.loaded()) <= 1
