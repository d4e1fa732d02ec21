"""One rank's side of a composition: what it holds, sends, and makes of what it receives.

In: its layers, their places in the visibility order, messages. Out: messages, its part of the
picture. It calls no MPI, so any number of ranks can be played by one process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from insitu.render.compositing.fragment import Canvas, Fragment, blend, decode, encode
from insitu.render.compositing.schedule import Interval, Round, rounds
from insitu.render.volume.march import Layer


class Exchange:
    """A rank may hold layers at any places of the order.

    What follows each other in the order, among the layers of a group of ranks that have merged, is
    one fragment; between two fragments of a group there is some other group's layer. So every rank
    knows from the holders of the places which fragments a message has. Where each rank has one
    layer, and ranks are numbered in visibility order, every group has one fragment.
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
        """layers: of this rank, front to back. holders: (n_layers of all ranks,) the rank that
        holds each place of the order. n_ranks: at most that have to do with the picture."""
        self.canvas, self.holders, self.precision = canvas, holders, precision
        self.rounds: list[Round] = rounds(rank, n_ranks, canvas.n_pixels, algorithm)
        self._samples = canvas.n_pixels * canvas.samples
        places = np.flatnonzero(holders == rank)
        firsts = _run_starts(holders, (rank, rank + 1))
        held: dict[int, list[Fragment]] = {int(first): [] for first in firsts}
        for place, layer in zip(places, layers, strict=True):
            first = int(firsts[np.searchsorted(firsts, place, side="right") - 1])
            held[first].append(canvas.fragment(layer))
        # Fragments by the place at which each begins.
        self._held = {first: blend(parts, 0, self._samples) for first, parts in held.items()}

    def outgoing(self, step: Round) -> list[tuple[int, np.ndarray]]:
        """Messages (n,) uint8 of a round and their receivers."""
        if not self._held:
            return []
        messages = []
        for transfer in step.sends:
            begin, end = self._in_samples((transfer.begin, transfer.end))
            cut = [fragment.within(begin, end) for fragment in self._held.values()]
            messages.append((transfer.peer, encode(cut, begin, self.precision)))
        return messages

    def senders(self, step: Round) -> list[int]:
        """Ranks that a message comes from; a group without layers sends none."""
        return [t.peer for t in step.receives if len(self._firsts_of(t.peer, step))]

    def merge(self, step: Round, incoming: Mapping[int, np.ndarray]) -> None:
        """Blend what came, by sender, with what is here; afterwards only the own part is left."""
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
        """After the last round: this rank's pixels of the picture."""
        whole = next(iter(self._held.values()), Fragment.empty())
        return self.canvas.pixels(whole)

    def _in_samples(self, interval: Interval) -> Interval:
        return interval[0] * self.canvas.samples, interval[1] * self.canvas.samples

    def _firsts_of(self, rank: int, step: Round) -> np.ndarray:
        """The places at which the fragments of a rank's group begin, before a round."""
        group = next(group for group in step.groups if group[0] <= rank < group[1])
        return _run_starts(self.holders, group)


def _run_starts(holders: np.ndarray, group: Interval) -> np.ndarray:
    """The places at which runs of a group's layers begin in the order."""
    inside = (holders >= group[0]) & (holders < group[1])
    return np.flatnonzero(inside & ~np.concatenate(([False], inside[:-1])))
