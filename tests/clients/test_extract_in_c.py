"""The Python extract inside of a compiled program, which ends MPI and leaves Python as it is."""

import sysconfig
from pathlib import Path

import numpy
import pytest
import yaml

import insitu
from tests.support.programs import program, run
from tests.support.sessions import run_file

pytestmark = pytest.mark.clients


def test_the_record_is_completed_in_mpi_finalize(tmp_path: Path) -> None:
    names = ("INCLUDEPY", "LIBDIR", "LDVERSION")
    include, folder, version = (str(sysconfig.get_config_var(name)) for name in names)
    library = [f"-L{folder}", f"-Wl,-rpath,{folder}", f"-lpython{version}"]
    source = Path(__file__).with_name("extract.c")
    run([program("mpicc"), f"-I{include}", source, *library, "-o", "extract"], tmp_path)
    (tmp_path / "insitu.yaml").write_text(yaml.safe_dump(run_file(tmp_path)))
    # An embedded Python does not see a virtual environment by itself.
    packages = {"PYTHONPATH": str(Path(numpy.__file__).parents[1])}
    out = run([program("mpiexec"), "-n", 2, "./extract"], tmp_path, **packages)
    lines = out.splitlines()
    assert out.count("MPI has ended") == 2  # two ranks may share a line
    assert sum(line.startswith("insitu: cycle") for line in lines) == 2
    assert insitu.open_record(tmp_path / "record")["density"].cycles.tolist() == [2, 4]
