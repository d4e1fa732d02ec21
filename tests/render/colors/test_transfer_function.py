"""Transfer functions: Ascent's colour tables and control points, opacity."""

import numpy as np
import pytest

from insitu.render.colors.color_tables import COLOR_TABLES, color_table
from insitu.render.colors.transfer_function import TransferFunction

DOMAIN = (2.0, 6.0)


def alpha(position: float, value: float) -> dict:
    return {"type": "alpha", "position": position, "alpha": value}


def rgb(position: float, *color: float) -> dict:
    return {"type": "rgb", "position": position, "color": list(color)}


@pytest.mark.parametrize("name", COLOR_TABLES)
def test_tables_are_well_formed(name: str) -> None:
    positions, colors, _ = color_table(name.upper())
    assert positions[0] == 0 and positions[-1] == 1 and (np.diff(positions) > 0).all()
    assert colors.shape == (len(positions), 3) and colors.min() >= 0 and colors.max() <= 1


def test_default_has_a_ramp_that_may_be_replaced() -> None:
    function = TransferFunction.default(DOMAIN)
    assert not function.opacity_given
    assert (np.diff(function.table[:, 3]) >= 0).all() and function.table[0, 3] == 0


def test_control_points() -> None:
    points = [alpha(1, 1.0), rgb(0, 1, 0, 0), rgb(0.5, 0, 1, 0), rgb(1, 0, 0, 1), alpha(0.5, 0)]
    function = TransferFunction.from_ascent({"control_points": points}, DOMAIN)
    assert function.opacity_given
    values = np.array([-5.0, 2.0, 3.0, 4.0, 5.0, 6.0, 60.0, np.nan])
    expected = [
        [1, 0, 0, 0], [1, 0, 0, 0], [0.5, 0.5, 0, 0], [0, 1, 0, 0],
        [0, 0.5, 0.5, 0.5], [0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 0, 0],
    ]  # fmt: skip
    np.testing.assert_allclose(function(values), expected, atol=2e-3)


def test_colors_in_bytes_and_in_fractions() -> None:
    fractions = [rgb(0, 1.0, 0.2, 0), rgb(1, 0, 0, 0.6)]
    bytes_ = [rgb(0, 255, 51, 0), rgb(1, 0, 0, 153)]
    tables = [
        TransferFunction.from_ascent({"control_points": p}, DOMAIN).table
        for p in (fractions, bytes_)
    ]
    np.testing.assert_allclose(tables[0], tables[1], atol=1e-6)


def test_points_join_a_named_table() -> None:
    words = {"name": "X Ray", "control_points": [rgb(0.5, 1, 0, 0)]}
    colors = TransferFunction.from_ascent(words, (0, 1))(np.array([0.0, 0.5, 1.0]))[:, :3]
    np.testing.assert_allclose(colors, [[1, 1, 1], [1, 0, 0], [0, 0, 0]], atol=2e-3)


@pytest.mark.parametrize("flag", ["true", True])
def test_reverse_turns_colors_not_opacity(flag: object) -> None:
    points = [alpha(0, 0), alpha(1, 0.8)]
    plain = TransferFunction.from_ascent({"name": "jet", "control_points": points}, DOMAIN)
    turned = TransferFunction.from_ascent(
        {"name": "jet", "control_points": points, "reverse": flag}, DOMAIN
    )
    np.testing.assert_allclose(turned.table[:, :3], plain.table[::-1, :3], atol=1e-6)
    np.testing.assert_array_equal(turned.table[:, 3], plain.table[:, 3])


def test_ascents_arrays_of_points() -> None:
    arrays = {"position": [0, 1], "r": [1, 0], "g": [0, 0], "b": [0, 1], "a": [0.1, 0.5]}
    listed = [rgb(0, 1, 0, 0), rgb(1, 0, 0, 1), alpha(0, 0.1), alpha(1, 0.5)]
    tables = [
        TransferFunction.from_ascent({"control_points": p}, DOMAIN).table for p in (arrays, listed)
    ]
    np.testing.assert_array_equal(tables[0], tables[1])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"name": "Cool to Worm"}, "'Cool to Worm' is unknown; did you mean 'Cool to Warm'"),
        ({"nam": "Jet"}, "color_table/nam: unknown; did you mean 'name'"),
        ({"reverse": "yes"}, "color_table/reverse: 'yes'"),
        ({"control_points": 3}, "control_points: expected a list"),
        ({"control_points": [{"type": "rbg"}]}, r"control_points\[0\]: expected type"),
        ({"control_points": [{"type": "alpha", "alpha": 1}]}, "needs 'position'"),
        ({"control_points": [alpha(0, 0), alpha(1.5, 0)]}, r"\[1\]/position: 1.5"),
        ({"control_points": [alpha(0, 2)]}, r"\[0\]/alpha: 2"),
        ({"control_points": [rgb(0, 1, 2)]}, r"\[0\]/color"),
        ({"control_points": [rgb(0, 1, 2, 300)]}, r"\[0\]/color"),
        ({"control_points": [alpha(0, 0) | {"colour": 1}]}, "colour: unknown"),
        ({"control_points": {"position": [0], "r": [0], "g": [0]}}, "'b' is missing"),
    ],
)
def test_wrong_words_are_named(words: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TransferFunction.from_ascent(words, DOMAIN)


def test_opacity_of_a_step_multiplies_up_to_that_of_the_reference() -> None:
    function = TransferFunction(DOMAIN, np.tile([0, 0, 0, 0.7], (2, 1)), reference=2.0)
    bounds = (np.zeros(3), np.ones(3))
    per_step = function.for_step(0.25, bounds)[0, 3]
    assert 1 - (1 - per_step) ** 8 == pytest.approx(0.7, rel=1e-5)
    by_diagonal = TransferFunction(DOMAIN, function.table).for_step(np.sqrt(3) / 10, bounds)
    assert by_diagonal[0, 3] == pytest.approx(0.7, rel=1e-5)
    opaque = TransferFunction(DOMAIN, np.ones((2, 4))).for_step(0.01, bounds)
    assert (opaque == 1).all()


def test_opacity_from_histogram_hides_the_background_and_shows_the_rare() -> None:
    counts = np.full(64, 200)
    counts[20] = 100_000
    counts[40:45] = 10
    edges = np.linspace(*DOMAIN, 65)
    function = TransferFunction.default(DOMAIN).with_opacity_from_histogram(counts, edges)
    common, usual, rare = function(edges[[20, 30, 42]] + (edges[1] - edges[0]) / 2)[:, 3]
    assert common < 0.01 < usual < rare <= 0.95
    assert function.opacity_given


def test_histogram_of_one_value_changes_nothing() -> None:
    function = TransferFunction.default((1.0, 1.0))
    assert function.with_opacity_from_histogram(np.array([5]), np.array([1.0, 1.0])) is function
    with pytest.raises(ValueError, match="histogram"):
        function.with_opacity_from_histogram(np.array([5, 3]), np.array([1.0, 2.0]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((1.0, 0.0), np.zeros((2, 4))), "domain"),
        (((0.0, 1.0), np.zeros((2, 3))), "shape"),
        (((0.0, 1.0), np.full((2, 4), 1.5)), "0..1"),
        (((0.0, 1.0), np.zeros((2, 4)), 0.0), "reference"),
    ],
)
def test_refuses_what_is_no_table(arguments: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TransferFunction(*arguments)
