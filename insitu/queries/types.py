"""Static types of expressions, used by the type checker.

In: the trees of `syntax`. Out: Typed: a kind, the node that computes it, the shape of a field.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from insitu.queries import fields, syntax
from insitu.queries.ast_nodes import Node
from insitu.queries.fields import Field
from insitu.queries.scalars import Scalar
from insitu.queries.syntax import Tree
from insitu.queries.values import FIELD

if TYPE_CHECKING:
    from insitu.queries.type_checker import Checker


@dataclass(frozen=True)
class Shape:
    """Properties of a field-valued expression; None until the field has been published."""

    components: int | None = 1
    association: str | None = None
    length: int = 0
    """Number of steps, for a window."""
    logical: bool = False
    """Whether it is a comparison: true or false at every sample."""
    derived: bool = False
    """Whether it needs neighbouring samples."""


@dataclass(frozen=True)
class Typed:
    """A subexpression and its kind; `shape` if it is a field."""

    kind: str
    node: Node
    shape: Shape = Shape()


def integer(tree: Tree) -> int | None:
    """The value of an integer literal; None if it is something else."""
    if isinstance(tree, syntax.Number):
        return tree.value if isinstance(tree.value, int) else None
    if isinstance(tree, syntax.Operation) and tree.operator == "-" and len(tree.operands) == 1:
        inner = integer(tree.operands[0])
        return None if inner is None else -inner
    return None


def literal(checker: Checker, tree: Tree) -> float | bool:
    """The value of a number, or of True or False, that is written out. Raises ExpressionError."""
    if isinstance(tree, syntax.Operation) and tree.operator == "-" and len(tree.operands) == 1:
        return -literal(checker, tree.operands[0])
    if not isinstance(tree, syntax.Number | syntax.Truth):
        raise checker.error(tree, "expected a number that is written out")
    return tree.value


def written(tree: Tree) -> str:
    """The value of a string literal."""
    assert isinstance(tree, syntax.Text)
    return tree.value


def as_scalar(found: Typed) -> Scalar:
    assert isinstance(found.node, Scalar)
    return found.node


def as_field(found: Typed) -> Field:
    """A field, or a number as one."""
    if found.kind != FIELD:
        return fields.Parameter(as_scalar(found))
    assert isinstance(found.node, Field)
    return found.node


def as_fields(found: list[Typed]) -> tuple[Field, ...]:
    return tuple(as_field(each) for each in found)
