"""Signatures of the expression language's functions, which follow Ascent's.

In: a call's function and arguments. Out: the signature that matches.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from insitu.queries.values import (
    ARRAY,
    BINNING,
    CONDITION,
    EXTREMUM,
    FIELD,
    HISTOGRAM,
    LIST,
    MESH,
    NUMBER,
    TEXT,
    VECTOR,
)

# Types that a parameter accepts, besides the kinds of values.
INTEGER, QUERY = "a whole number", "the name of a query"
OPERAND, ANYTHING = "a number or a field", "an expression"
LOGICAL = "a condition, or one at every sample"

_ACCEPTED = {
    NUMBER: (NUMBER, EXTREMUM),
    OPERAND: (NUMBER, EXTREMUM, FIELD),
    LOGICAL: (CONDITION, FIELD),
}


def accepts(wanted: str, kind: str) -> bool:
    """Whether a parameter of type `wanted` accepts a value of that kind."""
    return wanted == ANYTHING or kind in _ACCEPTED.get(wanted, (wanted,))


@dataclass(frozen=True)
class Parameter:
    name: str
    kind: str
    optional: bool = False


@dataclass(frozen=True)
class Signature:
    """One signature of a function. `does` describes its result in the documentation."""

    parameters: tuple[Parameter, ...]
    does: str

    def bind(self, positional: int, named: Iterable[str]) -> list[Parameter] | None:
        """The parameters bound by a call, positional ones first; None if it does not match."""
        by_name = {p.name: p for p in self.parameters}
        given = list(self.parameters[:positional])
        for name in named:
            if name not in by_name or by_name[name] in given:
                return None
            given.append(by_name[name])
        lacking = [p for p in self.parameters if not p.optional and p not in given]
        return None if lacking or positional > len(self.parameters) else given

    def usage(self, function: str) -> str:
        """The call syntax: `field(field_name, [component], [step])`."""
        shown = (f"[{p.name}]" if p.optional else p.name for p in self.parameters)
        return f"{function}({', '.join(shown)})"


def _signature(does: str, *parameters: tuple[str, str]) -> Signature:
    """Parameters are (name, kind); a name in brackets is optional."""
    return Signature(
        tuple(Parameter(n.strip("[]"), kind, n.startswith("[")) for n, kind in parameters), does
    )


_RANGE = tuple(
    (f"[{end}_{by}]", INTEGER if by.endswith("index") else NUMBER)
    for by in ("relative_index", "absolute_index", "absolute_time", "absolute_cycle")
    for end in ("first", "last")
)
_HISTORY_RANGE = _signature(
    "the results of a query in a range: an array", ("expr_name", QUERY), *_RANGE
)
_GRADIENT = _signature(
    "how fast a query has changed: a number",
    ("expr_name", QUERY),
    ("[window_length]", NUMBER),
    ("[window_length_unit]", TEXT),
)
_GRADIENT_RANGE = _signature(
    "how fast a query changed between the results in a range: an array",
    ("expr_name", QUERY),
    *_RANGE,
)


def _extremum(word: str) -> tuple[Signature, ...]:
    return (
        _signature(
            f"the {word}er of two numbers; of fields, at every sample",
            ("arg1", OPERAND),
            ("arg2", OPERAND),
        ),
        _signature(f"the {word}est number of an array", ("arg1", ARRAY)),
        _signature(
            f"the {word}est value, with .value and .position; of a window, over all its steps",
            ("arg1", FIELD),
        ),
    )


def _reduction(does: str) -> tuple[Signature, ...]:
    return (
        _signature(f"{does}: of an array", ("arg1", ARRAY)),
        _signature(f"{does}: of a field's finite samples", ("arg1", FIELD)),
    )


def _math(does: str, count: int = 1) -> tuple[Signature, ...]:
    return (_signature(does, *((f"arg{i + 1}", OPERAND) for i in range(count))),)


def _derivative(does: str) -> Signature:
    return _signature(does, ("field", FIELD))


_NAN_COUNT = (_signature("how many samples are NaN", ("arg1", FIELD)),)
_INF_COUNT = (_signature("how many samples are infinite", ("arg1", FIELD)),)
_CURL = (_derivative("the curl of a vector field: a vector field"),)

_PAINTED = (
    _signature(
        "at every sample the value of the bin that it is in, and `default_val`, 0, where it is in "
        "none: a field",
        ("binning", BINNING),
        ("[default_val]", NUMBER),
        ("[topo]", MESH),
        ("[assoc]", TEXT),
    ),
)

FUNCTIONS: dict[str, tuple[Signature, ...]] = {
    "abs": _math("the absolute value"),
    "avg": _reduction("the mean"),
    "axis": (
        _signature(
            "an axis of a binning along a scalar field or 'x', 'y', 'z': bins between given "
            "edges, or `num_bins`, 256, of equal width; with `clamp`, values beyond the ends are "
            "in the first and the last bin",
            ("name", TEXT),
            ("[bins]", LIST),
            ("[min_val]", NUMBER),
            ("[max_val]", NUMBER),
            ("[num_bins]", INTEGER),
            ("[clamp]", CONDITION),
        ),
    ),
    "bin": (
        _signature(
            "the bin of a binning with that index", ("binning", BINNING), ("index", INTEGER)
        ),
        _signature("the value of the bin with that index", ("hist", HISTOGRAM), ("bin", INTEGER)),
        _signature("the value of the bin that holds `val`", ("hist", HISTOGRAM), ("val", NUMBER)),
    ),
    "binning": (
        _signature(
            "a field, or 'x', 'y', 'z', or '' for the number of samples, reduced in the bins of "
            "axes: 'min', 'max', 'sum', 'avg', 'pdf', 'std', 'var', 'rms' or 'count'",
            ("reduction_var", TEXT),
            ("reduction_op", TEXT),
            ("bin_axes", LIST),
            ("[empty_bin_val]", NUMBER),
            ("[component]", TEXT),
        ),
    ),
    "binning_value": _PAINTED,
    "bounds": (
        _signature("the box of the mesh, with .min and .max", ("[topology]", MESH)),
        _signature("the box of the mesh, with .min and .max", ("[topology]", TEXT)),
    ),
    "cdf": (_signature("shares of the whole up to each bin: a histogram", ("hist", HISTOGRAM)),),
    "count": (
        _signature("how many numbers an array has", ("arg1", ARRAY)),
        _signature(
            "how many samples are finite; of a comparison, at how many it holds", ("arg1", FIELD)
        ),
    ),
    "curl": _CURL,
    "cycle": (_signature("the cycle of the simulation"),),
    "derived_field": (
        _signature(
            "a number or a field at every cell or vertex: `assoc` 'element' or 'vertex'",
            ("arg1", OPERAND),
            ("[topo]", TEXT),
            ("[assoc]", TEXT),
        ),
    ),
    "divergence": (_derivative("the divergence of a vector field: a field"),),
    "entropy": (_signature("the Shannon entropy in nats", ("hist", HISTOGRAM)),),
    "exp": _math("the exponential"),
    "field": (
        _signature(
            "a field, or a component 'x', 'y', 'z'; with step=-k, k recorded steps before",
            ("field_name", TEXT),
            ("[component]", TEXT),
            ("[step]", INTEGER),
        ),
    ),
    "field_inf_count": _INF_COUNT,
    "field_nan_count": _NAN_COUNT,
    "gradient": (
        _derivative("the gradient of a scalar field: a vector field"),
        _GRADIENT,
    ),
    "gradient_range": (_GRADIENT_RANGE,),
    "histogram": (
        _signature(
            "counts of the finite samples in bins of equal width; those beyond the ends are in "
            "the first and last bin",
            ("arg1", FIELD),
            ("[num_bins]", INTEGER),
            ("[min_val]", NUMBER),
            ("[max_val]", NUMBER),
        ),
    ),
    "history": (
        _signature(
            "an earlier result of a query; with first_... and last_..., as history_range",
            ("expr_name", QUERY),
            ("[relative_index]", INTEGER),
            ("[absolute_index]", INTEGER),
            *_RANGE,
        ),
    ),
    "history_gradient": (_GRADIENT,),
    "history_gradient_range": (_GRADIENT_RANGE,),
    "history_range": (_HISTORY_RANGE,),
    "if": (
        _signature(
            "`if condition then a else b`: one of two values; of fields, at every sample",
            ("condition", LOGICAL),
            ("then", ANYTHING),
            ("otherwise", ANYTHING),
        ),
    ),
    "inf_count": _INF_COUNT,
    "lineout": (
        _signature(
            "fields at evenly spaced points of a line, with .x .y .z, .value of the first field "
            "and the names of the fields; `empty_val`, 0, outside of the mesh",
            ("samples", INTEGER),
            ("start", VECTOR),
            ("end", VECTOR),
            ("fields", LIST),
            ("[empty_val]", NUMBER),
        ),
    ),
    "log": _math("the natural logarithm"),
    "magnitude": (
        _signature("the length of a vector", ("arg1", VECTOR)),
        _signature("the length at every sample: a field", ("vector", FIELD)),
    ),
    "max": _extremum("great"),
    "max_from_point": (
        _signature(
            "the greatest value of a binning with one axis, of equal ones the nearest to a point; "
            ".position is the way there",
            ("binning", BINNING),
            ("axis", TEXT),
            ("point", NUMBER),
        ),
    ),
    "min": _extremum("small"),
    "nan": (_signature("not a number"),),
    "nan_count": _NAN_COUNT,
    "paint_binning": (
        _signature(
            "the same as binning_value",
            ("binning", BINNING),
            ("[name]", TEXT),
            ("[default_val]", NUMBER),
            ("[topo]", MESH),
            ("[assoc]", TEXT),
        ),
    ),
    "pdf": (_signature("shares of the whole in each bin: a histogram", ("hist", HISTOGRAM)),),
    "point_and_axis": (
        _signature(
            "the bin of a binning with one axis that is the nearest to a point and above a "
            "threshold; `direction` 1, above the point, or -1",
            ("binning", BINNING),
            ("axis", TEXT),
            ("threshold", NUMBER),
            ("point", NUMBER),
            ("[miss_value]", NUMBER),
            ("[direction]", INTEGER),
        ),
    ),
    "pow": _math("arg1 to the power of arg2", 2),
    "qcriterion": (_derivative("Q, (|rotation|^2 - |strain|^2) / 2, of a vector field: a field"),),
    "quantile": (
        _signature(
            "the value below which the share `q` of the data lies, within its bin 'linear', "
            "'lower', 'higher', 'midpoint' or 'nearest'",
            ("cdf", HISTOGRAM),
            ("q", NUMBER),
            ("[interpolation]", TEXT),
        ),
    ),
    "rand": (_signature("a random number in 0..1 at every cell: a field"),),
    "recenter": (
        _signature(
            "a field at cells or at vertices: `mode` 'toggle', 'element' or 'vertex'",
            ("field", FIELD),
            ("[mode]", TEXT),
        ),
    ),
    "replace": (
        _signature(
            "an array in which one value stands for another",
            ("arg1", ARRAY),
            ("find", NUMBER),
            ("replace", NUMBER),
        ),
    ),
    "sin": _math("the sine, of radians"),
    "sqrt": _math("the square root"),
    "sum": _reduction("the sum"),
    "time": (_signature("the time of the simulation"),),
    "topo": (
        _signature(
            "the mesh: .cell has .x .y .z, .dx .dy .dz, .volume, .area and .id, .vertex has "
            ".x .y .z and .id, all of them fields",
            ("arg1", TEXT),
        ),
    ),
    "vector": _math("a vector of three numbers, or a vector field of three fields", 3),
    "vorticity": _CURL,
    "window": (
        _signature(
            "a field at the last `steps` steps, the present one included: those there are yet",
            ("field_name", TEXT),
            ("steps", INTEGER),
            ("[component]", TEXT),
        ),
    ),
}
"""Every function of the language, with its signatures."""


def usage(function: str) -> str:
    """The call syntax of a function; several signatures are joined by "or"."""
    return " or ".join(dict.fromkeys(s.usage(function) for s in FUNCTIONS[function]))
