"""Headers as few bytes: JSON-able objects, each coded with what is known from those before it.

In: headers. Out: bytes, which are not checksummed; and the same headers again, bit for bit.

Every header counts from one before it, its reference: from the one that followed the last one's
reference, or from one that many places back. Where both have the same form, only values are coded
(`insitu.codecs.header_values`), with what other values of the header imply
(`insitu.codecs.expected_values`). A new form is coded mark by mark. The first headers count from
typical ones (`insitu.codecs.typical_headers`), which also teach the coder its chances: a change of
any of these modules requires a new version of frames.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from insitu.codecs.errors import FrameError
from insitu.codecs.expected_values import expected
from insitu.codecs.header_coder import (
    Chances,
    Coder,
    Decoder,
    Encoder,
    Recent,
    Values,
    trust,
)
from insitu.codecs.header_form import Form, FormReader, form_of, header_of
from insitu.codecs.header_values import Layered, Limit, Value
from insitu.codecs.typical_headers import typical_headers

_ALIKE = (("/name s", "/domain_id i"), ("/field s",), ("/domain_id i",))
"""A header counts from the last one with the same values at these places."""
_MOST_ROWS = 1 << 14
_N_FORMS, _FORM_BITS = 16, 4
_SEEDED = 6  # typical headers count as if the chances had been learned from so many bits

_Row = tuple[Form, tuple[Value, ...]]


@dataclass
class Memory:
    """What is known after some headers."""

    chances: Chances = field(default_factory=lambda: Chances())
    recent: Recent = field(default_factory=lambda: Recent())
    marks: Layered = field(default_factory=Layered)
    """What came after a mark, the last first."""
    forms: list[Form] = field(default_factory=list)
    """The last ones that differ, the last first."""
    rows: list[_Row] = field(default_factory=list)
    reference: int = -1
    """Of the last row."""
    n_typical: int = 0
    """How many of the rows are typical headers."""

    def copy(self) -> Memory:
        """One that changes without this one."""
        chances, recent, marks = self.chances.copy(), self.recent.copy(), self.marks.copy()
        return Memory(
            chances, recent, marks, self.forms[:], self.rows[:], self.reference, self.n_typical
        )

    def forget(self) -> None:
        """Leave only the last rows, so that no run needs ever more memory."""
        too_many = max(len(self.rows) - _MOST_ROWS, 0)
        self.rows, self.reference = self.rows[too_many:], max(self.reference - too_many, -1)
        self.n_typical = max(self.n_typical - too_many, 0)


FREE, PER_BYTE = 1 << 16, 256
"""Values, marks and letters of which b bytes have at most FREE + PER_BYTE * b."""


def encode(
    headers: Sequence[Mapping[str, Any]],
    memory: Memory | None = None,
    told: Mapping[str, Value] | None = None,
    most: int | None = None,
) -> bytes:
    """The bytes of headers. Not collective.

    Args:
        memory: of earlier headers, which are then needed to decode; these are added to it. Default:
            typical headers alone.
        told: what `expected` may know beside the headers' own values, by place.
        most: limit of values, marks and letters. Default: as many as the bytes may have, which are
            padded with zeros where necessary.

    Raises ValueError beyond the limit, and as `form_of`.
    """
    coder, limit = Encoder(), Limit(_ANY if most is None else most)
    _code(coder, headers, len(headers), memory or new_memory(), told or {}, limit)
    coded = coder.finish()
    if most is None:
        least = -(-(_ANY - limit.left - FREE) // PER_BYTE)
        coded += bytes(max(least - len(coded), 0))
    return coded


def decode(
    data: bytes,
    n: int,
    memory: Memory | None = None,
    told: Mapping[str, Value] | None = None,
    most: int | None = None,
) -> list[dict[str, Any]]:
    """n headers from untrusted bytes; the arguments as those of `encode`. Not collective.

    Raises FrameError where they are not of `encode` with the same memory, as far as that shows.
    """
    limit = Limit(FREE + PER_BYTE * len(data) if most is None else most)
    return _code(Decoder(data), None, n, memory or new_memory(), told or {}, limit)


_ANY = 1 << 62


def new_memory() -> Memory:
    """That of typical headers."""
    seeded = _seeded()
    return Memory(
        Chances(seeded.chances), Recent(seeded.recent), Layered(seeded.marks),
        seeded.forms[:], seeded.rows[:], seeded.reference, len(seeded.rows),
    )  # fmt: skip


@cache
def _seeded() -> Memory:
    memory = Memory()
    headers = typical_headers()
    _code(Encoder(), headers, len(headers), memory, {}, Limit(_ANY))
    trust(memory.chances, _SEEDED)
    return memory


def _code(
    coder: Coder,
    headers: Sequence[Mapping[str, Any]] | None,
    n: int,
    memory: Memory,
    told: Mapping[str, Value],
    limit: Limit,
) -> list[dict[str, Any]]:
    """Headers, in both directions; None: to be decoded, which alone returns them."""
    memory.forget()
    values = Values(coder, memory.chances, memory.recent, limit)
    last = {} if headers is None else _last_alike(memory)
    found: list[dict[str, Any]] = []
    for i in range(n):
        limit.take()
        wanted = None
        if headers is not None:
            form, given = form_of(headers[i], limit)
            wanted = form, tuple(given)
        best = len(memory.rows) - 1 if wanted is None else _best(wanted, last, memory)
        at = _code_reference(values, memory, best)
        reference = memory.rows[at] if memory.rows else None
        form = _code_form(values, memory, limit, reference, wanted and wanted[0])
        row = form, _code_values(values, form, reference, told, wanted and wanted[1])
        memory.rows.append(row)
        memory.reference = at
        if headers is None:
            found.append(header_of(*row))
        else:
            _add_alike(last, row, len(memory.rows) - 1)
    return found


_Alike = dict[tuple[Any, ...], int]


def _keys(row: _Row) -> list[tuple[Any, ...]]:
    form, values = row
    there = form.index
    return [
        (places, *(values[there[place]] for place in places))
        for places in _ALIKE
        if all(place in there for place in places)
    ]


def _last_alike(memory: Memory) -> _Alike:
    found: _Alike = {}
    for at in range(memory.n_typical, len(memory.rows)):
        _add_alike(found, memory.rows[at], at)
    return found


def _add_alike(last: _Alike, row: _Row, at: int) -> None:
    last.update(dict.fromkeys(_keys(row), at))


def _best(row: _Row, last: _Alike, memory: Memory) -> int:
    """The row to count from: one that is alike, or the one before."""
    return next((last[key] for key in _keys(row) if key in last), len(memory.rows) - 1)


def _code_reference(values: Values, memory: Memory, wanted: int) -> int:
    n = len(memory.rows)
    if not n:
        return -1
    usual = memory.reference + 1
    if usual < n and values.flag("usual reference", wanted == usual):
        return usual
    back = values.number("back", n - wanted)
    if not 1 <= back <= n:
        raise FrameError(f"headers: one of {n} counts from one {back} places before")
    return n - back


def _code_form(
    values: Values, memory: Memory, limit: Limit, reference: _Row | None, wanted: Form | None
) -> Form:
    forms = memory.forms
    if reference is not None:
        if values.flag("same form", wanted == reference[0]):
            _to_front(forms, reference[0], _N_FORMS)
            return forms[0]
        at = forms.index(wanted) if wanted in forms else None
        if values.flag("known form", at is not None):
            form = forms[min(values.tree("form", _FORM_BITS, at or 0), len(forms) - 1)]
            _to_front(forms, form, _N_FORMS)
            return form
    reader = FormReader()
    while not reader.done:
        limit.take()
        mark = None if wanted is None else wanted.marks[len(reader.marks)]
        reader.take(_code_mark(values, memory, reader.context, mark))
    _to_front(forms, reader.form, _N_FORMS)
    return forms[0]


def _code_mark(
    values: Values, memory: Memory, context: tuple[str, str, int], wanted: str | None
) -> str:
    known = memory.marks.find(context)
    if known is None:
        known = memory.marks[context] = []
    for number, mark in enumerate(known):
        place = f"mark {number} of {context}"
        if values.flag(place, mark == wanted, f"mark {number}"):
            break
    else:
        mark = values.text("mark", wanted or "")
    _to_front(known, mark, _N_FORMS)
    return mark


def _to_front(items: list[Any], item: Any, most: int) -> None:
    if item in items:
        items.remove(item)
    items.insert(0, item)
    del items[most:]


def _code_values(
    values: Values,
    form: Form,
    reference: _Row | None,
    told: Mapping[str, Value],
    wanted: tuple[Value, ...] | None,
) -> tuple[Value, ...]:
    found: list[Value] = []
    known = dict(told)
    there = {} if reference is None else reference[0].index
    values_before = () if reference is None else reference[1]

    def before(place: str) -> Value | None:
        at = there.get(place)
        return None if at is None else values_before[at]

    for i, (kind, place) in enumerate(form.places):
        given = None if wanted is None else wanted[i]
        one = values.value(kind, place, given, expected(place, known, before))
        known[place] = one
        found.append(one)
    return tuple(found)
