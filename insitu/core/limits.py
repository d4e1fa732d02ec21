"""Valid values of an option, declared with the option.

In: `option: Annotated[int, Range(1, 16)] = 4` in a dataclass. Out: the check applied when a run
file is read, and the text for error messages. Has no imports that a run without a run file lacks.
"""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from insitu.core.errors import nearest


class Section:
    """A mapping in the run file; unknown keys are errors."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}


def changed(section: Any) -> dict[str, Any]:
    """The options of a section, a dataclass, that differ from their defaults."""
    return {
        entry.name: getattr(section, entry.name)
        for entry in dataclasses.fields(section)
        if getattr(section, entry.name) != entry.default
    }


def plain_number(value: Any, unit: str) -> float:
    """The number in a text such as "45", "45dB" or "4.5e1 dB". Raises ValueError for any other."""
    number = str(value).strip()
    if unit and number.lower().endswith(unit.lower()):
        number = number[: -len(unit)]
    try:
        return float(number)
    except ValueError:
        wanted = f"expected a number, with or without {unit}" if unit else "expected a number"
        raise ValueError(f"{wanted}; found {value!r}") from None


@dataclass(frozen=True)
class Range:
    """The range of a number, both ends included, and its unit."""

    low: float
    high: float
    unit: str = ""
    multiple: int = 1

    def __str__(self) -> str:
        of = f"the multiples of {self.multiple} in " if self.multiple > 1 else ""
        return f"{of}{self.low}..{self.high} {self.unit}".rstrip()

    def check(self, value: Any, convert: Callable[[Any], Any]) -> Any:
        """`value` converted to the option's type. Raises ValueError if it is a bool or out of
        range."""
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
    """A `Range` of a number of bytes, which may be given with a unit: "64 MiB", "2 GB"."""

    unit: str = "bytes"

    def check(self, value: Any, convert: Callable[[Any], Any]) -> Any:
        """As `Range.check`. Raises ValueError if a string is not a number with a unit."""
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
    """The valid names of an option, to which packages can add."""

    names: Callable[[], Sequence[str]]

    def check(self, value: Any) -> str:
        """Raises ValueError for any other name, with a suggestion."""
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


ALLOW_HUGE = "INSITU_ALLOW_HUGE"
_HUGE_NBYTES, _HUGE_RATIO = 1 << 30, 100_000


def huge_problem(nbytes: int, stored: int) -> str:
    """What to say, instead of decoding, of so many bytes of values in `stored` bytes of a file; ""
    where it is plausible, or the environment says that it is right.

    A forged header of a kilobyte may claim any number of cells, and decoding them would take all
    memory.
    """
    plausible = nbytes <= _HUGE_NBYTES or nbytes <= _HUGE_RATIO * stored
    if plausible or os.environ.get(ALLOW_HUGE, "0") != "0":
        return ""
    sizes = f"{byte_size(nbytes)} of values in {byte_size(stored)}"
    return f"claims {sizes}; if you trust this file, set {ALLOW_HUGE}=1"


def byte_size(nbytes: float) -> str:
    """ "512 B", "3.2 KiB", "1.5 MiB", ..."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if nbytes < 1024:
            return f"{nbytes:.0f} B" if unit == "B" else f"{nbytes:.1f} {unit}"
        nbytes /= 1024
    return f"{nbytes:.1f} TiB"
