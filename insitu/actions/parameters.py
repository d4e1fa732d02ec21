"""Parameters of filters that are expressions over queries, as in `min_value: top - 0.3 * length`.

In: the params of a filter. Out: which of them are expressions, as queries; the params with numbers.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from insitu.actions.base import read
from insitu.actions.errors import InvalidAction
from insitu.actions.filter_types import FILTERS
from insitu.actions.parse_particles import in_domain
from insitu.actions.reader import ActionParser
from insitu.core.yaml_tree import KeyPath
from insitu.filters.evaluated import Evaluated
from insitu.filters.pipeline import Filter
from insitu.queries.expressions import Expression, ExpressionError, parse
from insitu.queries.triggers import Query
from insitu.queries.values import EXTREMUM, NUMBER

_TRIALS = (lambda i: 0.001 * (i + 1), lambda i: i + 1, lambda i: -0.001 * (i + 1))
"""Numbers in place of the expressions, by which the rest of the params is checked: increasing, as
limits have to be; small, as offsets; whole, as counts."""


def filter_of(
    reader: ActionParser, kind: str, params: Mapping[str, Any], path: KeyPath, name: str
) -> Filter:
    """The filter of this type, made anew at every step if parameters are expressions.

    Args:
        path: of the params.
        name: of the pipeline and the filter, for the names of its queries.

    Raises: InvalidAction, with the whole path.
    """
    try:
        return _made(reader, kind, params, path, name)
    except InvalidAction as refused:
        if not FILTERS[kind].params.numbers_by_expressions:
            raise
        found = _expressions(reader, params, path, refused)
        if not found:
            raise
        like = _like(reader, kind, params, path, list(found), name)
    queries = [f"{name}/{'/'.join(map(str, place))}" for place in found]
    for query, expression in zip(queries, found.values(), strict=True):
        if query not in reader.kinds:
            reader.kinds[query] = expression.kind
            reader.parameters.append(Query(name=query, expression=expression))
    return Evaluated(
        type=kind,
        text=repr(params),
        queries=tuple(queries),
        like=like,
        make=_Maker(reader, kind, params, path, tuple(found)),
    )


class _Maker:
    """Makes the filter for numbers in place of the expressions."""

    def __init__(
        self,
        reader: ActionParser,
        kind: str,
        params: Mapping[str, Any],
        path: KeyPath,
        places: Sequence[KeyPath],
    ) -> None:
        self.kind, self.params, self.path, self.places = kind, params, path, places
        self.steps, self.periodic = reader.steps, reader.periodic

    def __call__(self, values: Sequence[float]) -> Filter:
        whole = _with(self.params, self.places, values)
        found = read(FILTERS[self.kind].params, whole, self.path).make(self.kind, self.steps)
        return in_domain(found, self.periodic)


def _made(
    reader: ActionParser, kind: str, params: Mapping[str, Any], path: KeyPath, name: str
) -> Filter:
    return read(FILTERS[kind].params, params, path).made(reader, kind, path, name)


def _expressions(
    reader: ActionParser, params: Mapping[str, Any], path: KeyPath, refused: InvalidAction
) -> dict[KeyPath, Expression]:
    """Of the texts that were refused where a number belongs, those that are expressions, by their
    places in the params. Raises InvalidAction for one that is meant to be an expression."""
    wrong = [one.path for one in (refused, *refused.also)]
    found: dict[KeyPath, Expression] = {}
    for place, text in _texts(params, ()):
        whole = (*path, *place)
        if not any(whole[: len(other)] == other for other in wrong):
            continue
        try:
            expression = parse(text, reader.kinds)
        except ExpressionError as error:
            if not set(text) & set("()+-*/"):
                continue  # a word
            raise InvalidAction(whole, str(error)) from None
        if expression.kind in (NUMBER, EXTREMUM):
            found[place] = expression
    return found


def _like(
    reader: ActionParser,
    kind: str,
    params: Mapping[str, Any],
    path: KeyPath,
    places: Sequence[KeyPath],
    name: str,
) -> Filter:
    """The filter with some numbers. Raises InvalidAction where the rest is wrong."""
    for last, trial in enumerate(_TRIALS, 1):
        try:
            values = [trial(i) for i in range(len(places))]
            return _made(reader, kind, _with(params, places, values), path, name)
        except InvalidAction:
            if last == len(_TRIALS):
                raise
    raise AssertionError


def _texts(tree: Any, place: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    items: Any = ()
    if isinstance(tree, Mapping):
        items = tree.items()
    elif isinstance(tree, list):
        items = enumerate(tree)
    for key, value in items:
        if isinstance(value, str):
            yield (*place, key), value
        else:
            yield from _texts(value, (*place, key))


def _with(
    params: Mapping[str, Any], places: Sequence[KeyPath], values: Sequence[float]
) -> dict[str, Any]:
    whole = copy.deepcopy(dict(params))
    for place, value in zip(places, values, strict=True):
        holder: Any = whole
        for key in place[:-1]:
            holder = holder[key]
        holder[place[-1]] = value
    return whole
