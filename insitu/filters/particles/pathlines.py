"""Pathlines and streamlines of a distributed velocity field.

In: the field at one or several steps, and seeds. Out: lines; each rank has the parts in its blocks.

A particle is advanced by the rank that owns its current block until it leaves that rank's blocks.
All particles that left are then exchanged together. No compressed block is moved between ranks, and
the lines do not depend on the distribution of blocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
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
"""A field, or an entry of a window or a record, which is opened when it is needed."""


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
    periodic: str = "",
) -> Lines:
    """Trace particles through a time-dependent velocity field. Collective.

    The velocity is interpolated linearly in time between recorded steps. A line ends at the first
    or last step, on the boundary of the domain, where the velocity is not finite, or when it
    reaches `max_steps` or `max_length`. A particle with zero velocity stays in place. A single step
    is treated as a steady flow, which gives streamlines.

    Args:
        steps: the velocity (in a plane x and y) in ascending order of time; at most two steps are
            open at a time. The decomposition must be the same at all steps.
        seeds: (n, 3), world x y z, the same on every rank. Line i starts at seed i; there is no
            line if the seed is outside the domain or the velocity there is undefined.
        direction: direction in time from the seed; "both" for lines that pass through it.
        start_time: time of all seeds, within the times of the steps; default: the last step for
            backward lines, otherwise the first.
        method: "rk4", classical Runge-Kutta with fixed steps, or "rk45", Dormand-Prince with
            adaptive steps controlled by `tolerance`.
        step: integration time step (for "rk45" the first one); default: the time in which the
            fastest particle crosses half of the smallest cell. Steps end at recorded times.
        tolerance: for "rk45": error tolerance per step, as a fraction of the domain's diagonal.
        max_steps: maximum number of integration steps of a line.
        max_length: maximum length of a line, in world units.
        periodic: the axes, as in "xz", along which a line that leaves the domain continues at the
            other side; it is cut there into segments. A step must be shorter than half the domain.

    Returns:
        The segments of lines in this rank's blocks, each within one block, in ascending time (also
        for backward lines). Their values are `time`, `speed`, `line` (index of the seed) and `step`
        (integration steps from the seed: negative backward in time, fractional at block faces).
        `gather_lines` joins the segments.

    Raises:
        RemoteError: on every rank, for invalid options or seeds, blocks that differ between steps,
            or a failure on any rank.
        ValueError: if seeds differ between ranks, or no rank has a block.
    """
    signs: tuple[int, ...] = ()
    with together(comm, "pathlines"):
        signs = _signs(direction)
    options = _Options(start_time, method, step, tolerance, max_steps, max_length, periodic)
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
    periodic: str = "",
) -> Lines:
    """Streamlines of the velocity at one step. Collective.

    Like `pathlines`; the value `time` is the time of the step plus the integration time. A line
    also ends at a stagnation point. In Ascent's `streamline`, `max_steps` is called num_steps and
    `step` is called step_size.
    """
    return pathlines(
        comm, [field], seeds, direction=direction, method=method, step=step, tolerance=tolerance,
        max_steps=max_steps, max_length=max_length, periodic=periodic,
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
    periodic: str = "",
) -> Lines:
    """End positions of particles, without their paths. Collective.

    Like `pathlines`; each rank gets the end points in its blocks, as lines of one point. In
    Ascent's `particle_advection`, `max_steps` is called num_steps and `step` step_size.
    """
    signs: tuple[int, ...] = ()
    with together(comm, "particle_advection"):
        if direction == "both":
            raise ValueError("direction: 'both'; expected 'forward' or 'backward'")
        signs = _signs(direction)
    options = _Options(start_time, method, step, tolerance, max_steps, max_length, periodic)
    trace = _trace(comm, steps, seeds, signs[0], options, ends_only=True)
    return ends(comm, trace.domain, trace.ends)


def _signs(direction: str) -> tuple[int, ...]:
    signs = {"forward": (1,), "backward": (-1,), "both": (-1, 1)}
    if direction not in signs:
        raise ValueError(f"direction: {direction!r} is not one of {', '.join(signs)}")
    return signs[direction]


@dataclass(frozen=True)
class _Options:
    start_time: float | None
    method: str
    step: float | None
    tolerance: float
    max_steps: int
    max_length: float | None
    periodic: str

    def check(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"method: {self.method!r} is not one of {', '.join(METHODS)}")
        for name in ("step", "tolerance", "max_steps", "max_length"):
            value = getattr(self, name)
            if value is not None and not 0 < value < np.inf:
                raise ValueError(f"{name}: {value}; expected a positive, finite number")
        if not set(self.periodic) <= set("xyz"):
            raise ValueError(f"periodic: {self.periodic!r}; expected some of x, y and z")


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
            raise ValueError(f"seeds: shape {points.shape}; expected (n, 3)")
        course = _Course(steps, sign, options.start_time)
        blocks = course.blocks(course.first)
    check_alike(comm, "seeds", points)
    domain = BlockMap.of_all_ranks(comm, [block.nodes for block in blocks])
    x, y, z = (axis in options.periodic for axis in "xyz")
    domain = replace(domain, periodic=(x, y, z))
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
    """Advance all particles to the end of an interval; returns those that continue. Collective."""
    domain, waiting = integrator.domain, [np.empty(0, PARTICLE)]
    while True:
        away = np.empty(0, PARTICLE)
        with together(comm, "pathlines"):
            leaving = [away]
            while len(particles):
                points = domain.wrapped(particles["point"])
                particles["block"] = domain.nearest(points, particles["block"])
                mine = domain.ranks[particles["block"]] == comm.rank
                if not mine.all():
                    leaving.append(particles[~mine])
                    particles, points = particles[mine], points[mine]
                blocks = particles["block"]
                velocity = flow(
                    domain.places[blocks],
                    domain.clamp(points, blocks),
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
        or start_time is outside their range."""
        if not steps:
            raise ValueError("steps: none given; expected at least one")
        times = [step.summary.time for step in steps]
        if not all(a < b for a, b in pairwise(times)):
            raise ValueError(f"steps: times {times} do not increase")
        for step in steps:
            if len(step.summary.range) not in (2, 3):
                raise ValueError(
                    f"{step.summary.name}: {len(step.summary.range)} components; expected a "
                    f"velocity of 3: x, y, z, or, in a plane, of 2"
                )
        self.sign = sign
        self.steps: list[Step] = list(steps)[::sign]
        self.times = times[::sign]
        self.last = len(steps) - 1
        self.start = (times[0] if sign > 0 else times[-1]) if start_time is None else start_time
        if len(steps) > 1 and not times[0] <= self.start <= times[-1]:
            raise ValueError(
                f"start_time: {self.start} is outside the times of the steps, {times[0]} to "
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
        """The flow between two steps; all other steps are released."""
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
            crossed = spacing[: len(fastest)] / fastest
            return CFL * float(np.nanmin(np.append(crossed, np.inf)))


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
