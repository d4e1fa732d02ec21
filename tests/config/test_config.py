"""The run file: what it refuses and how it says so, and that other ranks stay light."""

import pickle
import subprocess
import sys
import textwrap

import pytest
from mpi4py import MPI

from insitu import config
from insitu.codecs.options import Compression
from insitu.config import ConfigError, RunConfig
from insitu.core.parallel import RemoteError
from insitu.training.options import Relative, Target


@pytest.fixture
def write(tmp_path):
    """Write a run file, given as text, and return its path."""

    def write(text, name="run.yaml"):
        (tmp_path / name).write_text(textwrap.dedent(text))
        return tmp_path / name

    return write


def problems(source, overrides=()):
    with pytest.raises(ConfigError) as caught:
        config.load(source, overrides)
    return list(caught.value.problems)


def test_everything_has_a_default():
    assert config.load({}) == RunConfig()


@pytest.mark.parametrize(
    ("given", "nbytes"),
    [
        ("4096", 4096),
        ("'4096'", 4096),
        ("64 MiB", 64 * 2**20),
        ("1.5 kb", 1500),
        ("2GB", 2 * 10**9),
        ("2000 B", 2000),
        ("0.5 TiB", 2**39),
    ],
)
def test_bytes_with_a_unit(write, given, nbytes):
    assert config.load(write(f"window: {{memory: {given}}}")).window.memory == nbytes


def test_a_run_file(write):
    run = config.load(
        write("""
            simulation: {module: wave, class: Wave, deck: wave.in, cells: [8, 8, 8]}
            fields:
              density: {psnr: 4e1, network: {n_levels: 3}, training: {seed: 7}}
              velocity: {components: [u, v, w], compression: kmeans, compression_loss: 0.5}
              energy:
            window: {steps: 6, every: 2}
            ghosts: exchange
            record: {path: out/record}
        """)
    )
    assert run.fields["density"].psnr == 40.0
    assert run.fields["density"].network.n_levels == 3
    assert run.fields["density"].training.seed == 7
    assert run.fields["velocity"].components == ("u", "v", "w")
    kept = Compression(compression="kmeans", compression_loss=0.5)
    assert run.fields["velocity"].recipe.compression == kept
    assert run.fields["energy"].recipe.compression == Compression()
    assert run.fields["energy"] == config.FieldConfig()
    assert run.window == config.WindowConfig(steps=6, every=2)
    assert run.record == config.RecordConfig(path="out/record")
    assert run.simulation.class_name == "Wave"
    assert run.simulation.arguments == {"deck": "wave.in", "cells": [8, 8, 8]}


def test_fields_as_a_list_of_names(write):
    run = config.load(write("fields: [u, v]"))
    assert run.fields == {"u": config.FieldConfig(), "v": config.FieldConfig()}
    assert problems({"fields": ["u", 3]}) == [
        "run file: fields: expected keys and values, found a list"
    ]


def test_what_is_read_is_found_beside_the_run_file(write, tmp_path):
    write("", "wave.in")
    run = config.load(write("simulation: {module: wave, deck: wave.in, path: lib, name: other}"))
    assert run.simulation.path == str(tmp_path / "lib")
    assert run.simulation.arguments == {"deck": str(tmp_path / "wave.in"), "name": "other"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("feilds: {}", "run.yaml:1: feilds: unknown key; did you mean 'fields'?"),
        ("\nactons: []", "run.yaml:2: actons: unknown key; did you mean 'actions'?"),
        ("fields: {p: {psnr: 400}}", "run.yaml:1: fields.p.psnr: 400 is not in 1..120 dB"),
        ("fields: {p: {psnr: .nan}}", "run.yaml:1: fields.p.psnr: nan is not in 1..120 dB"),
        ("fields: {p: {psnr: true}}", "run.yaml:1: fields.p.psnr: true is not a number"),
        ("fields: {p: {psnr: high}}", "run.yaml:1: fields.p.psnr: expected a number, found 'high'"),
        (
            "fields:\n  p:\n    network: {n_level: 3}",
            "run.yaml:3: fields.p.network.n_level: unknown key; did you mean 'n_levels'?",
        ),
        (
            "fields: {p: {network: {n_neurons: 24}}}",
            "run.yaml:1: fields.p.network.n_neurons: 24 is not in the multiples of 16 in 16..256",
        ),
        (
            "fields: {p: {compression: quantised}}",
            "run.yaml:1: fields.p.compression: 'quantised' is not one of 'quantized', 'kmeans', "
            "'sz3_zfp' or 'half'; did you mean 'quantized'?",
        ),
        (
            "fields: {p: {compression_loss: 0}}",
            "run.yaml:1: fields.p.compression_loss: 0 is not in 0.01..6 dB",
        ),
        (
            "fields: {p: {training: {decay: cosin}}}",
            "run.yaml:1: fields.p.training.decay: 'cosin' is not one of 'exponential' or 'cosine'; "
            "did you mean 'cosine'?",
        ),
        (
            "fields: {p: {components: u}}",
            "run.yaml:1: fields.p.components: expected a list, found 'u'",
        ),
        ("window: {every: 2.5}", "run.yaml:1: window.every: expected a whole number, found 2.5"),
        (
            "window: {memory: 64 apples}",
            "run.yaml:1: window.memory: '64 apples' is not a number of bytes such as 64 MiB",
        ),
        (
            "window: {memory: 1 KB}",
            "run.yaml:1: window.memory: 1000 is not in 1024..1152921504606846976 bytes",
        ),
        ("window: {memory: true}", "run.yaml:1: window.memory: true is not a number"),
        ("window: {key_every: 0}", "run.yaml:1: window.key_every: 0 is not in 1..1000 steps"),
        ("window: 5", "run.yaml:1: window: expected keys and values, found 5"),
        ("record: {}", "run.yaml:1: record.path: is required"),
        ("simulation: {deck: a}", "run.yaml:1: simulation.module: is required"),
        (
            "simulation: {module: a, class: [b]}",
            "run.yaml:1: simulation.class: expected a text, found a list",
        ),
        ("check_ghosts: maybe", "run.yaml:1: check_ghosts: expected true or false, found 'maybe'"),
        ("output: 3", "run.yaml:1: output: expected a text, found 3"),
        ("- a\n- b", "run.yaml: expected keys and values, found a list"),
        (
            "fields:\n  p: {}\n  q: {}\n  p: {psnr: 30}",
            "run.yaml:4: fields.p: given twice, first on line 2",
        ),
        (
            "window: {steps: 3",
            "run.yaml:1: not valid YAML: expected ',' or '}', but got '<stream end>'",
        ),
        ("a: b: c", "run.yaml:1: not valid YAML: mapping values are not allowed here"),
        ("output: !!python/name:os.system x", "run.yaml:1: not valid YAML: could not determine"),
        ("a: &a [*a]", "run.yaml: not valid YAML: nested too deeply"),
        ("actions_file: on.yaml", "run.yaml:1: actions_file: no file"),
        (
            "actions_file: [a]",
            "run.yaml:1: actions_file: expected the name of a file, found a list",
        ),
        (
            "actions: []\nactions_file: on.yaml",
            "run.yaml:2: actions_file: given together with actions; choose one",
        ),
    ],
)
def test_an_error_names_place_key_and_remedy(write, text, problem):
    (found,) = problems(write(text))
    assert found.startswith(problem)
    assert "\n" not in found


def test_all_problems_are_told_at_once(write):
    text = "ghosts: none\nwindow: {steps: 0}\nfields: {p: {psnr: 0}}"
    assert sorted(p.split(": ")[0] for p in problems(write(text))) == [
        "run.yaml:1",
        "run.yaml:2",
        "run.yaml:3",
    ]


def test_files_that_cannot_be_read(tmp_path):
    assert problems(tmp_path / "none.yaml") == [f"{tmp_path}/none.yaml: No such file or directory"]
    assert "Is a directory" in problems(tmp_path)[0]
    (tmp_path / "bytes.yaml").write_bytes(b"a: \xff")
    assert "not UTF-8" in problems(tmp_path / "bytes.yaml")[0]


def test_aliases_cannot_exhaust_memory(write):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    assert "more than" in problems(write("\n".join(lines)))[0]


def test_merge_keys_share_settings(write):
    run = config.load(
        write("""
            fields:
              density: &all {psnr: 40, network: {n_levels: 3}}
              energy: {<<: *all, psnr: 30}
              pressure: *all
        """)
    )
    assert run.fields["energy"].psnr == 30
    assert run.fields["energy"].network.n_levels == 3
    assert run.fields["pressure"] == run.fields["density"]


def test_words_are_words():
    """YAML 1.1 would read these as booleans, a number and a date."""
    from insitu.core.yaml_tree import Places, parse

    text = "{on: yes, at: 1:30, day: 2024-01-01, rate: 1e-3, n: 010}"
    assert parse(text, Places("-", None)) == {
        "on": "yes",
        "at": "1:30",
        "day": "2024-01-01",
        "rate": 1e-3,
        "n": 10,
    }


def test_overrides_come_before_the_checks(write):
    path = write("fields: {p: {psnr: 400}}\nactions: [{action: a}]")
    overrides = ["fields.p.psnr=30", "fields.q.network.n_levels=2", "window={steps: 3}"]
    run = config.load(path, [*overrides, "actions.0.action=b"])
    assert run.fields["p"].psnr == 30
    assert run.fields["q"].network.n_levels == 2
    assert run.window == config.WindowConfig(steps=3)
    assert run.actions == ({"action": "b"},)


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ("window.steps", "--set window.steps: expected KEY.KEY=VALUE"),
        ("window..steps=1", "--set window..steps=1: expected KEY.KEY=VALUE"),
        ("window.steps=0", "--set: window.steps: 0 is not in 1..1000000 steps"),
        ("window={steps: 0}", "--set: window.steps: 0 is not in 1..1000000 steps"),
        ("windw.steps=3", "--set: windw: unknown key; did you mean 'window'?"),
        ("output.a=3", "--set output.a=3: output has no keys, it is 'here'"),
        ("actions.1.a=3", "--set actions.1.a=3: actions.1: expected a number below 1"),
        ("output={", "--set output={:1: not valid YAML: expected the node content"),
    ],
)
def test_an_override_that_is_wrong(write, override, problem):
    (found,) = problems(write("output: here\nactions: [{}]"), [override])
    assert found.startswith(problem)


def test_overrides_leave_the_callers_mapping_alone():
    given = {"window": {"steps": 3}}
    assert config.load(given, ["window.steps=4"]).window.steps == 4
    assert given == {"window": {"steps": 3}}


def test_actions_files_are_read_with_the_run_file(write):
    write("- {action: add_triggers, triggers: {t: {params: {actions_file: on.yaml}}}}", "a.yaml")
    write("- {action: add_scenes}\n- 3", "on.yaml")
    run, places = config.read(write("actions_file: a.yaml"))
    inner = run.actions[0]["triggers"]["t"]["params"]
    assert inner == {"actions": [{"action": "add_scenes"}, 3]}
    path = ("actions", 0, "triggers", "t", "params")
    assert places.of(path) == "a.yaml:1"
    assert places.of((*path, "actions", 1)) == "on.yaml:2"


def test_actions_files_that_name_each_other(write):
    write("- {t: {actions_file: a.yaml}}", "a.yaml")
    assert "deep; do they name each other?" in problems(write("actions_file: a.yaml"))[0]


def test_other_ranks_import_neither_pydantic_nor_yaml(write):
    """A RunConfig is plain data: unpickling it takes insitu.config alone."""
    run = config.load(write("fields: {p: {psnr: 40}}\nsimulation: {module: a, deck: b}"))
    code = """
        import pickle, sys
        run = pickle.loads(sys.stdin.buffer.read())
        assert run.fields["p"].psnr == 40, run
        heavy = {"pydantic", "pydantic_core", "yaml", "rich", "annotated_types"} & set(sys.modules)
        assert not heavy, heavy
    """
    subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], input=pickle.dumps(run), check=True
    )


def test_errors_can_be_broadcast():
    error = pickle.loads(pickle.dumps(ConfigError(["a", "b"])))
    assert error.problems == ("a", "b")
    assert str(error) == "a\nb"


@pytest.mark.parallel([1, 3])
def test_broadcast_gives_all_ranks_the_same():
    comm, calls = MPI.COMM_WORLD, []

    def loader():
        calls.append(comm.rank)
        return config.load({"fields": {"p": {"psnr": 35}}})

    assert config.broadcast(comm, loader).fields["p"].psnr == 35
    assert calls == ([0] if comm.rank == 0 else [])


@pytest.mark.parallel([1, 3])
def test_broadcast_fails_on_all_ranks():
    comm = MPI.COMM_WORLD
    with pytest.raises(ConfigError, match=r"window\.steps"):
        config.broadcast(comm, lambda: config.load({"window": {"steps": 0}}))
    with pytest.raises(RemoteError, match="ZeroDivisionError"):
        config.broadcast(comm, lambda: 1 // 0)


def test_targets_and_codecs():
    run = config.load(
        {
            "fields": {
                "a": {"max_error": {"rel": 1e-3}, "codec": "sz3"},
                "b": {"max_error": 0.5, "psnr": 40},
                "c": {"ratio": 200, "codec": "auto"},
                "d": {},
            }
        }
    )
    recipes = {name: field.recipe for name, field in run.fields.items()}
    assert recipes["a"].target.max_error == Relative(rel=1e-3) and recipes["a"].codec == "sz3"
    assert recipes["b"].target == Target(psnr=40.0, max_error=0.5) and recipes["b"].codec == "inr"
    assert recipes["c"].target.ratio == 200 and recipes["c"].codec == "auto"
    assert [recipes[name].sized_by_target for name in "abcd"] == [True, True, True, False]
    given = config.load({"fields": {"a": {"psnr": 40, "network": {"log2_hashmap_size": 9}}}})
    assert not given.fields["a"].recipe.sized_by_target


@pytest.mark.parametrize(
    ("field", "problem"),
    [
        ({"ratio": 20, "psnr": 40}, "ratio and psnr are both given"),
        ({"ratio": 20, "max_error": 0.1}, "ratio and max_error are both given"),
        ({"quality": "fine", "psnr": 40}, "quality and psnr are both given"),
        ({"quality": "fine", "ratio": 40}, "quality and ratio are both given"),
        ({"quality": "best"}, "'best' is not one of 'draft', 'visual' or 'fine'"),
        ({"codec": "zfp"}, "codec zfp needs psnr, quality, ratio or max_error"),
        ({"codec": "auto"}, "codec auto needs psnr, quality, ratio or max_error"),
        ({"codec": "sz3", "psnr": 40, "seconds": 1}, "seconds limits training"),
        ({"codec": "sz2", "psnr": 40}, "did you mean 'sz3'"),
        ({"max_error": 0}, "0 is not in"),
        ({"max_error": {"rel": 2}}, "2 is not in"),
        ({"max_error": {"abs": 2}}, "expected a number or {rel: 1e-3}"),
        ({"max_error": "small"}, "expected a number or {rel: 1e-3}"),
        ({"max_error": True}, "true is not a number"),
        ({"ratio": 0.5}, "0.5 is not in"),
    ],
)
def test_targets_that_contradict_each_other(field, problem):
    found = problems({"fields": {"density": field}})
    assert any(problem in line and "density" in line for line in found), found


def test_paths_in_a_mapping_are_paths(tmp_path):
    (tmp_path / "later.yaml").write_text("[]")
    run = config.load(
        {
            "record": {"path": tmp_path / "record", "scratch": tmp_path},
            "output": tmp_path,
            "actions_file": tmp_path / "later.yaml",
            "simulation": {"module": "wave", "path": tmp_path, "deck": tmp_path / "later.yaml"},
        }
    )
    assert run.record is not None and run.simulation is not None
    assert (run.output, run.record.path) == (str(tmp_path), str(tmp_path / "record"))
    assert run.record.scratch == run.simulation.path == str(tmp_path)
    assert run.simulation.arguments == {"deck": str(tmp_path / "later.yaml")}
