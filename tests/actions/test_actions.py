"""Lists of actions, queries and triggers: what is understood, and how what is not is refused."""

import pickle
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from insitu import actions
from insitu.core.errors import ConfigError
from insitu.queries.values import CONDITION, EXTREMUM
from insitu.render.camera import CameraSettings
from insitu.render.color_map import ColorTable
from insitu.render.picture.plots import Plot
from insitu.render.picture.scene import Scene
from insitu.render.picture.view import View
from tests.support.action_files import load, problem, problems, scene

EVERYTHING = """
fields: {density: {}, energy: {}}
actions:
  - action: add_triggers
    triggers:
      shock:
        params:
          condition: rise > 1.5 and max(field('density')).position.x < 2
          mode: edge
          actions:
            - action: add_scenes
              scenes:
                blast:
                  window: all
                  plots: {p1: {type: volume, field: density}}
  - action: add_queries
    queries:
      q1: {params: {expression: max(field('pressure')), name: peak}}
      q2: {params: {expression: "peak - history(peak, relative_index=1)", name: rise}}
      q3: {params: {expression: 5, name: five}}
  - action: add_scenes
    scenes:
      s1:
        window: 3
        plots:
          p1:
            type: volume
            field: energy
            min_value: 1e-3
            max_value: 2
            samples: 200
            color_table:
              name: Viridis
              control_points: [{type: alpha, position: 0, alpha: 0}]
        renders:
          r1:
            image_prefix: front_%04d
            image_width: 320
            image_height: 240
            camera: {azimuth: 30, zoom: 1.5}
            bg_color: [1, 1, 1]
            annotations: "false"
          r2: {image_prefix: side}
      s2: {plots: {p: {type: volume, field: density}}, image_prefix: plain}
"""


def test_everything_that_is_understood(tmp_path):
    found = load(EVERYTHING, tmp_path)
    assert [q.name for q in found.queries] == ["peak", "rise", "five"]
    assert found.queries[0].expression.kind == EXTREMUM
    (trigger,) = found.triggers
    assert (trigger.name, trigger.mode, trigger.condition.kind) == ("shock", "edge", CONDITION)
    blast = Scene(
        name="blast",
        plots=(Plot(field="density"),),
        views=(View(image_prefix="blast"),),
        window="all",
    )
    assert trigger.actions == (blast,)
    first, second = found.due
    table = {"name": "Viridis", "control_points": [{"type": "alpha", "position": 0, "alpha": 0}]}
    assert first.plots == (
        Plot(
            field="energy",
            color_table=ColorTable.from_ascent(table),
            min_value=1e-3,
            max_value=2.0,
            samples=200,
        ),
    )
    assert first.window == 3
    assert first.views == (
        View(
            name="r1",
            image_prefix="front_%04d",
            image_width=320,
            image_height=240,
            camera=CameraSettings(azimuth=30, zoom=1.5),
            bg_color=(1.0, 1.0, 1.0),
            world_annotations=False,
            screen_annotations=False,
        ),
        View(name="r2", image_prefix="side"),
    )
    assert second.window == 1
    assert second.views == (View(image_prefix="plain"),)


def test_without_actions_there_is_nothing_to_do(tmp_path):
    assert load("fields: {}", tmp_path) == actions.Actions()
    assert load("actions:", tmp_path) == actions.Actions()


@pytest.mark.parametrize("condition", ["True", "1 == 1", "not False"])
def test_a_condition_that_always_holds(condition, tmp_path):
    """As nekRS's plugin asks for its actions: {condition: "True", actions_file: ascent.yaml}."""
    (tmp_path / "ascent.yaml").write_text(
        "- action: add_scenes\n"
        "  scenes: {s: {plots: {p: {type: volume, field: u}}, renders: {r: {image_prefix: u}}}}\n"
    )
    params = {"condition": condition, "actions_file": str(tmp_path / "ascent.yaml")}
    asked = {"action": "add_triggers", "triggers": {"t1": {"params": params}}}
    _, wanted = actions.load({"fields": {"u": {"psnr": 40}}, "actions": [asked]})
    (trigger,) = wanted.triggers
    assert trigger.mode == "level" and trigger.condition.kind == CONDITION
    assert [scene.name for scene in trigger.actions] == ["s"]


def test_a_triggers_actions_may_stand_in_a_file(tmp_path):
    scene = "{s: {plots: {p: {type: volume, field: density}}}}"
    (tmp_path / "on.yaml").write_text(f"- action: add_scenes\n  scenes: {scene}")
    params = "{condition: cycle() % 10 == 0, actions_file: on.yaml}"
    text = f"""
        fields: {{density: }}
        actions: [{{action: add_triggers, triggers: {{t: {{params: {params}}}}}}}]
    """
    ((trigger,),) = [load(text, tmp_path).triggers]
    assert trigger.mode == "level"
    assert [scene.name for scene in trigger.actions] == ["s"]
    (tmp_path / "on.yaml").write_text("- action: add_scenes\n  scenes: {s: {plotz: 1}}")
    path = "actions[0].triggers.t.params.actions[0].scenes.s.plotz"
    assert problems(text, tmp_path) == [f"on.yaml:2: {path}: unknown key; did you mean 'plots'?"]


def query(text):
    return f"{{action: add_queries, queries: {{q: {text}}}}}"


def trigger(text):
    return f"{{action: add_triggers, triggers: {{t: {{params: {text}}}}}}}"


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("{action: add_scene}", ".action: unknown action 'add_scene'; did you mean 'add_scenes'?"),
        (
            "{action: relay}",
            ".action: unknown action 'relay'; insitu does add_queries, add_triggers, "
            "add_pipelines, add_scenes, add_extracts",
        ),
        ("{}", ": expected `action:` and what it needs, found nothing"),
        ("{action: add_queries}", ".queries: is required"),
        ("{action: add_queries, queries: [1]}", ".queries: expected queries by name, found a list"),
        (
            "{action: add_queries, queries: {}, q: 1}",
            ".q: unknown key; expected one of action, queries",
        ),
        (query("3"), ".queries.q: expected keys and values, found 3"),
        (query("{param: {}}"), ".queries.q.param: unknown key; did you mean 'params'?"),
        (query("{params: {expression: 1}}"), ".queries.q.params.name: is required"),
        (
            query("{params: {name: a, expression: maxx(1)}}"),
            ".queries.q.params.expression: unknown function 'maxx'; did you mean 'max'?\n"
            "    maxx(1)\n    ^",
        ),
        (
            query("{params: {name: a, expression: true}}"),
            ".queries.q.params.expression: expected an expression, found True",
        ),
        (
            query("{params: {name: a, expression: a + 1}}"),
            ".queries.q.params.expression: unknown query 'a' (there are none before)",
        ),
        (
            trigger("{condition: cycle() > 1, actions: [], mode: egde}"),
            ".triggers.t.params.mode: 'egde' is not one of level, edge, latch; "
            "did you mean 'edge'?",
        ),
        (trigger("{condition: cycle() > 1}"), ".params.actions: is required or actions_file"),
        (
            trigger("{condition: cycle(), actions: []}"),
            ".params.condition: expected a condition, as in a > 1, found a number",
        ),
        (
            trigger("{condition: cycle() > 1, actions: [{action: add_queries}]}"),
            ".params.actions[0].action: add_queries has no place in a trigger's actions",
        ),
        (
            trigger("{condition: cycle() > 1, actions: 3}"),
            ".params.actions: expected a list of actions, found 3",
        ),
    ],
)
def test_a_mistake_is_named_with_its_whole_path(action: str, expected: str, tmp_path: Path) -> None:
    assert expected in problem(action, tmp_path)


def test_all_mistakes_are_told_at_once(tmp_path):
    text = f"actions:\n  - {query('3')}\n  - {trigger('{}')}\n  - 7\n  - {scene('{}')}"
    lines = [p.split(":")[1] for p in problems(text, tmp_path)]
    assert sorted(lines) == ["2", "3", "4", "5"]


def test_names_are_given_once(tmp_path):
    one = query("{params: {name: a, expression: 1}}")
    found = problems(f"actions:\n  - {one}\n  - {one}", tmp_path)
    assert found[0].endswith("params.name: another query is called 'a' already")
    one = trigger("{condition: cycle() > 1, actions: []}")
    found = problems(f"actions:\n  - {one}\n  - {one}", tmp_path)
    assert found == ["run.yaml:3: actions[1].triggers.t: there is another of this name in triggers"]


def test_fields_are_checked_against_what_is_published(tmp_path):
    (tmp_path / "run.yaml").write_text(
        textwrap.dedent("""
            fields: {density: , velocity: {components: [u, v]}}
            actions:
              - action: add_queries
                queries: {q: {params: {name: a, expression: max(field('presure'))}}}
              - action: add_triggers
                triggers: {t: {params: {condition: "sum(field('velocity', 'x')) > a", actions: []}}}
        """)
    )
    run, found = actions.load(tmp_path / "run.yaml")
    actions.check_fields(run, found, ["density", "presure", "u", "v"])
    with pytest.raises(ConfigError) as caught:
        actions.check_fields(run, found, ["densty", "pressure", "u", "w"])
    assert list(caught.value.problems) == [
        "fields.density: the simulation publishes no field 'density'; did you mean 'densty'?",
        "fields.velocity: the simulation publishes no field 'v' (there are densty, pressure, u, w)",
        "query a: unknown field 'presure'; did you mean 'pressure'?\n"
        "    max(field('presure'))\n        ^",
    ]


TRIGGER = """
fields: {{density: , energy: }}
window: {{steps: 3}}
actions:
  - action: add_queries
    queries: {{q: {{params: {{expression: max(field('pressure')), name: peak}}}}}}
  - action: add_triggers
    triggers: {{t: {{params: {{{params}}}}}}}
"""


def test_triggers_with_limits_and_callbacks(tmp_path):
    text = "condition: peak > 1, callback: 'mine:f', mode: edge, cooldown: 20, max_firings: 3"
    (trigger,) = load(TRIGGER.format(params=text), tmp_path).triggers
    assert (trigger.callback, trigger.mode) == ("mine:f", "edge")
    assert (trigger.cooldown, trigger.max_firings, trigger.actions) == (20, 3, ())
    (trigger,) = load(TRIGGER.format(params="callback: asked, actions: []"), tmp_path).triggers
    assert (trigger.condition, trigger.callback) == (None, "asked")
    assert (trigger.mode, trigger.cooldown, trigger.max_firings) == ("level", 0, None)


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ("actions: []", "condition: is required, or a callback"),
        ("condition: peak > 1", "actions: is required or actions_file"),
        ("callback: f", "actions: is required or actions_file"),
        (
            "callback: 5, actions: []",
            "callback: expected module:function, or a name for session.on",
        ),
        ("condition: peak > 1, cooldown: -1, actions: []", "cooldown: -1 is not a number in 0"),
        ("condition: peak > 1, max_firings: 0, actions: []", "max_firings: 0 is not a number in 1"),
        ("condition: peak > 1, max_firings: 1.5, actions: []", "1.5 is not a whole number"),
        ("condition: peak > 1, cooldwn: 1, actions: []", "unknown key; did you mean 'cooldown'"),
        (
            "condition: \"max(field('density', step=-4)) > 1\", actions: []",
            "condition: this reads 4 steps back and the window keeps 3; set window.steps to 4",
        ),
        (
            "condition: \"max(window('pressure', 2)) > 1\", actions: []",
            "condition: field 'pressure' has no past: it is not recorded (recorded: density, en",
        ),
    ],
)
def test_triggers_that_are_wrong(tmp_path, params, problem):
    (found,) = problems(TRIGGER.format(params=params), tmp_path)
    assert problem in found


def test_all_wrong_values_of_an_entry_are_told_at_once(tmp_path):
    plots = "{p: {type: volume, field: density, samples: 0, shading: dim}, q: {type: x, field: 1}}"
    text = f"fields: {{density: }}\nactions:\n  - {scene(f'{{plots: {plots}, window: 0}}')}"
    assert [
        found.partition(".scenes.s.")[2].partition(":")[0] for found in problems(text, tmp_path)
    ] == [
        "plots.p.samples",
        "plots.p.shading",
        "plots.q.type",
        "plots.q.field",
        "window",
    ]


def test_other_ranks_import_neither_pydantic_nor_yaml(tmp_path):
    """Only the rank that parses needs the models: actions are plain data."""
    found = load(EVERYTHING, tmp_path)
    code = """
        import pickle, sys
        import insitu.session
        actions = pickle.loads(sys.stdin.buffer.read())
        assert actions.due[0].views[0].camera.zoom == 1.5, actions
        heavy = {"pydantic", "pydantic_core", "yaml", "rich"} & set(sys.modules)
        assert not heavy, heavy
    """
    subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], input=pickle.dumps(found), check=True
    )
