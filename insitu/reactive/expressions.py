"""Ascent's expression language: questions about the present step and about earlier answers.

In: a text such as "max(field('pressure')) > 1.5 * history(peak, relative_index=5)".
Out: an Expression, checked for names, arguments and types, which computes its value.

The language: numbers; + - * / %; < <= > >= == !=; and, or, not; the functions in FUNCTIONS; names
of queries; `.value` and `.position` of an extremum, `.x` `.y` `.z` of a position. It follows
Ascent's semantics, with these differences: all numbers are float64 and arithmetic is IEEE's, so
7 / 2 is 3.5 and 1 / 0 is infinite; an extremum compares and computes without `.value` as well.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Union

import numpy as np

from insitu.errors import nearest
from insitu.reactive.statistics import AXES, Extremum, FieldReference, FieldStatistics

Value = Union[float, bool, Extremum, "tuple[float, float, float]"]

# What an expression can be; as messages say it.
NUMBER, CONDITION, EXTREMUM, POSITION = "a number", "a condition", "an extremum", "a position"
FIELD = "a field"

_MAX_LENGTH, _MAX_DEPTH = 4000, 60


class ExpressionError(ValueError):
    """An expression is wrong. `column` counts characters of `text` from 0."""

    def __init__(self, problem: str, text: str, column: int) -> None:
        self.problem, self.text, self.column = problem, text, max(0, min(column, len(text)))
        super().__init__(f"{problem}\n    {text}\n    {' ' * self.column}^")

    def __reduce__(self) -> tuple[type[ExpressionError], tuple[str, str, int]]:
        return type(self), (self.problem, self.text, self.column)


class NotYet(Exception):
    """The history that an expression reads is still too short."""


@dataclass(frozen=True)
class Context:
    """What expressions can see at a step."""

    cycle: int
    time: float
    """Simulation time, in the simulation's unit."""
    statistics: Mapping[FieldReference, FieldStatistics]
    """Of all scalars that the expressions read, at this step, over all ranks."""
    results: Mapping[str, Sequence[Value]]
    """All results of each query, the oldest first; this step's included once it is there."""


class Node:
    """A part of an expression that has a value."""

    def value(self, context: Context) -> Value:
        """The value in `context`. Raises: NotYet."""
        raise NotImplementedError


@dataclass(frozen=True)
class Expression:
    """A checked expression."""

    text: str
    root: Node
    kind: str
    """NUMBER, CONDITION, EXTREMUM or POSITION."""
    references: Mapping[FieldReference, int]
    """The scalars that it reads, each with its column in the text."""
    history_names: frozenset[str]
    """The queries whose earlier results it reads."""

    @property
    def fields(self) -> frozenset[str]:
        """Names of the fields that it reads."""
        return frozenset(reference.name for reference in self.references)

    def evaluate(self, context: Context) -> Value:
        """The value. Not collective: the statistics in `context` are already global.

        Raises: NotYet, if an absolute index of a history is not reached.
        """
        with np.errstate(all="ignore"):
            return self.root.value(context)

    def check_fields(self, known: Collection[str]) -> None:
        """Raise ExpressionError if a field that it reads is not among the `known` names."""
        for reference, column in self.references.items():
            if reference.name not in known:
                hint = nearest(reference.name, known)
                there = f" (there are {', '.join(sorted(known))})" if known and not hint else ""
                problem = f"unknown field '{reference.name}'{hint}{there}"
                raise ExpressionError(problem, self.text, column)


def parse(text: str, queries: Mapping[str, str] | None = None) -> Expression:
    """Read and check an expression. Not collective. Nothing in the text is ever executed.

    Args:
        text: the expression.
        queries: the names that it may use, each with its kind, as `Expression.kind`.

    Raises: ExpressionError.
    """
    text = " ".join(text.splitlines()).strip()
    if len(text) > _MAX_LENGTH:
        raise ExpressionError(f"longer than {_MAX_LENGTH} characters", text[:60] + " ...", 60)
    checker = _Checker(text, {} if queries is None else queries)
    tree = checker.syntax_tree()
    kind, root = checker.check(tree)
    if kind == FIELD:
        raise checker.error(tree, checker.whole_field)
    return Expression(text, root, kind, checker.references, frozenset(checker.history_names))


def number(value: Value) -> float:
    """The number that a value stands for: an extremum stands for its value."""
    if isinstance(value, tuple):
        raise TypeError(f"the position {value} is not a number")
    return value.value if isinstance(value, Extremum) else float(value)


# ---- the parts of an expression


@dataclass(frozen=True)
class _Constant(Node):
    number: float

    def value(self, context: Context) -> Value:
        return self.number


@dataclass(frozen=True)
class _Field(Node):
    """A whole field; only a reduction looks at it, so it has no value."""

    reference: FieldReference


@dataclass(frozen=True)
class _Reduction(Node):
    function: str
    reference: FieldReference

    def value(self, context: Context) -> Value:
        found = context.statistics[self.reference]
        value: Any = getattr(found, self.function.removeprefix("field_"))
        return value if isinstance(value, Extremum) else float(value)


@dataclass(frozen=True)
class _State(Node):
    name: str

    def value(self, context: Context) -> Value:
        return float(context.cycle if self.name == "cycle" else context.time)


@dataclass(frozen=True)
class _Arithmetic(Node):
    function: str
    arguments: tuple[Node, ...]

    def value(self, context: Context) -> Value:
        numbers = (np.float64(number(a.value(context))) for a in self.arguments)
        return float(_ARITHMETIC[self.function](*numbers))


@dataclass(frozen=True)
class _Comparison(Node):
    relation: str
    left: Node
    right: Node

    def value(self, context: Context) -> Value:
        left, right = number(self.left.value(context)), number(self.right.value(context))
        return bool(_COMPARISONS[self.relation](left, right))


@dataclass(frozen=True)
class _Logic(Node):
    function: str
    arguments: tuple[Node, ...]

    def value(self, context: Context) -> Value:
        if self.function == "not":
            return not self.arguments[0].value(context)
        join = all if self.function == "and" else any
        return join(bool(a.value(context)) for a in self.arguments)


@dataclass(frozen=True)
class _Query(Node):
    name: str

    def value(self, context: Context) -> Value:
        return context.results[self.name][-1]


@dataclass(frozen=True)
class _History(Node):
    name: str
    index: int
    relative: bool

    def value(self, context: Context) -> Value:
        results = context.results[self.name]
        if self.relative:  # Ascent: if it reaches too far back, the present value
            return results[-1 - self.index] if self.index < len(results) else results[-1]
        if self.index >= len(results):
            raise NotYet(f"history({self.name}) has {len(results)} entries, none at {self.index}")
        return results[self.index]


@dataclass(frozen=True)
class _Attribute(Node):
    holder: Node
    name: str

    def value(self, context: Context) -> Value:
        holder = self.holder.value(context)
        if isinstance(holder, Extremum):
            return holder.value if self.name == "value" else holder.position
        assert isinstance(holder, tuple)
        return holder[AXES.index(self.name)]


_ARITHMETIC: dict[str, Callable[..., float]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.mod,
    "negative": np.negative,
    "positive": np.positive,
    "min": np.minimum,
    "max": np.maximum,
    "abs": np.abs,
    "exp": np.exp,
    "log": np.log,
    "pow": np.power,
}
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_SYMBOLS: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Mod: "%",
    ast.USub: "negative",
    ast.UAdd: "positive",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.And: "and",
    ast.Or: "or",
}

FUNCTIONS = {
    "abs": "abs(number)",
    "avg": "avg(field('name'))",
    "cycle": "cycle()",
    "exp": "exp(number)",
    "field": "field('name') or field('name', 'x')",
    "field_inf_count": "field_inf_count(field('name'))",
    "field_nan_count": "field_nan_count(field('name'))",
    "history": "history(query, relative_index=n) or history(query, absolute_index=n)",
    "log": "log(number)",
    "max": "max(field('name')) or max(number, number)",
    "min": "min(field('name')) or min(number, number)",
    "pow": "pow(number, number)",
    "sum": "sum(field('name'))",
    "time": "time()",
}
"""Every function of the language, and how it is called."""

_REDUCTIONS = {
    "min": EXTREMUM,
    "max": EXTREMUM,
    "avg": NUMBER,
    "sum": NUMBER,
    "field_nan_count": NUMBER,
    "field_inf_count": NUMBER,
}
_NUMERIC = {"min": 2, "max": 2, "abs": 1, "exp": 1, "log": 1, "pow": 2}  # numbers that they take


class _Checker:
    """Turns Python's syntax tree of a text into nodes; what is not in the language is refused."""

    whole_field = "this is a whole field; reduce it to a value, as in max(field('pressure'))"

    def __init__(self, text: str, queries: Mapping[str, str]) -> None:
        self.text, self.queries = text, queries
        self.references: dict[FieldReference, int] = {}
        self.history_names: set[str] = set()
        self.depth = 0

    def syntax_tree(self) -> ast.expr:
        try:
            return ast.parse(self.text, mode="eval").body
        except SyntaxError as error:
            column = error.offset - 1 if error.offset else len(self.text)
            problem = "empty" if not self.text else f"not an expression: {error.msg}"
            raise ExpressionError(problem, self.text, column) from None
        except (RecursionError, MemoryError, ValueError) as error:
            raise ExpressionError(f"not an expression: {error}", self.text, 0) from None

    def error(self, at: ast.expr, problem: str) -> ExpressionError:
        return ExpressionError(problem, self.text, self.column(at))

    def column(self, at: ast.expr) -> int:
        """Where a part of the tree begins; Python counts bytes, we count characters."""
        return len(self.text.encode()[: at.col_offset].decode(errors="replace"))

    def check(self, tree: ast.expr) -> tuple[str, Node]:
        """The kind and the node of a part of the tree. Raises: ExpressionError."""
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise self.error(tree, f"nested more than {_MAX_DEPTH} deep")
        try:
            return self._check(tree)
        finally:
            self.depth -= 1

    def _check(self, tree: ast.expr) -> tuple[str, Node]:
        if isinstance(tree, ast.Constant):
            return self._constant(tree)
        if isinstance(tree, ast.BinOp):
            return self._arithmetic(tree, tree.op, tree.left, tree.right)
        if isinstance(tree, ast.UnaryOp) and not isinstance(tree.op, ast.Not):
            return self._arithmetic(tree, tree.op, tree.operand)
        if isinstance(tree, ast.UnaryOp):
            return CONDITION, _Logic("not", (self._of_kind(CONDITION, tree.operand, "not"),))
        if isinstance(tree, ast.BoolOp):
            word = _SYMBOLS[type(tree.op)]
            parts = (self._of_kind(CONDITION, v, word) for v in tree.values)
            return CONDITION, _Logic(word, tuple(parts))
        if isinstance(tree, ast.Compare):
            return self._comparison(tree)
        if isinstance(tree, ast.Name):
            return self._query(tree)
        if isinstance(tree, ast.Attribute):
            return self._attribute(tree)
        if isinstance(tree, ast.Call):
            return self._call(tree)
        raise self.error(tree, "not part of the expression language")

    def _constant(self, tree: ast.Constant) -> tuple[str, Node]:
        value = tree.value
        if isinstance(value, int | float) and not isinstance(value, bool):
            try:
                return NUMBER, _Constant(float(value))
            except OverflowError:
                raise self.error(tree, "this number is too large") from None
        if isinstance(value, str):
            raise self.error(tree, "a text has no place here; is field('...') missing?")
        raise self.error(tree, f"{value!r} is not part of the expression language")

    def _arithmetic(self, tree: ast.expr, op: ast.AST, *operands: ast.expr) -> tuple[str, Node]:
        symbol = _SYMBOLS.get(type(op))
        if symbol is None:
            hint = "; use pow(a, b)" if isinstance(op, ast.Pow) else ""
            raise self.error(tree, f"only + - * / % compute{hint}")
        shown = symbol if len(operands) == 2 else symbol[0].replace("n", "-").replace("p", "+")
        return NUMBER, _Arithmetic(symbol, tuple(self._number(o, shown) for o in operands))

    def _comparison(self, tree: ast.Compare) -> tuple[str, Node]:
        symbol = _SYMBOLS.get(type(tree.ops[0]))
        if symbol is None:
            raise self.error(tree, f"only {' '.join(_COMPARISONS)} compare")
        if len(tree.ops) > 1:
            raise self.error(tree, "write a < b < c as: a < b and b < c")
        left, right = self._number(tree.left, symbol), self._number(tree.comparators[0], symbol)
        return CONDITION, _Comparison(symbol, left, right)

    def _query(self, tree: ast.Name) -> tuple[str, Node]:
        if tree.id in self.queries:
            return self.queries[tree.id], _Query(tree.id)
        if tree.id in FUNCTIONS:
            raise self.error(tree, f"{tree.id} is a function: {FUNCTIONS[tree.id]}")
        raise self.error(tree, self._unknown("query", tree.id, self.queries))

    def _unknown(self, what: str, name: str, known: Collection[str]) -> str:
        hint = nearest(name, known)
        there = f" (there are {', '.join(sorted(known))})" if known else " (there are none before)"
        return f"unknown {what} '{name}'{hint or there}"

    def _attribute(self, tree: ast.Attribute) -> tuple[str, Node]:
        kind, holder = self.check(tree.value)
        known = {EXTREMUM: ("value", "position"), POSITION: AXES}.get(kind, ())
        if tree.attr not in known:
            has = f"has .{' and .'.join(known)}" if known else "has none"
            raise self.error(tree, f"no attribute .{tree.attr}: {kind} {has}")
        return POSITION if tree.attr == "position" else NUMBER, _Attribute(holder, tree.attr)

    def _call(self, tree: ast.Call) -> tuple[str, Node]:
        if not isinstance(tree.func, ast.Name):
            raise self.error(tree, "only functions can be called")
        name = tree.func.id
        if name not in FUNCTIONS:
            raise self.error(tree, self._unknown("function", name, FUNCTIONS))
        if name == "history":
            return self._history(tree)
        if tree.keywords or any(isinstance(a, ast.Starred) for a in tree.args):
            raise self._misuse(tree, name)
        if name == "field":
            return FIELD, self._field(tree)
        if name in ("cycle", "time"):
            if tree.args:
                raise self._misuse(tree, name)
            return NUMBER, _State(name)
        return self._reduce_or_compute(tree, name)

    def _reduce_or_compute(self, tree: ast.Call, name: str) -> tuple[str, Node]:
        """min(field('x')) or min(a, b): what it is depends on the arguments."""
        count = len(tree.args)
        if name in _REDUCTIONS and count == 1:
            kind, argument = self.check(tree.args[0])
            if not isinstance(argument, _Field):
                problem = f"{name} wants a field, this is {kind}: {FUNCTIONS[name]}"
                raise self.error(tree.args[0], problem)
            return _REDUCTIONS[name], _Reduction(name, argument.reference)
        if _NUMERIC.get(name) != count:
            raise self._misuse(tree, name)
        return NUMBER, _Arithmetic(name, tuple(self._number(a, name) for a in tree.args))

    def _misuse(self, tree: ast.Call, name: str) -> ExpressionError:
        return self.error(tree, f"{name} is called as {FUNCTIONS[name]}")

    def _field(self, tree: ast.Call) -> Node:
        constants = [a.value if isinstance(a, ast.Constant) else None for a in tree.args]
        texts = [c for c in constants if isinstance(c, str) and c]
        if len(texts) != len(constants) or len(texts) not in (1, 2):
            raise self._misuse(tree, "field")
        if len(texts) == 2 and texts[1] not in AXES:
            problem = f"unknown component '{texts[1]}': a vector has 'x', 'y' and 'z'"
            raise self.error(tree.args[1], problem)
        reference = FieldReference(*texts)
        self.references.setdefault(reference, self.column(tree))
        return _Field(reference)

    def _history(self, tree: ast.Call) -> tuple[str, Node]:
        given = {keyword.arg: keyword.value for keyword in tree.keywords}
        if len(tree.args) == 2:
            given["relative_index"] = tree.args[1]
        shape_ok = len(given) == 1 and len(tree.args) + len(tree.keywords) == 2 and tree.args
        if not shape_ok or not given.keys() <= {"relative_index", "absolute_index"}:
            raise self._misuse(tree, "history")
        query = tree.args[0]
        if not isinstance(query, ast.Name):
            raise self.error(query, "history wants the name of a query")
        kind, _ = self._query(query)
        ((which, index),) = given.items()
        value = index.value if isinstance(index, ast.Constant) else None
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.error(index, f"{which} must be a whole number, 0 or more")
        self.history_names.add(query.id)
        return kind, _History(query.id, value, which == "relative_index")

    def _number(self, tree: ast.expr, for_what: str) -> Node:
        kind, node = self.check(tree)
        if kind not in (NUMBER, EXTREMUM):
            problem = self.whole_field if kind == FIELD else f"{for_what} wants a number"
            raise self.error(tree, problem if kind == FIELD else f"{problem}, this is {kind}")
        return node

    def _of_kind(self, wanted: str, tree: ast.expr, for_what: str) -> Node:
        kind, node = self.check(tree)
        if kind != wanted:
            problem = f"'{for_what}' wants {wanted}, this is {kind}"
            raise self.error(tree, self.whole_field if kind == FIELD else problem)
        return node


def undefined(kind: str) -> Value:
    """The result of a query of this kind whose history is too short: NaN, or false."""
    nowhere = (math.nan, math.nan, math.nan)
    if kind == EXTREMUM:
        return Extremum(math.nan, nowhere)
    if kind == POSITION:
        return nowhere
    return False if kind == CONDITION else math.nan
