"""Builds the nodes for calls of the expression language's functions.

In: a call whose arguments match a signature of `functions`, by parameter name.
Out: its kind and the node that computes it; ExpressionError if a value is out of range.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from insitu.core.errors import nearest
from insitu.queries import fields, history, scalars, syntax
from insitu.queries.bin_builtins import BIN_BUILDERS
from insitu.queries.histograms import INTERPOLATIONS, NUM_BINS
from insitu.queries.mesh_builtins import MESH_BUILDERS
from insitu.queries.scalars import Constant, Reduction, Scalar
from insitu.queries.syntax import Tree
from insitu.queries.types import Shape, Typed, as_field, as_fields, as_scalar, integer, written
from insitu.queries.values import ARRAY, BIN, CONDITION, EXTREMUM, FIELD, HISTOGRAM, NUMBER, VECTOR

if TYPE_CHECKING:
    from insitu.queries.type_checker import Checker

_MAX_BINS, _MAX_STEPS = 1 << 16, 1_000_000


def build(checker: Checker, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
    """The result of a call, typed. Raises: ExpressionError."""
    build = {**_BUILDERS, **MESH_BUILDERS, **BIN_BUILDERS}.get(tree.function, _build_other)
    return build(checker, tree, given)


def _build_other(checker: Checker, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
    name = tree.function
    (argument,) = given.values()
    found = checker.check(argument)
    if name in ("entropy", "pdf", "cdf"):
        kind = NUMBER if name == "entropy" else HISTOGRAM
        return Typed(kind, scalars.OfHistogram(name, as_scalar(found)))
    if found.kind == ARRAY:
        return Typed(NUMBER, scalars.OfArray(name, as_scalar(found)))
    operation = name.removeprefix("field_")
    if operation == "count" and found.shape.logical:
        operation = "sum"  # of a field that is 1 where the comparison holds
    kind = EXTREMUM if operation in ("min", "max") else NUMBER
    return Typed(kind, _reduction(checker, argument, operation))


def _reduction(checker: Checker, argument: Tree, operation: str, **more: Any) -> Reduction:
    found = checker.check(argument)
    if (found.shape.components or 1) > 1:
        problem = (
            "this is a vector field: take its magnitude, or one of its components, as in "
            "field('velocity', 'x')"
        )
        raise checker.error(argument, problem)
    return Reduction(operation, as_field(found), **more)


def _build_extremum(checker: Checker, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
    if len(given) == 2:
        return _build_math(checker, tree, given)
    (argument,) = given.values()
    found = checker.check(argument)
    if found.kind == ARRAY:
        return Typed(NUMBER, scalars.OfArray(tree.function, as_scalar(found)))
    return Typed(EXTREMUM, _reduction(checker, argument, tree.function))


def _build_math(checker: Checker, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
    return checker.pointwise(tree, tree.function, tuple(given.values()), tree.function)


def _build_state(checker: Checker, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
    return Typed(NUMBER, scalars.State(tree.function))


def _build_nan(checker: Checker, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
    return Typed(NUMBER, Constant(float("nan")))


def _build_vector(checker: Checker, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
    found = [checker.check(a) for a in given.values()]
    if all(each.kind != FIELD for each in found):
        return Typed(VECTOR, scalars.Composed(tuple(as_scalar(each) for each in found)))
    shape = checker.join(tree, found)
    if (shape.components or 1) > 1:
        raise checker.error(tree, "vector expects numbers at every sample, found a vector field")
    return Typed(FIELD, fields.Composed(as_fields(found)), replace(shape, components=3))


def _build_magnitude(checker: Checker, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
    (argument,) = given.values()
    found = checker.check(argument)
    if found.kind == VECTOR:
        return Typed(NUMBER, scalars.OfArray("magnitude", as_scalar(found)))
    shape = replace(found.shape, components=1, logical=False)
    return Typed(FIELD, fields.Magnitude(as_field(found)), shape)


def _build_field(checker: Checker, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
    step = integer(given["step"]) if "step" in given else 0
    assert step is not None
    if not -_MAX_STEPS <= step <= 0:
        raise checker.error(given["step"], "step must be 0, the present, or negative: the past")
    samples = fields.FieldRef(written(given["field_name"]), back=-step)
    if checker.of and step:
        raise checker.error(given["step"], f"the result of pipeline {checker.of} has no past")
    return _samples(checker, tree, given, samples)


def _build_window(checker: Checker, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
    steps = integer(given["steps"])
    assert steps is not None
    if not 1 <= steps <= _MAX_STEPS:
        raise checker.error(given["steps"], "steps must be 1 or more")
    if checker.of:
        raise checker.error(tree, f"the result of pipeline {checker.of} has no past")
    return _samples(
        checker, tree, given, fields.FieldRef(written(given["field_name"]), length=steps)
    )


def _samples(
    checker: Checker, tree: syntax.Call, given: Mapping[str, Tree], samples: fields.FieldRef
) -> Typed:
    name = samples.name
    checker.reads.setdefault(name, tree.column)
    depth = max(samples.back, samples.length - 1)
    if depth > checker.past.get(name, (0, 0))[0]:
        checker.past[name] = depth, tree.column
    shape = Shape(components=None, length=samples.length)
    if name in checker.kinds:
        kind = checker.kinds[name]
        shape = replace(shape, components=kind.n_components, association=kind.association)
    if checker.of:
        samples = replace(samples, name=fields.piped(checker.of, name))
    whole = Typed(FIELD, samples, shape)
    if "component" in given:
        return checker.component(given["component"], whole, written(given["component"]))
    return whole


def _build_derivative(checker: Checker, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
    (argument,) = given.values()
    if checker.of:
        raise checker.error(tree, f"use the filter {tree.function} in pipeline {checker.of}")
    found = checker.check(argument)
    name = "curl" if tree.function == "vorticity" else tree.function
    if found.shape.derived:
        problem = "a derivative of a derivative needs two ghost layers; only one is read"
        raise checker.error(tree, problem)
    wanted = 1 if name == "gradient" else 3
    in_plane = wanted == 3 and found.shape.components == 2
    if found.shape.components not in (None, wanted) and not in_plane:
        has = "a scalar" if found.shape.components == 1 else "a vector"
        wants = "a scalar field" if wanted == 1 else "a vector field of 3 components"
        raise checker.error(argument, f"{tree.function} expects {wants}, found {has} field")
    components = 3 if name in ("gradient", "curl") else 1
    shape = replace(found.shape, components=components, derived=True, logical=False)
    return Typed(FIELD, fields.Derivative(name, as_field(found)), shape)


def _build_histogram(checker: Checker, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
    argument = given["arg1"]
    num_bins = integer(given["num_bins"]) if "num_bins" in given else NUM_BINS
    assert num_bins is not None
    if not 1 <= num_bins <= _MAX_BINS:
        raise checker.error(given["num_bins"], f"num_bins must be 1 to {_MAX_BINS}")
    ends: list[Scalar] = []
    for name, operation in (("min_val", "min"), ("max_val", "max")):
        if name in given:
            ends.append(as_scalar(checker.check(given[name])))
        else:
            ends.append(_reduction(checker, argument, operation))
    low, high = ends
    constant = isinstance(low, Constant) and isinstance(high, Constant)
    if constant and not low.constant < high.constant:  # type: ignore[attr-defined]
        raise checker.error(given["min_val"], "min_val must be below max_val")
    counted = _reduction(checker, argument, "histogram", num_bins=num_bins, ends=tuple(ends))
    return Typed(HISTOGRAM, counted)


def _build_quantile(checker: Checker, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
    interpolation = "linear"
    if "interpolation" in given:
        interpolation = _choice(checker, given["interpolation"], INTERPOLATIONS)
    q = as_scalar(checker.check(given["q"]))
    if isinstance(q, Constant) and not 0 <= q.constant <= 1:
        raise checker.error(given["q"], "q must be between 0 and 1")
    held = as_scalar(checker.check(given["cdf"]))
    return Typed(NUMBER, scalars.OfHistogram("quantile", held, (q,), interpolation))


def _build_bin(checker: Checker, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
    if "binning" in given:
        whole, index = (as_scalar(checker.check(given[name])) for name in ("binning", "index"))
        return Typed(BIN, scalars.OfBinning("bin", whole, (index,)))
    function = "bin_at" if "bin" in given else "bin_with"
    held = as_scalar(checker.check(given["hist"]))
    where = as_scalar(checker.check(given["bin" if "bin" in given else "val"]))
    return Typed(NUMBER, scalars.OfHistogram(function, held, (where,)))


def _choice(checker: Checker, tree: Tree, choices: Collection[str]) -> str:
    text = written(tree)
    if text not in choices:
        hint = nearest(text, choices)
        raise checker.error(tree, f"'{text}' is not one of {', '.join(choices)}{hint}")
    return text


def _build_history(checker: Checker, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
    indices = [name for name in ("relative_index", "absolute_index") if name in given]
    if not indices:
        return _build_history_range(checker, tree, given)
    if len(given) != 2:
        raise checker.error(tree, "history expects relative_index, absolute_index or a range")
    index = integer(given[indices[0]])
    if index is None or index < 0:
        problem = f"{indices[0]} must be a whole number, 0 or more"
        raise checker.error(given[indices[0]], problem)
    query = given["expr_name"]
    assert isinstance(query, syntax.Name)
    relative = indices[0] == "relative_index"
    return Typed(checker.query_kind(query), history.History(query.name, index, relative))


def _build_history_range(checker: Checker, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
    return Typed(ARRAY, _range(checker, tree, given))


def _build_gradient_range(checker: Checker, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
    return Typed(ARRAY, history.GradientRange(_range(checker, tree, given)))


def _range(checker: Checker, tree: syntax.Call, given: Mapping[str, Tree]) -> history.HistoryRange:
    name = _number_query(checker, given["expr_name"])
    by = dict.fromkeys(key.partition("_")[2] for key in given if key != "expr_name")
    if len(by) != 1 or len(given) != 3:
        problem = (
            "a range is given by one pair: first_ and last_ with relative_index, "
            "absolute_index, absolute_time or absolute_cycle"
        )
        raise checker.error(tree, problem)
    (unit,) = by
    ends = []
    for end in ("first", "last"):
        bound = given[f"{end}_{unit}"]
        value = as_scalar(checker.check(bound))
        if unit.endswith("index") and isinstance(value, Constant) and value.constant < 0:
            raise checker.error(bound, f"{end}_{unit} must be a whole number, 0 or more")
        ends.append(value)
    first, last = ends
    if (
        isinstance(first, Constant)
        and isinstance(last, Constant)
        and first.constant > last.constant
    ):
        raise checker.error(given[f"last_{unit}"], f"last_{unit} is below first_{unit}")
    kind = {"relative_index": "relative", "absolute_index": "absolute"}
    chosen = history.Range(kind.get(unit, unit.removeprefix("absolute_")))
    return history.HistoryRange(name, chosen, first, last)


def _build_gradient(checker: Checker, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
    if "field" in given:
        return _build_derivative(checker, tree, given)
    name = _number_query(checker, given["expr_name"])
    length: Scalar = Constant(1.0)
    if "window_length" in given:
        length = as_scalar(checker.check(given["window_length"]))
    unit = "index"
    if "window_length_unit" in given:
        unit = _choice(checker, given["window_length_unit"], history.UNITS)
    shortest = 0 if unit == "time" else 1
    if isinstance(length, Constant) and length.constant < shortest:
        problem = f"window_length must be at least {shortest} in units of {unit}"
        raise checker.error(given["window_length"], problem)
    return Typed(NUMBER, history.Gradient(name, length, unit))


def _number_query(checker: Checker, tree: Tree) -> str:
    """The name of a query whose results are numbers or extrema."""
    assert isinstance(tree, syntax.Name)
    kind = checker.query_kind(tree)
    if kind not in (NUMBER, EXTREMUM, CONDITION):
        raise checker.error(tree, f"expected a query that is a number, '{tree.name}' is {kind}")
    return tree.name


def _build_if(checker: Checker, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
    condition, then, otherwise = (checker.check(argument) for argument in given.values())
    if condition.kind == FIELD and not condition.shape.logical:
        raise checker.error(given["condition"], "'if' expects a condition, found a field")
    branches = then, otherwise
    if any(each.kind == FIELD for each in (condition, *branches)):
        for name, each in zip(("then", "otherwise"), branches, strict=True):
            if each.kind not in (NUMBER, EXTREMUM, CONDITION, FIELD):
                problem = f"'if' at every sample expects numbers or fields, found {each.kind}"
                raise checker.error(given[name], problem)
        shape = checker.join(tree, [condition, *branches])
        logical = all(each.kind == CONDITION or each.shape.logical for each in branches)
        whole = fields.Elementwise("if", as_fields([condition, *branches]))
        return Typed(FIELD, whole, replace(shape, logical=logical))
    kinds = {each.kind for each in branches}
    if kinds <= {NUMBER, EXTREMUM} and len(kinds) == 2:
        kinds = {NUMBER}
    if len(kinds) > 1:
        problem = f"'if' has two kinds of values: {then.kind} and {otherwise.kind}"
        raise checker.error(tree, problem)
    return Typed(kinds.pop(), scalars.Choice(*map(as_scalar, (condition, *branches))))


def _build_replace(checker: Checker, tree: syntax.Call, given: Mapping[str, Tree]) -> Typed:
    held, find, new = (as_scalar(checker.check(argument)) for argument in given.values())
    return Typed(ARRAY, scalars.Replaced(held, find, new))


Builder = Callable[["Checker", syntax.Call, Mapping[str, Tree]], Typed]

_BUILDERS: dict[str, Builder] = {
    **dict.fromkeys(("min", "max"), _build_extremum),
    **dict.fromkeys(("abs", "exp", "log", "pow", "sin", "sqrt"), _build_math),
    **dict.fromkeys(("cycle", "time"), _build_state),
    **dict.fromkeys(("curl", "vorticity", "divergence", "qcriterion"), _build_derivative),
    **dict.fromkeys(("gradient", "history_gradient"), _build_gradient),
    **dict.fromkeys(("gradient_range", "history_gradient_range"), _build_gradient_range),
    "bin": _build_bin,
    "field": _build_field,
    "histogram": _build_histogram,
    "history": _build_history,
    "history_range": _build_history_range,
    "if": _build_if,
    "magnitude": _build_magnitude,
    "nan": _build_nan,
    "quantile": _build_quantile,
    "replace": _build_replace,
    "vector": _build_vector,
    "window": _build_window,
}
