"""The values that an option may have, kept beside the option.

In: `option: Annotated[int, Range(1, 16)] = 4` in a dataclass. Out: the check that reading a run
file makes of it, and its text in an error. Nothing is imported that a run without one would miss.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Range:
    """The values a number may have, both ends included, and their unit."""

    low: float
    high: float
    unit: str = ""

    def __str__(self) -> str:
        high = "" if self.high == float("inf") else f"{self.high:g}"
        return f"{self.low:g}..{high} {self.unit}".rstrip()

    def check(self, value: Any, convert: Callable[[Any], Any]) -> Any:
        """`value` converted to the option's type; ValueError if it is a bool or out of range."""
        if isinstance(value, bool):
            raise ValueError(f"{value} is not a number")
        number = convert(value)
        if not self.low <= number <= self.high:
            raise ValueError(f"{value} is not in {self}")
        return number

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_wrap_validator_function(self.check, handler(source))
