"""Trees as text: JSON and YAML, written by the library and read back; and texts that are wrong."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.ascent.build import libraries
from tests.support.ascent_calls import Conduit

# YAML has no place for U+FEFF, U+FFFE and U+FFFF, nor C's texts for U+0000.
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff\ufffe\uffff"))
NAMES = st.text("abcXYZ_09 .:#'\"\\-é", min_size=1, max_size=6).filter(lambda n: n != "..")
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
TREES = st.recursive(
    NUMBERS | WORDS,
    lambda inner: (
        st.dictionaries(NAMES, inner, min_size=1, max_size=4)
        | st.lists(inner | st.dictionaries(NAMES, inner, min_size=1), min_size=2, max_size=4)
    ),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def library() -> Conduit:
    """One for all examples of a property."""
    return Conduit(libraries())


@pytest.mark.parallel(1)
@settings(deadline=None, max_examples=150)
@given(tree=TREES)
def test_json_there_and_back(library: Conduit, tree: object) -> None:
    """What Python writes is read, and what is written then is what Python reads."""
    node = library.create()
    library.parse(node, json.dumps(tree), "json")
    assert not library.errors
    assert _same(json.loads(library.to_json(node)), tree)
    assert _same(yaml.safe_load(library.to_yaml(node)), tree)
    library.destroy(node)


def _same(found: object, expected: object) -> bool:
    """Equal, where a list of numbers with a float in it has become one of floats."""
    if isinstance(expected, list) and all(isinstance(v, int | float) for v in expected):
        return np.array_equal(np.array(found, float), np.array(expected, float))
    if isinstance(expected, list) and isinstance(found, list):
        return len(found) == len(expected) and all(map(_same, found, expected))
    if isinstance(expected, dict) and isinstance(found, dict):
        return list(found) == list(expected) and all(_same(found[k], expected[k]) for k in expected)
    return found == expected


@pytest.mark.parallel(1)
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "ends too early"),
        ('{"a": 1', "ends too early"),
        ('{"a": 1}}', "something follows"),
        ('{"a" 1}', "expected ':'"),
        ("{a: 1}", "name in quotes"),
        ("[1, 2", "ends too early"),
        ("[1 2]", "expected ','"),
        ('{"a":\n "b\\x"}', "line 2: an unknown escape"),
        ('"\\ud800\\u0041"', "surrogate"),
        ('"never', "without an end"),
        ("nothing", "expected a value"),
        ("[" * 100000, "too deeply"),
    ],
)
def test_what_is_no_json_is_refused(conduit: Conduit, text: str, why: str) -> None:
    node = conduit.new({"before": 1})
    conduit.parse(node, text, "json")
    assert why in conduit.errors.pop()
    assert conduit.reader.plain(node) == {"before": 1}


@pytest.mark.parallel(1)
def test_yaml(conduit: Conduit, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Actions as simulations write them, through Python's reader; files; what is no YAML."""
    text = """
    - action: add_scenes
      scenes: {s1: {plots: {p1: {type: volume, field: density}}, flag: true, none: null}}
    - numbers: [1, 2.5]
    """
    expected = [
        {
            "action": "add_scenes",
            "scenes": {
                "s1": {
                    "plots": {"p1": {"type": "volume", "field": "density"}},
                    "flag": "true",
                    "none": None,
                }
            },
        },
        {"numbers": [1, 2.5]},
    ]
    node = conduit.new()
    conduit.parse(node, text, "yaml")
    assert conduit.reader.plain(node) == expected
    for ending in ("yaml", "json"):
        file = str(tmp_path / f"saved.{ending}")
        conduit.save(node, file, ending)
        again = conduit.new()
        conduit.load(again, file, "")
        assert conduit.reader.plain(again) == expected
    assert not conduit.errors

    conduit.parse(node, "a: [1", "yaml")
    assert "not valid YAML" in conduit.errors.pop()
    conduit.load(node, str(tmp_path / "none.json"), "json")
    assert "cannot be read" in conduit.errors.pop()
    conduit.save(node, str(tmp_path / "x.hdf5"), "hdf5")
    assert "there are json and yaml" in conduit.errors.pop()
    assert conduit.reader.plain(node) == expected
    capfd.readouterr()


@pytest.mark.parallel(1)
def test_print(conduit: Conduit, capfd: pytest.CaptureFixture[str]) -> None:
    """Long arrays are abbreviated, and only in print and summaries."""
    node = conduit.new({"a": np.arange(100.0), "b": {"c": "x y"}, "n": np.array([math.nan, 1])})
    conduit.print(node)
    shown = 'a: [0.0, 1.0, 2.0, 3.0, ..., 96.0, 97.0, 98.0, 99.0]\nb:\n  c: "x y"\nn: [.nan, 1.0]\n'
    assert capfd.readouterr().out == shown
    assert conduit.to_summary_string(node) == "\n" + shown  # as conduit does
    assert yaml.safe_load(conduit.to_yaml(node))["a"] == list(range(100))


@pytest.mark.parallel(1)
def test_an_array_with_nan_stays_an_array_in_json(conduit: Conduit) -> None:
    """JSON has no NaN; a list of numbers and empty nodes would be no field."""
    node, read = conduit.new({"v": np.array([1.5, math.nan, 2.0])}), conduit.new()
    conduit.parse(read, conduit.to_json(node), "json")
    np.testing.assert_array_equal(conduit.reader.plain(read)["v"], [1.5, math.nan, 2.0])
