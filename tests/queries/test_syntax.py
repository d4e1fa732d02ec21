"""The syntax of expressions: trees and texts, and that no text can do harm."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.queries import syntax
from insitu.queries.syntax import (
    Attribute,
    Call,
    ExpressionError,
    Item,
    Name,
    Number,
    Operation,
    Text,
    Truth,
    parse,
)

NAMES = st.sampled_from(["peak", "max", "field", "größe", "x1", "_a"])
LEAVES = st.one_of(
    st.integers(0, 10**30).map(Number),
    st.floats(0, allow_nan=False, allow_infinity=False).map(Number),
    st.booleans().map(Truth),
    st.text(st.characters(codec="utf-8"), max_size=8).map(Text),
    NAMES.map(Name),
)


def compound(inner):
    arguments = st.lists(inner, max_size=3).map(tuple)
    named = st.lists(st.tuples(NAMES, inner), max_size=2, unique_by=lambda pair: pair[0]).map(tuple)
    two = st.tuples(inner, inner)
    binary = st.sampled_from([*syntax.ARITHMETIC, *syntax.COMPARISONS])
    return st.one_of(
        st.builds(Operation, binary, two),
        st.builds(Operation, st.sampled_from(["and", "or"]), st.tuples(inner, inner, inner)),
        st.builds(Operation, st.sampled_from(["-", "+", "not"]), st.tuples(inner)),
        st.builds(Attribute, inner, NAMES),
        st.builds(Item, inner, inner),
        st.builds(Call, NAMES, arguments, named),
    )


@settings(max_examples=400, deadline=None)
@given(st.recursive(LEAVES, compound, max_leaves=15))
def test_a_printed_tree_is_read_as_itself(tree):
    text = str(tree)
    if len(text) <= 4000:
        assert parse(text) == tree


@settings(max_examples=400, deadline=None)
@given(
    st.one_of(
        st.text(max_size=60),
        st.text("max(field'p') <>=!+-*/%.,12e\\\n\t#@[]{}:&|", max_size=60),
        st.lists(
            st.sampled_from(["max", "(", ")", "field", "'p'", "and", "not", "1", ".", "<", "for"]),
            max_size=20,
        ).map(" ".join),
    )
)
def test_any_text_is_a_tree_or_an_error_with_a_place(text):
    try:
        tree = parse(text)
    except ExpressionError as error:
        assert 0 <= error.column <= len(error.text)
    else:
        assert parse(str(tree)) == tree


def test_columns_count_characters():
    tree = parse("max(field('größe')) + maxx(1)")
    assert [operand.column for operand in tree.operands] == [0, 22]


@pytest.mark.parametrize(
    ("text", "problem", "column"),
    [
        ("", "empty", 0),
        ("1 + ºr", "'or' is not a valid name", 4),
        ("1 + * 2", "not an expression: invalid syntax", 4),
        ("1 < 2 < 3", "write a < b < c as: a < b and b < c", 0),
        ("1 is 2", "only < <= > >= == != compare", 0),
        ("2 ** 3", "only + - * / % compute; use pow(a, b)", 0),
        ("7 // 2", "only + - * / % compute", 0),
        ("~7", "only + - * / % compute", 0),
        ("1j", "1j is not part of the expression language", 0),
        ("pow(*peak)", "* is not part of the expression language", 4),
        ("pow(1, **peak)", "** is not part of the expression language", 9),
        ("a.b(1)", "only functions can be called", 0),
    ],
)
def test_errors_point_at_the_place(text, problem, column):
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert caught.value.problem.startswith(problem)
    assert caught.value.column == column
    assert str(caught.value).splitlines()[1:] == [f"    {text}", f"    {' ' * column}^"]


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "(lambda: 1)()",
        "[1 for _ in peak]",
        "{1: 2}",
        "peak if peak else 1",
        "f'{peak}'",
        "(peak := 1)",
        "a[1:2]",
        "9 ** 9 ** 9 ** 9",
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
        "b'1'",
        "None",
        "...",
    ],
)
def test_malice_is_refused(text):
    with pytest.raises(ExpressionError):
        parse(text)
