"""Compression targets: parsing them from options, and checking whether they were reached.

In: options by name, as on the command line. Out: a Target for training; unmet targets.
"""

from __future__ import annotations

import dataclasses
import typing
from dataclasses import dataclass
from typing import Any

from insitu.core.errors import ConfigError, nearest
from insitu.core.limits import Range, plain_number
from insitu.io.compressed_array import CompressedArray
from insitu.training.options import QUALITY_DB, Bound, Target

DEFAULT = {"psnr": 40.0}
"""The target if none is given."""


@dataclass(frozen=True)
class Option:
    """One field of Target on the command line."""

    metavar: str
    help: str


OPTIONS = {
    "psnr": Option("DB", "accuracy against the array's range, in dB; default: 40"),
    "quality": Option("WORD", "the same in words: draft (40 dB), visual (55 dB) or fine (70 dB)"),
    "ratio": Option("R", "raw bytes over compressed bytes, at the best accuracy"),
    "max_error": Option(
        "E", "largest error of any value, guaranteed; rel:1e-3 is a part of the array's range"
    ),
    "iterations": Option("N", "training steps per block"),
    "seconds": Option("S", "wall-clock time per block"),
}


def make_target(**given: Any) -> Target:
    """A Target from the options that are not None; the default target if all are None.

    Raises ConfigError for an unknown name or an out-of-range value.
    """
    wanted = {name: value for name, value in given.items() if value is not None} or dict(DEFAULT)
    if "quality" in wanted:
        word = wanted.pop("quality")
        if word not in QUALITY_DB:
            hint = nearest(str(word), QUALITY_DB)
            raise ConfigError([f"quality: {word!r} is not one of {', '.join(QUALITY_DB)}{hint}"])
        if "psnr" in wanted:
            raise ConfigError(["quality and psnr are both given; give only one"])
        wanted["psnr"] = QUALITY_DB[word]
    hints = typing.get_type_hints(Target, include_extras=True)
    values: dict[str, Any] = {}
    for name, value in wanted.items():
        if name not in hints:
            raise ConfigError([f"{name}: unknown target{nearest(name, hints)}"])
        values[name] = _check(name, value, hints[name])
    return Target(**values)


def missed(target: Target, array: CompressedArray) -> list[str]:
    """Messages for the parts of the target that the array misses; empty if it is met."""
    problems = []
    if target.psnr is not None and array.psnr_db < target.psnr:
        problems.append(f"{array.psnr_db:.1f} dB; the target is {target.psnr:g} dB")
    if target.ratio is not None and array.ratio < target.ratio:
        problems.append(f"a ratio of {array.ratio:.1f}; the target is {target.ratio:g}")
    return problems


def asked(target: Target) -> dict[str, Any]:
    """The options that the target sets, by name."""
    return {name: value for name, value in dataclasses.asdict(target).items() if value is not None}


def _check(name: str, value: Any, hint: Any) -> Any:
    """`value` converted to the option's type and checked against its range."""
    kind, limits = _annotation(hint)
    if isinstance(value, str) and value.startswith("rel:") and isinstance(limits, Bound):
        value = {"rel": value.removeprefix("rel:")}
    try:
        if isinstance(value, str) and isinstance(limits, Range):
            value = plain_number(value, limits.unit)
            if kind is int and not value.is_integer():
                raise ValueError(f"expected a whole number; found {value:g}")
        return limits.check(value) if isinstance(limits, Bound) else limits.check(value, kind)
    except (TypeError, ValueError) as error:
        raise ConfigError([f"{name}: {error}"]) from None


def _annotation(hint: Any) -> tuple[type, Range | Bound]:
    """Type and limits of an `Annotated[type, limits]` hint, optional or not."""
    for part in (hint, *typing.get_args(hint)):
        if typing.get_origin(part) is typing.Annotated:
            kind, limits = typing.get_args(part)
            return kind, limits
    raise TypeError(f"{hint}: expected Annotated[type, Range]")
