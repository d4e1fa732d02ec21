"""What a trigger has done so far: whether it fires depends on it, also after a restart.

In: whether the condition holds at each step. Out: whether the trigger fires; the cycles at which it
did, and at which its condition began or ceased to hold, as plain values.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol


class Limits(Protocol):
    """What of a trigger its past matters for."""

    @property
    def mode(self) -> str: ...
    @property
    def cooldown(self) -> int: ...
    @property
    def max_firings(self) -> int | None: ...


@dataclass
class TriggerState:
    """The past of one trigger, the same on every rank. Not collective."""

    fired: list[int] = field(default_factory=list)
    """The cycles at which it fired."""
    turned: list[tuple[int, bool]] = field(default_factory=list)
    """The cycles at which its condition began, or ceased, to hold."""

    @property
    def held(self) -> bool:
        """Whether the condition held at the last step."""
        return bool(self.turned) and self.turned[-1][1]

    @property
    def latched(self) -> bool:
        """Whether the condition held at any step."""
        return bool(self.turned)

    def evaluated(self, limits: Limits) -> bool:
        """Whether the condition is still needed."""
        return not self.exhausted(limits) and not (limits.mode == "latch" and self.latched)

    def exhausted(self, limits: Limits) -> bool:
        return limits.max_firings is not None and len(self.fired) >= limits.max_firings

    def fires(self, limits: Limits, holds: bool, cycle: int) -> bool:
        """Whether it fires at a step at which the condition holds or not."""
        if self.exhausted(limits):
            return False
        if self.fired and abs(cycle - self.fired[-1]) < limits.cooldown:
            return False
        if limits.mode == "edge":
            return holds and not self.held
        return holds or (limits.mode == "latch" and self.latched)

    def remember(self, holds: bool, fired: bool, cycle: int) -> None:
        """Add a step."""
        if holds != self.held:
            self.turned.append((cycle, holds))
        if fired:
            self.fired.append(cycle)

    def to_plain(self) -> dict[str, Any]:
        """For JSON."""
        return {"fired": self.fired, "turned": self.turned}

    @classmethod
    def from_plain(cls, plain: Any, before: int) -> TriggerState:
        """What `to_plain` returned, up to the last cycle before `before`. Raises ValueError,
        TypeError or LookupError for anything else."""
        fired = [int(cycle) for cycle in plain["fired"]]
        turned = [(int(cycle), bool(holds)) for cycle, holds in plain["turned"]]
        return cls([c for c in fired if c < before], [t for t in turned if t[0] < before])


def matters(limits: Limits) -> bool:
    """Whether it depends on the past when the trigger fires."""
    return limits.mode != "level" or limits.cooldown > 0 or limits.max_firings is not None
