"""What a simulation asks for: options, actions and run file, from code and from files."""

from pathlib import Path

import pytest

from insitu.ascent import requested
from insitu.core.errors import ConfigError


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(requested.VARIABLE, raising=False)
    return tmp_path


def scene(field: str = "density", name: str = "s", **plot: str) -> dict:
    plots = {"p": {"type": "volume", "field": field, **plot}}
    return {"action": "add_scenes", "scenes": {name: {"plots": plots, "image_prefix": name}}}


@pytest.mark.parallel(1)
def test_options_of_the_file_are_merged_in(here: Path) -> None:
    given = {"mpi_comm": 5, "runtime": {"type": "ascent", "vtkm": {"backend": "serial"}}}
    assert requested.options(given) == given
    (here / "ascent_options.yaml").write_text("runtime: {type: flow}\nmessages: verbose\n")
    merged = requested.options(given)
    assert merged["runtime"] == {"type": "flow", "vtkm": {"backend": "serial"}}
    assert (merged["mpi_comm"], merged["messages"]) == (5, "verbose")
    (here / "ascent_options.json").write_text('{"messages": "quiet"}')  # comes first
    assert requested.options(given)["messages"] == "quiet"
    assert requested.options(None) == {"messages": "quiet"}


@pytest.mark.parallel(1)
def test_which_actions(here: Path) -> None:
    given = [scene(), {"action": "add_pipelines", "pipelines": None}]
    assert requested.wanted_actions(given, {}) == ([scene()], "actions in code")
    assert requested.wanted_actions(None, {}) == ([], "actions in code")
    (here / "ascent_actions.yaml").write_text("- {action: save_info}\n")
    assert requested.wanted_actions(given, {})[0] == [{"action": "save_info"}]
    assert requested.wanted_actions(given, {"actions_file": ""})[0] == [scene()]
    (here / "mine.yaml").write_text("- {action: mine}\n")
    assert requested.wanted_actions(given, {"actions_file": "mine.yaml"})[0] == [{"action": "mine"}]
    with pytest.raises(ConfigError, match=r"actions_file: no file 'none\.yaml'"):
        requested.wanted_actions(given, {"actions_file": "none.yaml"})
    (here / "ascent_actions.yaml").write_text("action: x\n")
    with pytest.raises(ConfigError, match="expected a list of actions"):
        requested.wanted_actions(given, {})


@pytest.mark.parallel(1)
def test_fields_without_a_run_file(here: Path) -> None:
    """Those that plots and expressions name, of those published; else all of them."""
    published = ["density", "energy", "pressure"]
    queries = {"q": {"params": {"expression": "max(field('pressure'))", "name": "p"}}}
    wanted = [{"action": "add_queries", "queries": queries}, scene()]
    run = requested.configuration({}, wanted, published, published)
    assert list(run.fields) == ["pressure", "density"]
    assert all(field.psnr == 40 for field in run.fields.values())
    assert (run.window.every, run.output, run.ghost_field) == (1, ".", "ascent_ghosts")
    assert run.record is not None and run.record.path == "insitu_record"
    actions, refused = requested.understood(run, wanted)
    assert [q.name for q in actions.queries] == ["p"] and not refused
    assert [s.plots[0].field for s in actions.due] == ["density"]
    run = requested.configuration(
        {"ghost_field_name": "g", "exceptions": "forward"}, [], [*published, "flags"], published
    )
    assert list(run.fields) == published
    assert (run.ghost_field, run.on_error) == ("g", "raise")


@pytest.mark.parallel(1)
def test_with_a_run_file(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its fields and actions, and those that the actions show besides."""
    (here / "other").mkdir()
    text = "fields: {energy: {psnr: 33}}\nwindow: {steps: 7}\n"
    (here / "insitu.yaml").write_text(text)
    run = requested.configuration({}, [scene()], ["density", "energy"], ["density", "energy"])
    assert {name: field.psnr for name, field in run.fields.items()} == {"energy": 33, "density": 40}
    assert run.window.steps == 7 and run.record is None
    (here / "other" / "run.yaml").write_text("fields: {energy: {psnr: 50}}\n")
    monkeypatch.setenv(requested.VARIABLE, str(here / "other" / "run.yaml"))
    run = requested.configuration({}, [], ["density", "energy"], ["density", "energy"])
    assert {name: field.psnr for name, field in run.fields.items()} == {"energy": 50}
    monkeypatch.setenv(requested.VARIABLE, "none.yaml")
    with pytest.raises(ConfigError, match=r"none\.yaml"):
        requested.configuration({}, [], ["density"], ["density"])


@pytest.mark.parallel(1)
def test_only_what_is_wrong_is_left_out(here: Path) -> None:
    """A trigger keeps the query that it names, wherever that stands."""
    query = {"params": {"expression": "max(field('density'))", "name": "peak"}}
    bad = {"params": {"expression": "max(field('density')", "name": "open"}}
    trigger = {"params": {"condition": "peak > 1", "actions": [scene()]}}
    wanted = [
        {"action": "add_triggers", "triggers": {"t": trigger}},
        {"action": "add_queries", "queries": {"q": query, "b": bad}},
        {"action": "save_info"},
    ]
    actions, refused = requested.understood(
        requested.configuration({}, wanted, ["density"], ["density"]), wanted
    )
    assert [q.name for q in actions.queries] == ["peak"]
    assert [t.name for t in actions.triggers] == ["t"]
    assert len(refused) == 2
    assert any(text.startswith("queries.b.params.expression: ") for text in refused)
    assert any("save_info" in text for text in refused)
