"""Runge-Kutta integration of many particles at once, each at its own stage.

In: particles, and the velocity at the point that each requested. Out: the next point at which each
needs a velocity, and the points of lines reached so far. Results do not depend on which particles
share an array, so any distribution over ranks gives the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from insitu.core.arrays import Floats, Indices
from insitu.core.block_map import BlockMap
from insitu.filters.particles.particle_exchange import (
    DONE,
    PARTICLE,
    POINT,
    RUNNING,
    TURN,
    WAITING,
    Rows,
)
from insitu.filters.particles.segments import way_out

CFL = 0.5
"""Cells that the fastest particle crosses in a step, if no step is given."""
LEAST = 1e-3
"""Smallest step, as a fraction of the default one: steps are not shortened further, so that a jump
of the velocity, such as between two networks, can be crossed."""
SAFETY, SHRINK, GROW = 0.9, 0.2, 5.0
NEAR = 1e-7
"""Tolerance of ending at the boundary, as a fraction of the domain's diagonal."""
TRIES = 12
_STILL = 1e-9  # fraction of a step: a smaller rest of the interval is merged into the step


@dataclass(frozen=True)
class Method:
    """An explicit Runge-Kutta method, given by its Butcher tableau."""

    a: Floats
    """(stages, stages)"""
    b: Floats
    c: Floats
    error: Floats | None = None
    """b minus the weights of the embedded method; None: fixed steps. With an embedded method, the
    last stage is at the end of the step, and is the first stage of the next one."""

    @property
    def stages(self) -> int:
        return len(self.b)


def _method(rows: list[list[float]], b: list[float], other: list[float] | None = None) -> Method:
    a = np.zeros((len(b), len(b)))
    for i, row in enumerate(rows, start=1):
        a[i, : len(row)] = row
    weights = np.array(b)
    return Method(a, weights, a.sum(axis=1), None if other is None else weights - np.array(other))


METHODS = {
    "rk4": _method([[1 / 2], [0, 1 / 2], [0, 0, 1]], [1 / 6, 1 / 3, 1 / 3, 1 / 6]),
    # Dormand and Prince 1980, RK5(4)7M.
    "rk45": _method(
        [
            [1 / 5],
            [3 / 40, 9 / 40],
            [44 / 45, -56 / 15, 32 / 9],
            [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
            [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
            [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
        ],
        [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84, 0],
        [5179 / 57600, 0, 7571 / 16695, 393 / 640, -92097 / 339200, 187 / 2100, 1 / 40],
    ),
}


@dataclass(frozen=True)
class Interval:
    """The time between two steps, in the direction of integration."""

    end: float
    """Infinite if the flow is steady."""
    last: bool
    courant: float
    """Time in which the fastest particle crosses `CFL` cells."""

    @property
    def steady(self) -> bool:
        return bool(np.isinf(self.end))


@dataclass(frozen=True)
class Reached:
    """Points of lines, and segments from one block to another. Rows of `POINT`."""

    points: Rows
    leaving: Rows
    arriving: Rows
    """The end points of these segments."""


@dataclass(frozen=True)
class Integrator:
    """Immutable; no method is collective."""

    method: Method
    domain: BlockMap
    sign: int
    """1 forward in time, -1 backward."""
    step: float | None
    tolerance: float
    """Largest accepted error of a step, in world units."""
    max_steps: int
    max_length: float

    def start(self, lines: Indices, seeds: Floats, time: float, final: bool) -> Rows:
        """A particle for each of the seeds (n, 3); final: `time` is already the end."""
        p = np.zeros(len(seeds), PARTICLE)
        p["line"], p["x"], p["point"] = lines, seeds, seeds
        p["t"], p["goal"], p["final"] = time, time, final
        p["block"] = self.domain.nearest(seeds)
        return p

    def times(self, p: Rows) -> Floats:
        """(n,): times at which the next velocities are needed."""
        part = self.method.c[p["stage"]]
        return np.where(part == 0, p["t"], p["t"] + part * _wide(p["goal"] - p["t"]))

    def take(self, p: Rows, velocity: Floats, interval: Interval) -> Reached:
        """Advance with velocities (n, 3) at `point`: updates the particles in place, until each
        needs the next velocity, waits or is done."""
        fine = np.isfinite(velocity).all(axis=1)
        p["state"][~fine] = DONE
        stage = p["stage"]
        p["k"][np.arange(len(p)), stage] = velocity
        fresh = fine & (stage == 0)
        p["stage"][fine & ~fresh] += 1
        ended = np.flatnonzero(fine & (p["stage"] == self.method.stages))
        ahead = self._end_steps(p, ended, interval)
        at = np.sort(np.concatenate([np.flatnonzero(fresh), ahead]))
        reached = self._arrive(p, at, velocity[at], interval)
        self._aim(p, np.flatnonzero((p["state"] == RUNNING) & (p["stage"] > 0)))
        return reached

    def _arrive(self, p: Rows, at: Indices, velocity: Floats, interval: Interval) -> Reached:
        """The velocity at `x` is known: add a point to the line, and begin the next step."""
        inside = self.domain.wrapped(p["x"][at])
        p["turn"][at] += TURN * (inside != p["x"][at]).any(axis=1)
        p["x"][at] = self.domain.clamp(inside, p["block"][at])  # rounding
        rows = p[at]
        speed = _norm(velocity)
        reached = self._points(rows, speed)
        p["kept"][at] = True
        p["kept_speed"][at] = speed
        for name in ("block", "turn", "x", "t"):
            p[f"kept_{name}"][at] = rows[name]
        final = rows["final"] | ((speed == 0) & interval.steady)
        p["state"][at[final]] = DONE
        given = interval.courant if self.step is None else self.step
        step = np.full(len(at), given)
        if self.method.error is not None:
            step = np.where(rows["steps"] > 0, rows["step"], step)
        to_the_end = step >= np.abs(interval.end - rows["t"]) * (1 - _STILL)
        p["goal"][at] = np.where(to_the_end, interval.end, rows["t"] + self.sign * step)
        p["k"][at, 0] = velocity
        p["stage"][at] = 1
        return reached

    def _points(self, rows: Rows, speed: Floats) -> Reached:
        points = np.empty(len(rows), POINT)
        for name in ("line", "block", "turn", "x", "t"):
            points[name] = rows[name]
        points["step"], points["speed"] = self.sign * rows["steps"], speed
        elsewhere = (rows["kept_block"] != rows["block"]) | (rows["kept_turn"] != rows["turn"])
        crossing = rows["kept"] & elsewhere
        leaving = self.kept(rows[crossing])
        leaving["step"] -= self.sign
        return Reached(points, leaving, points[crossing])

    def kept(self, rows: Rows) -> Rows:
        """The last points of these particles' lines, as rows of `POINT`."""
        points = np.empty(len(rows), POINT)
        points["line"], points["step"] = rows["line"], self.sign * rows["steps"]
        for name in ("block", "turn", "x", "t", "speed"):
            points[name] = rows[f"kept_{name}"]
        return points

    def _aim(self, p: Rows, at: Indices) -> None:
        """Set where these particles need their next velocity."""
        rows = p[at]
        weights = self.method.a[rows["stage"]]
        p["point"][at] = rows["x"] + _combined(weights, rows)

    def _end_steps(self, p: Rows, at: Indices, interval: Interval) -> Indices:
        """All velocities of a step are known: accept the step, or retry with another length.

        Returns the particles whose velocity at the new `x` is that of the last stage.
        """
        rows = p[at]
        h, grown = rows["goal"] - rows["t"], np.full(len(at), np.inf)
        move = _combined(np.broadcast_to(self.method.b, (len(at), self.method.stages)), rows)
        fine = np.isfinite(move).all(axis=1)
        p["state"][at[~fine]] = DONE
        if self.method.error is not None:
            weights = np.broadcast_to(self.method.error, (len(at), self.method.stages))
            error = np.abs(_combined(weights, rows)).max(axis=1, initial=0.0) / self.tolerance
            with np.errstate(divide="ignore"):
                factor = np.clip(SAFETY * error**-0.2, SHRINK, GROW)
            least = LEAST * interval.courant
            grown = np.maximum(np.abs(h) * factor, least)
            refused = fine & (error > 1) & (np.abs(h) > least)
            p["goal"][at[refused]] = (rows["t"] + self.sign * grown)[refused]
            p["stage"][at[refused]] = 1
            fine &= ~refused
        at, rows, h, grown, move = at[fine], rows[fine], h[fine], grown[fine], move[fine]
        distance = _norm(move)
        part = np.ones(len(at))
        out = self.domain.owners(rows["x"] + move, rows["block"]) < 0
        part[out] = way_out(self.domain, rows["x"][out], move[out])
        with np.errstate(divide="ignore", invalid="ignore"):
            left = (self.max_length - rows["length"]) / distance
        part = np.where(left < part, left, part)
        cut = part < 1
        # The curved path, not its chord, must end at the boundary: try shorter steps.
        near = np.minimum(part, 1 - part) * distance <= NEAR * self.domain.diagonal
        again = cut & ~near & (rows["tries"] < TRIES)
        p["goal"][at[again]] = (rows["t"] + part * h)[again]
        p["tries"][at[again]] += 1
        p["stage"][at[again]] = 1
        stuck = cut & (part * distance == 0)
        p["state"][at[stuck]] = DONE
        taken = ~again & ~stuck
        at, rows, h, grown, move = at[taken], rows[taken], h[taken], grown[taken], move[taken]
        part, cut, distance = part[taken], cut[taken], distance[taken]
        steps, length = rows["steps"] + 1, rows["length"] + part * distance
        time = np.where(cut, rows["t"] + part * h, rows["goal"])
        end = time == interval.end
        long = length >= self.max_length * (1 - _STILL)
        final = cut | long | (steps >= self.max_steps) | (end & interval.last)
        waits = end & ~final
        whole = ~(end | cut | (rows["tries"] > 0))
        p["x"][at] = p["point"][at] = rows["x"] + part[:, None] * move
        p["t"][at], p["steps"][at], p["length"][at], p["final"][at] = time, steps, length, final
        p["step"][at] = np.where(whole, grown, np.maximum(grown, rows["step"]))
        p["tries"][at] = p["stage"][at] = 0
        p["state"][at] = np.where(waits, WAITING, RUNNING)
        return at[~(cut | waits)] if self.method.error is not None else at[:0]


def _combined(weights: Floats, rows: Rows) -> Floats:
    """h * sum of weights (n, stages) times the velocities of the stages: (n, 3)."""
    total = np.zeros((len(rows), 3))
    for j in range(weights.shape[1]):
        total += weights[:, j, None] * rows["k"][:, j]
    return np.asarray(_wide(rows["goal"] - rows["t"])[:, None] * total)


def _wide(h: Floats) -> Floats:
    """Replace an infinite step (no velocity anywhere, steady) by one that can be multiplied by
    0."""
    return np.clip(h, -1e300, 1e300)


def _norm(vectors: Floats) -> Floats:
    """Norms (n, 3) -> (n,), with an order of additions independent of n."""
    x, y, z = vectors[:, 0], vectors[:, 1], vectors[:, 2]
    return np.asarray(np.sqrt(x * x + y * y + z * z))
