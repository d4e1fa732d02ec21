"""Type checker: checks names, arguments and types, and builds the nodes that compute the value.

In: a syntax tree, the queries and fields that it may use. Out: its kind and its nodes;
ExpressionError for the first error, with its position.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from insitu.queries import builtins, fields, mesh_builtins, scalars, syntax
from insitu.queries.errors import ExpressionError, unknown
from insitu.queries.functions import FUNCTIONS, INTEGER, QUERY, Parameter, accepts, usage
from insitu.queries.scalars import Constant
from insitu.queries.syntax import Tree
from insitu.queries.types import Shape, Typed, as_field, as_fields, as_scalar, integer
from insitu.queries.values import (
    ARRAY,
    AXES,
    AXIS,
    BIN,
    BINNING,
    BOX,
    CELLS,
    CONDITION,
    EXTREMUM,
    FIELD,
    HISTOGRAM,
    LINEOUT,
    LIST,
    MESH,
    NUMBER,
    TEXT,
    VECTOR,
    VERTICES,
    FieldKind,
)

_COMPONENTS = {name: i for names in (AXES, ("u", "v", "w")) for i, name in enumerate(names)}
_ATTRIBUTES = {
    EXTREMUM: {"value": NUMBER, "position": VECTOR},
    VECTOR: dict.fromkeys(AXES, NUMBER),
    HISTOGRAM: {"value": ARRAY, "min_val": NUMBER, "max_val": NUMBER, "num_bins": NUMBER},
    BINNING: {"value": ARRAY, "num_bins": NUMBER},
    BIN: dict.fromkeys(("value", "min", "max", "center"), NUMBER),
    BOX: {"min": VECTOR, "max": VECTOR},
    LINEOUT: {**dict.fromkeys((*AXES, "value"), ARRAY), "samples": NUMBER},
    MESH: {"cell": CELLS, "vertex": VERTICES},
    CELLS: dict.fromkeys((*AXES, "dx", "dy", "dz", "volume", "area", "id"), FIELD),
    VERTICES: dict.fromkeys((*AXES, "id"), FIELD),
}
_WHOLE_FIELD = "this is a whole field; reduce it to a value, as in max(field('pressure'))"


class Checker:
    """Checks one expression. `kinds`: kinds of the fields; missing ones are not known yet.
    `of`: the pipeline whose result has the fields, if one does."""

    def __init__(
        self,
        text: str,
        queries: Mapping[str, str],
        kinds: Mapping[str, FieldKind],
        of: str = "",
    ) -> None:
        self.text, self.queries, self.kinds, self.of = text, queries, kinds, of
        self.reads: dict[str, int] = {}
        self.past: dict[str, tuple[int, int]] = {}
        self._seen: dict[int, Typed] = {}
        self._trees: list[tuple[Tree, Typed]] = []

    def whole(self, tree: Tree) -> Typed:
        """Check the whole expression. Raises: ExpressionError."""
        found = self.check(tree)
        if found.kind == FIELD:
            raise self.error(tree, _WHOLE_FIELD)
        if found.kind in (AXIS, MESH, CELLS, VERTICES):
            raise self.error(tree, f"this is {found.kind}, no result")
        return found

    def field(self, tree: Tree) -> Typed:
        """Check a whole expression of a field, or of a number. Raises: ExpressionError."""
        found = self.check(tree)
        if found.kind not in (FIELD, NUMBER, EXTREMUM, CONDITION):
            raise self.error(tree, f"expected a field, found {found.kind}")
        return found

    def written(self, scalar: scalars.Scalar) -> str:
        """The expression of a value in what was checked."""
        return next(str(tree) for tree, found in self._trees if found.node is scalar)

    def error(self, at: Tree, problem: str) -> ExpressionError:
        return ExpressionError(problem, self.text, at.column)

    def check(self, tree: Tree) -> Typed:
        """Check a subexpression; each is checked once. Raises: ExpressionError."""
        if id(tree) not in self._seen:
            self._seen[id(tree)] = self._check(tree)
            self._trees.append((tree, self._seen[id(tree)]))
        return self._seen[id(tree)]

    def _check(self, tree: Tree) -> Typed:
        if isinstance(tree, syntax.Number):
            return Typed(NUMBER, Constant(float(tree.value)))
        if isinstance(tree, syntax.Truth):
            return Typed(CONDITION, Constant(tree.value))
        if isinstance(tree, syntax.Text):
            raise self.error(tree, "a string cannot be used here; did you mean field('...')?")
        if isinstance(tree, syntax.Listing):
            raise self.error(tree, "a list stands only where a function expects one")
        if isinstance(tree, syntax.Name):
            return Typed(self.query_kind(tree), scalars.Query(tree.name))
        if isinstance(tree, syntax.Attribute):
            return self._attribute(tree)
        if isinstance(tree, syntax.Item):
            return self._item(tree)
        if isinstance(tree, syntax.Call):
            return self._call(tree)
        if tree.operator in ("and", "or", "not"):
            return self._logic(tree)
        if tree.operator in syntax.COMPARISONS:
            return self._comparison(tree)
        return self._arithmetic(tree)

    # ---- names, attributes, operators

    def query_kind(self, tree: syntax.Name) -> str:
        """The kind of the query named by `tree`."""
        if tree.name in self.queries:
            return self.queries[tree.name]
        if tree.name in FUNCTIONS:
            raise self.error(tree, f"{tree.name} is a function: {usage(tree.name)}")
        raise self.error(tree, unknown("query", tree.name, self.queries))

    def _attribute(self, tree: syntax.Attribute) -> Typed:
        holder = self.check(tree.holder)
        if holder.kind == FIELD:
            return self.component(tree, holder, tree.name)
        known = dict(_ATTRIBUTES.get(holder.kind, {}))
        if isinstance(holder.node, scalars.AlongLine):
            known |= dict.fromkeys(holder.node.names, ARRAY)
        if tree.name not in known:
            has = f"has .{' and .'.join(known)}" if known else "has none"
            raise self.error(tree, f"no attribute .{tree.name}: {holder.kind} {has}")
        if holder.kind in (MESH, CELLS, VERTICES):
            return mesh_builtins.attribute(holder, tree.name)
        return Typed(known[tree.name], scalars.Attribute(as_scalar(holder), tree.name))

    def component(self, at: Tree, holder: Typed, name: str) -> Typed:
        """A component of a field; an error for a field known to be a scalar."""
        if name not in _COMPONENTS:
            raise self.error(at, f"unknown component '{name}': a vector has 'x', 'y' and 'z'")
        index, count = _COMPONENTS[name], holder.shape.components
        if count is not None and (index >= count or count == 1):
            has = "no components" if count == 1 else f"{count} components"
            raise self.error(at, f"no component '{name}': this field has {has}")
        shape = replace(holder.shape, components=1)
        return Typed(FIELD, fields.Component(as_field(holder), index), shape)

    def _item(self, tree: syntax.Item) -> Typed:
        holder, index = self.check(tree.holder), self.check(tree.index)
        if holder.kind != ARRAY:
            raise self.error(tree, f"only an array can be indexed with [ ], found {holder.kind}")
        if index.kind != NUMBER:
            raise self.error(tree.index, f"[ ] expects a number, found {index.kind}")
        return Typed(NUMBER, scalars.Item(as_scalar(holder), as_scalar(index)))

    def _arithmetic(self, tree: syntax.Operation) -> Typed:
        operands = [self.check(o) for o in tree.operands]
        if len(operands) == 2 and all(o.kind == VECTOR for o in operands):
            if tree.operator not in ("+", "-"):
                raise self.error(tree, f"{tree.operator} is not defined for two vectors")
            both = tuple(as_scalar(o) for o in operands)
            return Typed(VECTOR, scalars.VectorArithmetic(tree.operator, both))
        function = tree.operator
        if len(operands) == 1:
            function = {"-": "negative", "+": "positive"}[tree.operator]
        return self.pointwise(tree, function, tree.operands, tree.operator)

    def pointwise(self, tree: Tree, function: str, operands: tuple[Tree, ...], shown: str) -> Typed:
        """A function of numbers; applied at every sample if one of them is a field."""
        found = [self.check(o) for o in operands]
        for operand, each in zip(operands, found, strict=True):
            if each.kind not in (NUMBER, EXTREMUM, FIELD):
                raise self.error(operand, f"{shown} expects a number, found {each.kind}")
        first = found[0].node
        if function == "negative" and isinstance(first, Constant):
            return Typed(NUMBER, Constant(-float(first.constant)))
        if all(each.kind != FIELD for each in found):
            return Typed(NUMBER, scalars.Arithmetic(function, tuple(as_scalar(f) for f in found)))
        shape = self.join(tree, found)
        vectors = [f for f in found if f.kind == FIELD and (f.shape.components or 1) > 1]
        allowed = {"+": 2, "-": 2, "negative": 1, "positive": 1, "*": 1}.get(function, 0)
        if function == "/" and vectors == found[:1]:
            allowed = 1
        if len(vectors) > allowed:
            raise self.error(tree, f"{shown} expects numbers at every sample, found a vector field")
        if vectors and allowed == 2 and len(vectors) == 1:
            raise self.error(tree, f"{shown} of a vector field and numbers")
        return Typed(FIELD, fields.Elementwise(function, as_fields(found)), shape)

    def _comparison(self, tree: syntax.Operation) -> Typed:
        found = [self.check(o) for o in tree.operands]
        for operand, each in zip(tree.operands, found, strict=True):
            if each.kind not in (NUMBER, EXTREMUM, FIELD):
                problem = f"{tree.operator} expects a number, found {each.kind}"
                raise self.error(operand, problem)
            if (each.shape.components or 1) > 1:
                raise self.error(operand, f"{tree.operator} expects a number, found a vector field")
        if any(each.kind == FIELD for each in found):
            shape = replace(self.join(tree, found), logical=True, components=1)
            return Typed(FIELD, fields.Elementwise(tree.operator, as_fields(found)), shape)
        left, right = found
        comparison = scalars.Comparison(tree.operator, as_scalar(left), as_scalar(right))
        return Typed(CONDITION, comparison)

    def _logic(self, tree: syntax.Operation) -> Typed:
        found = [self.check(o) for o in tree.operands]
        for operand, each in zip(tree.operands, found, strict=True):
            logical = each.kind == CONDITION or (each.kind == FIELD and each.shape.logical)
            if not logical:
                problem = f"'{tree.operator}' expects a condition, found {each.kind}"
                raise self.error(operand, problem)
        if all(each.kind == CONDITION for each in found):
            parts = tuple(as_scalar(each) for each in found)
            return Typed(CONDITION, scalars.Logic(tree.operator, parts))
        shape = replace(self.join(tree, found), logical=True)
        whole = found[0]
        if tree.operator == "not":
            return Typed(FIELD, fields.Elementwise("not", as_fields(found)), shape)
        for each in found[1:]:
            joined = fields.Elementwise(tree.operator, as_fields([whole, each]))
            whole = Typed(FIELD, joined, shape)
        return whole

    def join(self, at: Tree, found: list[Typed]) -> Shape:
        """The shape of an elementwise function's result."""
        shapes = [each.shape for each in found if each.kind == FIELD]
        associations = {s.association for s in shapes if s.association}
        if len(associations) > 1:
            problem = "one field has a value per cell (element), the other per node (vertex)"
            raise self.error(at, problem)
        lengths = {s.length for s in shapes if s.length}
        if len(lengths) > 1:
            raise self.error(
                at, f"windows of different lengths: {' and '.join(map(str, sorted(lengths)))} steps"
            )
        counts = {s.components for s in shapes}
        vectors = {c for c in counts if c is not None and c > 1}
        if len(vectors) > 1:
            problem = f"vectors of {' and '.join(map(str, sorted(vectors)))} components"
            raise self.error(at, problem)
        return Shape(
            components=vectors.pop() if vectors else None if None in counts else 1,
            association=associations.pop() if associations else None,
            length=lengths.pop() if lengths else 0,
            derived=any(s.derived for s in shapes),
        )

    # ---- functions

    def _call(self, tree: syntax.Call) -> Typed:
        name = tree.function
        if name not in FUNCTIONS:
            raise self.error(tree, unknown("function", name, FUNCTIONS))
        arguments = [*tree.positional, *(value for _, value in tree.named)]
        ways = [
            given
            for signature in FUNCTIONS[name]
            if (given := signature.bind(len(tree.positional), [n for n, _ in tree.named]))
            is not None
        ]
        if not ways:
            raise self.error(tree, f"{name} is called as {usage(name)}")
        wrong: dict[int, list[str]] = {}
        for given in ways:
            misfits = (
                i
                for i, (p, argument) in enumerate(zip(given, arguments, strict=True))
                if not self._fits(p, argument)
            )
            first = next(misfits, None)
            if first is None:
                named = {p.name: a for p, a in zip(given, arguments, strict=True)}
                return builtins.build(self, tree, named)
            wrong.setdefault(first, []).append(given[first].kind)
        last = max(wrong)
        wanted = " or ".join(dict.fromkeys(wrong[last]))
        problem = f"{name} expects {wanted}, found {self._shown(arguments[last], wanted)}"
        raise self.error(arguments[last], f"{problem}: {usage(name)}")

    def _fits(self, parameter: Parameter, argument: Tree) -> bool:
        if parameter.kind == TEXT:
            return isinstance(argument, syntax.Text)
        if parameter.kind == INTEGER:
            return integer(argument) is not None
        if parameter.kind == QUERY:
            return isinstance(argument, syntax.Name) and bool(self.query_kind(argument))
        if parameter.kind == LIST:
            return isinstance(argument, syntax.Listing)
        if isinstance(argument, syntax.Text | syntax.Listing):
            return False
        return accepts(parameter.kind, self.check(argument).kind)

    def _shown(self, argument: Tree, wanted: str) -> str:
        if isinstance(argument, syntax.Text):
            return TEXT
        if isinstance(argument, syntax.Listing):
            return LIST
        if wanted == QUERY:
            return "something else"
        kind = self.check(argument).kind
        return "an expression" if (wanted, kind) == (INTEGER, NUMBER) else kind
