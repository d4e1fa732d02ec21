"""The Python extract of a real Ascent, from the script on."""

import gc
import importlib.util
import os
import subprocess
import sys
import textwrap
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from mpi4py import MPI

import insitu
from insitu.ascent import extract
from tests.support.ascent_extract import Ascent, Published
from tests.support.sessions import run_file
from tests.support.trees import Node

COMM = MPI.COMM_WORLD


@pytest.fixture(autouse=True)
def forgotten(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """No session of another test, and none left."""
    monkeypatch.setattr(extract, "_extracts", {})
    monkeypatch.delenv(extract.VARIABLE, raising=False)
    monkeypatch.chdir(folder)


def write(folder: Path, comm: MPI.Comm = COMM, **changes: Any) -> None:
    """The run file beside the script, on all ranks or none. Collective."""
    if comm.rank == 0:
        folder.mkdir(exist_ok=True)
        (folder / "insitu.yaml").write_text(yaml.safe_dump(run_file(folder, **changes)))
    comm.barrier()


def close() -> None:
    """What MPI_Finalize would do. Collective."""
    for kept in extract._extracts.values():
        if kept is not None:
            kept.close()


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("domains", ["one", "several", "none on the last"])
def test_a_run(folder: Path, domains: str) -> None:
    counts = {
        "one": lambda rank, size: 1,
        "several": lambda rank, size: 1 + rank % 2,
        "none on the last": lambda rank, size: int(rank < size - 1 or size == 1),
    }
    write(folder)
    simulation = Published(COMM, domains=counts[domains])
    ascent = Ascent(folder)
    before = dict(ascent.names)
    while not simulation.done:
        simulation.step()
        node = simulation.node()
        copies = [tree["fields"]["density"]["values"].copy() for tree in node.thing or []]
        ascent.execute(node)
        for tree, copy in zip(node.thing or [], copies, strict=True):
            assert np.array_equal(tree["fields"]["density"]["values"], copy)
    new = set(ascent.names) - set(before)
    assert new <= {"__builtins__"} and all(ascent.names[key] is before[key] for key in before)
    close()
    COMM.barrier()
    record = insitu.open_record(folder / "record")
    assert record["density"].cycles.tolist() == [4, 6, 8, 10, 12]
    density = record["density"].sel(step=-1)
    assert density.summary.cycle == 12 and density.summary.psnr_db >= 38
    assert len(density.boxes) == COMM.allreduce(len(simulation.slabs))
    assert (folder / "fired_008.png").is_file() and (folder / "insitu_timings.csv").is_file()


@pytest.mark.parallel([1, 3])
def test_repeated_cycles(folder: Path) -> None:
    """A simulation may hand a cycle over more than once: the last counts."""
    write(folder)
    simulation, ascent = Published(COMM, steps=4), Ascent(folder)
    while not simulation.done:
        simulation.step()
        for time in (0.0, simulation.time):
            simulation.time = time
            simulation._fill()
            ascent.execute(simulation.node())
    close()
    COMM.barrier()
    density = insitu.open_record(folder / "record")["density"]
    assert density.cycles.tolist() == [2, 4] and density.times.tolist() == [0.1, 0.2]
    points = np.array([[0.4, 0.5, 0.45], [0.8, 0.2, 0.3]])
    wanted = simulation.density(*points.T)
    assert np.allclose(density.sel(step=-1)(points), wanted, atol=0.05)


@pytest.mark.parallel(3)
def test_communicators_that_are_not_the_world(folder: Path) -> None:
    """Two halves of the ranks, each with an Ascent of its own."""
    half = COMM.Split(COMM.rank % 2, COMM.rank)
    mine = folder / f"half_{COMM.rank % 2}"
    write(mine, half)
    simulation, ascent = Published(half, steps=4), Ascent(mine, half)
    while not simulation.done:
        simulation.step()
        ascent.execute(simulation.node())
    close()
    half.barrier()
    assert len(insitu.open_record(mine / "record")["density"].sel(step=-1).boxes) == half.size
    half.Free()


@pytest.mark.parallel(1)
def test_an_ascent_without_mpi(folder: Path) -> None:
    write(folder)
    simulation, ascent = Published(MPI.COMM_SELF, steps=4), Ascent(folder, None)
    while not simulation.done:
        simulation.step()
        ascent.execute(simulation.node())
    close()
    assert insitu.open_record(folder / "record")["density"].cycles.tolist() == [2, 4]


@pytest.mark.parallel([1, 3])
def test_nothing_of_the_simulation_is_kept(folder: Path) -> None:
    write(folder)
    simulation, ascent = Published(COMM, steps=2), Ascent(folder)
    simulation.step()
    simulation.step()
    node = simulation.node()
    arrays = [tree["fields"]["velocity"]["values"]["u"].base for tree in node.thing]
    arrays += [simulation.arrays[key] for key in simulation.arrays]
    alive = [weakref.ref(array) for array in arrays]
    ascent.execute(node)
    simulation.arrays.clear()
    del node, arrays
    gc.collect()
    assert not any(reference() is not None for reference in alive)
    close()


@pytest.mark.parallel([1, 3])
def test_where_the_run_file_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = str(folder / "elsewhere/insitu_extract.py")
    with pytest.raises(insitu.core.errors.ConfigError, match="INSITU_CONFIG names another"):
        extract.run_file(script)
    COMM.barrier()
    write(folder)
    assert extract.run_file(script) == Path("insitu.yaml")
    COMM.barrier()
    write(folder / "elsewhere")
    assert extract.run_file(script) == folder / "elsewhere/insitu.yaml"
    monkeypatch.setenv(extract.VARIABLE, str(folder / "insitu.yaml"))
    assert extract.run_file(script) == folder / "insitu.yaml"


@pytest.mark.parallel([1, 3])
def test_a_wrong_run_file_is_told_once(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(folder, fields={"density": {"psnrr": 38}})
    simulation, ascent = Published(COMM, steps=2), Ascent(folder)
    while not simulation.done:
        simulation.step()
        ascent.execute(simulation.node())
    told = [r.getMessage() for r in caplog.records]
    assert len(told) == (COMM.rank == 0) and all("did you mean 'psnr'" in text for text in told)


@pytest.mark.parallel([1, 3])
def test_a_tree_that_is_wrong_on_one_rank(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """That step is dropped on all ranks, with a line; the others are recorded."""
    write(folder)
    simulation, ascent = Published(COMM, steps=6), Ascent(folder)
    while not simulation.done:
        simulation.step()
        node = simulation.node()
        if simulation.cycle == 4 and COMM.rank == COMM.size - 1:
            node.thing[0]["fields"]["density"]["topology"] = "mess"
        ascent.execute(node)
    close()
    COMM.barrier()
    assert insitu.open_record(folder / "record")["density"].cycles.tolist() == [2, 6]
    told = [r.getMessage() for r in caplog.records]
    assert len(told) == (COMM.rank == 0) and all("no topology 'mess'" in text for text in told)


@pytest.mark.parallel([1, 3])
def test_no_node_at_all(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing that Ascent hands over makes the script raise."""
    write(folder)
    ascent = Ascent(folder)
    for thing in (None, [], {"state": {"cycle": 2}}, [np.zeros(3)], "text"):
        ascent.execute(Node(thing))
    close()
    if COMM.rank == 0:
        assert caplog.records


@pytest.mark.parallel(1)
def test_without_insitu_the_script_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Once, on rank 0, with the cure."""
    monkeypatch.setitem(sys.modules, "insitu.ascent", None)
    monkeypatch.setattr(sys, "insitu_told", None, raising=False)
    monkeypatch.delattr(sys, "insitu_told")
    for name in ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK", "MV2_COMM_WORLD_RANK"):
        monkeypatch.delenv(name, raising=False)
    ascent = Ascent(folder)
    monkeypatch.setenv("PMI_RANK", "1")
    ascent.execute(Node(None))
    assert not capsys.readouterr().err
    monkeypatch.setenv("PMI_RANK", "0")
    ascent.execute(Node(None))
    ascent.execute(Node(None))
    told = capsys.readouterr().err
    assert told.count("nothing will be recorded") == 1
    assert "`insitu ascent-extract --check`" in told


@pytest.mark.parallel(1)
def test_with_another_mpi_than_the_simulation_nothing_is_done(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder)
    two = [Path("/a/libmpich.so.12"), Path("/b/libmpi.so.12")]
    monkeypatch.setattr(extract.mpi_library, "loaded", lambda: two)
    extract._another_mpi.cache_clear()
    simulation, ascent = Published(COMM, steps=4), Ascent(folder)
    while not simulation.done:
        simulation.step()
        ascent.execute(simulation.node())
    extract._another_mpi.cache_clear()
    told = capsys.readouterr().err
    assert told.count("mpi4py has another MPI than the simulation") == 1
    assert "/a/libmpich.so.12 and /b/libmpi.so.12" in told and not extract._extracts


@pytest.mark.parallel([1, 3])
def test_a_communicator_whose_handle_changes(folder: Path) -> None:
    """A simulation that hands over a duplicate at every step, and frees it, has one session."""
    write(folder)
    simulation = Published(COMM, steps=4)
    handles = set()
    other = COMM.Dup()  # takes the handle of one that was freed
    while not simulation.done:
        simulation.step()
        comm = COMM.Dup()
        handles.add(comm.py2f())
        Ascent(folder, comm).execute(simulation.node())
        other.Free()
        other = comm
    other.Free()
    assert len(handles) > 1 and len(extract._extracts) == 1
    close()
    COMM.barrier()
    assert insitu.open_record(folder / "record")["density"].cycles.tolist() == [2, 4]


@pytest.mark.parallel([1, 3])
def test_two_extracts_need_two_outputs(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The second is refused with what to do; the first is recorded."""
    for name in ("one", "two"):
        write(folder / name, output="same", record={"path": f"record_{name}"})
    simulation = Published(COMM, steps=4)
    first, second = (Ascent(folder / name) for name in ("one", "two"))
    while not simulation.done:
        simulation.step()
        first.execute(simulation.node())
        second.execute(simulation.node())
    close()
    COMM.barrier()
    told = [r.getMessage() for r in caplog.records]
    assert len(told) == (COMM.rank == 0)
    assert all("give each extract one of its own" in text for text in told)
    assert insitu.open_record("record_one")["density"].cycles.tolist() == [2, 4]
    assert not Path("record_two").exists()


@pytest.mark.parallel([1, 3])
def test_ascents_own_session_file_is_left_alone(folder: Path) -> None:
    query = {"params": {"expression": "max(field('density'))", "name": "peak"}}
    actions = [{"action": "add_queries", "queries": {"q": query}}]
    write(folder, actions=actions)
    simulation, ascent = Published(COMM, steps=2), Ascent(folder)
    while not simulation.done:
        simulation.step()
        ascent.execute(simulation.node())
    close()
    COMM.barrier()
    assert "peak" in (folder / "insitu_session.yaml").read_text()
    assert not (folder / "ascent_session.yaml").exists()


@pytest.mark.parallel([1, 3])
def test_isosurfaces_without_vtk_cost_no_step(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    front = {
        "isosurface": {"field": "density", "isovalues": [0.5]},
        "actions": [{"action": "save_info"}],
    }
    write(folder, ascent={"publish": {"front": front}})
    found = importlib.util.find_spec
    without = lambda name, *rest: None if name == "vtkmodules" else found(name, *rest)  # noqa: E731
    monkeypatch.setattr(extract.importlib.util, "find_spec", without)
    simulation, ascent = Published(COMM, steps=4), Ascent(folder)
    while not simulation.done:
        simulation.step()
        ascent.execute(simulation.node())
    close()
    COMM.barrier()
    told = [r.getMessage() for r in caplog.records]
    assert len(told) == (COMM.rank == 0) and all("need the package vtk" in text for text in told)
    assert insitu.open_record(folder / "record")["density"].cycles.tolist() == [2, 4]


PROGRAM = """
import sys
from pathlib import Path
from mpi4py import MPI
from tests.support.ascent_extract import Ascent, Published

folder, end = Path(sys.argv[1]), sys.argv[2]
simulation, ascent = Published(MPI.COMM_WORLD, steps=4), Ascent(folder)
while not simulation.done:
    simulation.step()
    node = simulation.node()
    if end == "raise" and simulation.cycle == 4:
        node = simulation.node()
        node.thing[0]["fields"]["density"]["topology"] = "mess"
    ascent.execute(node)
if end == "finalize":
    MPI.Finalize()
"""


def launch(folder: Path, end: str) -> subprocess.CompletedProcess[str]:
    """The program on 2 ranks."""
    mpiexec = os.environ.get("MPIEXEC") or str(Path(sys.executable).with_name("mpiexec"))
    (folder / "program.py").write_text(textwrap.dedent(PROGRAM))
    root = str(Path(insitu.__file__).parents[1])
    return subprocess.run(
        [mpiexec, "-n", "2", sys.executable, "program.py", str(folder), end],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": root, "OMP_NUM_THREADS": "1", "MPIEXEC_TIMEOUT": "300"},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("end", ["exit", "finalize"])
def test_closed_when_the_simulation_ends(folder: Path, end: str) -> None:
    """At the exit of a Python program, and in MPI_Finalize, as in a compiled one."""
    write(folder)
    done = launch(folder, end)
    assert done.returncode == 0, done.stderr
    record = insitu.open_record(folder / "record")
    assert record["density"].cycles.tolist() == [2, 4]
    assert (folder / "insitu_timings.csv").read_text().count("density") == 2
    lines = [line for line in done.stdout.splitlines() if line.startswith("insitu: cycle")]
    assert len(lines) == 2 and not list(folder.glob("insitu.*/"))  # no crash files are left


def test_on_error_raise_ends_all_ranks(folder: Path) -> None:
    write(folder, on_error="raise")
    done = launch(folder, "raise")
    assert done.returncode != 0 and "no topology 'mess'" in done.stderr
