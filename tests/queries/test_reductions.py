"""Field expressions reduced over all ranks, against NumPy on the whole domain."""

import math
import tracemalloc
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from insitu.core.parallel import RemoteError
from insitu.mesh.partition import NO_LAYERS, Partition
from insitu.queries import block_view as block_module
from insitu.queries.expressions import ExpressionError, parse
from insitu.queries.functions import FUNCTIONS
from insitu.queries.values import EXTREMUM, HISTOGRAM, NUMBER, Extremum, FieldKind, Histogram
from tests.support.query_domain import CELLS, WORLD, cut, evaluate, lines, shape

BLOCKS = [1, 2, 8]  # fewer blocks than ranks leave ranks empty


def noise(association, seed=3, dtype=np.float64, broken=True):
    """The same values (nz, ny, nx) on all ranks, NaN and Inf among them."""
    values = np.random.default_rng(seed).normal(size=shape(association)).astype(dtype)
    if broken:
        values.flat[::17], values.flat[5::31] = np.nan, np.inf
        values.flat[3] = -np.inf
    return values


def same(found):
    assert WORLD.allgather(repr(found)) == [repr(found)] * WORLD.size
    return found


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("n_blocks", BLOCKS)
@pytest.mark.parametrize("association", ["element", "vertex"])
@pytest.mark.parametrize("slab", [1, 100, 1 << 16])
def test_reductions_are_those_of_the_whole(association, n_blocks, slab, monkeypatch):
    monkeypatch.setattr(block_module, "_SLAB", slab)
    values = noise(association)
    blocks = {"p": cut([values], association, n_blocks)}
    finite = values[np.isfinite(values)]
    assert same(evaluate("count(field('p'))", blocks)) == finite.size
    assert evaluate("nan_count(field('p'))", blocks) == np.isnan(values).sum()
    assert evaluate("inf_count(field('p'))", blocks) == np.isinf(values).sum()
    # Exact: rounded once.
    assert evaluate("sum(field('p'))", blocks) == math.fsum(finite)
    assert evaluate("avg(field('p'))", blocks) == pytest.approx(math.fsum(finite) / finite.size)
    for word, value in (("min", finite.min()), ("max", finite.max())):
        found = same(evaluate(f"{word}(field('p'))", blocks))
        index = np.argwhere(values == value)[0]
        place = [line[i] for line, i in zip(lines(association), index, strict=True)]
        assert found == Extremum(value, tuple(reversed(place)))
    histogram = same(evaluate("histogram(field('p'), 10, min_val=-1, max_val=1.5)", blocks))
    counts, _ = np.histogram(np.clip(finite, -1, 1.5 - 1e-12), 10, (-1, 1.5))
    assert histogram == Histogram(tuple(counts.astype(float)), -1.0, 1.5)


P, Q = noise("element"), np.abs(noise("element", 4)) + 0.1
V = [noise("element", seed, broken=False) for seed in (5, 6, 7)]
ON_NODES = [noise("vertex", seed, broken=False) for seed in (8, 9, 10)]
SMOOTH = [np.float32(noise("element", seed, np.float32, broken=False)) for seed in (11,)]


def total(values):
    return math.fsum(values[np.isfinite(values)].ravel().astype(float))


def slopes(values, association):
    """d/dx, d/dy, d/dz of the whole."""
    z, y, x = np.gradient(values, *lines(association))
    return x, y, z


def rotation(values, association):
    (_, uy, uz), (vx, _, vz), (wx, wy, _) = (slopes(c, association) for c in values)
    return wy - vz, uz - wx, vx - uy


def q_criterion(values, association):
    jacobian = np.array([slopes(c, association) for c in values])
    turned = jacobian.transpose(1, 0, 2, 3, 4)
    strain, spin = (jacobian + turned) / 2, (jacobian - turned) / 2
    return 0.5 * ((spin**2).sum((0, 1)) - (strain**2).sum((0, 1)))


with np.errstate(all="ignore"):
    REFERENCE = {
        "sum(field('p') + 2 * field('q'))": total(P + 2 * Q),
        "sum(field('p') - field('q') / 3)": total(P - Q / 3),
        "sum(field('p') % 2)": total(P % 2),
        "sum(-field('p'))": total(-P),
        "sum(abs(field('p')))": total(np.abs(P)),
        "sum(exp(field('p')))": total(np.exp(P)),
        "sum(log(field('q')))": total(np.log(Q)),
        "sum(sqrt(field('q')) + sin(field('p')))": total(np.sqrt(Q) + np.sin(P)),
        "sum(pow(field('q'), 1.5))": total(Q**1.5),
        "sum(max(field('p'), field('q')))": total(np.maximum(P, Q)),
        "sum(min(field('p'), 0.25))": total(np.minimum(P, 0.25)),
        "max(1 / field('q')).value": (1 / Q[np.isfinite(Q)]).max(),
        "count(field('p') > 0.5)": np.sum(P > 0.5),
        "sum(field('p') > 0.5 and not field('q') <= 1)": np.sum((P > 0.5) & ~(Q <= 1)),
        "count(field('p') == field('p') or 1 > 2)": np.sum(P == P),
        "sum((field('p') > 0) * field('q'))": total((P > 0) * Q),
        "sum(field('s') > 0.1)": np.sum(SMOOTH[0].astype(float) > 0.1),
        "sum(field('v', 'y'))": total(V[1]),
        "sum(field('v').z)": total(V[2]),
        "sum(field('v', 'u'))": total(V[0]),
        "sum(magnitude(field('v')))": total(np.sqrt(sum(c**2 for c in V))),
        "sum(magnitude(2 * field('v') - field('v') / 2))": total(
            np.sqrt(sum((1.5 * c) ** 2 for c in V))
        ),
        "sum(magnitude(vector(field('q'), 1, field('p'))))": total(np.sqrt(Q**2 + 1 + P**2)),
        "sum(gradient(field('v').x).x)": total(slopes(V[0], "element")[0]),
        "sum(magnitude(gradient(field('v', 'z'))))": total(
            np.sqrt(sum(c**2 for c in slopes(V[2], "element")))
        ),
        "sum(abs(divergence(field('v'))))": total(
            np.abs(sum(slopes(c, "element")[i] for i, c in enumerate(V)))
        ),
        "sum(abs(curl(field('v')).x))": total(np.abs(rotation(V, "element")[0])),
        "sum(abs(vorticity(field('v')).y))": total(np.abs(rotation(V, "element")[1])),
        "max(magnitude(vorticity(field('n')))).value": np.sqrt(
            sum(c**2 for c in rotation(ON_NODES, "vertex"))
        ).max(),
        "sum(qcriterion(field('v')))": total(q_criterion(V, "element")),
        "min(qcriterion(field('n'))).value": q_criterion(ON_NODES, "vertex").min(),
        "sum(magnitude(gradient(field('n').y * 2)))": total(
            np.sqrt(sum((2 * c) ** 2 for c in slopes(ON_NODES[1], "vertex")))
        ),
        # Reductions within reductions.
        "count(field('p') > avg(field('p')))": np.sum(P[np.isfinite(P)].mean() < P),
        "sum(field('v').x / max(field('v').x))": total(V[0] / V[0].max()),
        "count(abs(field('p') - avg(field('p'))) < 2 * avg(abs(field('p') - avg(field('p')))))": (
            lambda d: np.sum(d < 2 * d[np.isfinite(d)].mean())
        )(np.abs(P - P[np.isfinite(P)].mean())),
    }


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("n_blocks", BLOCKS)
@pytest.mark.parametrize("slab", [1, 1 << 16])
def test_functions_are_numpys(n_blocks, slab, monkeypatch):
    monkeypatch.setattr(block_module, "_SLAB", slab)
    blocks = {
        "p": cut([P], "element", n_blocks),
        "q": cut([Q], "element", n_blocks),
        "v": cut(V, "element", n_blocks, "v"),
        "n": cut(ON_NODES, "vertex", n_blocks, "n"),
        "s": cut(SMOOTH, "element", n_blocks, "s"),
    }
    for text, expected in REFERENCE.items():
        assert same(evaluate(text, blocks)) == pytest.approx(expected, rel=1e-12), text


@pytest.mark.parallel([1, 3])
def test_any_cut_of_the_domain_gives_the_same_to_the_last_bit():
    texts = [
        "sum(exp(field('p')) * 1e-3)",
        "avg(field('p'))",
        "entropy(histogram(field('p')))",
        "max(divergence(field('v')))",
    ]
    found = [
        [evaluate(t, {"p": cut([P], "element", n), "v": cut(V, "element", n)}) for t in texts]
        for n in BLOCKS
    ]
    assert found[0] == found[1] == found[2]


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("n_blocks", BLOCKS)
def test_default_ends_of_a_histogram_and_what_follows(n_blocks):
    blocks = {"p": cut([P], "element", n_blocks)}
    finite = P[np.isfinite(P)]
    found = same(evaluate("histogram(field('p'))", blocks))
    assert (found.min_val, found.max_val, found.num_bins) == (finite.min(), finite.max(), 256)
    index = ((finite - finite.min()) * (256 / (finite.max() - finite.min()))).astype(int)
    counts = np.bincount(np.minimum(index, 255), minlength=256)
    np.testing.assert_array_equal(found.value, counts)
    shares = counts[counts > 0] / finite.size
    entropy = evaluate("entropy(histogram(field('p')))", blocks)
    assert entropy == pytest.approx(-(shares * np.log(shares)).sum())
    median = evaluate("quantile(cdf(histogram(field('p'))), 0.5)", blocks)
    width = (finite.max() - finite.min()) / 256
    assert median == pytest.approx(np.median(finite), abs=width)
    positive = "histogram(field('p'), 8, 0, avg(abs(field('p'))))"
    assert evaluate(positive, blocks).max_val == pytest.approx(np.abs(finite).mean())
    assert evaluate(f"sum({positive}.value)", blocks) == finite.size


@pytest.mark.parallel([1, 3])
def test_equal_extrema_are_found_at_the_same_place_by_any_number_of_ranks():
    values = np.zeros(CELLS)
    values[[20, 4, 4], [1, 6, 6], [2, 4, 1]] = 5.0
    blocks = {"p": cut([values], "element", 8)}
    z, y, x = (line[i] for line, i in zip(lines("element"), (4, 6, 1), strict=True))
    assert evaluate("max(field('p'))", blocks).position == (x, y, z)
    first = tuple(line[0] for line in reversed(lines("element")))
    assert evaluate("min(field('p'))", blocks).position == first


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("n_blocks", [1, 4])
def test_blocks_without_finite_samples_and_constant_ones(n_blocks):
    """The first half is NaN, the second constant; then nothing is finite; then there is nothing."""
    values = np.full(CELLS, 3.0)
    values[:12] = np.nan
    blocks = {"p": cut([values], "element", n_blocks)}
    assert evaluate("max(field('p')).value - min(field('p')).value", blocks) == 0.0
    assert evaluate("count(field('p'))", blocks) == values.size / 2
    assert evaluate("sum(gradient(field('p')).x)", blocks) == pytest.approx(0.0, abs=1e-12)
    assert evaluate("entropy(histogram(field('p')))", blocks) == 0.0
    assert evaluate("quantile(cdf(histogram(field('p'))), 0.3)", blocks) == 3.0
    values[:] = np.nan
    nothing_finite = cut([values], "element", n_blocks)
    for held in (nothing_finite, []):
        for text in ("max(field('p')).value", "avg(field('p'))", "entropy(histogram(field('p')))"):
            assert math.isnan(same(evaluate(text, {"p": held})))
        assert evaluate("sum(field('p'))", {"p": held}) == 0.0
        expected = values.size if held is nothing_finite else 0
        assert evaluate("nan_count(field('p'))", {"p": held}) == expected


@pytest.mark.parallel([1, 3])
def test_queries_within_fields():
    blocks = {"p": cut([P], "element", 4)}
    later = "history(mean, absolute_index=5)"
    queries = {"mean": "avg(field('p'))", "twice": "2 * mean", "slow": later}
    found = evaluate("count(field('p') > twice)", blocks, queries=queries)
    assert found == np.sum(2 * P[np.isfinite(P)].mean() < P)
    # What is NaN because it is not there yet counts nothing.
    assert evaluate("count(field('p') > slow)", blocks, queries=queries) == 0
    # Not there yet itself: no value.
    assert evaluate(f"count(field('p') > {later})", blocks, queries=queries) is None


@pytest.mark.parallel([1, 3])
def test_fields_that_do_not_fit_are_an_error_on_all_ranks():
    p, n = cut([P], "element", 4), cut(ON_NODES, "vertex", 4, "n")
    with pytest.raises(RemoteError, match="cannot be computed with each other"):
        evaluate("sum(field('p') + field('n').x)", {"p": p, "n": n})
    with pytest.raises(RemoteError, match="'n': 3 components; reduce one of them"):
        evaluate("sum(field('n'))", {"n": n})
    with pytest.raises(RemoteError, match="a field of 1 components has none at 1"):
        evaluate("sum(field('p', 'y'))", {"p": p})


@pytest.mark.parallel([1, 3])
def test_fields_are_computed_where_both_are():
    p = cut([P], "element", 4)
    lacking = p[1:] if WORLD.rank == 0 else p
    both = evaluate("sum(field('p') + 0 * field('q'))", {"p": p, "q": lacking})
    assert both == evaluate("sum(field('p'))", {"p": lacking})


FUZZ_QUERIES = {"q1": "avg(field('p'))", "q2": "max(field('p'))", "q3": "histogram(field('q'), 8)"}
FUZZ_KINDS = {"q1": NUMBER, "q2": EXTREMUM, "q3": HISTOGRAM}
PARTS = st.recursive(
    st.sampled_from(
        [
            "1",
            "0.5",
            "-2",
            "True",
            "q1",
            "q2",
            "q3",
            "time()",
            "'linear'",
            "q2.position",
            "field('p')",
            "field('q')",
            "field('v')",
            "field('v').x",
            "window('p',1)",
        ]
    ),
    lambda inner: st.one_of(
        st.sampled_from([(f, s) for f in sorted(FUNCTIONS) for s in FUNCTIONS[f]]).flatmap(
            lambda way: st.lists(
                inner,
                min_size=(n := sum(not p.optional for p in way[1].parameters)),
                max_size=n,
            ).map(lambda given: f"{way[0]}({', '.join(given)})")
        ),
        st.tuples(inner, st.sampled_from("+-*/%<") | st.sampled_from(["and", ">="]), inner).map(
            lambda t: f"({' '.join(t)})"
        ),
        st.tuples(inner, st.sampled_from([".value", ".position", ".x", ".z", "[0]"])).map(
            lambda t: f"({t[0]}){t[1]}"
        ),
    ),
    max_leaves=6,
)


@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(PARTS)
def test_what_is_accepted_can_be_evaluated(text):
    """No expression that passes the checks fails at a step, or warns, on any data."""
    kinds = {n: FieldKind("element", c) for n, c in (("p", 1), ("q", 1), ("v", 3))}
    try:
        parse(text, FUZZ_KINDS).check_kinds(kinds)
    except ExpressionError:
        return
    blocks = {
        "p": cut([P], "element", 2),
        "q": cut([Q], "element", 2),
        "v": cut(V, "element", 2, "v"),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        evaluate(text, blocks, queries=FUZZ_QUERIES)


@pytest.mark.parallel([1, 3])
def test_memory_of_an_expression_is_a_few_slabs():
    cells = (192, 128, 64)
    values = np.random.default_rng(0).normal(size=cells)
    nodes = tuple(np.linspace(0, 1, n + 1) for n in reversed(cells))
    block = Partition("p", "element", (values,), NO_LAYERS, nodes, WORLD.rank)
    text = "sum(exp(abs(field('p') * 2 - 1)) / (1 + field('p') * field('p')))"
    tracemalloc.start()
    evaluate(text, {"p": [block]})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 0.7 * values.nbytes
