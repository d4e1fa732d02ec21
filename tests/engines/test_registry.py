"""Which engine is used: by name, by INSITU_ENGINE, by itself; and engines of other packages."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from insitu.engines import engine, for_model, names, registry
from insitu.engines.listing import list_engines
from insitu.models.hash_grid.model import HashGrid

OTHER = """
from insitu.engines.numpy.engine import NumpyEngine

class Other(NumpyEngine):
    name = "other"
    draws = False

    def supports(self, model):
        return False

class NoEngine:
    pass
"""
POINTS = {
    "other": "insitu_other:Other",
    "cpu": "insitu_other:Other",  # ours; it cannot be replaced
    "lost": "insitu_no_such_module:Lost",
    "gone": "insitu_other:Gone",
    "fake": "insitu_other:NoEngine",
}


@pytest.fixture
def no_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INSITU_ENGINE", raising=False)


@pytest.fixture
def others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_choice: None) -> Iterator[None]:
    """An installed distribution with engines of its own."""
    (tmp_path / "insitu_other.py").write_text(OTHER)
    info = tmp_path / "insitu_other-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: insitu-other\nVersion: 1.0\n")
    lines = [f"{name} = {place}" for name, place in POINTS.items()]
    (info / "entry_points.txt").write_text("\n".join(["[insitu.engines]", *lines, ""]))
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    registry._load.cache_clear()
    yield
    registry._load.cache_clear()
    sys.modules.pop("insitu_other", None)


def test_engines_are_one_object_per_name(no_choice: None) -> None:
    assert engine("numpy") is engine("numpy")
    assert engine("numpy").name == "numpy"
    assert engine() is engine("auto") is engine("cpu")
    assert registry.choose().reason == "auto: the first that can be loaded"


def test_the_environment_chooses_where_nothing_else_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSITU_ENGINE", "numpy")
    assert engine().name == engine("auto").name == "numpy"
    assert engine("cpu").name == "cpu"
    assert registry.choose().reason == "asked for by INSITU_ENGINE"
    assert registry.choose("cpu").reason == "asked for as engine: cpu"
    assert registry.drawing().name == "numpy"
    assert for_model(HashGrid()).name == "numpy"
    for automatic in ("", "auto"):
        monkeypatch.setenv("INSITU_ENGINE", automatic)
        assert engine().name == "cpu"


def test_unknown_names_are_refused_with_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"engine: 'nunpy'.*numpy.*there are: auto, cpu, numpy"):
        engine("nunpy")
    monkeypatch.setenv("INSITU_ENGINE", "cuda9")
    with pytest.raises(ValueError, match="INSITU_ENGINE: engine: 'cuda9'"):
        engine()


def test_engines_of_other_packages(others: None) -> None:
    assert names()[:2] == ["cpu", "numpy"]
    assert {"other", "lost"} < set(names())
    other = engine("other")
    assert (other.name, other.draws) == ("other", False)
    assert for_model(HashGrid(), other).name == "cpu"
    assert registry.drawing(other).name == "cpu"


def test_our_own_engines_cannot_be_replaced(others: None) -> None:
    assert engine("cpu").name == "cpu"
    assert names().count("cpu") == 1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lost", "engine 'lost': No module named 'insitu_no_such_module'; install insitu_no_such"),
        ("gone", "engine 'gone': module 'insitu_other' has no attribute 'Gone'"),
        ("fake", "engine 'fake': insitu_other:NoEngine is not an insitu.engines.base.Engine"),
    ],
)
def test_engines_that_cannot_be_loaded_say_why(others: None, name: str, message: str) -> None:
    with pytest.raises(ImportError, match=message):
        engine(name)
    with pytest.raises(ImportError, match=message):
        list_engines([], name)
    problems = {entry.name: entry.problem for entry in list_engines([HashGrid()])}
    assert message in problems[name]
    assert not problems["cpu"]


def test_where_the_first_cannot_be_loaded_the_next_is_used(
    monkeypatch: pytest.MonkeyPatch, no_choice: None
) -> None:
    places = {"cpu": "insitu_no_such_module:Cpu", "numpy": registry._BUILT_IN["numpy"]}
    monkeypatch.setattr(registry, "_BUILT_IN", places)
    registry._load.cache_clear()
    choice = registry.choose()
    assert choice.engine.name == "numpy"
    assert choice.reason.startswith("engine 'cpu': No module named")
    assert "pip install 'insitu-inr[cpu]'" in choice.reason
    monkeypatch.setattr(registry, "_BUILT_IN", {"cpu": "insitu_no_such_module:Cpu"})
    registry._load.cache_clear()
    with pytest.raises(ImportError, match="no engine can be loaded: engine 'cpu'"):
        registry.choose()
    registry._load.cache_clear()


def test_the_list(others: None) -> None:
    entries = {entry.name: entry for entry in list_engines([HashGrid()])}
    assert list(entries) == names()
    assert entries["cpu"].models == entries["numpy"].models == ("hash_grid",)
    assert entries["other"].models == ()
    assert entries["cpu"].draws and not entries["other"].draws
    assert entries["cpu"].device.startswith("CPU, ")
    assert [entry.name for entry in entries.values() if entry.chosen] == ["cpu"]
    entries = {entry.name: entry for entry in list_engines([], "other")}
    assert entries["other"].chosen == "asked for as engine: other"
    assert not entries["cpu"].chosen
