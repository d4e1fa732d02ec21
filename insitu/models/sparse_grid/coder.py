"""Entropy coding of a sparse grid's coefficients in whole steps: the reference.

In: coefficients, and up to two arrays that resemble them: the step before, and another component.
Out: decisions, bit for bit those of `insitu/engines/cpu/cpp/sparse_coder.hpp`.

Levels go from coarse to fine. At each, an octree over the positions, breadth first, says where some
band has a coefficient that is not zero (Shapiro, "Embedded image coding using zerotrees of wavelet
coefficients", 1993, codes the same fact in trees over the levels). There, each band's zero flag,
sign, exponent and mantissa follow. The contexts of a decision are what resembles it: neighbors that
are coded already, the coarser level, bands at the same position, and the two other arrays; and,
where one of these is not given, more of the neighbors instead.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from insitu.models.sparse_grid import bands

Numbers = NDArray[np.int32]
Point = tuple[int, int, int]  # x, y, z

_MOST = 1 << 16  # magnitudes are cut off here in sums
_MOST_EXPONENT = 24
# First context and first set of weights of each kind of decision.
_NODE, _ZERO, _SIGN, _EXPONENT, _MANTISSA = 0, 4096, 12288, 14336, 24576
_OTHER = 2048  # first context of those that stand for an array that is not given
_NODE_SET, _ZERO_SET, _SIGN_SET, _EXPONENT_SET, _MANTISSA_SET = 0, 8, 16, 24, 40


FIRST, LATEST = 1, 2
"""Which contexts numbers are coded with: of payloads of versions 1 and 2, and of those written."""


class Coder(Protocol):
    def code(self, bit: int, contexts: Sequence[int], selector: int) -> int: ...


def coarse(v: int) -> int:
    """A logarithmic class 0..7 of a sum of magnitudes."""
    return v if v < 3 else next((k for k, end in enumerate((5, 7, 11, 19), 3) if v < end), 7)


def fine(v: int) -> int:
    """A logarithmic class 0..15, two to an octave."""
    if v < 4:
        return v
    k = v.bit_length() - 1
    return min(15, 2 * k + (v >> (k - 1) & 1))


def quarter(v: int) -> int:
    """A logarithmic class 0..63, four to an octave."""
    if v < 4:
        return v
    k = v.bit_length() - 1
    return min(4 * (k - 1) + (v >> (k - 2) & 3), 63)


def size_of(v: int) -> int:
    """A magnitude, cut off."""
    return min(abs(v), _MOST)


def sign_class(v: int) -> int:
    return 0 if v == 0 else 1 if v > 0 else 2


class Level:
    """Boxes of one level: positions, and where each band lies."""

    def __init__(self, size: Point, mask: int) -> None:
        """size: averages that are split, x y z."""
        self.size, self.mask = size, mask
        x, y, z = ((n + 1) // 2 if mask >> a & 1 else n for a, n in enumerate(size))
        self.low = (x, y, z)

    @property
    def bands(self) -> list[int]:
        return [band for band in range(1, 8) if not band & ~self.mask]

    def at(self, band: int, p: Point) -> Point | None:
        """Index z, y, x of a band at a position; None where it has nothing there."""
        where = [p[a] + (self.low[a] if band >> a & 1 else 0) for a in range(3)]
        if any(band >> a & 1 and where[a] >= self.size[a] for a in range(3)):
            return None
        return where[2], where[1], where[0]


class Pyramid:
    """An octree over positions: [0] has one number per position, each next half as many along each
    axis."""

    def __init__(self, positions: Point) -> None:
        self.at = [np.zeros(positions[::-1], np.int64)]
        while self.at[-1].size > 1:
            self.at.append(np.zeros([(n + 1) // 2 for n in self.at[-1].shape], np.int64))

    def get(self, depth: int, x: int, y: int, z: int) -> int:
        """0 beyond the ends."""
        nz, ny, nx = self.at[depth].shape
        if not (0 <= x < nx and 0 <= y < ny and 0 <= z < nz):
            return 0
        return int(self.at[depth][z, y, x])

    def faces(self, depth: int, x: int, y: int, z: int) -> int:
        """Sum of the six neighbors."""
        return sum(
            self.get(depth, x + i, y + j, z + k)
            for i, j, k in ((-1, 0, 0), (1, 0, 0), (0, -1, 0), (0, 1, 0), (0, 0, -1), (0, 0, 1))
        )


def energy(level: Level, numbers: Numbers) -> Pyramid:
    """Bits of all bands' magnitudes at each position of a level, and their largest below a node."""
    tree = Pyramid(level.low)
    for x, y, z in itertools.product(*map(range, level.low)):
        for band in level.bands:
            at = level.at(band, (x, y, z))
            if at is not None:
                bits = abs(int(numbers[at])).bit_length()
                tree.at[0][z, y, x] = min(255, int(tree.at[0][z, y, x]) + bits)
    for finer, coarser in itertools.pairwise(tree.at):
        for z, y, x in np.ndindex(finer.shape):
            node = z // 2, y // 2, x // 2
            coarser[node] = max(coarser[node], finer[z, y, x])
    return tree


class CoefficientCoder:
    """Codes components one after the other; a decoder fills them in."""

    def __init__(
        self, shape: tuple[int, int, int], splits: list[int], coder: Coder, coding: int = LATEST
    ) -> None:
        """shape: (nz, ny, nx)."""
        sizes = [(x, y, z) for z, y, x in bands.sizes(shape, splits)]
        self._levels = [Level(n, mask) for n, mask in zip(sizes, splits, strict=False)]
        self._coarsest = sizes[-1]
        self._coder, self._latest = coder, coding == LATEST

    def component(
        self, numbers: Numbers, before: Numbers | None, beside: Numbers | None, decodes: bool
    ) -> None:
        """Codes numbers (nz, ny, nx), zero at first where they are decoded."""
        self._q, self._arrays, self._decodes = numbers, (before, beside), decodes
        self._averages()
        self._above: Pyramid | None = None
        self._parent: Level | None = None
        for j, level in reversed(list(enumerate(self._levels))):
            self._level, self._class = level, min(j, 7)
            self._hints = [None if a is None else energy(level, a) for a in self._arrays]
            known = Pyramid(level.low)
            self._coded = Pyramid(level.low)  # [0]: bits of the magnitudes at a position
            self._positions(known)
            for z, y, x in np.argwhere(known.at[0]).tolist():
                self._at_position(known, x, y, z)
            self._above, self._parent = energy(level, numbers), level

    # ---- the octree of positions

    def _positions(self, known: Pyramid) -> None:
        truth = None if self._decodes else energy(self._level, self._q)

        def flag(depth: int, x: int, y: int, z: int) -> int:
            return 0 if truth is None else int(truth.get(depth, x, y, z) != 0)

        top = len(known.at) - 1
        known.at[top][0, 0, 0] = self._node(known, top, (0, 0, 0), 0, flag(top, 0, 0, 0))
        for depth in range(top - 1, -1, -1):
            nz, ny, nx = known.at[depth].shape
            for pz, py, px in np.argwhere(known.at[depth + 1]).tolist():
                children = [
                    (2 * px + (c & 1), 2 * py + (c >> 1 & 1), 2 * pz + (c >> 2)) for c in range(8)
                ]
                inside = [(x, y, z) for x, y, z in children if x < nx and y < ny and z < nz]
                found = 0
                for left, child in zip(range(len(inside) - 1, -1, -1), inside, strict=True):
                    x, y, z = child
                    bit = 1  # the last child of a node that has one
                    if left or found:
                        bit = self._node(known, depth, child, found, flag(depth, x, y, z))
                    found += bit
                    known.at[depth][z, y, x] = bit

    def _node(self, known: Pyramid, d: int, node: Point, found: int, bit: int) -> int:
        x, y, z = node
        left, up, back = (
            known.get(d, x - 1, y, z), known.get(d, x, y - 1, z), known.get(d, x, y, z - 1)
        )  # fmt: skip
        causal = left + up + back
        for i, j, k in ((-1, -1, 0), (-1, 0, -1), (0, -1, -1), (1, -1, 0), (1, 0, -1), (0, 1, -1)):
            causal += known.get(d, x + i, y + j, z + k)
        around = 0  # of the parent's neighbors, those that touch this node
        if d + 1 < len(known.at):
            sx, sy, sz = (1 if i & 1 else -1 for i in node)
            around = (
                known.get(d + 1, x // 2 + sx, y // 2, z // 2)
                + known.get(d + 1, x // 2, y // 2 + sy, z // 2)
                + known.get(d + 1, x // 2, y // 2, z // 2 + sz)
            )
        over = over_faces = 0
        if self._above is not None:
            e = max(d - 1, 0)
            ax, ay, az = (i >> e for i in self._above_position(node, d))
            over, over_faces = self._above.get(e, ax, ay, az), self._above.faces(e, ax, ay, az)
        depth, child = min(d, 7), (x & 1) | (y & 1) << 1 | (z & 1) << 2
        few = min(causal, 7)
        of_hints = [self._hint_class(h, d, node) * 8 + few for h in range(2)]
        if self._latest:
            straight = left + up + back
            if self._arrays[0] is None:
                of_hints[0] = _OTHER + (
                    depth << 8 | straight << 6 | around << 4 | min(over, 3) << 2 | min(found, 3)
                )
            if self._arrays[1] is None:
                of_hints[1] = _OTHER + (
                    (d > 0) << 10
                    | fine(over_faces) << 6
                    | child << 3
                    | straight << 1
                    | (around > 1)
                )
        contexts = [
            depth << 5 | left << 4 | up << 3 | back << 2 | around,
            depth << 6 | min(over, 7) << 3 | coarse(over_faces),
            depth << 5 | child << 2 | min(found, 3),
            few << 7 | fine(over + over_faces) << 3 | around << 1 | (d == 0),
            self._class << 6 | depth << 3 | few,
            *of_hints,
        ]
        return self._coder.code(bit, [_NODE + c for c in contexts], _NODE_SET + min(d, 3))

    def _hint_class(self, h: int, d: int, node: Point) -> int:
        """0 without a hint; else 1 + a class of what it has here and around."""
        hint = self._hints[h]
        if hint is None:
            return 0
        return 1 + min(hint.get(d, *node), 7) * 16 + fine(hint.faces(d, *node))

    def _above_position(self, node: Point, d: int) -> list[int]:
        """From a node of this level to the position of the coarser level below its middle."""
        assert self._parent is not None
        place = []
        for a in range(3):
            middle = (node[a] << d) + ((1 << d) >> 1)
            at = middle // 2 if self._parent.mask >> a & 1 else middle
            place.append(min(at, self._parent.low[a] - 1))
        return place

    # ---- the coefficients at a position

    def _at_position(self, known: Pyramid, x: int, y: int, z: int) -> None:
        level, here = self._level, (x, y, z)
        there = [band for band in level.bands if level.at(band, here) is not None]
        around = sum(
            known.get(0, x + i, y + j, z + k) for i, j, k in itertools.product((-1, 0, 1), repeat=3)
        )
        self._faces, self._around = known.faces(0, x, y, z), min((around - 1) // 3, 7)
        above = None
        self._over = self._over_faces = 0
        if self._above is not None:
            ax, ay, az = self._above_position(here, 0)
            above = (ax, ay, az)
            self._over, self._over_faces = (
                self._above.get(0, ax, ay, az), self._above.faces(0, ax, ay, az)
            )  # fmt: skip
        self._at_hint = [self._hint_class(h, 0, here) // 4 for h in range(2)]
        self._later = sum(
            known.get(0, *after) << a
            for a, after in enumerate(((x + 1, y, z), (x, y + 1, z), (x, y, z + 1)))
        )
        self._energy = self._energy_around(known, here) if self._latest else 0
        self._mask = self._sum = 0
        self._signs = [0, 0]
        for band in there:
            at = level.at(band, here)
            assert at is not None
            parent = 0
            if above is not None and self._parent is not None and not band & ~self._parent.mask:
                where = self._parent.at(band, above)
                parent = 0 if where is None else int(self._q[where])
            near = self._near(lambda p, band=band: level.at(band, p), here)  # type: ignore[misc]
            expect = self._expected(level, band, here, near, parent) if self._latest else 0
            last = band == there[-1] and not self._mask
            v = self._number(at, band, near, parent, expect, last)
            self._coded.at[0][z, y, x] += abs(v).bit_length()
            if v:
                self._mask |= 1 << (band - 1)
                self._sum += min(abs(v), _MOST)
                self._signs = [sign_class(v), self._signs[0]]

    def _energy_around(self, known: Pyramid, here: Point) -> int:
        """Bits of the magnitudes at the neighbors that are coded, and how many others have some."""

        def get(tree: Pyramid, *steps: tuple[int, int, int]) -> int:
            places = ([i + by for i, by in zip(here, step, strict=True)] for step in steps)
            return sum(min(tree.get(0, *place), 255) for place in places)

        straight = get(self._coded, (-1, 0, 0), (0, -1, 0), (0, 0, -1))
        diagonal = get(
            self._coded, (-1, -1, 0), (-1, 0, -1), (0, -1, -1), (1, -1, 0), (1, 0, -1), (0, 1, -1)
        )
        return straight + diagonal // 2 + get(known, (1, 0, 0), (0, 1, 0), (0, 0, 1))

    def _expected(
        self, level: Level, band: int, here: Point, near: tuple[int, int, int, int], parent: int
    ) -> int:
        """The magnitude to be expected, about, in 64ths: weights fitted to fields of several
        kinds."""

        def get(numbers: Numbers, *steps: tuple[int, int]) -> int:
            """A magnitude of the band at a place that is (axis, by) away; 0 beyond the ends."""
            place = list(here)
            for axis, by in steps:
                place[axis] += by
            if any(not 0 <= i < n for i, n in zip(place, level.low, strict=True)):
                return 0
            at = level.at(band, (place[0], place[1], place[2]))
            return 0 if at is None else size_of(int(numbers[at]))

        sums = [0, 0]  # of neighbors across and along the axes of the details
        for a in range(3):
            sums[band >> a & 1] += size_of(near[a])
        hint = self._arrays[0]
        if hint is not None:
            hinted = [0, 0]
            for a in range(3):
                hinted[band >> a & 1] += get(hint, (a, -1)) + get(hint, (a, 1))
            around = 7 * hinted[0] + 10 * hinted[1] + 26 * sums[0] + 8 * sums[1]
            return (48 * get(hint) + around + 4 * size_of(parent)) // 2
        pairs = itertools.combinations(range(3), 2)
        oblique = sum(get(self._q, (a, 1), (b, -1)) for a, b in pairs)
        return 20 * sums[0] + 12 * sums[1] + 6 * oblique + 2 * size_of(parent)

    def _near(
        self, place: Callable[[Point], Point | None], here: Point
    ) -> tuple[int, int, int, int]:
        """Coded neighbors of a band along x, y, z, and a weighted sum of these and diagonal ones'
        magnitudes."""

        def get(i: int, j: int, k: int) -> int:
            p = (here[0] - i, here[1] - j, here[2] - k)
            at = place(p) if min(p) >= 0 else None
            return 0 if at is None else int(self._q[at])

        straight = [get(1, 0, 0), get(0, 1, 0), get(0, 0, 1)]
        diagonal = [get(1, 1, 0), get(1, 0, 1), get(0, 1, 1)]
        total = 2 * sum(min(abs(v), _MOST) for v in straight)
        total += sum(min(abs(v), _MOST) for v in diagonal)
        return straight[0], straight[1], straight[2], total

    def _number(
        self,
        at: Point,
        band: int,
        near: tuple[int, int, int, int],
        parent: int,
        expect: int,
        not_zero: bool,
    ) -> int:
        """Codes one coefficient, and returns it. expect: see `_expected`."""
        value = int(self._q[at])
        hinted = [None if a is None else int(a[at]) for a in self._arrays]
        x, y, z, magnitude = near
        size = size_of(parent)
        own, up, rest = fine(magnitude), coarse(size), fine(self._sum)
        everything = fine((magnitude + 2 * self._sum + 2 * size + self._over) // 2)
        axes = band.bit_count()
        likely = quarter(expect)
        half = min(likely // 2, 15)
        sizes = 0
        for v in (x, y, z, parent):
            sizes = 3 * sizes + min(abs(v), 2)
        if not not_zero:
            if self._latest:
                contexts = [
                    (axes << 6 | likely) << 2 | min(size, 3),
                    half << 8 | self._faces << 5 | self._around << 2 | axes,
                    band << 7 | self._mask,
                    min(likely // 4, 7) << 9
                    | min(self._over, 7) << 6
                    | fine(self._over_faces) << 2
                    | axes,
                    half << 8 | fine(self._over) << 4 | rest,
                    _OTHER + (sizes << 3 | band),
                    _OTHER + ((fine(self._energy) << 3 | self._later) << 3 | band),
                ]
            else:
                contexts = [
                    band << 7 | own << 3 | up,
                    band << 6 | self._faces << 3 | self._around,
                    band << 7 | self._mask,
                    band << 7 | min(self._over, 7) << 4 | fine(self._over_faces),
                    everything << 5 | axes << 3 | self._class,
                    axes,
                    axes,
                ]
            for h, (place, hint) in enumerate(zip(self._at_hint, hinted, strict=True)):
                if hint is not None:
                    contexts[5 + h] = place << 5 | (1 + min(abs(hint), 6)) << 2 | axes
            bit = self._coder.code(value != 0, [_ZERO + c for c in contexts], _ZERO_SET + band)
            if not bit:
                self._q[at] = 0
                return 0
        of_sign = [
            band * 27 + sign_class(x) * 9 + sign_class(y) * 3 + sign_class(z),
            band * 9 + sign_class(parent) * 3 + sign_class(x),
            band * 9 + self._signs[0] * 3 + self._signs[1],
            band * 9 + sign_class(y) * 3 + sign_class(z),
            band << 3 | self._class,
            *(0 if hint is None else 1 + sign_class(hint) for hint in hinted),
        ]
        if self._latest and hinted[0] is not None:
            of_sign[5] = 3 + min(max(hinted[0], -2), 2)
        negative = self._coder.code(value < 0, [_SIGN + c for c in of_sign], _SIGN_SET + axes)
        exponent = 0
        while exponent < _MOST_EXPONENT:
            e = min(exponent, 15)
            if self._latest:
                contexts = [
                    e << 8 | axes << 6 | likely,
                    e << 8 | half << 4 | fine(size),
                    e << 6 | band << 3 | self._class,
                    e << 8 | half << 4 | rest,
                    e << 8 | half << 4 | self._around << 1 | (self._class == 0),
                    e << 8 | sizes,
                    e << 8 | fine(self._energy) << 2 | axes,
                ]
            else:
                contexts = [
                    e << 4 | own,
                    e << 4 | fine(size),
                    e << 6 | band << 3 | self._class,
                    e << 4 | rest,
                    e << 5 | everything << 1 | (self._class == 0),
                    e << 4,
                    e << 4,
                ]
            for h, hint in enumerate(hinted):
                if hint is not None:
                    contexts[5 + h] = e << 4 | fine(size_of(hint))
            more = abs(value).bit_length() - 1 > exponent
            selector = _EXPONENT_SET + min(e, 3)
            if not self._coder.code(more, [_EXPONENT + c for c in contexts], selector):
                break
            exponent += 1
        found = 1
        for k in range(exponent - 1, -1, -1):
            e, place = min(exponent, 15), min(exponent - 1 - k, 2)
            head = found & 3 if place < 2 else 0
            context, plain = e << 4 | place << 2 | head, axes << 2 | place
            contexts = [context, context + 512, plain + 1024, plain + 1024, 1536, 1536, 1536]
            if self._latest:
                if place < 2:
                    which = (min(e, 7) << 1 | place) << 2 | head
                    contexts[4] = _OTHER + (which << 6 | likely)
                if hinted[0] is not None:
                    contexts[5] = 1600 + (_hinted_bit(abs(hinted[0]), found, k) << 2 | place)
            found = found << 1 | self._coder.code(
                abs(value) >> k & 1, [_MANTISSA + c for c in contexts], _MANTISSA_SET + place
            )
        self._q[at] = -found if negative else found
        return -found if negative else found

    def _averages(self) -> None:
        """The averages that no level splits."""
        self._faces = self._around = self._over = self._over_faces = self._mask = self._sum = 0
        self._at_hint, self._signs, self._class = [0, 0], [0, 0], 7
        self._energy = self._later = 0
        for z, y, x in itertools.product(*(range(n) for n in self._coarsest[::-1])):
            near = self._near(lambda p: (p[2], p[1], p[0]), (x, y, z))
            self._number((z, y, x), 0, near, 0, 6 * near[3], False)


def _hinted_bit(hint: int, head: int, k: int) -> int:
    """1 + bit k of the hint after the same leading bits; else 0 where it is smaller, 3 larger."""
    begins = hint >> (k + 1)
    return 1 + (hint >> k & 1) if begins == head else 0 if begins < head else 3
