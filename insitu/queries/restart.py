"""Results of queries, and the past of triggers, over the restarts of a simulation.

In: the results file of an earlier run, and the first cycle of this one. Out: what came before that
cycle, for `history` and for triggers; the file, continued.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from insitu.core.atomic_file import set_aside
from insitu.core.errors import ConfigError
from insitu.queries import known_results, session_file
from insitu.queries.expressions import Expression
from insitu.queries.scalars import Result
from insitu.queries.session_file import Lines
from insitu.queries.trigger_state import TriggerState

_COMMENT = "insitu: "
"""Starts a comment with the expressions of queries and the states of triggers, in JSON: other
readers of the file skip it."""

States = Mapping[str, tuple[str, TriggerState]]
"""By trigger: its condition as text, and what it has done so far."""

_ANEW = "queries and triggers begin anew"


@dataclass(frozen=True)
class Earlier:
    """What an earlier run left of the time before this one."""

    results: Mapping[str, Sequence[Result]] = field(default_factory=dict)
    """Of queries, by name, oldest first; some of them empty."""
    states: Mapping[str, TriggerState] = field(default_factory=dict)
    """Of triggers, by name."""
    told: str = ""
    """What is to be said about it."""
    problem: str = ""
    """Why there is nothing, though there is a file."""


class SessionFile:
    """The file of one run, which may continue that of an earlier one. Not collective."""

    def __init__(
        self, path: Path, queries: Mapping[str, Expression], *, overwrite: bool = False
    ) -> None:
        """queries: of this run, by name. overwrite: replace an earlier run's file."""
        self.path, self.queries, self.overwrite = path, queries, overwrite
        self._first: int | None = None  # the first cycle of this run
        self._known: dict[str, int] = {}  # how many results of each query were the earlier run's
        self._resumes = False
        self._earlier: Lines | None = None
        self._told = ""  # what is still to be told

    def resume(self, first: int, triggers: Mapping[str, str]) -> Earlier:
        """What the file has of the time before the first cycle of this run.

        triggers: the conditions of those whose past matters, by name. What an earlier run found
        with another expression, or under another condition, is left out.
        """
        self._first = first
        if self.overwrite or not self.path.is_file():
            return Earlier()
        try:
            before = _read_comment(self.path)
            texts = before.get("queries", {})
            kinds = {
                name: query.kind
                for name, query in self.queries.items()
                if texts.get(name, query.identity) == query.identity
            }
            found = known_results.read(self.path, kinds)
            states = _states(before.get("triggers", {}), triggers, first)
        except ConfigError as error:
            return Earlier(problem=f"{error.problems[0]}: {_ANEW}")
        except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
            return Earlier(problem=f"{self.path}: {error}: {_ANEW}")
        results = {
            name: [result for cycle, result in sorted(steps.items()) if cycle < first]
            for name, steps in found.items()
        }
        self._known = {name: len(history) for name, history in results.items()}
        self._resumes = any(results.values()) or any(state.turned for state in states.values())
        if not self._resumes:
            return Earlier()
        names = ", ".join([*(n for n in results if results[n]), *states])
        cycles = [result.cycle for history in results.values() for result in history]
        cycles += [cycle for state in states.values() for cycle, _ in state.turned]
        told = f"{names}: continued from cycles {min(cycles)} to {max(cycles)} of {self.path}"
        return Earlier(results, states, told)

    def write(self, results: Mapping[str, Sequence[Result]], states: States | None = None) -> str:
        """Write all results, and the states of triggers. Returns what is to be told of an earlier
        run's file, once, when they are written; else "".

        Results of an earlier run are kept up to the first cycle of this one. A file of which
        nothing would be kept, or which cannot be understood, stays, under a numbered name. Nothing
        is written before the first step. Raises: OSError.
        """
        if self._first is None or not (states or any(results.values())):
            return ""
        if self._earlier is None:
            self._earlier, self._told = self._find_earlier(self._first)
        own = {name: history[self._known.get(name, 0) :] for name, history in results.items()}
        kinds = {name: query.kind for name, query in self.queries.items()}
        comment = self._comment(states or {})
        session_file.write(self.path, own, kinds, self._earlier, comment)
        told, self._told = self._told, ""
        return told

    def _find_earlier(self, first: int) -> tuple[Lines, str]:
        if self.overwrite or not self.path.is_file():
            return {}, ""
        lines = session_file.read_lines(self.path.read_text(encoding="utf-8", errors="replace"))
        kept = {
            name: {cycle: text for cycle, text in steps.items() if cycle < first}
            for name, steps in lines.items()
        }
        if self._resumes or any(kept.values()):
            cycles = {cycle for steps in lines.values() for cycle in steps if cycle >= first}
            if not cycles:  # a restart where the run before ended: nothing to warn of
                return kept, ""
            which = f"replaces its cycles {min(cycles)} to {max(cycles)}"
            return kept, f"{self.path}: continued at cycle {first}; {which}"
        return {}, f"{self.path} of an earlier run is now {set_aside(self.path)}"

    def _comment(self, states: States) -> str:
        triggers = {
            name: {"condition": condition, **state.to_plain()}
            for name, (condition, state) in states.items()
        }
        texts = {name: query.identity for name, query in self.queries.items()}
        return f"{_COMMENT}{json.dumps({'queries': texts, 'triggers': triggers})}"


def _read_comment(path: Path) -> dict[str, Any]:
    with path.open(encoding="utf-8", errors="replace") as file:
        line = file.readline()
    start = f"# {_COMMENT}"
    return dict(json.loads(line[len(start) :])) if line.startswith(start) else {}


def _states(
    there: Mapping[str, Any], triggers: Mapping[str, str], first: int
) -> dict[str, TriggerState]:
    """The states of triggers under the same conditions, up to the last cycle before `first`."""
    return {
        name: TriggerState.from_plain(there[name], first)
        for name, condition in triggers.items()
        if name in there and there[name]["condition"] == condition
    }
