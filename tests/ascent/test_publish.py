"""What goes back to Ascent: meshes of what a session kept, as this package's own reader takes them,
and the calls of a nested Ascent."""

import importlib
import json
import logging
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from mpi4py import MPI

import insitu
from insitu.ascent import extract, nested, publish
from insitu.config.ascent import DecodedConfig, IsosurfaceConfig, PublishConfig, SliceConfig
from insitu.core.parallel import RemoteError
from insitu.mesh import partitions, state, verify
from insitu.session import Session
from tests.support.ascent_extract import SCRIPT, Ascent, Published
from tests.support.moving import Moving
from tests.support.sessions import run_file

COMM = MPI.COMM_WORLD
ACTIONS = ({"action": "add_scenes", "scenes": {"s": {"image_prefix": "iso_%04d"}}},)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Five recorded steps, 2 to 10, the last three of them in the window; and the simulation."""
    folder = Path(COMM.bcast(tmp_path_factory.mktemp("session")))
    simulation = Moving(COMM, steps=10, domains=lambda rank, size: rank % 3 or 1)
    session = insitu.open(run_file(folder, window={"steps": 3, "every": 2, "keep": "all"}), COMM)
    while not simulation.done:
        simulation.step()
        session.publish(simulation.mesh())
        session.execute()
    yield session, simulation
    session.close()


def domains(session: Session, **wanted: Any) -> publish.Domains | None:
    return publish.domains(session.comm, session.window, PublishConfig(actions=ACTIONS, **wanted))


def rms(values: list[np.ndarray]) -> float:
    """Of all ranks' values. Collective."""
    everyone = [array for theirs in COMM.allgather(values) for array in theirs]
    return float(np.sqrt(np.mean(np.concatenate(everyone) ** 2)))


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("back", [0, -2])
def test_a_decoded_step(session: tuple[Session, Moving], back: int) -> None:
    window = session[0].window
    names = ("density", "velocity")
    made = domains(session[0], decoded=DecodedConfig(fields=names, step=back))
    assert made is not None
    verify(made)
    assert [state(domain).cycle for domain in made] == [10 + 2 * back] * len(made)
    everyone = COMM.allgather([domain["state/domain_id"] for domain in made])
    ids = [number for theirs in everyone for number in theirs]
    assert ids == list(range(len(ids)))
    for name in names:
        blocks = window.entries(name)[-1 + back].open().fields
        for block, part in zip(blocks, partitions(made, name), strict=True):
            assert part.association == block.association
            decoded = block.decode().reshape(*block.shape, -1)
            for i, component in enumerate(part.components):
                assert np.array_equal(component, decoded[..., i])
            for mine, theirs in zip(part.nodes, block.nodes, strict=True):
                assert np.array_equal(mine, theirs)


@pytest.mark.parallel([1, 3])
def test_a_step_that_is_not_there_yet(session: tuple[Session, Moving]) -> None:
    assert domains(session[0], decoded=DecodedConfig(fields=("density",), step=-3)) is None


@pytest.mark.parallel([1, 3])
def test_an_isosurface(session: tuple[Session, Moving]) -> None:
    wanted = IsosurfaceConfig(field="density", isovalues=(0.8,), color_by=("velocity",))
    made = domains(session[0], isosurface=wanted)
    assert made is not None and len(made) <= 1
    count, errors = 0, []
    for domain in made:
        points = np.stack([domain[f"coordsets/coords/values/{letter}"] for letter in "xyz"])
        errors.append(session[1].density(*points) - 0.8)
        assert np.all(domain["fields/density/values"] == 0.8)
        assert len(domain["fields/velocity/values/x"]) == points.shape[1]
        assert domain["state/cycle"] == 10 and domain["state/domain_id"] == COMM.rank
        count = len(domain["topologies/surface/elements/connectivity"]) // 3
    assert COMM.allreduce(count) > 100 and rms(errors) < 0.05
    beyond = IsosurfaceConfig(field="density", isovalues=(99.0,))
    assert domains(session[0], isosurface=beyond) is None


@pytest.mark.parallel([1, 3])
def test_a_slice(session: tuple[Session, Moving]) -> None:
    wanted = SliceConfig(fields=("density",), origin=(0.5, 0.5, 0.4), normal=(0, 0, 1))
    made = domains(session[0], slice=wanted)
    assert made is not None
    errors = []
    for domain in made:
        x, y, z = (domain[f"coordsets/coords/values/{letter}"] for letter in "xyz")
        assert np.allclose(z, 0.4)
        errors.append(domain["fields/density/values"] - session[1].density(x, y, z))
    assert rms(errors) < 0.05


@pytest.mark.parallel([1, 3])
def test_without_ascent_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ascent", None)
    monkeypatch.setitem(sys.modules, "ascent.mpi", None)
    with pytest.raises(RemoteError, match="nested Ascent: rank 0: ModuleNotFoundError"):
        nested.run(COMM, [], ACTIONS, mpi=True)


class Conduit(dict):
    """Stands in for a conduit.Node that is written to: by paths, lists by append."""

    def append(self) -> "Conduit":
        return self.setdefault(str(len(self)), Conduit())

    def parse(self, text: str, kind: str) -> None:
        assert kind == "json"
        self["parsed"] = json.loads(text)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """Modules conduit and ascent.mpi, which stand in for those that cannot be installed here, and
    what the nested Ascent was called with."""
    calls: list[tuple[str, Any]] = []

    class Nested:
        def open(self, options: Conduit) -> None:
            calls.append(("open", dict(options)))

        def publish(self, mesh: Conduit) -> None:
            calls.append(("publish", list(mesh.values())))

        def execute(self, actions: Conduit) -> None:
            calls.append(("execute", actions["parsed"]))

        def close(self) -> None:
            calls.append(("close", None))

    conduit, ascent, mpi = (types.ModuleType(n) for n in ("conduit", "ascent", "ascent.mpi"))
    conduit.Node, mpi.Ascent, ascent.mpi = Conduit, Nested, mpi
    for module in (conduit, ascent, mpi):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return calls


@pytest.mark.parallel([1, 3])
def test_what_a_nested_ascent_is_given(
    folder: Path, monkeypatch: pytest.MonkeyPatch, calls: list[tuple[str, Any]]
) -> None:
    """At every recorded step the decoded one before, at the trigger's the surface; the simulation's
    own actions are not done again."""
    monkeypatch.setattr(extract, "_extracts", {})
    monkeypatch.delenv(extract.VARIABLE, raising=False)
    kinds = {
        "before": {"decoded": {"fields": ["density"], "step": -1}, "actions": list(ACTIONS)},
        "front": {
            "isosurface": {"field": "density", "isovalues": [0.8]},
            "trigger": "t",
            "actions_file": "front.yaml",
        },
    }
    if COMM.rank == 0:
        (folder / "front.yaml").write_text(yaml.safe_dump([{"action": "save_info"}]))
        text = yaml.safe_dump(run_file(folder, ascent={"publish": kinds}))
        (folder / "insitu.yaml").write_text(text)
    COMM.barrier()
    simulation, ascent = Published(COMM, steps=8), Ascent(folder)
    while not simulation.done:
        simulation.step()
        ascent.execute(simulation.node())
    for kept in extract._extracts.values():
        assert kept is not None
        kept.close()
    assert [what for what, _ in calls] == ["open", "publish", "execute", "close"] * 4
    assert all(options["actions_file"] == "" for what, options in calls if what == "open")
    assert [given for what, given in calls if what == "execute"] == [
        *[list(ACTIONS)] * 3,
        [{"action": "save_info"}],
    ]
    published = [given for what, given in calls if what == "publish"]
    for mesh, cycle in zip(published[:3], (2, 4, 6), strict=True):
        verify(mesh)
        assert [state(domain).cycle for domain in mesh] == [cycle]
    assert all("fields/density/values" in domain for domain in published[3])
    assert COMM.allreduce(len(published[3])) >= 1


@pytest.mark.parallel([1, 3])
def test_a_failure_is_told_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Without Ascent's modules: every step is recorded all the same."""
    monkeypatch.setattr(extract, "_extracts", {})
    monkeypatch.setitem(sys.modules, "conduit", None)
    kinds = {"a": {"decoded": {"fields": ["density"]}, "actions": list(ACTIONS)}}
    if COMM.rank == 0:
        text = yaml.safe_dump(run_file(folder, ascent={"publish": kinds}))
        (folder / "insitu.yaml").write_text(text)
    COMM.barrier()
    simulation, ascent = Published(COMM, steps=6), Ascent(folder)
    with caplog.at_level(logging.WARNING):
        while not simulation.done:
            simulation.step()
            ascent.execute(simulation.node())
    for kept in extract._extracts.values():
        assert kept is not None
        kept.close()
    COMM.barrier()
    assert insitu.open_record(folder / "record")["density"].cycles.tolist() == [2, 4, 6]
    told = [r.getMessage() for r in caplog.records if "ascent.publish.a" in r.getMessage()]
    assert len(told) == (COMM.rank == 0)


@pytest.mark.parallel(1)
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"trigger": "shok"}, "no trigger 'shok'"),
        ({"decoded": {"fields": ["densty"]}}, "did you mean 'density'"),
        (
            {"slice": {"fields": ["density"], "origin": [0, 0, 0], "normal": [0, 0, 1]}},
            "expected one of",
        ),
        ({"actions": []}, "no actions"),
    ],
)
def test_refused(folder: Path, changes: dict[str, Any], said: str) -> None:
    entry = {"decoded": {"fields": ["density"]}, "actions": list(ACTIONS)} | changes
    text = yaml.safe_dump(run_file(folder, ascent={"publish": {"a": entry}}))
    (folder / "insitu.yaml").write_text(text)
    with pytest.raises(insitu.core.errors.ConfigError, match=said):
        extract._load(str(folder / "insitu_extract.py"))


@pytest.mark.parallel([1, 4])
def test_a_real_ascent(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole way, where Ascent is: extract, record, a decoded step saved by a nested Ascent."""
    mpi = pytest.importorskip("ascent.mpi", reason="Ascent's Python modules are not installed")
    conduit = importlib.import_module("conduit")
    relay = {"type": "relay", "params": {"path": str(folder / "back"), "protocol": "yaml"}}
    actions = [{"action": "add_extracts", "extracts": {"save": relay}}]
    kinds = {"a": {"decoded": {"fields": ["density"]}, "actions": actions}}
    if COMM.rank == 0:
        text = yaml.safe_dump(run_file(folder, ascent={"publish": kinds}))
        (folder / "insitu.yaml").write_text(text)
    COMM.barrier()
    monkeypatch.setattr(extract, "_extracts", {})
    monkeypatch.setenv(extract.VARIABLE, str(folder / "insitu.yaml"))
    script = {"type": "python", "params": {"file": str(SCRIPT)}}
    options, todo = conduit.Node(), conduit.Node()
    options["mpi_comm"], options["actions_file"] = COMM.py2f(), ""
    todo.parse(json.dumps([{"action": "add_extracts", "extracts": {"insitu": script}}]), "json")
    ascent = mpi.Ascent()
    ascent.open(options)
    simulation = Moving(COMM, steps=4)
    while not simulation.done:
        simulation.step()
        mesh = conduit.Node()
        for tree in simulation.mesh() or []:
            _fill(mesh.append(), tree)
        ascent.publish(mesh)
        ascent.execute(todo)
    ascent.close()
    (kept,) = extract._extracts.values()
    assert kept is not None
    kept.close()
    COMM.barrier()
    assert insitu.open_record(folder / "record")["density"].cycles.tolist() == [2, 4]
    assert list(folder.glob("back*"))


def _fill(node: Any, tree: dict[str, Any], path: str = "") -> None:
    """A tree into a conduit.Node, arrays in place."""
    for name, value in tree.items():
        if isinstance(value, dict):
            _fill(node, value, f"{path}{name}/")
        elif isinstance(value, np.ndarray):
            node[f"{path}{name}"].set_external(value)
        else:
            node[f"{path}{name}"] = value
