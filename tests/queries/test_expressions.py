"""The expression language: what numbers it computes, what it refuses, and where it points."""

import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.queries.expressions import ExpressionError, parse
from insitu.queries.functions import FUNCTIONS, usage
from insitu.queries.scalars import Context, Query, Reduction, Result
from insitu.queries.values import (
    ARRAY,
    CONDITION,
    EXTREMUM,
    HISTOGRAM,
    NUMBER,
    VECTOR,
    Extremum,
    FieldKind,
    Histogram,
    NotYet,
    undefined,
)

FOUND = {
    "min": Extremum(-1.0, (0.0, 0.5, 1.0)),
    "max": Extremum(8.0, (1.0, 2.0, 3.0)),
    "sum": 30.0,
    "avg": 3.0,
    "count": 10.0,
    "nan_count": 2.0,
    "inf_count": 1.0,
    "histogram": Histogram((1.0, 3.0, 4.0), 0.0, 3.0),
}
QUERIES = {"peak": NUMBER, "top": EXTREMUM, "risen": CONDITION, "h": HISTOGRAM, "entropy": NUMBER}


def results(*values):
    """Results at cycles 0, 10, 20, ... and times 0, 1, 3, 6, 10, ..."""
    return [Result(10 * i, i * (i + 1) / 2, value) for i, value in enumerate(values)]


PAST = {
    "peak": results(1.0, 2.0),
    "top": results(Extremum(2.0, (0, 0, 0)), Extremum(3.0, (1, 1, 1))),
    "risen": results(False, True),
    "h": results(Histogram((1.0,), 0.0, 1.0)) * 2,
    "entropy": results(0.5, 0.25),
}
PRESENT = {
    "peak": 4.0,
    "top": FOUND["max"],
    "risen": True,
    "h": FOUND["histogram"],
    "entropy": 0.125,
}


class Known(Query):
    """A query whose result is given."""

    def value(self, context):
        return PRESENT[self.name]


def evaluate(text, past=PAST, cycle=20, time=3.0):
    root = parse(text, QUERIES).root
    queries = {name: (Known(name), undefined(kind)) for name, kind in QUERIES.items()}
    context = Context(cycle, time, past, queries)
    reductions = [part for part in root.walk() if isinstance(part, Reduction)]
    context.reductions.update({r: FOUND[r.operation] for r in reductions})
    return root.value(context)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7.0),
        ("(1 + 2) * -3", -9.0),
        ("7 / 2", 3.5),
        ("+8 % 3", 2.0),
        ("cycle() % 10", 0.0),
        ("time()", 3.0),
        ("1e-3", 1e-3),
        ("True and not False", True),
        ("max(field('pressure'))", FOUND["max"]),
        ('max(field("pressure")).value', 8.0),
        ("max(field('pressure')).position", (1.0, 2.0, 3.0)),
        ("max(field('pressure')).position.z", 3.0),
        ("magnitude(max(field('p')).position) > 3.7", True),
        ("max(field('pressure')) - min(field('pressure'))", 9.0),
        ("avg(field('pressure'))", 3.0),
        ("sum(field('velocity', 'y'))", 30.0),
        ("sum(field('velocity').y)", 30.0),
        ("field_nan_count(field('pressure')) + field_inf_count(field('pressure'))", 3.0),
        ("nan_count(field('pressure')) + inf_count(field('pressure'))", 3.0),
        ("count(field('pressure'))", 10.0),
        ("max(field('pressure')) > 7", True),
        ("max(2, min(3, 4))", 3.0),
        ("max(2, max(field('pressure')))", 8.0),
        ("abs(-2) + exp(0) + log(1) + pow(2, 10) + sqrt(4) + sin(0)", 1029.0),
        ("vector(1.5, 0, 0) - vector(1, 0, 0)", (0.5, 0.0, 0.0)),
        ("magnitude(vector(3, 0, 4))", 5.0),
        ("peak", 4.0),
        ("entropy", 0.125),
        ("risen and peak > 1.5 * history(peak, relative_index=1)", True),
        ("history(peak, 1)", 2.0),
        ("history(peak, relative_index=0)", 4.0),
        ("history(peak, absolute_index=0)", 1.0),
        ("history(risen, absolute_index=0)", False),
        ("top.value - history(top, 1)", 5.0),
        ("top.position.x", 1.0),
        ("history(top, absolute_index=0).position.x", 0.0),
        ("cycle() > 20 and not time() > 1 or peak == 4", True),
        ("1 <= 1 and 1 != 2 and 2 >= 3", False),
        ("  1\n  + 1 ", 2.0),
        # ranges of the past
        ("history(peak, first_relative_index=1, last_relative_index=2)", (1.0, 2.0)),
        ("history_range(peak, first_relative_index=0, last_relative_index=9)", (1.0, 2.0, 4.0)),
        ("history_range(peak, first_absolute_index=1, last_absolute_index=9)", (2.0, 4.0)),
        ("history_range(top, first_absolute_time=0.5, last_absolute_time=3)", (3.0, 8.0)),
        ("history_range(peak, first_absolute_cycle=0, last_absolute_cycle=15)", (1.0, 2.0)),
        ("max(history(peak, first_relative_index=1, last_relative_index=2))", 2.0),
        ("avg(history_range(peak, first_absolute_index=0, last_absolute_index=2))", 7 / 3),
        ("history_range(peak, first_absolute_index=0, last_absolute_index=2)[1]", 2.0),
        ("count(history_range(peak, first_absolute_index=0, last_absolute_index=2))", 3.0),
        # slopes
        ("gradient(peak)", 2.0),
        ("history_gradient(peak, 2)", 1.5),
        ("gradient(peak, window_length=99)", 1.5),
        ("gradient(peak, window_length=2, window_length_unit='time')", 1.0),
        ("gradient(peak, 10, 'cycle')", 0.2),
        ("gradient(top)", 5.0),
        ("gradient_range(peak, first_relative_index=0, last_relative_index=2)", (1.0, 1.0)),
        ("gradient_range(peak, first_relative_index=0, last_relative_index=0)", (-math.inf,)),
        ("max(history_gradient_range(peak, first_absolute_index=0, last_absolute_index=9))", 1.0),
        # histograms
        ("histogram(field('p'), num_bins=3)", FOUND["histogram"]),
        ("sum(histogram(field('p'), 3).value)", 8.0),
        ("h.num_bins + h.min_val + h.max_val", 6.0),
        ("bin(h, bin=1)", 3.0),
        ("bin(h, 2)", 4.0),
        ("bin(h, 2.0)", 4.0),
        ("bin(pdf(h), val=0.5)", 0.125),
        ("cdf(h).value[2]", 1.0),
        ("quantile(cdf(h), 0.5)", 2.0),
        ("quantile(cdf(h), 0.6, interpolation='higher')", 3.0),
        ("entropy(pdf(h)) == entropy(h)", True),
    ],
)
def test_values(text, value):
    assert evaluate(text) == value


def test_history_that_is_too_short():
    """As Ascent: too far back relatively is the present; an absolute index must exist."""
    assert evaluate("history(peak, relative_index=3)") == 4.0
    assert evaluate("history(peak, relative_index=99)") == 4.0
    for text in (
        "history(peak, absolute_index=3)",
        "history_range(peak, first_absolute_index=3, last_absolute_index=5)",
        "history_range(peak, first_absolute_time=99, last_absolute_time=100)",
    ):
        with pytest.raises(NotYet):
            evaluate(text)
    nothing = dict.fromkeys(PAST, ())
    assert evaluate("gradient(peak)", nothing) == -math.inf


@pytest.mark.parametrize(
    ("text", "value"),
    [("1 / 0", math.inf), ("-1 / 0", -math.inf), ("exp(1e9)", math.inf), ("log(0)", -math.inf)],
)
def test_arithmetic_never_raises(text, value):
    assert evaluate(text) == value


@pytest.mark.parametrize(
    "text",
    ["0 / 0", "1 % 0", "log(-1)", "pow(-1, 0.5)", "max(1, 0 / 0)", "nan()", "bin(h, 3)"],
)
def test_undefined_is_nan_and_compares_false(text):
    assert math.isnan(evaluate(text))
    assert evaluate(f"{text} > 0 or {text} <= 0") is False


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("1", NUMBER),
        ("1 < 2", CONDITION),
        ("top", EXTREMUM),
        ("min(field('a'))", EXTREMUM),
        ("max(window('a', 3))", EXTREMUM),
        ("history(top, 1)", EXTREMUM),
        ("top.position", VECTOR),
        ("risen", CONDITION),
        ("histogram(field('a'))", HISTOGRAM),
        ("histogram(field('a')).value", ARRAY),
        ("sum(field('a') > 1)", NUMBER),
    ],
)
def test_kinds(text, kind):
    assert parse(text, QUERIES).kind == kind


def test_what_it_reads():
    text = "max(field('p')) > avg(field('v', 'x', step=-4)) + sum(window('p', 3)) + peak"
    expression = parse(text, QUERIES)
    assert expression.reads == {"p": 4, "v": 22}
    assert expression.past == {"v": (4, 22), "p": (2, 54)}


@pytest.mark.parametrize(
    ("text", "problem", "column"),
    [
        ("maxx(field('p'))", "unknown function 'maxx'; did you mean 'max'?", 0),
        ("1 + peek", "unknown query 'peek'; did you mean 'peak'?", 4),
        ("zzz", "unknown query 'zzz' (there are entropy, h, peak, risen, top)", 0),
        ("1 + cycle", "cycle is a function: cycle()", 4),
        ("max(peak)", "max expects an array or a field, found a number", 4),
        ("avg(1, 2)", "avg is called as avg(arg1)", 0),
        ("max(1, 2, 3)", "max is called as max(arg1, arg2) or max(arg1)", 0),
        ("cycle(1)", "cycle is called as cycle()", 0),
        ("pow(2)", "pow is called as pow(arg1, arg2)", 0),
        ("pow(2, x=3)", "pow is called as", 0),
        ("pow(2, arg1=3)", "pow is called as", 0),
        ("field('p')", "this is a whole field; reduce it", 0),
        ("1 + field('p')", "this is a whole field; reduce it", 0),
        ("field('p') > 1", "this is a whole field; reduce it", 0),
        ("not field('p')", "'not' expects a condition, found a field", 4),
        ("max(field(1))", "field expects a text, found a number", 10),
        ("max(field('p', 'w2'))", "unknown component 'w2': a vector has 'x', 'y' and 'z'", 15),
        ("max(field('p', step=1))", "step must be 0, the present, or negative", 20),
        ("max(field('p', step=0.5))", "field expects a whole number, found an expression", 20),
        ("max(field('p', step=cycle()))", "field expects a whole number, found an expression", 20),
        ("max(window('p', 0))", "steps must be 1 or more", 16),
        ("sum(window('p', 2) - window('p', 3))", "windows of different lengths: 2 and 3", 4),
        ("max(gradient(field('p')))", "this is a vector field: take its magnitude", 4),
        ("max(curl(gradient(field('p'))))", "a derivative of a derivative needs", 4),
        ("max(vector(1, field('p'), 2) > 1)", "> expects a number, found a vector field", 4),
        ("max(abs(gradient(field('p'))))", "abs expects numbers at every sample", 4),
        ("max((field('p') > 1) and field('p'))", "'and' expects a condition, found a field", 25),
        ("1 + (1 < 2)", "+ expects a number, found a condition", 5),
        ("-top.position", "- expects a number, found a vector", 1),
        ("top.position * top.position", "* is not defined for two vectors", 0),
        ("1 and 2", "'and' expects a condition, found a number", 0),
        ("not peak", "'not' expects a condition, found a number", 4),
        ("'a' == 'b'", "a string cannot be used here", 0),
        ("peak.value", "no attribute .value: a number has none", 0),
        ("top.val", "no attribute .val: an extremum has .value and .position", 0),
        ("h[0]", "only an array can be indexed with [ ], found a histogram", 0),
        ("h.value['a']", "a string cannot be used here", 8),
        ("history(peak)", "a range is given by one pair", 0),
        ("history(peak, relative_index=1, absolute_index=2)", "history expects relative_index,", 0),
        ("history(peak, index=1)", "history is called as", 0),
        ("history(1, 1)", "history expects the name of a query, found something else", 8),
        ("history(peek, 1)", "unknown query 'peek'", 8),
        (
            "history(peak, 1.5)",
            "history expects a whole number, found an expression",
            14,
        ),
        ("history(peak, -1)", "relative_index must be a whole number, 0 or more", 14),
        ("history_range(peak, first_absolute_index=2)", "a range is given by one pair", 0),
        (
            "history_range(peak, first_absolute_index=2, last_absolute_index=1)",
            "last_absolute_index is below first_absolute_index",
            64,
        ),
        (
            "gradient_range(h, first_relative_index=0, last_relative_index=1)",
            "expected a query",
            15,
        ),
        ("gradient(peak, 0)", "window_length must be at least 1 in units of index", 15),
        ("gradient(peak, 1, 'cycles')", "'cycles' is not one of index, time, cycle", 18),
        ("entropy(field('p'))", "entropy expects a histogram, found a field", 8),
        ("histogram(field('p'), 0)", "num_bins must be 1 to", 22),
        ("histogram(field('p'), field('p'))", "histogram expects a whole number, found", 22),
        ("histogram(field('p'), 9, 2, 1)", "min_val must be below max_val", 25),
        ("quantile(cdf(h), 1.5)", "q must be between 0 and 1", 17),
        ("quantile(cdf(h), 0.5, 'next')", "'next' is not one of linear, lower", 22),
    ],
)
def test_errors_point_at_the_place(text, problem, column):
    with pytest.raises(ExpressionError) as caught:
        parse(text, QUERIES)
    assert caught.value.problem.startswith(problem)
    assert caught.value.column == column


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.sampled_from(["1", "peak", "top", "h", "field('p')", "window('p', 3)", "'x'", "zz"]),
        lambda inner: st.one_of(
            st.tuples(st.sampled_from(sorted(FUNCTIONS)), st.lists(inner, max_size=3)).map(
                lambda call: f"{call[0]}({', '.join(call[1])})"
            ),
            st.tuples(inner, st.sampled_from(["+", "<", "and"]), inner).map(
                lambda t: f"({t[0]} {t[1]} {t[2]})"
            ),
            inner.map(lambda text: f"({text}).value"),
            inner.map(lambda text: f"({text})[1]"),
        ),
        max_leaves=6,
    )
)
def test_any_expression_is_checked_or_refused_at_a_place(text):
    kinds = {"p": FieldKind("element", 1)}
    try:
        parse(text, QUERIES).check_kinds(kinds)
    except ExpressionError as error:
        assert 0 <= error.column <= len(error.text)


NUMBERS = st.one_of(
    st.integers(0, 1000).map(str),
    st.floats(0, 1e6, allow_nan=False, allow_subnormal=False).map(repr),
)
ARITHMETIC = st.recursive(
    NUMBERS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/%"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        inner.map(lambda text: f"-{text}"),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(
            lambda t: f"{t[0]}({t[1]}, {t[2]})"
        ),
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(ARITHMETIC)
def test_arithmetic_is_pythons(text):
    floats = text if "e" in text or "." in text else text + "*1.0"
    try:
        expected = eval(floats)
    except (ZeroDivisionError, OverflowError):
        return
    if math.isfinite(expected):
        assert evaluate(text) == pytest.approx(float(expected), rel=1e-9, abs=1e-9)


@settings(max_examples=100, deadline=None)
@given(NUMBERS, NUMBERS, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), st.booleans())
def test_comparisons_are_pythons(a, b, relation, negated):
    text = f"{a} {relation} {b}"
    text = f"not {text} and 1 < 2" if negated else text
    assert evaluate(text) is eval(text)


def test_names_are_checked_when_they_are_known():
    expression = parse("max(field('presure')) > 1")
    expression.check_names({"presure"})
    with pytest.raises(ExpressionError) as caught:
        expression.check_names({"pressure", "density"})
    assert caught.value.problem == "unknown field 'presure'; did you mean 'pressure'?"
    assert caught.value.column == 4
    with pytest.raises(ExpressionError, match=r"unknown field 'presure' \(there are a, b\)"):
        expression.check_names({"b", "a"})


@pytest.mark.parametrize(
    ("text", "problem", "column"),
    [
        ("max(field('v'))", "this is a vector field: take its magnitude", 4),
        ("max(field('v') * field('v'))", "* expects numbers at every sample", 4),
        ("max(field('v').x + field('p'))", "one field has a value per cell (element)", 4),
        ("max(field('p', 'x'))", "no component 'x': this field has no components", 15),
        ("max(field('p').x)", "no component 'x': this field has no components", 4),
        ("max(curl(field('p')).x)", "curl expects a vector field of 3 components, found", 9),
        ("max(gradient(field('v')).x)", "gradient expects a scalar field, found a vector", 13),
    ],
)
def test_kinds_are_checked_when_they_are_known(text, problem, column):
    expression = parse(text)
    kinds = {"p": FieldKind("element", 1), "v": FieldKind("vertex", 3)}
    with pytest.raises(ExpressionError) as caught:
        expression.check_kinds(kinds)
    assert caught.value.problem.startswith(problem)
    assert caught.value.column == column


def test_the_past_must_be_kept():
    expression = parse("avg(abs(field('e') - field('e', step=-5))) > max(window('q', 4))")
    expression.check_past({"e": 5, "q": 3})
    with pytest.raises(ExpressionError, match=r"reads 5 steps back .* set window.steps to 5"):
        expression.check_past({"e": 4, "q": 3})
    with pytest.raises(ExpressionError, match=r"'q' has no past: .* \(recorded: e\)") as caught:
        expression.check_past({"e": 5})
    assert caught.value.column == expression.text.index("window")


def test_every_function_has_a_usage():
    for name, signatures in FUNCTIONS.items():
        assert usage(name).startswith(f"{name}(")
        assert all(signature.does for signature in signatures)


def test_the_documentation_has_every_function(root):
    text = (root / "docs" / "expressions.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `(\w+)\(", text, re.MULTILINE))
    assert documented - {"history"} == set(FUNCTIONS) - {"history"}
    for name, signatures in FUNCTIONS.items():
        for signature in signatures:
            if "first_relative_index" not in signature.usage(name):
                assert f"`{signature.usage(name)}`" in text
                assert signature.does.replace("|", "\\|") in text
