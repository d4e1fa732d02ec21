"""What values of a block's header are likely, from those before it and from its reference.

In: the place of a value, the values before it in the header, and the header that it counts from.
Out: what it is expected to be; a header may have any other value there.

The number of grid lines, of finite samples and of raw bytes follow from the cells; a block begins
where the one before ends and is as wide; axes are often alike; the lengths of payloads are what is
left of their sum.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from insitu.codecs.header_values import Value, bits_of, float_of

TOTAL = "/payloads total i"
"""Place of the sum of the payloads' lengths, which the frame tells elsewhere."""
_BYTES = {"float32": 4, "float64": 8}
_MOST = 1 << 24

Known = Mapping[str, Value]
Before = Callable[[str], Value | None]
"""Value of the reference at a place."""


def expected(place: str, known: Known, before: Before) -> Sequence[Value]:
    """Values that are likely at a place, the likeliest first."""
    usual = before(place)
    rule = _RULES.get(place)
    if rule is None:
        return () if usual is None else (usual,)
    return [one for one in rule(place, known, before, usual) if one is not None]


def _samples(known: Known) -> int | None:
    total = 1
    extra = 1 if known.get("/association s") == "vertex" else 0
    for axis in range(3):
        n = known.get(f"/cells/{axis} i")
        if not isinstance(n, int) or not 0 < n < _MOST:
            return None
        total *= n + extra
    return total


def _domain(place: str, known: Known, before: Before, usual: Any) -> list[Value | None]:
    return [usual, None if usual is None else usual + 1]


def _cells(place: str, known: Known, before: Before, usual: Any) -> list[Value | None]:
    return [known.get(f"/cells/{int(place[7:-2]) - 1} i"), usual]


def _lines(place: str, known: Known, before: Before, usual: Any) -> list[Value | None]:
    """First and last of an axis."""
    axis, end = place[7:-2].split("/")
    other = known.get(f"/nodes/{int(axis) - 1}/{end} f")
    if end != "1":
        return [usual, before(f"/nodes/{axis}/1 f"), other]
    low, first = known.get(f"/nodes/{axis}/0 f"), before(f"/nodes/{axis}/0 f")
    wide = None
    if isinstance(low, int) and isinstance(first, int) and isinstance(usual, int):
        wide = bits_of(float_of(low) + (float_of(usual) - float_of(first)))
    return [wide, usual, other]


def _n_lines(place: str, known: Known, before: Before, usual: Any) -> list[Value | None]:
    n = known.get(f"/cells/{2 - int(place[7:-2].split('/')[0])} i")
    return [n + 1 if isinstance(n, int) else None, usual]


def _range(place: str, known: Known, before: Before, usual: Any) -> list[Value | None]:
    component, end = place[7:-2].split("/")
    return [usual, known.get(f"/range/{component}/0 f") if end == "1" else None]


def _origin(place: str, known: Known, before: Before, usual: Any) -> list[Value | None]:
    component = place[8:-2]
    return [usual, known.get(f"/range/{component}/0 f"), known.get(f"/range/{component}/1 f")]


def _n_finite(place: str, known: Known, before: Before, usual: Any) -> list[Value | None]:
    return [_samples(known), usual]


def _raw_nbytes(place: str, known: Known, before: Before, usual: Any) -> list[Value | None]:
    samples = _samples(known)
    if samples is None:
        return [usual]
    n = 1
    while f"/range/{n}/0 f" in known:
        n += 1
    return [samples * n * _BYTES.get(str(known.get("/dtype s")), 4), usual]


def _payload(place: str, known: Known, before: Before, usual: Any) -> list[Value | None]:
    left = known.get(TOTAL)
    for i in range(int(place[10:-2])):
        n = known.get(f"/payloads/{i} i")
        if not isinstance(left, int) or not isinstance(n, int):
            return [usual]
        left = max(left - n, 0)
    return [left, usual]


_Rule = Callable[[str, Known, Before, Any], list[Value | None]]
_RULES: dict[str, _Rule] = {
    "/domain_id i": _domain,
    "/metrics/raw_nbytes i": _raw_nbytes,
    **{f"/cells/{axis} i": _cells for axis in range(1, 3)},
    **{f"/nodes/{axis}/{end} f": _lines for axis in range(3) for end in range(2)},
    **{f"/nodes/{axis}/2 i": _n_lines for axis in range(3)},
    **{f"/range/{i}/{end} f": _range for i in range(16) for end in range(2)},
    **{f"/origin/{i} f": _origin for i in range(16)},
    **{f"/metrics/n_finite/{i} i": _n_finite for i in range(16)},
    **{f"/payloads/{i} i": _payload for i in range(16)},
}
