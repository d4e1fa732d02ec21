"""Binnings against NumPy on the whole domain: reductions, axes, bins, and painted fields."""

import numpy as np
import pytest

from insitu.queries.expressions import ExpressionError, parse
from insitu.queries.values import BIN, BINNING, EXTREMUM, Bin, Binning
from tests.support.query_domain import NODES, cut, evaluate, lines, shape


def noise(association, seed):
    return np.random.default_rng(seed).normal(size=shape(association))


P, Q, ON_NODES = noise("element", 1), noise("element", 2), noise("vertex", 3)


def fields(n_blocks=3):
    return {
        "p": cut([P], "element", n_blocks),
        "q": cut([Q], "element", n_blocks),
        "n": cut([ON_NODES], "vertex", n_blocks),
        "v": cut([P, Q, P + Q], "element", n_blocks),
    }


def along(axis, association="element"):
    """The coordinate of every sample of the whole."""
    z, y, x = np.meshgrid(*lines(association), indexing="ij")
    return {"x": x, "y": y, "z": z}[axis]


def in_bins(reduce, values, edges, where):
    """A reduction of the values in each bin, 0 for empty ones."""
    home = np.digitize(where, edges) - 1
    return [reduce(values[home == i]) if (home == i).any() else 0.0 for i in range(len(edges) - 1)]


REDUCTIONS = {
    "min": np.min,
    "max": np.max,
    "sum": np.sum,
    "avg": np.mean,
    "std": np.std,
    "var": np.var,
    "rms": lambda v: np.sqrt(np.mean(v**2)),
    "count": np.size,
}


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("how", REDUCTIONS)
@pytest.mark.parametrize("association", ["element", "vertex"])
def test_reductions_in_bins_of_a_coordinate(how, association):
    name, values = ("p", P) if association == "element" else ("n", ON_NODES)
    edges = [float(e) for e in np.quantile(NODES[2], [0, 0.3, 0.5, 0.9])]
    found = evaluate(f"binning('{name}', '{how}', [axis('z', {edges})])", fields())
    expected = in_bins(REDUCTIONS[how], values, edges, along("z", association))
    assert found.value == pytest.approx(expected)
    assert found.axes[0].edges == tuple(edges)


@pytest.mark.parallel([1, 3])
def test_the_bins_of_several_axes_stand_one_after_the_other():
    text = "binning('q', 'sum', [axis('p', num_bins=3), axis('x', num_bins=2)], empty_bin_val=-7)"
    found = evaluate(text, fields())
    low, high, x = P.min(), P.max() + 1, NODES[0]
    p_edges = np.linspace(low, high, 4)
    x_edges = np.linspace(x[0], x[-1] + 1e-8 * (x[-1] - x[0]), 3)
    expected, _, _ = np.histogram2d(
        along("x").ravel(), P.ravel(), bins=[x_edges, p_edges], weights=Q.ravel()
    )
    counts, _, _ = np.histogram2d(along("x").ravel(), P.ravel(), bins=[x_edges, p_edges])
    assert found.value == pytest.approx(np.where(counts, expected, -7.0).ravel())
    assert [axis.name for axis in found.axes] == ["p", "x"]


@pytest.mark.parallel([1, 3])
def test_shares_counts_components_and_clamping():
    blocks = fields()
    found = evaluate("binning('', 'pdf', [axis('z', num_bins=5)])", blocks)
    z = NODES[2]
    edges = np.linspace(z[0], z[-1] + 1e-8 * (z[-1] - z[0]), 6)
    counts, _ = np.histogram(along("z"), edges)
    assert found.value == pytest.approx(counts / P.size)
    assert sum(evaluate("binning('', 'sum', [axis('q', [-1, 1])])", blocks).value) == np.sum(
        (Q >= -1) & (Q < 1)
    )
    clamped = evaluate("binning('', 'count', [axis('q', [-1, 0, 1], clamp=True)])", blocks)
    assert clamped.value == (np.sum(Q < 0), np.sum(Q >= 0))
    of_y = evaluate("binning('v', 'max', [axis('q', [-9, 9])], component='y')", blocks)
    assert of_y.value == (Q.max(),)
    assert evaluate("binning('x', 'max', [axis('q', [-9, 9])])", blocks).value == pytest.approx(
        (along("x").max(),)
    )


@pytest.mark.parallel([1, 3])
def test_single_bins():
    blocks = fields()
    text = "b = binning('p', 'max', [axis('z', [4, 8, 16, 32])]);"
    value = evaluate(f"{text} b", blocks).value
    assert evaluate(f"{text} bin(b, 1)", blocks) == Bin(value[1], 8.0, 16.0, 12.0)
    assert evaluate(f"{text} bin(b, 1).center", blocks) == 12.0
    assert np.isnan(evaluate(f"{text} bin(b, 9).value", blocks))
    near = evaluate(f"{text} point_and_axis(b, 'z', -9, 10)", blocks)
    assert near == Bin(value[1], 8.0, 16.0, 12.0)
    below = evaluate(f"{text} point_and_axis(b, 'z', -9, 10, direction=-1)", blocks)
    assert below == Bin(value[0], 4.0, 8.0, 6.0)
    missed = evaluate(f"{text} point_and_axis(b, 'z', 99, 10, miss_value=-1)", blocks)
    assert missed == Bin(-1.0, -1.0, -1.0, -1.0)
    best = evaluate(f"{text} max_from_point(b, 'z', 10)", blocks)
    middle = (6.0, 12.0, 24.0)[int(np.argmax(value))]
    assert (best.value, best.position) == (max(value), (0.0, 0.0, middle - 10))


@pytest.mark.parallel([1, 3])
def test_a_binning_painted_back_is_a_field():
    edges = [4.0, 8.0, 16.0, 30.0]
    text = f"b = binning('p', 'avg', [axis('z', {edges})]);"
    means = in_bins(np.mean, P, edges, along("z"))
    home = np.digitize(along("z"), edges) - 1
    inside = (home >= 0) & (home < 3)
    painted = np.where(inside, np.array(means)[np.clip(home, 0, 2)], 5.0)
    found = evaluate(f"{text} sum(abs(field('p') - binning_value(b, default_val=5)))", fields())
    assert found == pytest.approx(np.abs(P - painted).sum())
    same = evaluate(f"{text} sum(paint_binning(b, default_val=5))", fields())
    assert same == pytest.approx(painted.sum())


def test_an_empty_range_has_empty_bins_on_one_rank():
    blocks = {"p": cut([np.full(shape("element"), np.nan)], "element", 1)}
    found = evaluate("binning('p', 'sum', [axis('p', num_bins=2)])", blocks)
    assert found.value in ((0.0, 0.0), (-0.0, 0.0))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("binning('p', 'median', [axis('x')])", "'median' is not one of"),
        ("binning('', 'avg', [axis('x')])", "'' counts samples"),
        ("binning('p', 'sum', [])", "expected one axis or more"),
        ("binning('p', 'sum', [3])", "expected an axis"),
        ("binning('p', 'sum', axis('x'))", "binning expects a list, found an axis"),
        ("binning('p', 'sum', [axis('x', [1])])", "bins must be two or more"),
        ("binning('p', 'sum', [axis('x', [1, 2], num_bins=3)])", "given together with bins"),
        ("binning('p', 'sum', [axis('x', num_bins=0)])", "num_bins must be"),
        ("binning('p', 'sum', [axis('x', num_bins=2000), axis('y', num_bins=2000)])", "4000000"),
        ("axis('x')", "this is an axis, no result"),
        ("[1, 2]", "a list stands only"),
        ("point_and_axis(b, 'x', 1, 2, direction=3)", "direction must be 1 or -1"),
        ("max_from_point(b, 'w', 1)", "'w' is not one of x, y, z"),
        ("sum(binning_value(b))", "expected the binning itself"),
        ("binning('p', 'sum', [axis('x')]).edges", "a binning has .value and .num_bins"),
    ],
)
def test_what_is_wrong_is_told(text, problem):
    with pytest.raises(ExpressionError, match=problem.replace("(", r"\(")):
        parse(text, {"b": BINNING})


def test_kinds():
    assert parse("binning('p', 'sum', [axis('x')])").kind == BINNING
    assert parse("bin(b, 3)", {"b": BINNING}).kind == BIN
    assert parse("max_from_point(b, 'x', 1)", {"b": BINNING}).kind == EXTREMUM
    assert Binning((), "", "", ()).num_bins == 0
