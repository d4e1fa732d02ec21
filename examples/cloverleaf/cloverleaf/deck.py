"""Reads the input decks of CloverLeaf3D, so that a real `clover.in` runs unchanged.

In: the text of a deck. Out: a `Deck`, every setting checked and defaulted as the real reader does.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

_Number = TypeVar("_Number", int, float)

_REAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([ed][+-]?\d+)?")
_INTEGER = re.compile(r"[+-]?\d+")

# Deck word -> field of Deck.
_REALS = {
    "initial_timestep": "initial_timestep",
    "max_timestep": "max_timestep",
    "timestep_rise": "timestep_rise",
    "end_time": "end_time",
}
_INTEGERS = {
    "end_step": "end_step",
    "visit_frequency": "visit_frequency",
    "summary_frequency": "summary_frequency",
    "test_problem": "test_problem",
}
# The real reader knows these; they steer tiling and timing, which do not exist here.
_IGNORED_FLAGS = (
    "profiler_on",
    "use_fortran_kernels",
    "1d_tile_decomposition",
    "2d_tile_decomposition",
    "3d_tile_decomposition",
)
_IGNORED_INTEGERS = ("tiles_per_chunk", "tiles_per_problem")
_EXTENTS = ("xmin", "xmax", "ymin", "ymax", "zmin", "zmax")
_CELLS = ("x_cells", "y_cells", "z_cells")
_DECK_WORDS = (
    *_REALS, *_INTEGERS, *_IGNORED_FLAGS, *_IGNORED_INTEGERS, *_EXTENTS, *_CELLS, "state",
)  # fmt: skip
_STATE_REALS = ("density", "energy", "xvel", "yvel", "zvel", *_EXTENTS, "radius")
_STATE_WORDS = (*_STATE_REALS, "geometry")
# What a geometry cannot do without; the real code would read uninitialised memory.
_GEOMETRY_NEEDS = {
    "cuboid": _EXTENTS,
    "sphere": ("xmin", "ymin", "zmin", "radius"),
    "point": ("xmin", "ymin", "zmin"),
}


class DeckError(ValueError):
    """A deck that cannot be used; the message names the line where there is one."""


@dataclass(frozen=True)
class State:
    """One material region: its values, and (but for the background) where it lies.

    `bounds` holds those of xmin, xmax, ymin, ymax, zmin, zmax, radius that the deck gives; a
    sphere or point has its centre in xmin, ymin, zmin. `geometry` is None for the background.
    """

    density: float = 0.0
    energy: float = 0.0
    xvel: float = 0.0
    yvel: float = 0.0
    zvel: float = 0.0
    geometry: str | None = None
    bounds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Deck:
    """All settings of a run. Triples are in x, y, z order; defaults are the real reader's."""

    states: tuple[State, ...]
    cells: tuple[int, int, int] = (10, 10, 10)
    lower: tuple[float, float, float] = (0.0, 0.0, 0.0)
    upper: tuple[float, float, float] = (100.0, 100.0, 100.0)
    initial_timestep: float = 0.1
    max_timestep: float = 1.0
    timestep_rise: float = 1.05
    end_time: float = 10.0
    end_step: int = 640000
    visit_frequency: int = 0
    summary_frequency: int = 10
    test_problem: int = 0

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Cell widths dx, dy, dz."""
        dx, dy, dz = (
            (hi - lo) / n for lo, hi, n in zip(self.lower, self.upper, self.cells, strict=True)
        )
        return dx, dy, dz

    def with_cells(self, cells: tuple[int, int, int]) -> Deck:
        """The same problem on another grid of x, y, z cells. Raises DeckError unless positive."""
        changed = replace(self, cells=(int(cells[0]), int(cells[1]), int(cells[2])))
        _check_grid(changed)
        return changed


class _Words:
    """The words of a deck in order, with None where a line ends."""

    def __init__(self, text: str) -> None:
        self._items: list[tuple[int, str | None]] = list(_words(text))
        self._next = 0

    @property
    def exhausted(self) -> bool:
        return self._next >= len(self._items)

    def take(self) -> tuple[int, str | None]:
        item = self._items[self._next]
        self._next += 1
        return item

    def value(self, line: int, name: str) -> tuple[int, str]:
        """The next word; like the real reader it may stand on a following line."""
        while not self.exhausted:
            at, word = self.take()
            if word is not None:
                return at, word
        raise DeckError(f"line {line}: '{name}' has no value")

    def real(self, line: int, name: str) -> float:
        at, word = self.value(line, name)
        if not _REAL.fullmatch(word):
            raise DeckError(f"line {at}: '{name}' wants a real number, not '{word}'")
        return float(word.replace("d", "e"))

    def integer(self, line: int, name: str) -> int:
        at, word = self.value(line, name)
        if not _INTEGER.fullmatch(word):
            raise DeckError(f"line {at}: '{name}' wants a whole number, not '{word}'")
        return int(word)


def _words(text: str) -> Iterator[tuple[int, str | None]]:
    """Yield (line number, word) inside *clover ... *endclover; (line number, None) ends a line."""
    inside = found = False
    for number, line in enumerate(text.splitlines(), start=1):
        words = re.split(r"[!;]", line)[0].lower().replace("=", " ").replace(",", " ").split()
        if words and words[0].startswith("*"):
            if words[0] == "*endclover":
                inside = False
            elif words[0] == "*clover":
                inside = found = True
            continue
        if not inside or not words:
            continue
        continued = words[-1] == "\\"
        yield from ((number, word) for word in (words[:-1] if continued else words))
        if not continued:
            yield number, None
    if not found:
        raise DeckError("no '*clover' line: a deck starts with *clover and ends with *endclover")


def parse_deck(text: str) -> Deck:
    """Read the text of a `clover.in`.

    Words are case blind; `=` and `,` are blanks; `!` and `;` start comments; a closing backslash
    continues a line. Raises DeckError naming the line for an unknown word (with the nearest known
    one), a bad value, a state that is missing, repeated or incomplete, or an impossible grid.
    Not collective.
    """
    words = _Words(text)
    settings: dict[str, Any] = {}
    extents: dict[str, float] = {}
    cells: dict[str, int] = {}
    states: dict[int, State] = {}
    while not words.exhausted:
        line, word = words.take()
        if word is None:
            continue
        if word in _REALS:
            settings[_REALS[word]] = words.real(line, word)
        elif word in _INTEGERS:
            settings[_INTEGERS[word]] = words.integer(line, word)
        elif word in _EXTENTS:
            extents[word] = words.real(line, word)
        elif word in _CELLS:
            cells[word] = words.integer(line, word)
        elif word in _IGNORED_INTEGERS:
            words.integer(line, word)
        elif word == "state":
            _read_state(words, line, states)
        elif word not in _IGNORED_FLAGS:
            raise _unknown(line, word, _DECK_WORDS)
    return _assemble(settings, extents, cells, states)


def _read_state(words: _Words, line: int, states: dict[int, State]) -> None:
    """Read `state N key=value ...` up to the end of its line into `states`."""
    number = words.integer(line, "state")
    if number < 1:
        raise DeckError(f"line {line}: states count from 1, not {number}")
    if number in states:
        raise DeckError(f"line {line}: state {number} is defined twice")
    values: dict[str, float] = {}
    geometry: str | None = None
    while not words.exhausted:
        at, word = words.take()
        if word is None:
            break
        if word in _STATE_REALS:
            values[word] = words.real(at, word)
        elif word == "geometry":
            at, geometry = words.value(at, word)
            if geometry not in _GEOMETRY_NEEDS:
                raise _unknown(at, geometry, tuple(_GEOMETRY_NEEDS), what="geometry")
        else:
            raise _unknown(at, word, _STATE_WORDS)
    if number > 1:
        _check_geometry(line, number, geometry, values)
    bounds = {name: values.pop(name) for name in (*_EXTENTS, "radius") if name in values}
    states[number] = State(geometry=geometry, bounds=bounds, **values)


def _check_geometry(line: int, number: int, geometry: str | None, values: dict[str, float]) -> None:
    if geometry is None:
        raise DeckError(f"line {line}: state {number} has no geometry (cuboid, sphere or point)")
    lacking = [name for name in _GEOMETRY_NEEDS[geometry] if name not in values]
    if lacking:
        raise DeckError(
            f"line {line}: state {number} is a {geometry} and lacks {', '.join(lacking)}"
        )


def _unknown(line: int, word: str, known: tuple[str, ...], what: str = "word") -> DeckError:
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.0)
    hint = f"; the nearest known one is '{close[0]}'" if close else ""
    return DeckError(f"line {line}: unknown {what} '{word}'{hint}")


def _assemble(
    settings: dict[str, Any],
    extents: dict[str, float],
    cells: dict[str, int],
    states: dict[int, State],
) -> Deck:
    if not states:
        raise DeckError("no states defined: at least 'state 1 density=... energy=...' is needed")
    for number in range(1, max(states) + 1):
        if number not in states:
            raise DeckError(f"state {number} is missing, though state {max(states)} is defined")
    deck = Deck(states=tuple(states[n] for n in sorted(states)), **settings)
    deck = replace(
        deck,
        cells=_by_axis(cells, "{}_cells", deck.cells),
        lower=_by_axis(extents, "{}min", deck.lower),
        upper=_by_axis(extents, "{}max", deck.upper),
    )
    _check_grid(deck)
    return deck


def _by_axis(
    given: dict[str, _Number], word: str, defaults: tuple[_Number, _Number, _Number]
) -> tuple[_Number, _Number, _Number]:
    """The x, y, z values of a deck word, each as given or by default."""
    x, y, z = (given.get(word.format(axis), d) for axis, d in zip("xyz", defaults, strict=True))
    return x, y, z


def _check_grid(deck: Deck) -> None:
    for axis, n, lo, hi in zip("xyz", deck.cells, deck.lower, deck.upper, strict=True):
        if n < 1:
            raise DeckError(f"{axis}_cells is {n}; at least one cell is needed")
        if not hi > lo:
            raise DeckError(f"{axis}max ({hi}) must lie above {axis}min ({lo})")
