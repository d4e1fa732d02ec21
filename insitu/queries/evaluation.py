"""All expressions of a step, evaluated by all ranks together.

In: checked expressions, the current partitions, the recorded past. Out: on rank 0 the value of
every reduction, from which it computes everything else.

A reduction may depend on the results of others, as in sum(field('p') > avg(field('p'))).
Reductions are therefore done level by level: those of one level need only numbers of earlier
levels, which rank 0 computes and broadcasts. Each level costs one pass over the data for each
reduced expression, and two small reductions over all ranks.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from mpi4py import MPI

from insitu.core.parallel import agree, together
from insitu.queries.ast_nodes import Node
from insitu.queries.block_view import BlockView, MovedError, Past, blocks, views
from insitu.queries.fields import Field, FieldRef, Parameter
from insitu.queries.history import Gradient, History, HistoryRange
from insitu.queries.mesh_fields import OF_MESH
from insitu.queries.past_blocks import at_blocks
from insitu.queries.reductions import Partial, Work, reduce
from insitu.queries.scalars import Constant, Context, Query, Reduction, Scalar
from insitu.queries.values import Binning, NotYet, number

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from insitu.fields.block_field import BlockField
    from insitu.mesh.partition import Partition

T = TypeVar("T")


def on_root(comm: MPI.Comm, what: str, compute: Callable[[], T]) -> T:
    """Broadcast what `compute` returns on rank 0. Collective; RemoteError if it fails."""
    result: Any = None
    error: Exception | None = None
    if comm.rank == 0:
        try:
            result = compute()
        except Exception as caught:
            error = caught
    agree(comm, error, what)
    answer: T = comm.bcast(result, root=0)
    return answer


@dataclass(frozen=True)
class _Level:
    works: tuple[Work, ...]
    numbers: tuple[Scalar, ...]
    """Inputs that the works need from earlier levels."""


class Plan:
    """What a set of expressions reads, and the order of its reductions. Not collective.

    Args:
        queries: name -> root node of each query, in order.
        roots: root nodes of further expressions, which may refer to queries.
        piped: names of fields that are results of pipelines, which are not read of the step.
    """

    def __init__(
        self,
        queries: Mapping[str, Scalar],
        roots: Iterable[Scalar],
        piped: Collection[str] = (),
    ) -> None:
        self._queries, self._level_of = queries, dict[Reduction, int]()
        parts = dict.fromkeys(part for root in (*queries.values(), *roots) for part in root.walk())
        self.ghosts: dict[str, bool] = {}
        """Fields read at the current step -> whether their ghosts are needed."""
        self.mesh: set[str] = set()
        """The names under which the mesh itself is read; see `mesh_fields.OF_MESH`."""
        self.depths: dict[str, int] = {}
        """Fields read at earlier steps -> how many steps back."""
        differentiated = {
            samples
            for part in parts
            if isinstance(part, Field) and part.neighbours
            for samples in part.samples
        }
        for part in parts:
            if not isinstance(part, FieldRef):
                continue
            if part.name in OF_MESH:
                self.mesh.add(part.name)
                continue
            if part.name in piped:
                continue
            depth = max(part.back, part.length - 1)
            if depth > 0:
                self.depths[part.name] = max(depth, self.depths.get(part.name, 0))
            if part.back == 0:
                ghosts = part in differentiated or self.ghosts.get(part.name, False)
                self.ghosts[part.name] = ghosts
        levels: dict[int, dict[Any, list[Reduction]]] = {}
        for part in parts:
            if isinstance(part, Reduction):
                works = levels.setdefault(self._level(part), {})
                works.setdefault(part.argument, []).append(part)
        self.levels = [
            _level([Work(a, tuple(r)) for a, r in works.items()])
            for _, works in sorted(levels.items())
        ]

    def _level(self, node: Node) -> int:
        """Number of levels that must be done before `node` has a value."""
        if isinstance(node, Reduction):
            if node not in self._level_of:
                inner = max((self._level(n) for n in _numbers(node)), default=0)
                self._level_of[node] = 1 + inner
            return self._level_of[node]
        below = max((self._level(part) for part in node.parts()), default=0)
        if isinstance(node, Query | History | HistoryRange | Gradient):
            return max(below, self._level(self._queries[node.name]))
        return below


def _numbers(reduction: Reduction) -> list[Scalar]:
    """The numbers that a reduction needs, without constants."""
    inner = [p.scalar for p in reduction.argument.walk() if isinstance(p, Parameter)]
    return [n for n in (*inner, *reduction.ends) if not isinstance(n, Constant)]


def _level(works: Sequence[Work]) -> _Level:
    numbers = dict.fromkeys(n for work in works for r in work.reductions for n in _numbers(r))
    return _Level(tuple(works), tuple(numbers))


_Key = tuple[Work, tuple[int, ...]]


@dataclass(frozen=True)
class _Piece:
    """A part of a work: its partial result, the blocks whose samples are still to be added, and
    under what to cache it, if at all."""

    partial: Partial
    blocks: list[BlockView]
    key: _Key | None


class Evaluator:
    """Does the reductions of a plan at every step, and caches results of past steps."""

    def __init__(self, comm: MPI.Comm) -> None:
        """Not collective."""
        self.comm = comm
        self._kept: dict[_Key, Partial] = {}

    def reduce(
        self,
        plan: Plan,
        context: Context,
        present: Mapping[str, Sequence[Partition]],
        past: Past,
        widths: Mapping[str, Mapping[int, Any]],
        absent: frozenset[str] = frozenset(),
    ) -> set[Reduction]:
        """Put the values of all reductions into rank 0's `context`. Collective.

        Reductions that need a step that is not recorded, a field that is absent, or a number not
        yet available, are skipped. Where blocks are not those of an earlier step on some rank, that
        step is evaluated at the newest one's points; reductions for which that is not possible
        either are returned, on all ranks alike. `present` holds this rank's partitions of the
        fields of `plan.ghosts`; `widths` the result of `outer_widths` for those with ghosts.

        Raises: RemoteError on every rank.
        """
        used: dict[_Key, Partial] = {}
        moved: set[Reduction] = set()
        for level in plan.levels:
            works, numbers, steps = self._agree(level, context, past, bool(plan.depths), absent)
            if not works:
                continue
            pieces: dict[Work, list[_Piece]] = {}
            ends = np.full((len(works), 4), -np.inf)  # upper corner x, y, z; whether blocks moved
            with together(self.comm, "queries and triggers"):
                for row, work in enumerate(works):
                    try:
                        pieces[work] = [
                            self._piece(work, slot, present, past, widths)
                            for slot in _slots(work, steps)
                        ]
                    except MovedError:
                        ends[row, 3] = 1
                        continue
                    for block in (block for piece in pieces[work] for block in piece.blocks):
                        last = [nodes[-1] for nodes in block.first.nodes]
                        ends[row, :3] = np.maximum(ends[row, :3], last)
            upper = np.empty_like(ends)
            self.comm.Allreduce(ends, upper, op=MPI.MAX)
            if (upper[:, 3] > 0).any():
                for work, corner in zip(works, upper, strict=True):
                    if corner[3] > 0:
                        slots = _slots(work, steps)
                        pieces[work], corner[:] = self._at_newest(work, slots, present, past)
            partials: list[Partial] = []
            with together(self.comm, "queries and triggers"):
                for work, corner in zip(works, upper, strict=True):
                    if corner[3] > 0:
                        moved.update(work.reductions)
                        continue
                    partials.append(Partial(work))
                    for piece in pieces[work]:
                        for block in piece.blocks:
                            piece.partial.add_block(block, corner[:3], numbers)
                        partials[-1].add(piece.partial)
                        if piece.key is not None:
                            used[piece.key] = piece.partial
            values = reduce(self.comm, partials, numbers) if partials else None
            if values is not None:
                context.reductions.update(values)
        self._kept = used
        return moved

    def _at_newest(
        self,
        work: Work,
        slots: range,
        present: Mapping[str, Sequence[Partition]],
        past: Past,
    ) -> tuple[list[_Piece], NDArray[np.float64]]:
        """A work with all steps at the points of the newest of each slot; its upper corner (3,) and
        whether it is impossible (1 if so). Collective."""
        ends, upper = np.full(4, -np.inf), np.empty(4)
        pieces = []
        for slot in slots:
            backs = {each: slot if each.length else each.back for each in work.argument.samples}
            newest = min(backs.values())
            held: dict[FieldRef, Sequence[Partition | BlockField]] = {}
            with together(self.comm, "queries and triggers"):
                for each, back in backs.items():
                    held[each] = past.fields(each.name, back) if back else present[each.name]
            like = next(held[each] for each, back in backs.items() if back == newest)
            for each, back in backs.items():
                if back != newest:
                    held[each] = at_blocks(self.comm, held[each], like)
            found: list[BlockView] = []
            try:
                found = views(work.argument, held, {})
            except ValueError:  # fields of one step on grids of their own
                ends[3] = 1
            for block in found:
                last = [nodes[-1] for nodes in block.first.nodes]
                ends[:3] = np.maximum(ends[:3], last)
            pieces.append(_Piece(Partial(work), found, None))
        self.comm.Allreduce(ends, upper, op=MPI.MAX)
        return pieces, upper

    def _agree(
        self,
        level: _Level,
        context: Context,
        past: Past,
        reads_past: bool,
        absent: frozenset[str],
    ) -> tuple[list[Work], dict[Scalar, Any], int]:
        """The works that can be done, their numbers, and the number of past steps, as broadcast by
        rank 0. Collective."""

        def compute() -> tuple[list[Any], int]:
            return [_number(n, context) for n in level.numbers], len(past.cycles)

        found: list[Any] = []
        steps = 0
        if level.numbers or reads_past:
            found, steps = on_root(self.comm, "queries and triggers", compute)
        numbers = {n: v for n, v in zip(level.numbers, found, strict=True) if v is not None}
        works = []
        for work in level.works:
            if any(samples.name in absent for samples in work.argument.samples):
                continue
            back = max((samples.back for samples in work.argument.samples), default=0)
            done = tuple(r for r in work.reductions if all(n in numbers for n in _numbers(r)))
            if done and back <= steps:
                works.append(Work(work.argument, done))
            for reduction in done:
                for end in reduction.ends:
                    if isinstance(end, Constant):
                        numbers[end] = float(end.constant)
        return works, numbers, steps

    def _piece(
        self,
        work: Work,
        slot: int,
        present: Mapping[str, Sequence[Partition]],
        past: Past,
        widths: Mapping[str, Mapping[int, Any]],
    ) -> _Piece:
        """The part of a work at one step of its window. Not collective; MovedError."""
        samples = work.argument.samples
        backs = [slot if each.length else each.back for each in samples]
        key = None
        if all(backs) and not any(_numbers(r) for r in work.reductions):
            # Past fields never change: their reductions are cached.
            key = (work, tuple(past.cycles[-back] for back in backs))
            if key in self._kept:
                return _Piece(self._kept[key], [], key)
        beyond = next((widths[each.name] for each in samples if each.name in widths), {})
        found = blocks(work.argument, slot, present, past, beyond)
        return _Piece(Partial(work), found, key)


def _slots(work: Work, steps: int) -> range:
    """The available steps of a window, 0 being the current one; only 0 without a window."""
    length = max((samples.length for samples in work.argument.samples), default=0)
    return range(min(max(length, 1), 1 + steps))


def _number(scalar: Scalar, context: Context) -> Any:
    """A number; a binning, a vector or an array as it is; None for what has no value yet."""
    try:
        value = scalar.value(context)
    except NotYet:
        return None
    return value if isinstance(value, Binning | tuple) else number(value)
