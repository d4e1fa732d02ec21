"""What a simulation asks for: options, actions and run file, from code and from files."""

from pathlib import Path

import pytest

from insitu.actions import Actions
from insitu.ascent import requested
from insitu.ascent.ascent_words import in_our_words
from insitu.core.errors import ConfigError


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(requested.VARIABLE, raising=False)
    return tmp_path


def scene(field: str = "density", name: str = "s", **plot: str) -> dict:
    plots = {"p": {"type": "volume", "field": field, **plot}}
    return {"action": "add_scenes", "scenes": {name: {"plots": plots, "image_prefix": name}}}


def query() -> dict:
    params = {"expression": "max(field('density'))", "name": "peak"}
    return {"action": "add_queries", "queries": {"q": {"params": params}}}


def left_out(*wanted: dict) -> tuple[Actions, list[str]]:
    """Of actions as a simulation gives them."""
    listed = in_our_words(wanted)
    run = requested.configuration({}, listed, ["density"], ["density"])
    return requested.understood(run, listed)


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
def test_options_that_do_nothing_are_named(here: Path) -> None:
    known = {"mpi_comm": 5, "runtime": {"type": "ascent"}, "messages": "verbose"}
    assert requested.unknown_options({**known, "ghost_field_name": ["g"]}) == []
    run = requested.configuration({"ghost_field_name": ["g"]}, [], ["f"], ["f"])
    assert run.ghost_field == ("g",)
    other = {"mesages": "quiet", "web": {}, "exceptions": "throw", "ghost_field_name": {"g": 1}}
    assert requested.unknown_options({**known, **other}) == [
        "options: no option 'mesages'; did you mean 'messages'?",
        "options: web: pictures are not streamed; they are files",
        "options: exceptions: expected catch or forward, not 'throw'",
        "options: ghost_field_name: expected the name of a field, or a list, not {'g': 1}",
    ]


@pytest.mark.parallel(1)
def test_queries_and_triggers_come_with_the_first_step(here: Path) -> None:
    """Later ones are named; the same again are none."""
    trigger = {"params": {"condition": "peak > 1", "actions": [scene()]}}
    first = [query(), {"action": "add_triggers", "triggers": {"t": trigger}}]
    then, _ = left_out(*first)
    assert requested.too_late(then, left_out(*first)[0]) == []
    params = {"expression": "min(field('density'))", "name": "low"}
    new = {"action": "add_queries", "queries": {"l": {"params": params}}}
    trigger["params"]["condition"] = "peak > 2"
    told = requested.too_late(then, left_out(*first, new)[0])
    assert [text.partition(":")[0] for text in told] == ["query low", "trigger t"]


@pytest.mark.parallel(1)
def test_which_actions(here: Path) -> None:
    given = [query(), {"action": "add_pipelines", "pipelines": None}, {"action": "reset"}]
    assert requested.wanted_actions(given, {}) == ([query()], "actions in code")
    assert requested.wanted_actions(None, {}) == ([], "actions in code")
    (here / "ascent_actions.yaml").write_text("- {action: save_info}\n")
    assert requested.wanted_actions(given, {})[0] == [{"action": "save_info"}]
    assert requested.wanted_actions(given, {"actions_file": ""})[0] == [query()]
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
        {"ghost_field_name": "g", "exceptions": "forward", "default_dir": "viz"},
        [],
        [*published, "flags"],
        published,
    )
    assert list(run.fields) == published and run.output == "viz"
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


@pytest.mark.parallel(1)
def test_one_unknown_word_costs_that_word(here: Path) -> None:
    """A key that means nothing; else the plot, or what a render says of it: never the scene."""
    plots = {
        "good": {"type": "volume", "field": "density", "colour": 3},
        "kind": {"type": "pseudocolour", "field": "density"},
        "field": {"type": "pseudocolor"},
    }
    camera = {"azimuth": 30, "zoom": -1, "wobble": 2}
    renders = {"r": {"image_prefix": "a", "camera": camera, "image_width": "wide"}}
    actions, refused = left_out(
        {"action": "add_scenes", "scenes": {"s": {"plots": plots, "renders": renders}}}
    )
    (found,) = actions.due
    assert [plot.field for plot in found.plots] == ["density"]
    (view,) = found.views
    assert view.image_prefix == "a%d" and view.camera.azimuth == 30 and view.camera.zoom == 1
    places = [text.partition(": ")[0] for text in refused]
    assert sorted(places) == [
        "scenes.s.plots.field.field",
        "scenes.s.plots.good.colour",
        "scenes.s.plots.kind.type",
        "scenes.s.renders.r.camera.wobble",
        "scenes.s.renders.r.camera.zoom",
        "scenes.s.renders.r.image_width",
    ]


@pytest.mark.parallel(1)
def test_a_session_file_of_ones_own_is_told(here: Path) -> None:
    """The plain action is done in any case."""
    assert left_out(query(), {"action": "save_session"})[1] == []
    (refused,) = left_out(query(), {"action": "save_session", "file_name": "mine"})[1]
    assert "insitu writes the session file at every step, with all queries" in refused


@pytest.mark.parallel(1)
def test_words_about_looks_cost_themselves_alone(here: Path) -> None:
    lines = {
        "type": "streamline",
        "params": {
            "field": "density",
            "seeds": {"type": "point", "location": [0, 0, 0]},
            "num_steps": 3,
            "step_size": 0.1,
            "rendering": {"tube_size": 0.5, "tube_color": 8},
        },
    }
    pipeline = {"action": "add_pipelines", "pipelines": {"pl": {"f": lines}}}
    picture = {"field": "density", "filename": "v"}
    picture |= {"camera": {"roll": 0.1, "azimuth": 20}}
    volume = {"action": "add_extracts", "extracts": {"e": {"type": "volume", "params": picture}}}
    actions, refused = left_out(pipeline, volume)
    words = {text.partition(": ")[0].rpartition(".")[2] for text in refused}
    assert words == {"tube_color", "roll"}
    (extract,) = actions.due
    assert extract.views[0].camera.azimuth == 20


@pytest.mark.parallel(1)
def test_what_is_no_longer_what_was_meant_is_left_out(here: Path) -> None:
    """A pipeline without one of its filters, and the plots on it; not the plot beside them."""
    filters = {
        "f1": {"type": "vortices", "params": {"field": "density"}},
        "f2": {"type": "contour", "params": {"field": "density", "levels": 3}},
    }
    plots = {
        "on it": {"type": "pseudocolor", "field": "density", "pipeline": "p"},
        "beside": {"type": "pseudocolor", "field": "density"},
    }
    trigger = {"params": {"condition": "cycle() > 0", "actions": [scene(), {"action": "fly"}]}}
    actions, refused = left_out(
        {"action": "add_pipelines", "pipelines": {"p": filters}},
        {"action": "add_scenes", "scenes": {"s": {"plots": plots, "image_name": "one"}}},
        {"action": "add_scenes", "scenes": {"none": {"plots": {"on it": plots["on it"]}}}},
        {"action": "add_triggers", "triggers": {"t": trigger}},
    )
    (found,) = actions.due
    assert len(found.plots) == 1 and found.views[0].image_name == "one"
    assert len(actions.triggers[0].actions) == 1
    assert [text.partition(":")[0] for text in refused] == [
        "pipelines.p.f1.type",
        "triggers.t.params.actions[1].action",
        "scenes.s.plots.on it.pipeline",
        "scenes.none.plots.on it.pipeline",
    ]


@pytest.mark.parallel(1)
def test_actions_file_of_a_trigger(here: Path) -> None:
    """In `ascent_actions.yaml` and in code; a file that is not there costs the trigger."""
    (here / "then.yaml").write_text(
        "- action: add_scenes\n"
        "  scenes: {s: {plots: {p: {type: volume, field: density}}, image_prefix: then}}\n"
    )
    there = {"params": {"condition": "cycle() % 10 == 0", "actions_file": "then.yaml"}}
    not_there = {"params": {"condition": "cycle() > 1", "actions_file": "gone.yaml"}}
    actions, refused = left_out(
        {"action": "add_triggers", "triggers": {"t": there, "gone": not_there}}
    )
    (trigger,) = actions.triggers
    (found,) = trigger.actions
    assert trigger.name == "t" and found.views[0].file_stem(20) == "then20"
    (text,) = refused
    assert text == "triggers.gone.params.actions_file: no file 'gone.yaml' with a list of actions"


@pytest.mark.parallel(1)
def test_pictures_have_the_names_and_sizes_of_ascent(here: Path) -> None:
    """The cycle right after a prefix; `image_name` as it is, at every step; 1024 pixels."""
    named = {"plots": scene()["scenes"]["s"]["plots"], "renders": {"r": {"image_name": "same"}}}
    actions, refused = left_out(
        scene(), {"action": "add_scenes", "scenes": {"named": named}}, {"action": "execute"}
    )
    views = [view for action in actions.due for view in action.views]
    assert [view.file_stem(7) for view in views] == ["s7", "same"] and not refused
    assert {(view.image_width, view.image_height) for view in views} == {(1024, 1024)}


@pytest.mark.parallel(1)
def test_streamlines_of_an_older_ascent_are_understood(here: Path) -> None:
    params = {"field": "density", "num_seeds": 7, "num_steps": 3, "step_size": 0.1}
    params |= {f"seed_bounding_box_{a}_{end}": float(end == "max") for a in "xyz" for end in ENDS}
    params |= {"enable_tubes": "true", "tube_size": 0.1, "tube_sides": 4, "output_name": "lines"}
    pipeline = {"pl": {"f": {"type": "streamline", "params": params}}}
    plot = {"type": "pseudocolor", "field": "lines", "pipeline": "pl"}
    actions, refused = left_out(
        {"action": "add_pipelines", "pipelines": pipeline},
        {"action": "add_scenes", "scenes": {"s": {"plots": {"p": plot}, "image_prefix": "a"}}},
    )
    assert refused == []
    (traced,) = actions.due[0].plots[0].pipeline.filters
    assert traced.seeds.random == 7 and traced.seeds.extents == ((0.0, 1.0),) * 3
    assert (traced.tube_sides, traced.output) == (4, "lines")


@pytest.mark.parallel(1)
def test_a_word_of_a_filter_costs_that_word_and_not_the_plots(here: Path) -> None:
    contour = {"type": "contour", "params": {"field": "density", "levels": 3, "use_tree": True}}
    plot = {"type": "pseudocolor", "field": "density", "pipeline": "p"}
    actions, refused = left_out(
        {"action": "add_pipelines", "pipelines": {"p": {"f": contour}}},
        {"action": "add_scenes", "scenes": {"s": {"plots": {"q": plot}, "image_name": "a"}}},
    )
    assert [text.partition(": ")[0] for text in refused] == ["pipelines.p.f.params.use_tree"]
    assert actions.due[0].plots[0].pipeline.filters[0].levels == 3


ENDS = ("min", "max")
