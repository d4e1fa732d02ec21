"""Ascent's expression language, over the current step and earlier ones.

In: a string such as "max(field('pressure')) > 1.5 * history(peak, relative_index=5)".
Out: an Expression, with names, arguments and types checked; `evaluation` computes its value.

The language: numbers, True, False; + - * / %; < <= > >= == !=; and, or, not; the functions of
`functions.FUNCTIONS`; names of queries; .value and .position of an extremum, .x .y .z of a vector
or a vector field, .value .min_val .max_val .num_bins of a histogram, [i] of an array. It follows
Ascent, with these differences: all numbers are float64 with IEEE arithmetic, so 7 / 2 is 3.5 and
1 / 0 is infinite; an extremum can be used as a number without .value; and earlier steps of fields
can be read: field('p', step=-5), window('p', 10).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from insitu.queries.ast_nodes import Node
from insitu.queries.errors import ExpressionError, unknown
from insitu.queries.fields import Field, FieldRef, Parameter, Recenter
from insitu.queries.mesh_fields import OF_MESH, OfMesh
from insitu.queries.scalars import Constant, Lined, Scalar, State
from insitu.queries.values import FieldKind

__all__ = ["Expression", "ExpressionError", "FieldKind", "parse"]


@dataclass(frozen=True)
class Expression:
    """A checked expression."""

    text: str
    root: Scalar
    kind: str
    """A kind of `values`: NUMBER, CONDITION, EXTREMUM, VECTOR, ARRAY or HISTOGRAM."""
    reads: Mapping[str, int]
    """Field name -> column in the text, for the fields that it reads."""
    past: Mapping[str, tuple[int, int]]
    """Field name -> (steps back, column in the text), for fields read at earlier steps."""
    queries: Mapping[str, str]
    """Name -> kind of the queries that it may use."""

    of: str = ""
    """The pipeline whose result has the fields, if one does."""

    def check_names(self, known: Collection[str]) -> None:
        """Raise ExpressionError if a field that it reads is not among the `known` names."""
        for name, column in self.reads.items():
            if not self.of and name not in known:
                raise ExpressionError(unknown("field", name, known), self.text, column)

    def check_kinds(self, kinds: Mapping[str, FieldKind]) -> None:
        """Check it against the actual kinds of its fields.

        Raises: ExpressionError if a field has the wrong kind for its use."""
        from insitu.queries import syntax
        from insitu.queries.type_checker import Checker

        Checker(self.text, self.queries, kinds, self.of).whole(syntax.parse(self.text))

    def check_past(self, steps: Mapping[str, int]) -> None:
        """Check it against the number of steps kept of each recorded field.

        Raises: ExpressionError, which says what to change.
        """
        for name, (depth, column) in self.past.items():
            if name not in steps:
                there = ", ".join(sorted(steps)) or "none"
                problem = (
                    f"field '{name}' has no past: it is not recorded (recorded: {there}); add it "
                    f"to `fields`"
                )
                raise ExpressionError(problem, self.text, column)
            if depth > steps[name]:
                problem = (
                    f"this reads {depth} steps back and the window keeps {steps[name]}; set "
                    f"window.steps to {depth} or more"
                )
                raise ExpressionError(problem, self.text, column)


@dataclass(frozen=True)
class FieldExpression:
    """A checked expression whose value is a field."""

    root: Field
    components: int | None
    """None until the fields are known."""
    scalars: Mapping[Scalar, str]
    """The values in it that are the same at every sample -> their expressions."""


def parse_field(text: str, queries: Mapping[str, str]) -> FieldExpression:
    """Parse an expression of a field, or a number as one. Not collective; as `parse`."""
    from insitu.queries import syntax
    from insitu.queries.statements import one_line
    from insitu.queries.type_checker import Checker
    from insitu.queries.types import as_field

    text = one_line(text).strip("; ")
    checker = Checker(text, queries, {})
    whole = checker.field(syntax.parse(text))
    root = as_field(whole)
    found: dict[Scalar, str] = {}
    for part in _fields_within(root):
        if isinstance(part, Parameter) and not isinstance(part.scalar, Constant):
            state = part.scalar if isinstance(part.scalar, State) else None
            found[part.scalar] = f"{state.name}()" if state else checker.written(part.scalar)
    return FieldExpression(root, whole.shape.components, found)


def _fields_within(root: Field) -> Iterator[Field]:
    """A field and the fields in it, without those that its numbers reduce."""
    yield root
    for part in root.parts():
        if isinstance(part, Field):
            yield from _fields_within(part)


def parse(text: str, queries: Mapping[str, str] | None = None, of: str = "") -> Expression:
    """Parse and check an expression. Not collective. The text is never executed as code.

    Args:
        text: the expression.
        queries: name -> kind (see `Expression.kind`) of the queries that it may use.
        of: the pipeline whose result has the fields that it reads, if one does.

    Raises: ExpressionError.
    """
    # Here: rank 0 alone parses, and the others need not hold what it takes.
    from insitu.queries import syntax
    from insitu.queries.statements import one_line
    from insitu.queries.type_checker import Checker

    text = one_line(text).strip("; ")
    queries = {} if queries is None else dict(queries)
    checker = Checker(text, queries, {}, of)
    whole = checker.whole(syntax.parse(text))
    assert isinstance(whole.node, Scalar)
    if of and any(_needs_mesh(part) for part in whole.node.walk()):
        problem = f"of the result of pipeline {of} only fields can be read, not its mesh"
        raise ExpressionError(problem, text, 0)
    return Expression(text, whole.node, whole.kind, checker.reads, checker.past, queries, of)


def _needs_mesh(part: Node) -> bool:
    of_mesh = isinstance(part, FieldRef) and part.name in OF_MESH
    return of_mesh or isinstance(part, OfMesh | Recenter | Lined)
