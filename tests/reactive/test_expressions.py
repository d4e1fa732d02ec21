"""The expression language: what it computes, what it refuses, and where it points."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.reactive.expressions import (
    CONDITION,
    EXTREMUM,
    NUMBER,
    POSITION,
    Context,
    ExpressionError,
    NotYet,
    parse,
)
from insitu.reactive.statistics import Extremum, FieldReference, FieldStatistics

PRESSURE = FieldStatistics(
    min=Extremum(-1.0, (0.0, 0.5, 1.0)),
    max=Extremum(8.0, (1.0, 2.0, 3.0)),
    sum=30.0,
    count=10,
    nan_count=2,
    inf_count=1,
)
CONTEXT = Context(
    cycle=30,
    time=0.25,
    statistics={
        FieldReference("pressure"): PRESSURE,
        FieldReference("velocity", "y"): PRESSURE,
    },
    results={"peak": [1.0, 2.0, 4.0], "top": [Extremum(2.0, (0, 0, 0)), PRESSURE.max]},
)
QUERIES = {"peak": NUMBER, "top": EXTREMUM, "risen": CONDITION}


def evaluate(text):
    return parse(text, QUERIES).evaluate(CONTEXT)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7.0),
        ("(1 + 2) * -3", -9.0),
        ("7 / 2", 3.5),
        ("cycle() % 10", 0.0),
        ("time()", 0.25),
        ("1e-3", 1e-3),
        ("max(field('pressure'))", PRESSURE.max),
        ('max(field("pressure")).value', 8.0),
        ("max(field('pressure')).position", (1.0, 2.0, 3.0)),
        ("max(field('pressure')).position.z", 3.0),
        ("max(field('pressure')) - min(field('pressure'))", 9.0),
        ("avg(field('pressure'))", 3.0),
        ("sum(field('velocity', 'y'))", 30.0),
        ("field_nan_count(field('pressure')) + field_inf_count(field('pressure'))", 3.0),
        ("max(field('pressure')) > 7", True),
        ("max(2, min(3, 4))", 3.0),
        ("max(2, max(field('pressure')))", 8.0),
        ("abs(-2) + exp(0) + log(1) + pow(2, 10)", 1027.0),
        ("peak", 4.0),
        ("peak > 1.5 * history(peak, relative_index=1)", True),
        ("history(peak, 1)", 2.0),
        ("history(peak, relative_index=0)", 4.0),
        ("history(peak, absolute_index=0)", 1.0),
        ("top.value - history(top, 1)", 6.0),
        ("top.position.x", 1.0),
        ("history(top, absolute_index=0).position.x", 0.0),
        ("cycle() > 20 and not time() > 1 or peak == 0", True),
        ("1 <= 1 and 1 != 2 and 2 >= 3", False),
        ("  1\n  + 1 ", 2.0),
    ],
)
def test_values(text, value):
    assert evaluate(text) == value


def test_history_that_is_too_short():
    """As Ascent: too far back relatively is the present; an absolute index must exist."""
    assert evaluate("history(peak, relative_index=3)") == 4.0
    assert evaluate("history(peak, relative_index=99)") == 4.0
    with pytest.raises(NotYet):
        evaluate("history(peak, absolute_index=3)")


@pytest.mark.parametrize(
    ("text", "value"),
    [("1 / 0", math.inf), ("-1 / 0", -math.inf), ("exp(1e9)", math.inf), ("log(0)", -math.inf)],
)
def test_arithmetic_never_raises(text, value):
    assert evaluate(text) == value


@pytest.mark.parametrize("text", ["0 / 0", "1 % 0", "log(-1)", "pow(-1, 0.5)", "max(1, 0 / 0)"])
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
        ("history(top, 1)", EXTREMUM),
        ("top.position", POSITION),
        ("risen", CONDITION),
    ],
)
def test_kinds(text, kind):
    assert parse(text, QUERIES).kind == kind


def test_what_it_reads():
    expression = parse("max(field('p')) > avg(field('v', 'x')) + history(peak, 2)", QUERIES)
    assert expression.fields == {"p", "v"}
    assert expression.references == {FieldReference("p"): 4, FieldReference("v", "x"): 22}
    assert expression.history_names == {"peak"}


@pytest.mark.parametrize(
    ("text", "problem", "column"),
    [
        ("", "empty", 0),
        ("1 + * 2", "not an expression: invalid syntax", 4),
        ("maxx(field('p'))", "unknown function 'maxx'; did you mean 'max'?", 0),
        ("1 + peek", "unknown query 'peek'; did you mean 'peak'?", 4),
        ("zzz", "unknown query 'zzz' (there are peak, risen, top)", 0),
        ("1 + cycle", "cycle is a function: cycle()", 4),
        ("max(peak)", "max wants a field, this is a number", 4),
        ("avg(1, 2)", "avg is called as avg(field('name'))", 0),
        ("max(1, 2, 3)", "max is called as max(field('name')) or max(number, number)", 0),
        ("cycle(1)", "cycle is called as cycle()", 0),
        ("pow(2)", "pow is called as pow(number, number)", 0),
        ("pow(2, x=3)", "pow is called as", 0),
        ("pow(*peak)", "pow is called as", 0),
        ("field('p')", "this is a whole field; reduce it", 0),
        ("1 + field('p')", "this is a whole field; reduce it", 4),
        ("not field('p')", "this is a whole field; reduce it", 4),
        ("max(field(p))", "field is called as", 4),
        ("max(field('p', 'w'))", "unknown component 'w': a vector has 'x', 'y' and 'z'", 15),
        ("1 + (1 < 2)", "+ wants a number, this is a condition", 5),
        ("-top.position", "- wants a number, this is a position", 1),
        ("1 and 2", "'and' wants a condition, this is a number", 0),
        ("not peak", "'not' wants a condition, this is a number", 4),
        ("1 < 2 < 3", "write a < b < c as: a < b and b < c", 0),
        ("1 is 2", "only < <= > >= == != compare", 0),
        ("2 ** 3", "only + - * / % compute; use pow(a, b)", 0),
        ("7 // 2", "only + - * / % compute", 0),
        ("'a' == 'b'", "a text has no place here", 0),
        ("True", "True is not part of the expression language", 0),
        ("1j", "1j is not part of the expression language", 0),
        ("peak.value", "no attribute .value: a number has none", 0),
        ("top.val", "no attribute .val: an extremum has .value and .position", 0),
        ("history(peak)", "history is called as", 0),
        ("history(peak, relative_index=1, absolute_index=2)", "history is called as", 0),
        ("history(peak, index=1)", "history is called as", 0),
        ("history(1, 1)", "history wants the name of a query", 8),
        ("history(peek, 1)", "unknown query 'peek'", 8),
        ("history(peak, 1.5)", "relative_index must be a whole number, 0 or more", 14),
        (
            "history(peak, absolute_index=-1)",
            "absolute_index must be a whole number, 0 or more",
            29,
        ),
        ("'ü' + maxx(1)", "a text has no place here", 0),
        ("max('ü', maxx(1))", "a text has no place here", 4),
    ],
)
def test_errors_point_at_the_place(text, problem, column):
    with pytest.raises(ExpressionError) as caught:
        parse(text, QUERIES)
    assert caught.value.problem.startswith(problem)
    assert caught.value.column == column
    lines = str(caught.value).splitlines()
    assert lines[1:] == [f"    {text}", f"    {' ' * column}^"]


def test_columns_count_characters():
    with pytest.raises(ExpressionError) as caught:
        parse("max(field('größe')) + maxx(1)")
    assert caught.value.column == 22


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "().__class__",
        "top.__class__",
        "(lambda: 1)()",
        "[1 for _ in peak]",
        "[1][0]",
        "{1: 2}",
        "peak if peak else 1",
        "f'{peak}'",
        "(peak := 1)",
        "9 ** 9 ** 9 ** 9",
        "'a' * 1000000000",
        "1 << 100000",
        "1" + "0" * 400,
        "9" * 5000,
        "(" * 1000 + "1" + ")" * 1000,
        "-" * 3000 + "1",
        "+".join("1" * 1900),
        "not " * 900 + "risen",
        "1\0",
        "import os",
        "1; 2",
        "eval('1')",
        "open('x')",
    ],
)
def test_malice_is_refused(text):
    with pytest.raises(ExpressionError):
        parse(text, QUERIES)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_an_expression_or_an_error(text):
    try:
        parse(text, QUERIES)
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
        assert parse(text).evaluate(CONTEXT) == pytest.approx(float(expected), rel=1e-9, abs=1e-9)


@settings(max_examples=100, deadline=None)
@given(NUMBERS, NUMBERS, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), st.booleans())
def test_comparisons_are_pythons(a, b, relation, negated):
    text = f"{a} {relation} {b}"
    text = f"not {text} and 1 < 2" if negated else text
    assert parse(text).evaluate(CONTEXT) is eval(text)


def test_fields_are_checked_when_they_are_known():
    expression = parse("max(field('presure')) > 1")
    expression.check_fields({"presure"})
    with pytest.raises(ExpressionError) as caught:
        expression.check_fields({"pressure", "density"})
    assert caught.value.problem == "unknown field 'presure'; did you mean 'pressure'?"
    assert caught.value.column == 4
    with pytest.raises(ExpressionError, match=r"unknown field 'presure' \(there are a, b\)"):
        expression.check_fields({"b", "a"})
