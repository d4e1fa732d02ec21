"""Pathlines and streamlines of a distributed velocity field.

In: the field at one or several steps, seeds. Out: lines, on each rank the parts in its own blocks.
The rank that owns a particle's current block advances it until it leaves the rank's blocks; then
all particles that left are exchanged at once. So networks are evaluated where they are, and lines
do not depend on how blocks are distributed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from insitu.core.arrays import Floats
from insitu.core.block_map import BlockMap
from insitu.core.geometry import Lines
from insitu.core.parallel import check_alike, together
from insitu.fields.distributed_field import DistributedField
from insitu.fields.sampled_block import SampledBlock
from insitu.filters.particles.integrate import CFL, METHODS, Integrator, Interval, Reached
from insitu.filters.particles.line_segments import ends, in_blocks
from insitu.filters.particles.particle_exchange import DONE, PARTICLE, WAITING, Rows, exchange
from insitu.filters.particles.velocity import Flow
from insitu.store.time_series import StoredStep

if TYPE_CHECKING:
    from mpi4py import MPI

Direction: TypeAlias = Literal["forward", "backward", "both"]
MethodName: TypeAlias = Literal["rk4", "rk45"]


Step: TypeAlias = DistributedField | StoredStep
"""Entries of a window or a record are decoded when they are needed."""


def pathlines(
    comm: MPI.Comm,
    steps: Sequence[Step],
    seeds: ArrayLike,
    *,
    direction: Direction = "backward",
    start_time: float | None = None,
    method: MethodName = "rk4",
    step: float | None = None,
    tolerance: float = 1e-6,
    max_steps: int = 10_000,
    max_length: float | None = None,
) -> Lines:
    """Trace particles through a time-dependent velocity field. Collective.

    The velocity is interpolated linearly in time between recorded steps. A line ends at the first
    or last step, where it leaves the domain (on the boundary), where the velocity is not finite, or
    at a limit below; a particle with zero velocity stays in place. A single step is treated as a
    steady flow, which gives streamlines.

    Args:
        steps: the velocity (3 components, x y z) in order of time; entries of a window are decoded
            when needed, two at a time. The decomposition must be the same at all steps.
        seeds: (n, 3), world x y z, the same on every rank. Line i begins at seed i; a seed outside
            the domain, or where the velocity is not defined, has no line.
        direction: direction in time from the seed; "both": lines through it.
        start_time: time of all seeds, within the time of the steps; default: that of the last step
            for backward lines, otherwise of the first.
        method: "rk4", classical Runge-Kutta with fixed steps, or "rk45", Dormand-Prince with
            adaptive steps controlled by `tolerance`.
        step: integration time step (for "rk45" the first one); default: the time in which the
            fastest particle crosses half of the smallest cell. Recorded times are never stepped
            over.
        tolerance: for "rk45": error of a step, as a fraction of the domain's diagonal.
        max_steps: maximum number of integration steps of a line.
        max_length: maximum length of a line, in world units.

    Returns the parts of lines in this rank's blocks, each within one block, in ascending time (also
    for backward lines). Their values: time; speed; line: the seed's number; step: number of steps
    from the seed, negative backward in time, fractional where a line was cut at a block face.
    `gather_lines` joins them.

    Raises RemoteError on every rank for invalid options or seeds, blocks that differ between steps,
    or a failure on any rank; ValueError if seeds differ between ranks, or no rank has a block.
    """
    signs: tuple[int, ...] = ()
    with together(comm, "pathlines"):
        signs = _signs(direction)
    options = _Options(start_time, method, step, tolerance, max_steps, max_length)
    traces = [_trace(comm, steps, seeds, sign, options) for sign in signs]
    return _together([in_blocks(comm, trace.domain, trace.reached) for trace in traces])


def streamlines(
    comm: MPI.Comm,
    field: Step,
    seeds: ArrayLike,
    *,
    direction: Direction = "forward",
    method: MethodName = "rk4",
    step: float | None = None,
    tolerance: float = 1e-6,
    max_steps: int = 1000,
    max_length: float | None = None,
) -> Lines:
    """Streamlines of the velocity at one step. Collective.

    As `pathlines`; the value `time` is the time of the step plus the integration time. A line ends
    at a stagnation point. Ascent's `streamline`: num_steps is max_steps, step_size is step.
    """
    return pathlines(
        comm, [field], seeds, direction=direction, method=method, step=step, tolerance=tolerance,
        max_steps=max_steps, max_length=max_length,
    )  # fmt: skip


def particle_advection(
    comm: MPI.Comm,
    steps: Sequence[Step],
    seeds: ArrayLike,
    *,
    direction: Literal["forward", "backward"] = "forward",
    start_time: float | None = None,
    method: MethodName = "rk4",
    step: float | None = None,
    tolerance: float = 1e-6,
    max_steps: int = 1000,
    max_length: float | None = None,
) -> Lines:
    """End positions of particles, without their paths. Collective.

    As `pathlines`; each rank has the end points in its blocks, as lines of one point. Ascent's
    `particle_advection`: num_steps is max_steps, step_size is step.
    """
    signs: tuple[int, ...] = ()
    with together(comm, "particle_advection"):
        if direction == "both":
            raise ValueError("direction: a particle goes forward or backward, not both")
        signs = _signs(direction)
    options = _Options(start_time, method, step, tolerance, max_steps, max_length)
    trace = _trace(comm, steps, seeds, signs[0], options, ends_only=True)
    return ends(comm, trace.domain, trace.ends)


def _signs(direction: str) -> tuple[int, ...]:
    words = {"forward": (1,), "backward": (-1,), "both": (-1, 1)}
    if direction not in words:
        raise ValueError(f"direction: {direction!r} is not one of {', '.join(words)}")
    return words[direction]


@dataclass(frozen=True)
class _Options:
    start_time: float | None
    method: str
    step: float | None
    tolerance: float
    max_steps: int
    max_length: float | None

    def check(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"method: {self.method!r} is not one of {', '.join(METHODS)}")
        for name in ("step", "tolerance", "max_steps", "max_length"):
            value = getattr(self, name)
            if value is not None and not 0 < value < np.inf:
                raise ValueError(f"{name}: {value} is not positive and finite")


@dataclass
class _Trace:
    """The parts of all lines that this rank computed."""

    domain: BlockMap
    reached: list[Reached]
    ends: list[Rows]


def _trace(
    comm: MPI.Comm,
    steps: Sequence[Step],
    seeds: ArrayLike,
    sign: int,
    options: _Options,
    ends_only: bool = False,
) -> _Trace:
    """Follow all seeds in one direction. Collective."""
    course: _Course
    with together(comm, "pathlines"):
        options.check()
        points = np.asarray(seeds, np.float64)
        if points.ndim != 2 or points.shape[1] != 3:
            raise ValueError(f"seeds: shape {points.shape}, expected (n, 3)")
        course = _Course(steps, sign, options.start_time)
        blocks = course.blocks(course.first)
    check_alike(comm, "seeds", points)
    domain = BlockMap.of_all_ranks(comm, [block.nodes for block in blocks])
    del blocks
    integrator = Integrator(
        method=METHODS[options.method],
        domain=domain,
        sign=sign,
        step=options.step,
        tolerance=options.tolerance * domain.diagonal,
        max_steps=options.max_steps,
        max_length=np.inf if options.max_length is None else options.max_length,
    )
    trace = _Trace(domain, [], [])
    particles = np.empty(0, PARTICLE)
    with together(comm, "pathlines, seeds"):
        lines = np.flatnonzero(domain.owners(points) >= 0)
        at_the_end = course.start == course.times[course.last] and len(course.times) > 1
        particles = integrator.start(lines, points[lines], course.start, at_the_end)
        particles = particles[domain.ranks[particles["block"]] == comm.rank]
    for pair, interval in course.intervals(domain.spacing):
        flow: Flow
        with together(comm, f"pathlines, steps {pair}"):
            flow = course.flow(pair)
        particles = _through(comm, particles, integrator, flow, interval, trace, ends_only)
        del flow  # and release the step that is no longer needed
        if comm.allreduce(len(particles)) == 0:
            break
    return trace


def _through(
    comm: MPI.Comm,
    particles: Rows,
    integrator: Integrator,
    flow: Flow,
    interval: Interval,
    trace: _Trace,
    ends_only: bool,
) -> Rows:
    """Advance all particles to the end of an interval -> those that continue. Collective."""
    domain, waiting = integrator.domain, [np.empty(0, PARTICLE)]
    while True:
        away = np.empty(0, PARTICLE)
        with together(comm, "pathlines"):
            leaving = [away]
            while len(particles):
                particles["block"] = domain.nearest(particles["point"], particles["block"])
                here = domain.ranks[particles["block"]] == comm.rank
                if not here.all():
                    leaving.append(particles[~here])
                    particles = particles[here]
                blocks = particles["block"]
                velocity = flow(
                    domain.places[blocks],
                    domain.clamp(particles["point"], blocks),
                    integrator.times(particles),
                )
                reached = integrator.take(particles, velocity, interval)
                if not ends_only:
                    trace.reached.append(reached)
                waiting.append(particles[particles["state"] == WAITING])
                done = particles[(particles["state"] == DONE) & particles["kept"]]
                trace.ends.append(integrator.kept(done))
                particles = particles[particles["state"] < WAITING]
            away = np.concatenate(leaving)
        if comm.allreduce(len(away)) == 0:
            break
        particles = exchange(comm, away, domain.ranks[away["block"]])
    going_on = np.concatenate(waiting)
    going_on["state"] = 0
    return going_on


class _Course:
    """The steps in the direction of integration, decoded when needed. Not collective."""

    def __init__(self, steps: Sequence[Step], sign: int, start_time: float | None) -> None:
        """Raises ValueError if there are no steps, they are not in order of time or not a velocity,
        or start_time is not within them."""
        if not steps:
            raise ValueError("steps: none; at least one is needed")
        times = [step.summary.time for step in steps]
        if not all(a < b for a, b in pairwise(times)):
            raise ValueError(f"steps: times {times} do not increase")
        for step in steps:
            if len(step.summary.range) != 3:
                raise ValueError(
                    f"{step.summary.name}: a field of {len(step.summary.range)} components; "
                    f"a velocity has 3, x y z"
                )
        self.sign = sign
        self.steps: list[Step] = list(steps)[::sign]
        self.times = times[::sign]
        self.last = len(steps) - 1
        self.start = (times[0] if sign > 0 else times[-1]) if start_time is None else start_time
        if len(steps) > 1 and not times[0] <= self.start <= times[-1]:
            raise ValueError(
                f"start_time: {self.start} is not within that of the steps, {times[0]} to "
                f"{times[-1]}"
            )
        ahead = [i for i, time in enumerate(self.times) if sign * (time - self.start) <= 0]
        self.first = min(ahead[-1] if ahead else 0, max(self.last - 1, 0))
        self._opened: dict[int, Sequence[SampledBlock]] = {}

    def blocks(self, number: int) -> Sequence[SampledBlock]:
        """This rank's blocks of a step."""
        if number not in self._opened:
            step = self.steps[number]
            field = step.open() if hasattr(step, "open") else step
            self._opened[number] = field.fields
        return self._opened[number]

    def intervals(self, spacing: Floats) -> Iterator[tuple[tuple[int, int], Interval]]:
        """Pairs of consecutive steps, from the start."""
        if self.last == 0:
            yield (0, 0), Interval(self.sign * np.inf, True, self._courant((0, 0), spacing))
        for number in range(self.first, self.last):
            pair = (number, number + 1)
            end = self.times[number + 1]
            yield pair, Interval(end, number + 1 == self.last, self._courant(pair, spacing))

    def flow(self, pair: tuple[int, int]) -> Flow:
        """The flow between two steps, which are then the only ones held."""
        for number in list(self._opened):
            if number not in pair:
                del self._opened[number]
        early, late = pair[:: self.sign]
        after = None if early == late else self.blocks(late)
        return Flow(self.blocks(early), after, (self.times[early], self.times[late]))

    def _courant(self, pair: tuple[int, int], spacing: Floats) -> float:
        """Time in which the fastest particle crosses `CFL` of the smallest cells."""
        ranges = [np.abs(self.steps[number].summary.range) for number in pair]
        fastest = np.fmax.reduce(np.stack(ranges), axis=(0, 2))
        with np.errstate(divide="ignore"):
            return CFL * float(np.nanmin(np.append(spacing / fastest, np.inf)))


def _together(parts: Sequence[Lines]) -> Lines:
    """Join several sets of lines."""
    lengths = np.concatenate([np.diff(part.offsets) for part in parts])
    return Lines(
        np.concatenate([part.points for part in parts]),
        np.concatenate([[0], np.cumsum(lengths)]),
        {
            name: np.concatenate([part.values[name] for part in parts])
            for name in ("time", "speed", "line", "step")
        },
    )
