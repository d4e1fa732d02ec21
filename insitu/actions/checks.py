"""What can only be checked when there is a simulation: which fields it publishes, and of what kind.

In: a run file's actions, what is published. Out: nothing, or ConfigError with all that is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from insitu.actions.model import Actions
from insitu.config import RunConfig
from insitu.core.errors import ConfigError, nearest
from insitu.queries.expressions import Expression, ExpressionError, FieldKind


def check_fields(run: RunConfig, actions: Actions, published: Collection[str]) -> None:
    """Check that the simulation publishes all that is asked for. Not collective.

    Args:
        published: the names of the fields that the simulation publishes, on any rank.

    Raises: ConfigError, with all the problems found.
    """
    problems = []
    for name, field in run.fields.items():
        for component in field.components or (name,):
            if component not in published:
                hint = nearest(component, published)
                there = f" (there are {', '.join(sorted(published))})"
                text = f"the simulation publishes no field '{component}'{hint or there}"
                problems.append(f"fields.{name}: {text}")
    known = {*published, *run.fields}
    problems += _problems(actions, lambda expression: expression.check_names(known))
    if problems:
        raise ConfigError(problems)


def check_kinds(actions: Actions, kinds: Mapping[str, FieldKind]) -> None:
    """Check that expressions, scenes and extracts take each field as what it is: scalar or vector,
    of cells or nodes. Not collective.

    Args:
        kinds: what there is under each name that they read.

    Raises: ConfigError, with all the problems found.
    """
    problems = _problems(actions, lambda expression: expression.check_kinds(kinds))
    for owner, action in actions.every:
        try:
            action.check_kinds(kinds)
        except ValueError as error:
            problems.append(f"{owner}: {error}")
    if problems:
        raise ConfigError(problems)


def check_past(actions: Actions, steps: Mapping[str, int]) -> None:
    """Check that expressions look no farther back than is kept. Not collective.

    Args:
        steps: how many past steps of each field there are at the most.

    Raises: ConfigError, with all the problems found.
    """
    problems = _problems(actions, lambda expression: expression.check_past(steps))
    if problems:
        raise ConfigError(problems)


def _problems(actions: Actions, check: Callable[[Expression], None]) -> list[str]:
    found = []
    for owner, expression in actions.expressions:
        try:
            check(expression)
        except ExpressionError as error:
            found.append(f"{owner}: {error}")
    return found
