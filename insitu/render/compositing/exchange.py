"""One rank's side of compositing: the fragments that it holds, sends, receives and blends.

In: its layers, their positions in the visibility order, messages. Out: messages, its part of the
picture. It makes no MPI calls, so that one process can simulate any number of ranks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from insitu.render.compositing.fragment import Canvas, Fragment, blend, decode, encode
from insitu.render.compositing.schedule import Interval, Round, rounds
from insitu.render.volume.march import Layer


class Exchange:
    """State of one rank, which may hold layers anywhere in the visibility order.

    Layers of a group of merged ranks that are consecutive in the order form one fragment; between
    two fragments of a group there is at least one layer of another group. Every rank can therefore
    derive from `holders` which fragments a message contains. If each rank has one layer, and ranks
    are numbered in visibility order, every group has a single fragment.
    """

    def __init__(
        self,
        rank: int,
        n_ranks: int,
        layers: Sequence[Layer],
        holders: np.ndarray,
        canvas: Canvas,
        algorithm: str,
        precision: np.dtype,
    ) -> None:
        """layers: of this rank, front to back. holders: (total number of layers,) the rank that
        holds the layer at each position of the order. n_ranks: number of ranks that take part."""
        self.canvas, self.holders, self.precision = canvas, holders, precision
        self.rounds: list[Round] = rounds(rank, n_ranks, canvas.n_pixels, algorithm)
        self._samples = canvas.n_pixels * canvas.samples
        places = np.flatnonzero(holders == rank)
        firsts = _run_starts(holders, (rank, rank + 1))
        held: dict[int, list[Fragment]] = {int(first): [] for first in firsts}
        for place, layer in zip(places, layers, strict=True):
            first = int(firsts[np.searchsorted(firsts, place, side="right") - 1])
            held[first].append(canvas.fragment(layer))
        # Fragments, keyed by the position in the order at which each begins.
        self._held = {first: blend(parts, 0, self._samples) for first, parts in held.items()}

    def outgoing(self, step: Round) -> list[tuple[int, np.ndarray]]:
        """The receivers and messages, (n,) uint8, of a round."""
        if not self._held:
            return []
        messages = []
        for transfer in step.sends:
            begin, end = self._in_samples((transfer.begin, transfer.end))
            cut = [fragment.within(begin, end) for fragment in self._held.values()]
            messages.append((transfer.peer, encode(cut, begin, self.precision)))
        return messages

    def senders(self, step: Round) -> list[int]:
        """The ranks that send a message; ranks of a group without layers send none."""
        return [t.peer for t in step.receives if len(self._firsts_of(t.peer, step))]

    def merge(self, step: Round, incoming: Mapping[int, np.ndarray]) -> None:
        """Blend the messages, keyed by sender, with the fragments held; keep only the own part."""
        begin, end = self._in_samples(step.after)
        parts = [(first, fragment.within(begin, end)) for first, fragment in self._held.items()]
        for transfer in step.receives:
            if transfer.peer in incoming:
                firsts = self._firsts_of(transfer.peer, step).tolist()
                start, _ = self._in_samples((transfer.begin, transfer.end))
                message = incoming[transfer.peer]
                parts += zip(
                    firsts, decode(message, start, len(firsts), self.precision), strict=True
                )
        runs = _run_starts(self.holders, (step.groups[0][0], step.groups[-1][1]))
        merged: dict[int, list[Fragment]] = {int(first): [] for first in runs}
        for first, fragment in sorted(parts, key=lambda part: part[0]):
            run = int(runs[np.searchsorted(runs, first, side="right") - 1])
            merged[run].append(fragment)
        self._held = {first: blend(found, begin, end) for first, found in merged.items()}

    def part(self) -> Fragment:
        """This rank's pixels of the picture, after the last round."""
        whole = next(iter(self._held.values()), Fragment.empty())
        return self.canvas.pixels(whole)

    def _in_samples(self, interval: Interval) -> Interval:
        return interval[0] * self.canvas.samples, interval[1] * self.canvas.samples

    def _firsts_of(self, rank: int, step: Round) -> np.ndarray:
        """The positions at which the fragments of a rank's group begin, before a round."""
        group = next(group for group in step.groups if group[0] <= rank < group[1])
        return _run_starts(self.holders, group)


def _run_starts(holders: np.ndarray, group: Interval) -> np.ndarray:
    """The positions in the order at which runs of a group's layers begin."""
    inside = (holders >= group[0]) & (holders < group[1])
    return np.flatnonzero(inside & ~np.concatenate(([False], inside[:-1])))
