"""Results of queries read from an earlier run, used instead of computing the queries.

In: the results file of a run. Out: results by query; an expression that looks them up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from insitu.core.errors import ConfigError
from insitu.queries.binnings import uniform
from insitu.queries.expressions import Expression
from insitu.queries.scalars import Context, Result, Scalar
from insitu.queries.session_file import TYPES
from insitu.queries.triggers import Query
from insitu.queries.values import (
    Bin,
    BinAxis,
    Binning,
    Box,
    Extremum,
    Histogram,
    Lineout,
    NotYet,
    Value,
)


@dataclass(frozen=True)
class Known(Scalar):
    """A query with known results; it has no value at cycles without one."""

    name: str
    results: Mapping[int, Result] = field(compare=False, repr=False)
    """Cycle -> result, in order."""

    def value(self, context: Context) -> Value:
        if context.cycle not in self.results:
            raise NotYet(f"{self.name} has no result at cycle {context.cycle}")
        return self.results[context.cycle].value

    def before(self, cycle: int) -> list[Result]:
        """The results of earlier cycles, oldest first."""
        return [result for result in self.results.values() if result.cycle < cycle]


def known(query: Query, results: Mapping[int, Result]) -> Query:
    """The same query, with its results looked up instead of computed from fields."""
    name, kind = query.name, query.expression.kind
    expression = Expression(name, Known(name, results), kind, {}, {}, {name: kind})
    return replace(query, expression=expression)


def read(path: Path, kinds: Mapping[str, str] | None = None) -> dict[str, dict[int, Result]]:
    """The results of each query by cycle, as `session_file.write` wrote them. Not collective.

    kinds: of queries by name; if given, results of other names and kinds are left out.

    Raises: ConfigError if the file does not exist or is not such a file.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C loader if available
    try:
        tree = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
        return {
            str(name): {
                int(cycle): Result(int(cycle), float(entry["time"]), _value(entry))
                for cycle, entry in steps.items()
                if kinds is None or entry["type"] == TYPES[kinds[str(name)]]
            }
            for name, steps in (tree or {}).items()
            if kinds is None or str(name) in kinds
        }
    except OSError as error:
        raise ConfigError([f"{path}: {error.strerror or error}"]) from None
    except (yaml.YAMLError, AttributeError, LookupError, TypeError, ValueError) as error:
        text = str(error).partition("\n")[0]
        raise ConfigError([f"{path}: not the results of queries: {text}"]) from None


def _value(entry: Mapping[str, Any]) -> Value:
    if "attrs" not in entry:
        return _plain(entry["value"])
    return _STRUCTURED[entry["type"]](entry["attrs"])


def _all_plain(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain(attribute["value"]) for name, attribute in attributes.items()}


def _histogram(attributes: Mapping[str, Any]) -> Histogram:
    found = _all_plain(attributes)
    return Histogram(found["value"], found["min_val"], found["max_val"])


def _binning(attributes: Mapping[str, Any]) -> Binning:
    variable, how = (str(attributes[f"reduction_{what}"]["value"]) for what in ("var", "op"))
    axes = []
    for name, axis in attributes["bin_axes"]["value"].items():
        clamp = bool(axis["clamp"])
        if "bins" in axis:
            axes.append(BinAxis(str(name), _plain(axis["bins"]), clamp=clamp))
        else:
            low, high = float(axis["min_val"]), float(axis["max_val"])
            axes.append(uniform(str(name), int(axis["num_bins"]), low, high, clamp))
    return Binning(_plain(attributes["value"]["value"]), variable, how, tuple(axes))


def _lineout(attributes: Mapping[str, Any]) -> Lineout:
    points = _all_plain(attributes["coordinates"])
    values = tuple(_all_plain(attributes["vars"]).items())
    outside = _plain(attributes["empty_value"]["value"])
    return Lineout(points["x"], points["y"], points["z"], values, outside)


_STRUCTURED: dict[str, Callable[[Mapping[str, Any]], Value]] = {
    "value_position": lambda attributes: Extremum(**_all_plain(attributes)),
    "histogram": _histogram,
    "binning": _binning,
    "bin": lambda attributes: Bin(**_all_plain(attributes)),
    "aabb": lambda attributes: Box(**_all_plain(attributes)),
    "lineout": _lineout,
}
"""By the type in the file."""


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(float(item) for item in value)
    return value if isinstance(value, bool) else float(value)
