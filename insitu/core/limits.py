"""The values that an option may have, kept beside the option.

In: `option: Annotated[int, Range(1, 16)] = 4` in a dataclass. Out: the check that reading a run
file makes of it, and its text in an error. Nothing is imported that a run without one would miss.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from insitu.core.errors import nearest


class Section:
    """A mapping in the run file; keys that it does not know are refused."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}


@dataclass(frozen=True)
class Range:
    """The values a number may have, both ends included, and their unit."""

    low: float
    high: float
    unit: str = ""
    multiple: int = 1

    def __str__(self) -> str:
        of = f"the multiples of {self.multiple} in " if self.multiple > 1 else ""
        return f"{of}{self.low}..{self.high} {self.unit}".rstrip()

    def check(self, value: Any, convert: Callable[[Any], Any]) -> Any:
        """`value` converted to the option's type; ValueError if it is a bool or out of range."""
        if isinstance(value, bool):
            raise ValueError(f"{str(value).lower()} is not a number")
        number = convert(value)
        if not self.low <= number <= self.high or (self.multiple > 1 and number % self.multiple):
            raise ValueError(f"{value} is not in {self}")
        return number

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_wrap_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:
        limits = {"minimum": self.low, "maximum": self.high}
        limits |= {"multipleOf": self.multiple} if self.multiple > 1 else {}
        return {**handler(core), **limits, **({"unit": self.unit} if self.unit else {})}


@dataclass(frozen=True)
class ByteSize(Range):
    """A `Range` of bytes, whose numbers may be followed by a unit: "64 MiB", "2 GB"."""

    unit: str = "bytes"

    def check(self, value: Any, convert: Callable[[Any], Any]) -> Any:
        """As `Range.check`; ValueError if a text is not a number and a unit."""
        if isinstance(value, str):
            found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(?:([KMGT]?)(i?)B)?", value.strip(), re.I)
            if not found:
                raise ValueError(f"{value!r} is not a number of bytes such as 64 MiB")
            number, prefix, binary = found.groups()
            power = "KMGT".find(prefix.upper()) + 1 if prefix else 0
            value = round(float(number) * (1024 if binary else 1000) ** power)
        return super().check(value, convert)

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:
        size = {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*([KMGTkmgt]?[iI]?[bB])?\s*$"}
        number = super().__get_pydantic_json_schema__(core, handler)
        title = "bytes, such as `64 MiB`"
        return {"anyOf": [number, size], "title": title, "unit": self.unit}


@dataclass(frozen=True)
class OneOf:
    """The words an option may have, where packages can add to them."""

    names: Callable[[], Sequence[str]]

    def check(self, value: Any) -> str:
        """ValueError where it is none of them, with the nearest."""
        names = list(self.names())
        if not isinstance(value, str) or value not in names:
            hint = nearest(value, names) if isinstance(value, str) else ""
            *most, last = map(repr, names)
            there = f"{', '.join(most)} or {last}" if most else last
            raise ValueError(f"{value!r} is not one of {there}{hint}")
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(self.check)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> Any:
        return {"type": "string", "enum": list(self.names())}
