"""The syntax of the expression language: parses text to a tree, and formats a tree as text.

In: a string such as "max(field('pressure')) > 1.5 * history(peak, relative_index=5)".
Out: plain nodes, each with its column in the text on one line; `str` of a node is an expression
again.

Python's own parser reads the text; anything that is not part of the language is rejected, and
nothing is ever executed.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from keyword import iskeyword
from typing import TypeAlias

from insitu.queries.errors import ExpressionError
from insitu.queries.statements import (
    CONDITIONAL,
    StatementError,
    conditionals,
    one_line,
    statements,
)

_MAX_LENGTH, _MAX_DEPTH, _MAX_PARTS = 4000, 60, 2000


@dataclass(frozen=True, kw_only=True)
class _Part:
    column: int = field(default=0, compare=False)
    """Position in the text where it begins, in characters from 0."""


@dataclass(frozen=True)
class Number(_Part):
    value: int | float

    def __str__(self) -> str:
        return repr(self.value)


@dataclass(frozen=True)
class Truth(_Part):
    value: bool

    def __str__(self) -> str:
        return str(self.value)


@dataclass(frozen=True)
class Text(_Part):
    value: str

    def __str__(self) -> str:
        return repr(self.value)


@dataclass(frozen=True)
class Name(_Part):
    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Attribute(_Part):
    holder: Tree
    name: str

    def __str__(self) -> str:
        return f"({self.holder}).{self.name}"


@dataclass(frozen=True)
class Item(_Part):
    """holder[index]"""

    holder: Tree
    index: Tree

    def __str__(self) -> str:
        return f"({self.holder})[{self.index}]"


@dataclass(frozen=True)
class Listing(_Part):
    """[item, item], as an argument"""

    items: tuple[Tree, ...]

    def __str__(self) -> str:
        return f"[{', '.join(map(str, self.items))}]"


@dataclass(frozen=True)
class Call(_Part):
    function: str
    positional: tuple[Tree, ...]
    named: tuple[tuple[str, Tree], ...] = ()

    def __str__(self) -> str:
        if self.function == "if" and len(self.positional) == 3:
            return "(if {} then {} else {})".format(*self.positional)
        arguments = [*map(str, self.positional), *(f"{name}={v}" for name, v in self.named)]
        return f"{self.function}({', '.join(arguments)})"


@dataclass(frozen=True)
class Operation(_Part):
    """A unary or binary operator, or `and` or `or` between two or more operands."""

    operator: str
    operands: tuple[Tree, ...]

    def __str__(self) -> str:
        if len(self.operands) == 1:
            return f"({self.operator} {self.operands[0]})"
        return "(" + f" {self.operator} ".join(map(str, self.operands)) + ")"


Tree: TypeAlias = Number | Truth | Text | Name | Attribute | Item | Listing | Call | Operation

ARITHMETIC, COMPARISONS = ("+", "-", "*", "/", "%"), ("<", "<=", ">", ">=", "==", "!=")
_OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Mod: "%",
    ast.USub: "-",
    ast.UAdd: "+",
    ast.Not: "not",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.And: "and",
    ast.Or: "or",
}


def parse(text: str) -> Tree:
    """Parse a text of assignments and a last expression, in which the assigned names stand for
    their expressions. Raises: ExpressionError."""
    if len(text) > _MAX_LENGTH:
        raise ExpressionError(f"longer than {_MAX_LENGTH} characters", text[:60] + " ...", 60)
    line = one_line(text)
    names: dict[str, Tree] = {}
    sizes: dict[int, tuple[int, int]] = {}
    found: Tree | None = None
    for statement in statements(line):
        if found is not None:
            raise ExpressionError(
                "expected one last expression, after assignments", line, statement.start
            )
        tree = _read(statement.text, line, statement.start, names)
        parts, depth = _size(tree, sizes)
        if parts > _MAX_PARTS or depth > _MAX_DEPTH:
            most = f"nested more than {_MAX_DEPTH} deep, or of more than {_MAX_PARTS} parts"
            raise ExpressionError(most, line, statement.start)
        if statement.name:
            names[statement.name] = tree
        else:
            found = tree
    if found is None:
        problem = "expected a last expression, after assignments" if names else "empty"
        raise ExpressionError(problem, line, len(line))
    return found


def _size(tree: Tree, known: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """The number of parts of a tree, those that assigned names stand for each time; its depth."""
    if id(tree) not in known:
        parts: tuple[Tree, ...] = ()
        if isinstance(tree, Operation):
            parts = tree.operands
        elif isinstance(tree, Call):
            parts = (*tree.positional, *(value for _, value in tree.named))
        elif isinstance(tree, Listing):
            parts = tree.items
        elif isinstance(tree, Item):
            parts = tree.holder, tree.index
        elif isinstance(tree, Attribute):
            parts = (tree.holder,)
        each = [_size(part, known) for part in parts]
        depth = 1 + max((deep for _, deep in each), default=0)
        known[id(tree)] = 1 + sum(size for size, _ in each), depth
    return known[id(tree)]


def _read(text: str, line: str, start: int, names: Mapping[str, Tree]) -> Tree:
    """One expression, which begins at a place of the line."""
    try:
        python, places = conditionals(text)
    except StatementError as error:
        raise ExpressionError(error.problem, line, start + error.place) from None
    places = [start + place for place in places]
    try:
        with warnings.catch_warnings():  # about escapes in string literals
            warnings.simplefilter("ignore")
            tree = ast.parse(python, mode="eval").body
    except SyntaxError as error:
        column = error.offset - 1 if error.offset else len(python)
        place = places[max(0, min(column, len(places) - 1))]
        raise ExpressionError(f"not an expression: {error.msg}", line, place) from None
    except (RecursionError, MemoryError, ValueError) as error:
        raise ExpressionError(f"not an expression: {error}", line, start) from None
    return _Reader(python, line, places, names).read(tree)


class _Reader:
    """Converts Python's syntax tree; raises for anything that is not in the language."""

    def __init__(
        self, python: str, line: str, places: Sequence[int], names: Mapping[str, Tree]
    ) -> None:
        """python: what Python has parsed; places: of its characters, in the line; names: what has
        been assigned."""
        self.python, self.line, self.places, self.names = python, line, places, names
        self.depth = 0

    def error(self, at: ast.expr, problem: str) -> ExpressionError:
        return ExpressionError(problem, self.line, self.column(at))

    def column(self, at: ast.expr) -> int:
        """Column where a node begins, in characters (Python counts bytes)."""
        place = len(self.python.encode()[: at.col_offset].decode(errors="replace"))
        return self.places[place]

    def read(self, tree: ast.expr) -> Tree:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise self.error(tree, f"nested more than {_MAX_DEPTH} deep")
        try:
            return self._read(tree)
        finally:
            self.depth -= 1

    def _read(self, tree: ast.expr) -> Tree:
        column = self.column(tree)
        if isinstance(tree, ast.Constant):
            return self._constant(tree, column)
        if isinstance(tree, ast.Name):
            name = self._name(tree, tree.id)
            return self.names.get(name) or Name(name, column=column)
        if isinstance(tree, ast.List):
            return Listing(tuple(self.read(item) for item in tree.elts), column=column)
        if isinstance(tree, ast.Attribute):
            attribute = self._name(tree, tree.attr)
            return Attribute(self.read(tree.value), attribute, column=column)
        if isinstance(tree, ast.Subscript) and not isinstance(tree.slice, ast.Slice):
            return Item(self.read(tree.value), self.read(tree.slice), column=column)
        if isinstance(tree, ast.Call):
            return self._call(tree, column)
        if isinstance(tree, ast.BinOp):
            hint = "; use pow(a, b)" if isinstance(tree.op, ast.Pow) else ""
            return self._operation(
                tree, tree.op, [tree.left, tree.right], f"only + - * / % compute{hint}"
            )
        if isinstance(tree, ast.UnaryOp):
            return self._operation(tree, tree.op, [tree.operand], "only + - * / % compute")
        if isinstance(tree, ast.BoolOp):
            return self._operation(tree, tree.op, tree.values, "")
        if isinstance(tree, ast.Compare):
            refusal = f"only {' '.join(COMPARISONS)} compare"
            if len(tree.ops) > 1:
                raise self.error(tree, "write a < b < c as: a < b and b < c")
            return self._operation(tree, tree.ops[0], [tree.left, *tree.comparators], refusal)
        raise self.error(tree, "not part of the expression language")

    def _name(self, at: ast.expr, name: str) -> str:
        """Python normalizes Unicode letters (NFKC), which may turn a name into another one."""
        if iskeyword(name):
            raise self.error(at, f"'{name}' is not a valid name")
        return name

    def _constant(self, tree: ast.Constant, column: int) -> Tree:
        value = tree.value
        if isinstance(value, bool):
            return Truth(value, column=column)
        if isinstance(value, str):
            return Text(value, column=column)
        if not isinstance(value, int | float):
            raise self.error(tree, f"{value!r} is not part of the expression language")
        try:
            float(value)
        except OverflowError:
            raise self.error(tree, "this number is too large") from None
        return Number(value, column=column)

    def _call(self, tree: ast.Call, column: int) -> Tree:
        if not isinstance(tree.func, ast.Name):
            raise self.error(tree, "only functions can be called")
        for argument in tree.args:
            if isinstance(argument, ast.Starred):
                raise self.error(argument, "* is not part of the expression language")
        named = []
        for keyword in tree.keywords:
            if keyword.arg is None:
                raise self.error(keyword.value, "** is not part of the expression language")
            named.append((self._name(keyword.value, keyword.arg), self.read(keyword.value)))
        positional = tuple(self.read(argument) for argument in tree.args)
        name = self._name(tree, tree.func.id)
        return Call("if" if name == CONDITIONAL else name, positional, tuple(named), column=column)

    def _operation(
        self, tree: ast.expr, operator: ast.AST, operands: list[ast.expr], refusal: str
    ) -> Tree:
        symbol = _OPERATORS.get(type(operator))
        if symbol is None:
            raise self.error(tree, refusal)
        return Operation(symbol, tuple(self.read(o) for o in operands), column=self.column(tree))
