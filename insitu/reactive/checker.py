"""What an expression means: names, arguments and kinds checked, and the parts that compute it.

In: the tree of a text, the queries and fields that it may name. Out: its kind and its nodes;
ExpressionError at the first thing that is wrong, with its place.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from insitu.errors import nearest
from insitu.reactive import fields, history, scalars, syntax
from insitu.reactive.fields import Field
from insitu.reactive.functions import FUNCTIONS, INTEGER, QUERY, Parameter, accepts, usage
from insitu.reactive.histograms import INTERPOLATIONS, NUM_BINS
from insitu.reactive.nodes import Node
from insitu.reactive.scalars import Constant, Reduction, Scalar
from insitu.reactive.syntax import ExpressionError, Tree
from insitu.reactive.values import (
    ARRAY,
    AXES,
    CONDITION,
    EXTREMUM,
    FIELD,
    HISTOGRAM,
    NUMBER,
    TEXT,
    VECTOR,
)

_COMPONENTS = {name: i for names in (AXES, ("u", "v", "w")) for i, name in enumerate(names)}
_ATTRIBUTES = {
    EXTREMUM: {"value": NUMBER, "position": VECTOR},
    VECTOR: dict.fromkeys(AXES, NUMBER),
    HISTOGRAM: {"value": ARRAY, "min_val": NUMBER, "max_val": NUMBER, "num_bins": NUMBER},
}
_MAX_BINS, _MAX_STEPS = 1 << 16, 1_000_000
_WHOLE_FIELD = "this is a whole field; reduce it to a value, as in max(field('pressure'))"


@dataclass(frozen=True)
class FieldKind:
    """What a simulation publishes under a name."""

    association: str
    """ "element" or "vertex"."""
    n_components: int


@dataclass(frozen=True)
class _Shape:
    """What is known of a field-valued part; None as long as the simulation has not said."""

    components: int | None = 1
    association: str | None = None
    length: int = 0
    """Of a window."""
    logical: bool = False
    """Whether it is a comparison, true or false at every sample."""
    derived: bool = False
    """Whether it needs neighbouring samples."""


@dataclass(frozen=True)
class Typed:
    """A part of an expression, and its kind; `shape` is that of a field."""

    kind: str
    node: Node
    shape: _Shape = _Shape()


class Checker:
    """Checks one expression. `kinds`: of the fields; those left out are not known yet."""

    def __init__(
        self, text: str, queries: Mapping[str, str], kinds: Mapping[str, FieldKind]
    ) -> None:
        self.text, self.queries, self.kinds = text, queries, kinds
        self.reads: dict[str, int] = {}
        self.past: dict[str, tuple[int, int]] = {}
        self._seen: dict[int, Typed] = {}

    def whole(self, tree: Tree) -> Typed:
        """The whole expression. Raises: ExpressionError."""
        found = self.check(tree)
        if found.kind == FIELD:
            raise self.error(tree, _WHOLE_FIELD)
        return found

    def error(self, at: Tree, problem: str) -> ExpressionError:
        return ExpressionError(problem, self.text, at.column)

    def check(self, tree: Tree) -> Typed:
        if id(tree) not in self._seen:
            self._seen[id(tree)] = self._check(tree)
        return self._seen[id(tree)]

    def _check(self, tree: Tree) -> Typed:
        if isinstance(tree, syntax.Number):
            return Typed(NUMBER, Constant(float(tree.value)))
        if isinstance(tree, syntax.Truth):
            return Typed(CONDITION, Constant(tree.value))
        if isinstance(tree, syntax.Text):
            raise self.error(tree, "a text has no place here; is field('...') missing?")
        if isinstance(tree, syntax.Name):
            return Typed(self._query_kind(tree), scalars.Query(tree.name))
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

    def _query_kind(self, tree: syntax.Name) -> str:
        if tree.name in self.queries:
            return self.queries[tree.name]
        if tree.name in FUNCTIONS:
            raise self.error(tree, f"{tree.name} is a function: {usage(tree.name)}")
        raise self.error(tree, unknown("query", tree.name, self.queries))

    def _attribute(self, tree: syntax.Attribute) -> Typed:
        holder = self.check(tree.holder)
        if holder.kind == FIELD:
            return self._component(tree, holder, tree.name)
        known = _ATTRIBUTES.get(holder.kind, {})
        if tree.name not in known:
            has = f"has .{' and .'.join(known)}" if known else "has none"
            raise self.error(tree, f"no attribute .{tree.name}: {holder.kind} {has}")
        return Typed(known[tree.name], scalars.Attribute(_scalar(holder), tree.name))

    def _component(self, at: Tree, holder: Typed, name: str) -> Typed:
        """A component of a field; of one that is known to be a scalar there is none."""
        if name not in _COMPONENTS:
            raise self.error(at, f"unknown component '{name}': a vector has 'x', 'y' and 'z'")
        index, count = _COMPONENTS[name], holder.shape.components
        if count is not None and (index >= count or count == 1):
            has = "no components" if count == 1 else f"{count} components"
            raise self.error(at, f"no component '{name}': this field has {has}")
        shape = replace(holder.shape, components=1)
        return Typed(FIELD, fields.Component(_field(holder), index), shape)

    def _item(self, tree: syntax.Item) -> Typed:
        holder, index = self.check(tree.holder), self.check(tree.index)
        if holder.kind != ARRAY:
            raise self.error(tree, f"only an array has [ ], this is {holder.kind}")
        if index.kind != NUMBER:
            raise self.error(tree.index, f"[ ] wants a number, this is {index.kind}")
        return Typed(NUMBER, scalars.Item(_scalar(holder), _scalar(index)))

    def _arithmetic(self, tree: syntax.Operation) -> Typed:
        operands = [self.check(o) for o in tree.operands]
        if len(operands) == 2 and all(o.kind == VECTOR for o in operands):
            if tree.operator not in ("+", "-"):
                raise self.error(tree, f"{tree.operator} of two vectors: there are only + and -")
            both = tuple(_scalar(o) for o in operands)
            return Typed(VECTOR, scalars.VectorArithmetic(tree.operator, both))
        function = tree.operator
        if len(operands) == 1:
            function = {"-": "negative", "+": "positive"}[tree.operator]
        return self._pointwise(tree, function, tree.operands, tree.operator)

    def _pointwise(
        self, tree: Tree, function: str, operands: tuple[Tree, ...], shown: str
    ) -> Typed:
        """A function of numbers; where one of them is a field, at every sample."""
        found = [self.check(o) for o in operands]
        for operand, each in zip(operands, found, strict=True):
            if each.kind not in (NUMBER, EXTREMUM, FIELD):
                raise self.error(operand, f"{shown} wants a number, this is {each.kind}")
        if all(each.kind != FIELD for each in found):
            return Typed(NUMBER, scalars.Arithmetic(function, tuple(_scalar(f) for f in found)))
        shape = self._join(tree, found)
        vectors = [f for f in found if f.kind == FIELD and (f.shape.components or 1) > 1]
        allowed = {"+": 2, "-": 2, "negative": 1, "positive": 1, "*": 1}.get(function, 0)
        if function == "/" and vectors == found[:1]:
            allowed = 1
        if len(vectors) > allowed:
            raise self.error(tree, f"{shown} wants numbers at every sample, this is a vector field")
        if vectors and allowed == 2 and len(vectors) == 1:
            raise self.error(tree, f"{shown} of a vector field and numbers")
        return Typed(FIELD, fields.Elementwise(function, _fields(found)), shape)

    def _comparison(self, tree: syntax.Operation) -> Typed:
        found = [self.check(o) for o in tree.operands]
        for operand, each in zip(tree.operands, found, strict=True):
            if each.kind not in (NUMBER, EXTREMUM, FIELD):
                problem = f"{tree.operator} wants a number, this is {each.kind}"
                raise self.error(operand, problem)
            if (each.shape.components or 1) > 1:
                raise self.error(operand, f"{tree.operator} wants a number, this is a vector field")
        if any(each.kind == FIELD for each in found):
            shape = replace(self._join(tree, found), logical=True, components=1)
            return Typed(FIELD, fields.Elementwise(tree.operator, _fields(found)), shape)
        left, right = found
        comparison = scalars.Comparison(tree.operator, _scalar(left), _scalar(right))
        return Typed(CONDITION, comparison)

    def _logic(self, tree: syntax.Operation) -> Typed:
        found = [self.check(o) for o in tree.operands]
        for operand, each in zip(tree.operands, found, strict=True):
            logical = each.kind == CONDITION or (each.kind == FIELD and each.shape.logical)
            if not logical:
                problem = f"'{tree.operator}' wants a condition, this is {each.kind}"
                raise self.error(operand, problem)
        if all(each.kind == CONDITION for each in found):
            parts = tuple(_scalar(each) for each in found)
            return Typed(CONDITION, scalars.Logic(tree.operator, parts))
        shape = replace(self._join(tree, found), logical=True)
        whole = found[0]
        if tree.operator == "not":
            return Typed(FIELD, fields.Elementwise("not", _fields(found)), shape)
        for each in found[1:]:
            joined = fields.Elementwise(tree.operator, _fields([whole, each]))
            whole = Typed(FIELD, joined, shape)
        return whole

    def _join(self, at: Tree, found: list[Typed]) -> _Shape:
        """The shape of what is computed from several parts at every sample."""
        shapes = [each.shape for each in found if each.kind == FIELD]
        associations = {s.association for s in shapes if s.association}
        if len(associations) > 1:
            problem = "one field has a value per cell (element), the other per node (vertex)"
            raise self.error(at, problem)
        lengths = {s.length for s in shapes if s.length}
        if len(lengths) > 1:
            raise self.error(at, f"windows of {' and '.join(map(str, sorted(lengths)))} steps")
        counts = {s.components for s in shapes}
        vectors = {c for c in counts if c is not None and c > 1}
        if len(vectors) > 1:
            problem = f"vectors of {' and '.join(map(str, sorted(vectors)))} components"
            raise self.error(at, problem)
        return _Shape(
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
                return self._build(tree, named)
            wrong.setdefault(first, []).append(given[first].kind)
        last = max(wrong)
        wanted = " or ".join(dict.fromkeys(wrong[last]))
        problem = f"{name} wants {wanted}, this is {self._shown(arguments[last], wanted)}"
        raise self.error(arguments[last], f"{problem}: {usage(name)}")

    def _fits(self, parameter: Parameter, argument: Tree) -> bool:
        if parameter.kind == TEXT:
            return isinstance(argument, syntax.Text)
        if parameter.kind == INTEGER:
            return _integer(argument) is not None
        if parameter.kind == QUERY:
            return isinstance(argument, syntax.Name) and bool(self._query_kind(argument))
        if isinstance(argument, syntax.Text):
            return False
        return accepts(parameter.kind, self.check(argument).kind)

    def _shown(self, argument: Tree, wanted: str) -> str:
        if isinstance(argument, syntax.Text):
            return TEXT
        if wanted == QUERY:
            return "none"
        kind = self.check(argument).kind
        return "none that is written out" if (wanted, kind) == (INTEGER, NUMBER) else kind

    def _build(self, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
        name = tree.function
        builder: Callable[[syntax.Call, Mapping[str, Tree]], Typed] | None
        builder = getattr(self, f"_build_{_BUILDERS.get(name, name)}", None)
        if builder is not None:
            return builder(tree, given)
        (argument,) = given.values()  # what remains is a reduction or a function of a histogram
        found = self.check(argument)
        if name in ("entropy", "pdf", "cdf"):
            kind = NUMBER if name == "entropy" else HISTOGRAM
            return Typed(kind, scalars.OfHistogram(name, _scalar(found)))
        if found.kind == ARRAY:
            return Typed(NUMBER, scalars.OfArray(name, _scalar(found)))
        operation = name.removeprefix("field_")
        if operation == "count" and found.shape.logical:
            operation = "sum"  # of what is 1 where it holds
        kind = EXTREMUM if operation in ("min", "max") else NUMBER
        return Typed(kind, self._reduction(argument, operation))

    def _reduction(self, argument: Tree, operation: str, **more: Any) -> Reduction:
        found = self.check(argument)
        if (found.shape.components or 1) > 1:
            problem = (
                "this is a vector field: take its magnitude, or one of its components, as in "
                "field('velocity', 'x')"
            )
            raise self.error(argument, problem)
        return Reduction(operation, _field(found), **more)

    def _build_extremum(self, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
        if len(given) == 2:
            return self._build_math(tree, given)
        (argument,) = given.values()
        found = self.check(argument)
        if found.kind == ARRAY:
            return Typed(NUMBER, scalars.OfArray(tree.function, _scalar(found)))
        return Typed(EXTREMUM, self._reduction(argument, tree.function))

    def _build_math(self, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
        return self._pointwise(tree, tree.function, tuple(given.values()), tree.function)

    def _build_state(self, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
        return Typed(NUMBER, scalars.State(tree.function))

    def _build_nan(self, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
        return Typed(NUMBER, Constant(float("nan")))

    def _build_vector(self, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
        found = [self.check(a) for a in given.values()]
        if all(each.kind != FIELD for each in found):
            return Typed(VECTOR, scalars.Composed(tuple(_scalar(each) for each in found)))
        shape = self._join(tree, found)
        if (shape.components or 1) > 1:
            raise self.error(tree, "vector wants numbers at every sample, one is a vector field")
        return Typed(FIELD, fields.Composed(_fields(found)), replace(shape, components=3))

    def _build_magnitude(self, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
        (argument,) = given.values()
        found = self.check(argument)
        if found.kind == VECTOR:
            return Typed(NUMBER, scalars.OfArray("magnitude", _scalar(found)))
        shape = replace(found.shape, components=1, logical=False)
        return Typed(FIELD, fields.Magnitude(_field(found)), shape)

    def _build_field(self, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
        step = _integer(given["step"]) if "step" in given else 0
        assert step is not None
        if not -_MAX_STEPS <= step <= 0:
            raise self.error(given["step"], "step must be 0, the present, or negative: the past")
        return self._samples(tree, given, fields.Samples(_text(given["field_name"]), back=-step))

    def _build_window(self, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
        steps = _integer(given["steps"])
        assert steps is not None
        if not 1 <= steps <= _MAX_STEPS:
            raise self.error(given["steps"], "steps must be 1 or more")
        return self._samples(tree, given, fields.Samples(_text(given["field_name"]), length=steps))

    def _samples(
        self, tree: syntax.Call, given: Mapping[str, Tree], samples: fields.Samples
    ) -> Typed:
        name = samples.name
        self.reads.setdefault(name, tree.column)
        depth = max(samples.back, samples.length - 1)
        if depth > self.past.get(name, (0, 0))[0]:
            self.past[name] = depth, tree.column
        shape = _Shape(components=None, length=samples.length)
        if name in self.kinds:
            kind = self.kinds[name]
            shape = replace(shape, components=kind.n_components, association=kind.association)
        whole = Typed(FIELD, samples, shape)
        if "component" in given:
            return self._component(given["component"], whole, _text(given["component"]))
        return whole

    def _build_derivative(self, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
        (argument,) = given.values()
        found = self.check(argument)
        name = "curl" if tree.function == "vorticity" else tree.function
        if found.shape.derived:
            problem = "a derivative of a derivative needs two ghost layers; only one is read"
            raise self.error(tree, problem)
        wanted = 1 if name == "gradient" else 3
        if found.shape.components not in (None, wanted):
            has = "a scalar" if found.shape.components == 1 else "a vector"
            wants = "a scalar field" if wanted == 1 else "a vector field of 3 components"
            raise self.error(argument, f"{tree.function} wants {wants}, this is {has} field")
        components = 3 if name in ("gradient", "curl") else 1
        shape = replace(found.shape, components=components, derived=True, logical=False)
        return Typed(FIELD, fields.Derivative(name, _field(found)), shape)

    def _build_histogram(self, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
        argument = given["arg1"]
        num_bins = _integer(given["num_bins"]) if "num_bins" in given else NUM_BINS
        assert num_bins is not None
        if not 1 <= num_bins <= _MAX_BINS:
            raise self.error(given["num_bins"], f"num_bins must be 1 to {_MAX_BINS}")
        ends: list[Scalar] = []
        for name, operation in (("min_val", "min"), ("max_val", "max")):
            if name in given:
                ends.append(_scalar(self.check(given[name])))
            else:
                ends.append(self._reduction(argument, operation))
        low, high = ends
        constant = isinstance(low, Constant) and isinstance(high, Constant)
        if constant and not low.constant < high.constant:  # type: ignore[attr-defined]
            raise self.error(given["min_val"], "min_val must be below max_val")
        counted = self._reduction(argument, "histogram", num_bins=num_bins, ends=tuple(ends))
        return Typed(HISTOGRAM, counted)

    def _build_quantile(self, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
        interpolation = "linear"
        if "interpolation" in given:
            interpolation = self._choice(given["interpolation"], INTERPOLATIONS)
        q = _scalar(self.check(given["q"]))
        if isinstance(q, Constant) and not 0 <= q.constant <= 1:
            raise self.error(given["q"], "q must be between 0 and 1")
        held = _scalar(self.check(given["cdf"]))
        return Typed(NUMBER, scalars.OfHistogram("quantile", held, (q,), interpolation))

    def _build_bin(self, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
        function = "bin_at" if "bin" in given else "bin_with"
        held = _scalar(self.check(given["hist"]))
        where = _scalar(self.check(given["bin" if "bin" in given else "val"]))
        return Typed(NUMBER, scalars.OfHistogram(function, held, (where,)))

    def _choice(self, tree: Tree, choices: Collection[str]) -> str:
        text = _text(tree)
        if text not in choices:
            hint = nearest(text, choices)
            raise self.error(tree, f"'{text}' is not one of {', '.join(choices)}{hint}")
        return text

    # ---- the past of queries

    def _build_history(self, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
        indices = [name for name in ("relative_index", "absolute_index") if name in given]
        if not indices:
            return self._build_history_range(tree, given)
        if len(given) != 2:
            raise self.error(tree, "history takes relative_index, or absolute_index, or a range")
        index = _integer(given[indices[0]])
        if index is None or index < 0:
            problem = f"{indices[0]} must be a whole number, 0 or more"
            raise self.error(given[indices[0]], problem)
        query = given["expr_name"]
        assert isinstance(query, syntax.Name)
        relative = indices[0] == "relative_index"
        return Typed(self._query_kind(query), history.History(query.name, index, relative))

    def _build_history_range(self, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
        return Typed(ARRAY, self._range(tree, given))

    def _build_gradient_range(self, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
        return Typed(ARRAY, history.GradientRange(self._range(tree, given)))

    def _range(self, tree: syntax.Call, given: Mapping[str, Tree]) -> history.HistoryRange:
        name = self._number_query(given["expr_name"])
        by = dict.fromkeys(key.partition("_")[2] for key in given if key != "expr_name")
        if len(by) != 1 or len(given) != 3:
            problem = (
                "a range is given by one pair: first_ and last_ with relative_index, "
                "absolute_index, absolute_time or absolute_cycle"
            )
            raise self.error(tree, problem)
        (unit,) = by
        ends = []
        for end in ("first", "last"):
            bound = given[f"{end}_{unit}"]
            value = _scalar(self.check(bound))
            if unit.endswith("index") and isinstance(value, Constant) and value.constant < 0:
                raise self.error(bound, f"{end}_{unit} must be a whole number, 0 or more")
            ends.append(value)
        first, last = ends
        if (
            isinstance(first, Constant)
            and isinstance(last, Constant)
            and first.constant > last.constant
        ):
            raise self.error(given[f"last_{unit}"], f"last_{unit} is below first_{unit}")
        kind = {"relative_index": "relative", "absolute_index": "absolute"}
        chosen = history.Range(kind.get(unit, unit.removeprefix("absolute_")))
        return history.HistoryRange(name, chosen, first, last)

    def _build_gradient(self, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
        if "field" in given:
            return self._build_derivative(tree, given)
        name = self._number_query(given["expr_name"])
        length: Scalar = Constant(1.0)
        if "window_length" in given:
            length = _scalar(self.check(given["window_length"]))
        unit = "index"
        if "window_length_unit" in given:
            unit = self._choice(given["window_length_unit"], history.UNITS)
        shortest = 0 if unit == "time" else 1
        if isinstance(length, Constant) and length.constant < shortest:
            problem = f"window_length must be at least {shortest} in units of {unit}"
            raise self.error(given["window_length"], problem)
        return Typed(NUMBER, history.Gradient(name, length, unit))

    def _number_query(self, tree: Tree) -> str:
        """The name of a query whose results are numbers, or extrema."""
        assert isinstance(tree, syntax.Name)
        kind = self._query_kind(tree)
        if kind not in (NUMBER, EXTREMUM, CONDITION):
            raise self.error(tree, f"expected a query that is a number, '{tree.name}' is {kind}")
        return tree.name


# Functions that are built alike.
_BUILDERS = {
    **dict.fromkeys(("min", "max"), "extremum"),
    **dict.fromkeys(("abs", "exp", "log", "pow", "sin", "sqrt"), "math"),
    **dict.fromkeys(("cycle", "time"), "state"),
    **dict.fromkeys(("curl", "vorticity", "divergence", "qcriterion"), "derivative"),
    "history_gradient": "gradient",
    "history_gradient_range": "gradient_range",
}


def unknown(what: str, name: str, known: Collection[str]) -> str:
    """What is said of a name that is not among the `known` ones."""
    hint = nearest(name, known)
    there = f" (there are {', '.join(sorted(known))})" if known else " (there are none before)"
    return f"unknown {what} '{name}'{hint or there}"


def _integer(tree: Tree) -> int | None:
    """A whole number that is written out; None if it is something else."""
    if isinstance(tree, syntax.Number):
        return tree.value if isinstance(tree.value, int) else None
    if isinstance(tree, syntax.Operation) and tree.operator == "-" and len(tree.operands) == 1:
        inner = _integer(tree.operands[0])
        return None if inner is None else -inner
    return None


def _text(tree: Tree) -> str:
    assert isinstance(tree, syntax.Text)
    return tree.value


def _scalar(found: Typed) -> Scalar:
    assert isinstance(found.node, Scalar)
    return found.node


def _field(found: Typed) -> Field:
    """A field, or a number as one."""
    return fields.Parameter(_scalar(found)) if found.kind != FIELD else _as_field(found.node)


def _as_field(node: Node) -> Field:
    assert isinstance(node, Field)
    return node


def _fields(found: list[Typed]) -> tuple[Field, ...]:
    return tuple(_field(each) for each in found)
