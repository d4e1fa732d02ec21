"""Functions of the mesh against NumPy on the whole domain; conditionals and assignments."""

import numpy as np
import pytest

from insitu.queries import block_view as block_module
from insitu.queries.expressions import ExpressionError, parse
from insitu.queries.syntax import parse as parse_syntax
from insitu.queries.values import ARRAY, NUMBER, VECTOR, FieldKind
from tests.support.query_domain import NODES, cut, evaluate, lines, shape


def noise(association, seed):
    return np.random.default_rng(seed).normal(size=shape(association))


P, N = noise("element", 1), noise("vertex", 2)
WIDTHS = np.meshgrid(*(np.diff(n) for n in reversed(NODES)), indexing="ij")


def fields(n_blocks=3):
    return {"p": cut([P], "element", n_blocks), "n": cut([N], "vertex", n_blocks)}


def at_cells(values):
    """The mean of the corners of each cell."""
    for axis in range(3):
        values = np.moveaxis(values, axis, 0)
        values = np.moveaxis((values[1:] + values[:-1]) / 2, 0, axis)
    return values


def at_vertices(values):
    """The mean of the cells around each vertex."""
    total, count = np.zeros(shape("vertex")), np.zeros(shape("vertex"))
    for corner in np.ndindex(2, 2, 2):
        box = tuple(slice(c, c + n) for c, n in zip(corner, values.shape, strict=True))
        total[box] += values
        count[box] += 1
    return total / count


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("n_blocks", [1, 3, 8])
@pytest.mark.parametrize("slab", [1, 1 << 16])
def test_fields_of_the_mesh(n_blocks, slab, monkeypatch):
    monkeypatch.setattr(block_module, "_SLAB", slab)
    blocks = fields(n_blocks)
    z, _, x = np.meshgrid(*lines("element"), indexing="ij")
    dz, dy, dx = WIDTHS
    expected = {
        "sum(topo('mesh').cell.volume)": (dx * dy * dz).sum(),
        "sum(topo('mesh').cell.volume * field('p'))": (dx * dy * dz * P).sum(),
        "avg(topo('mesh').cell.x)": x.mean(),
        "sum(topo('mesh').cell.dy)": dy.sum(),
        "sum(topo('mesh').cell.z * field('p'))": (z * P).sum(),
        "max(topo('mesh').vertex.y).value": NODES[1][-1],
        "max(topo('mesh').cell.id).value": P.size // n_blocks - 1,
        "count(topo('mesh').vertex.id)": N.size,
        "sum(recenter(field('n')))": at_cells(N).sum(),
        "sum(recenter(field('n'), mode='element') * field('p'))": (at_cells(N) * P).sum(),
        "sum(abs(recenter(field('p'), 'vertex') - field('n')))": np.abs(at_vertices(P) - N).sum(),
        "sum(recenter(field('p'), 'element'))": P.sum(),
        "sum(derived_field(2) * field('p'))": 2 * P.sum(),
        "sum(derived_field(field('n'), assoc='element'))": at_cells(N).sum(),
        "count(derived_field(1, 'mesh', 'vertex'))": N.size,
        "sum(if field('p') > 0 then field('p') else -1)": np.where(P > 0, P, -1).sum(),
        "sum(if max(field('p')) > 99 then field('p') else 2 * field('p'))": 2 * P.sum(),
    }
    for text, value in expected.items():
        assert evaluate(text, blocks) == pytest.approx(value), text
    assert np.isnan(evaluate("max(topo('mesh').cell.area).value", blocks))
    box = evaluate("bounds()", blocks)
    assert (box.min, box.max) == tuple(tuple(float(n[end]) for n in NODES) for end in (0, -1))
    assert evaluate("bounds('mesh').max.z", blocks) == NODES[2][-1]


@pytest.mark.parallel([1, 3])
def test_random_numbers_depend_on_the_place_alone():
    few, many = (evaluate("sum(rand() * topo('mesh').cell.x)", fields(n)) for n in (1, 8))
    assert few == many
    assert evaluate("min(rand()).value", fields()) >= 0
    assert evaluate("max(rand()).value", fields()) < 1
    assert evaluate("avg(rand())", fields()) == pytest.approx(0.5, abs=0.1)
    assert evaluate("quantile(cdf(histogram(rand(), 100)), 0.25)", fields()) == pytest.approx(
        0.25, abs=0.1
    )


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("n_blocks", [1, 3])
def test_a_lineout(n_blocks):
    start, end = [float(n[0]) for n in NODES], [float(n[-1]) for n in NODES]
    text = f"lineout(7, vector{tuple(start)}, vector{tuple(end)}, ['p', 'n'], empty_val=-9)"
    found = evaluate(text, fields(n_blocks))
    points = np.linspace(start, end, 7)
    assert pytest.approx(points) == np.array([found.x, found.y, found.z]).T
    x, y, z = (
        np.clip(np.searchsorted(n, points[:, i], "right") - 1, 0, len(n) - 2)
        for i, n in enumerate(NODES)
    )
    values = dict(found.vars)
    assert values["p"] == pytest.approx(P[z, y, x])
    assert values["n"][0] == pytest.approx(N[0, 0, 0])
    assert values["n"][-1] == pytest.approx(N[-1, -1, -1])
    assert found.value == values["p"]
    assert evaluate(f"max({text}.n)", fields(n_blocks)) == max(values["n"])
    outside = evaluate("lineout(2, vector(-5, 0, 0), vector(-4, 0, 0), ['p'])", fields())
    assert outside.value == (0.0, 0.0)


@pytest.mark.parallel([1, 3])
def test_assignments_name_what_follows():
    text = """
        low = min(field('p')).value
        span = max(field('p')).value \\
            - low
        if span > 0 then (
            low + span / 2
        ) else low
    """
    assert evaluate(text, fields()) == pytest.approx((P.min() + P.max()) / 2)
    assert evaluate("a = 2; b = a * a; if b == 4 then if a > 9 then 1 else 2 else 3", fields()) == 2


def test_only_the_chosen_value_is_needed():
    text = "if cycle() > 0 then 1 else history(q, absolute_index=5)"
    assert evaluate(text, fields(), queries={"q": "cycle()"}) == 1.0
    assert evaluate("replace(histogram(field('p'), 3).value, 0, -1)", fields())[0] != 0


@pytest.mark.parametrize(
    ("text", "problem", "column"),
    [
        ("if 1 > 0 then 2", "'if' without 'else'", 0),
        ("if 1 > 0", "'if' without 'then'", 0),
        ("3 + then", "'then' without 'if'", 4),
        ("if 2 then 1 else 2", "if expects a condition", 3),
        ("if field('p') then 1 else 2", "'if' expects a condition, found a field", 3),
        ("if 1 > 0 then 1 else vector(1, 2, 3)", "two kinds of values", 0),
        ("a = 3", "expected a last expression", 5),
        ("a = 3; b; a", "expected one last expression", 10),
        ("a = nope; a + 1", "unknown query 'nope'", 4),
        ("topo('mesh')", "this is a mesh, no result", 0),
        ("topo('mesh').face", "no attribute .face: a mesh has .cell and .vertex", 0),
        ("sum(recenter(recenter(field('p'))))", "two ghost layers", 4),
        ("recenter(field('p'), 'corner')", "'corner' is not one of", 21),
        ("lineout(0, vector(0,0,0), vector(1,1,1), ['p'])", "samples must be", 8),
        ("lineout(2, vector(0,0,0), vector(1,1,1), [p])", "expected the name of a field", 42),
        ("lineout(2, vector(0,0,0), vector(1,1,1), ['p']).q", "no attribute .q", 0),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text, problem, column):
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert problem in caught.value.problem
    assert caught.value.column == column


def test_text_on_several_lines_is_one_expression_unless_something_is_assigned():
    assert str(parse_syntax("max(1,\n  2)\n > 3")) == "(max(1, 2) > 3)"
    assert str(parse_syntax("f(a,\n b=3)")) == "f(a, b=3)"
    assert str(parse_syntax("x = ';'; f(x)")) == "f(';')"
    grown = "\n".join(["a0 = 1", *(f"a{i + 1} = a{i} + a{i}" for i in range(40)), "a40"])
    with pytest.raises(ExpressionError, match="more than 2000 parts"):
        parse_syntax(grown)


def test_kinds():
    assert parse("bounds().min").kind == VECTOR
    assert parse("bounds().min.x").kind == NUMBER
    assert parse("lineout(2, vector(0,0,0), vector(1,1,1), ['p']).p").kind == ARRAY
    mixed = parse("sum(recenter(field('n')) * field('p'))")
    mixed.check_kinds({"n": FieldKind("vertex", 1), "p": FieldKind("element", 1)})
    with pytest.raises(ExpressionError, match="per cell"):
        mixed.check_kinds({"n": FieldKind("vertex", 1), "p": FieldKind("vertex", 1)})
