"""Ascent's C interface from end to end, from a Python program as PyFR is one: pictures, a record,
what comes back, and that nothing that goes wrong ends the simulation."""

import ctypes
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from mpi4py import MPI
from PIL import Image

import insitu
from insitu.ascent.build import Libraries
from insitu.metrics import psnr
from tests.support.ascent_calls import Ascent
from tests.support.cell_meshes import add, coordinates, cube, tree

COMM = MPI.COMM_WORLD
CELLS = 16
SCENES = {
    "action": "add_scenes",
    "scenes": {
        "s": {
            "plots": {"p": {"type": "volume", "field": "bump"}},
            "renders": {"r": {"image_prefix": "bump_%02d", "image_width": 80, "image_height": 80}},
        }
    },
}


@pytest.fixture
def here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, the same on all ranks."""
    monkeypatch.chdir(folder)
    monkeypatch.delenv("INSITU_CONFIG", raising=False)
    return folder


def mesh(cycle: int, values: np.ndarray | None = None, **fields: Any) -> dict[str, Any]:
    """This rank's cube along x, with a bump that moves by a tenth of a cube each cycle."""
    axis = (np.arange(CELLS) + 0.5) / CELLS
    z, y, x = np.meshgrid(axis, axis, axis + COMM.rank, indexing="ij")
    bump = np.exp(-8 * ((x - 0.5 - 0.1 * cycle) ** 2 + (y - 0.5) ** 2 + (z - 0.5) ** 2))
    if values is not None:
        values[:] = bump
        bump = values
    lines = np.linspace(0.0, 1.0, CELLS + 1)
    nodes = {"x": lines + COMM.rank, "y": lines.copy(), "z": lines.copy()}
    field = {"association": "element", "topology": "mesh"}
    return {
        "state": {"cycle": cycle, "time": 0.5 * cycle, "domain_id": COMM.rank},
        "coordsets": {"coords": {"type": "rectilinear", "values": nodes}},
        "topologies": {"mesh": {"type": "rectilinear", "coordset": "coords"}},
        "fields": {"bump": {**field, "values": bump.reshape(-1)}} | fields,
    }


def opened(ascent: Ascent, **options: Any) -> Ascent:
    ascent.open({"mpi_comm": COMM.py2f(), **options})
    return ascent


@pytest.mark.parallel([1, 3])
def test_pictures_and_record_without_a_run_file(here: Path, ascent: Ascent) -> None:
    """The fields that the actions name, at every execute, at 40 dB; the record holds them."""
    opened(ascent)
    for cycle in range(0, 9, 3):
        ascent.publish(mesh(cycle))
        ascent.execute([SCENES])
        assert ascent.status == "Ascent::execute completed"
    found = ascent.info
    assert (found["cycle"], found["time"]) == (6, 3.0)
    assert found["fields"]["bump"]["psnr_db"] >= 39.9
    assert found["images"] == [{"image_name": "bump_06.png"}]
    ascent.close()
    assert ascent.status == "Ascent::close completed"
    COMM.barrier()

    record = insitu.open_record(here / "insitu_record")
    assert record.fields == ["bump"]
    np.testing.assert_array_equal(record["bump"].cycles, [0, 3, 6])
    for cycle in (0, 6):
        decoded = record["bump"].sel(cycle=cycle)
        low, high = np.array(decoded.summary.bounds)
        np.testing.assert_allclose(high - low, [COMM.size, 1, 1])
        own = mesh(cycle)["fields"]["bump"]["values"].reshape(CELLS, CELLS, CELLS)
        whole = np.concatenate(COMM.allgather(own), axis=2)
        assert psnr(whole, decoded.decode()) >= 39.5
    pictures = [np.asarray(Image.open(here / f"bump_{cycle:02d}.png")) for cycle in (0, 3, 6)]
    assert all(picture.shape == (80, 80, 3) for picture in pictures)
    assert (pictures[0] != pictures[2]).any()


@pytest.mark.parallel(1)
def test_arrays_are_read_in_place(here: Path, ascent: Ascent) -> None:
    """What the simulation writes between publish and execute is what is seen."""
    actions = [
        {
            "action": "add_queries",
            "queries": {"q": {"params": {"expression": "max(field('bump'))", "name": "peak"}}},
        }
    ]
    opened(ascent)
    values = np.zeros((CELLS, CELLS, CELLS))
    ascent.publish(mesh(0, values))
    values[3, 4, 5] = 17.25
    ascent.execute(actions)
    ascent.close()
    assert "17.25" in (here / "ascent_session.yaml").read_text()


@pytest.mark.parallel([1, 3])
def test_files(here: Path, ascent: Ascent) -> None:
    """Options, actions and run file from the working directory; the actions file wins."""
    if COMM.rank == 0:
        (here / "ascent_options.yaml").write_text("ghost_field_name: my_ghosts\n")
        (here / "ascent_actions.yaml").write_text(
            "- action: add_scenes\n"
            "  scenes: {t: {plots: {p: {type: volume, field: bump}}, image_prefix: file_%d}}\n"
        )
        (here / "insitu.yaml").write_text(
            "fields: {bump: {psnr: 30}}\nwindow: {every: 2}\noutput: pictures\n"
            "record: {path: kept, on: [end]}\n"
        )
    COMM.barrier()
    ghosts = np.zeros((CELLS, CELLS, CELLS), np.int32)
    ghosts[:, 0] = 1
    flags = {"association": "element", "topology": "mesh", "values": ghosts.reshape(-1)}
    opened(ascent)
    for cycle in range(4):
        ascent.publish(mesh(cycle, my_ghosts=flags))
        ascent.execute([SCENES])
    ascent.close()
    COMM.barrier()
    pictures = sorted(p.name for p in (here / "pictures").glob("*.png"))
    assert pictures == ["file_0.png", "file_2.png"]
    assert not list(here.glob("bump*"))
    record = insitu.open_record(here / "kept")
    np.testing.assert_array_equal(record["bump"].cycles, [0, 2])
    assert record["bump"].sel(step=-1).decode().shape == (CELLS, CELLS - 1, COMM.size * CELLS)


@pytest.mark.parallel([1, 3])
def test_scenes_follow_the_actions(here: Path, ascent: Ascent) -> None:
    """PyFR gives its files another name at every step, without a cycle of its own."""
    opened(ascent)
    for step in range(3):
        tree = mesh(0)
        tree["state"] = {"time": {"keyword": "Time", "data": str(0.25 * step)}}
        ascent.publish({f"domain_{COMM.rank}": tree})
        render = {"image_name": f"step-{step}", "image_width": 64, "image_height": 64}
        plots = {"p": {"type": "volume", "field": "bump"}}
        actions = [
            {"action": "add_scenes", "scenes": {"s": {"plots": plots, "renders": {"r": render}}}},
            {"action": "add_pipelines", "pipelines": None},
        ]
        ascent.execute(actions)
        assert ascent.info["time"] == 0.25 * step
    ascent.close()
    COMM.barrier()
    names = [f"step-{step}.png" for step in range(3)]
    assert sorted(p.name for p in here.glob("*.png")) == names


@pytest.mark.parallel([1, 3])
def test_hexahedra(here: Path, ascent: Ascent) -> None:
    """Explicit coordinates, bent cells, no point shared: the record has the field that was meant,
    and nothing where at one step a rank's cells do not fill a box."""
    points, cells = cube(10, "hex")
    points[:, 0] += COMM.rank
    opened(ascent)
    for cycle in range(3):
        shown = cells[:-300] if cycle == 1 else cells  # without the upper 3 layers
        domain = tree(points, shown, "hex", duplicated=True, cycle=cycle)
        x, y, z = coordinates(domain)
        add(domain, "f", np.sin(3 * x) + y * z)
        ascent.publish(domain)
        ascent.execute(None)
        assert ascent.status == "Ascent::execute completed"
    ascent.close()
    COMM.barrier()
    record = insitu.open_record(here / "insitu_record")
    np.testing.assert_array_equal(record["f"].cycles, [0, 1, 2])
    inside = np.random.default_rng(1).uniform(0.1, 0.9, (500, 3)) * [COMM.size, 1, 0.7]
    x, y, z = inside.T
    for step in (1, 2):
        # 40 dB of the whole range, which is 1.6 times that of these points.
        assert psnr(np.sin(3 * x) + y * z, record["f"].sel(step=step)(inside)) > 32
    assert record["f"].sel(step=1).grid.shape[0] == 8  # z to 0.7


@pytest.mark.parallel([1, 3])
def test_what_is_not_understood_is_left_out(
    here: Path, ascent: Ascent, caplog: pytest.LogCaptureFixture
) -> None:
    """With a line that says why, once; the rest is done."""
    plots = {"p": {"type": "volume", "field": "nothing"}}
    unknown = {"action": "add_scenes", "scenes": {"none": {"plots": plots, "image_prefix": "no"}}}
    nonsense = {"action": "add_nonsense", "nonsense": {"n": {"type": "x"}}}
    opened(ascent)
    for cycle in range(2):
        ascent.publish(mesh(cycle))
        ascent.execute([unknown, nonsense, SCENES])
        assert ascent.status == "Ascent::execute completed"
    ascent.close()
    COMM.barrier()
    assert sorted(p.name for p in here.glob("*.png")) == ["bump_00.png", "bump_01.png"]
    lines = [r.getMessage() for r in caplog.records if "left out" in r.getMessage()]
    assert len(lines) == (2 if COMM.rank == 0 else 0)
    if COMM.rank == 0:
        assert any("no field 'nothing'" in line for line in lines)
        assert any("add_nonsense" in line for line in lines)


@pytest.mark.parallel([1, 3])
def test_a_failure_drops_the_step(
    here: Path, ascent: Ascent, caplog: pytest.LogCaptureFixture
) -> None:
    """On one rank or all: it is told, `info` says so, and the next step is done on all ranks."""
    opened(ascent)
    for cycle in range(3):
        tree = mesh(cycle)
        if cycle == 1 and COMM.rank == COMM.size - 1:
            tree["fields"]["bump"]["values"] = np.zeros(3)
        ascent.publish(tree)
        ascent.execute([SCENES])
        status = ascent.info["status"]
        assert ascent.status == f"Ascent::execute {'failed' if cycle == 1 else 'completed'}"
        assert ("3 values, topology 'mesh'" in status.get("details", "")) == (cycle == 1)
    ascent.close()
    COMM.barrier()
    lines = [r.getMessage() for r in caplog.records]
    told = [line for line in lines if "3 values, topology 'mesh'" in line]
    assert len(told) == (COMM.rank == 0)
    record = insitu.open_record(here / "insitu_record")
    np.testing.assert_array_equal(record["bump"].cycles, [0, 2])


@pytest.mark.parallel([1, 3])
def test_opened_and_closed_at_every_step(
    here: Path, ascent: Ascent, caplog: pytest.LogCaptureFixture
) -> None:
    """Record and results of queries go on where the Ascent before ended, without a word."""
    query = {"params": {"expression": "max(field('bump'))", "name": "peak"}}
    actions = [SCENES, {"action": "add_queries", "queries": {"q": query}}]
    for cycle in range(0, 9, 3):
        opened(ascent)
        ascent.publish(mesh(cycle))
        ascent.execute(actions)
        ascent.close()
    COMM.barrier()
    assert insitu.open_record(here / "insitu_record")["bump"].cycles.tolist() == [0, 3, 6]
    results = yaml.safe_load((here / "ascent_session.yaml").read_text())["peak"]
    assert list(results) == [0, 3, 6]
    assert not caplog.records


@pytest.mark.parallel([1, 3])
def test_a_command_that_fails_on_one_rank(
    here: Path, ascent: Ascent, caplog: pytest.LogCaptureFixture
) -> None:
    """All ranks hear of it; the step is recorded, and the next."""
    ranks: list[int] = []
    failing = COMM.size - 1

    def only_some(function: int, params: int, output: int) -> None:
        ranks.append(COMM.rank)

    command = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 3)(only_some)
    if COMM.rank != failing:  # the other has no such function
        ascent.library.insitu_register_command(b"some", command, None)
    params = {"callback": "some"}
    actions = [SCENES, {"action": "add_commands", "commands": {"c": {"params": params}}}]
    opened(ascent)
    for cycle in range(2):
        ascent.publish(mesh(cycle))
        ascent.execute(actions)
        if COMM.size > 1:
            assert f"command 'c': rank {failing}" in ascent.info["status"]["details"]
    ascent.close()
    ascent.library.insitu_reset_callbacks()
    COMM.barrier()
    assert ranks == ([] if COMM.rank == failing else [COMM.rank] * 2)
    told = [r.getMessage() for r in caplog.records if "no callback 'some'" in r.getMessage()]
    assert len(told) == (COMM.size == 1)
    assert insitu.open_record(here / "insitu_record")["bump"].cycles.tolist() == [0, 1]


@pytest.mark.parallel(1)
def test_calls_out_of_order(
    here: Path, ascent: Ascent, caplog: pytest.LogCaptureFixture, built: Any
) -> None:
    ascent.publish(mesh(0))
    assert ascent.status == "Ascent::publish failed"
    assert "not open" in ascent.info["status"]["details"]
    ascent.execute([SCENES])
    assert ascent.status == "Ascent::execute failed"
    ascent.close()
    (here / "ascent_actions.yaml").write_text("- action: [\n")
    opened(ascent)
    ascent.publish(mesh(0))
    ascent.execute([SCENES])
    assert ascent.status == "Ascent::execute failed"
    assert "not valid YAML" in ascent.info["status"]["details"]
    (here / "ascent_actions.yaml").unlink()
    ascent.publish(mesh(1))
    ascent.execute([SCENES])
    assert ascent.status == "Ascent::execute completed"
    ascent.close()
    ascent.close()
    assert (here / "insitu_record" / "manifest.json").is_file()


@pytest.mark.parallel(1)
def test_that_insitu_cannot_be_imported_is_told_once(built: Libraries) -> None:
    """In a Python of its own: the library remembers it for the process."""
    script = textwrap.dedent("""
        import ctypes, sys

        sys.modules["insitu.ascent.c_callbacks"] = None  # its import fails
        conduit, ascent = (ctypes.CDLL(path, ctypes.RTLD_GLOBAL) for path in sys.argv[1:])
        for function in (ascent.ascent_create, ascent.ascent_info_ref, conduit.conduit_node_create,
                         conduit.conduit_node_fetch_path_as_char8_str):
            function.restype = ctypes.c_void_p
        one = ctypes.c_void_p(ascent.ascent_create())
        node = ctypes.c_void_p(conduit.conduit_node_create())
        for call in (ascent.ascent_open, *(ascent.ascent_publish, ascent.ascent_execute) * 3):
            call(one, node)
        info = ctypes.c_void_p(ascent.ascent_info_ref(one))
        details = conduit.conduit_node_fetch_path_as_char8_str(info, b"status/details")
        print(ctypes.string_at(details).decode())
    """)
    command = [sys.executable, "-c", script, str(built.conduit), str(built.ascent)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "Python cannot import insitu; nothing will be recorded\n"
    assert done.stderr.count("ModuleNotFoundError") == 1
    assert done.stderr.count("INSITU_PYTHON") == 1
    assert done.stderr.count("insitu: open: Python cannot import insitu") == 1
    assert "publish" not in done.stderr and "execute" not in done.stderr
