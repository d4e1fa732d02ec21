"""A readable reference implementation of `pathlines` in plain NumPy, one particle at a time.

In: a velocity as a function of point and time, the box in which it is defined, a seed. Out: the
points and times of its line. Slow. Shares only the methods' coefficients with the fast version.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from insitu.core.arrays import Floats
from insitu.filters.particles.integrate import (
    CFL,
    GROW,
    LEAST,
    METHODS,
    NEAR,
    SAFETY,
    SHRINK,
    TRIES,
)

Velocity = Callable[[Floats, float], Floats]


def courant_step(spacing: Floats, fastest: Floats) -> float:
    """Time in which the fastest particle crosses half of the smallest cell."""
    return min((CFL * dx / v for dx, v in zip(spacing, fastest, strict=True) if v), default=np.inf)


def pathline(
    velocity: Velocity,
    bounds: tuple[Floats, Floats],
    times: Sequence[float],
    seed: Floats,
    courant: Sequence[float],
    *,
    sign: int = 1,
    method: str = "rk4",
    step: float | None = None,
    tolerance: float = 1e-6,
    max_steps: int = 10_000,
) -> tuple[Floats, Floats]:
    """Points (n, 3) and times (n,) from the seed, which must be in the box.

    times: of the steps, in the direction of integration; the velocity is not smooth there.
    courant: `courant_step` of each interval between them.
    """
    low, high = bounds
    diagonal = float(np.linalg.norm(high - low))
    scheme = METHODS[method]

    def inside(point: Floats) -> bool:
        return bool((point >= low).all() and (point <= high).all())

    def moved(x: Floats, t: float, h: float) -> tuple[Floats, float]:
        k = np.zeros((scheme.stages, 3))
        for i in range(scheme.stages):
            stage = x + h * scheme.a[i] @ k
            k[i] = velocity(np.clip(stage, low, high), t + scheme.c[i] * h)
        error = 0.0 if scheme.error is None else np.abs(h * scheme.error @ k).max()
        return h * scheme.b @ k, error / (tolerance * diagonal)

    x, t = np.array(seed, np.float64), times[0]
    points, moments = [x], [t]
    allowed: float | None = None
    for end, fallback in zip(times[1:], courant, strict=True):
        while t != end and len(points) <= max_steps:
            h = allowed if allowed is not None else (fallback if step is None else step)
            h = min(h, abs(end - t))
            whole, part, tries = h < abs(end - t), 1.0, 0
            while True:
                move, error = moved(x, t, sign * h)
                grown = max(h * float(np.clip(SAFETY * max(error, 1e-99) ** -0.2, SHRINK, GROW)),
                            LEAST * fallback)  # fmt: skip
                if error > 1 and h > LEAST * fallback:
                    h, whole = grown, True
                    continue
                if inside(x + move):
                    break
                # The part of the chord inside the box.
                with np.errstate(divide="ignore", invalid="ignore"):
                    reach = np.where(move > 0, (high - x) / move, (low - x) / move)
                part = float(reach[move != 0].min().clip(0, 1))
                distance = float(np.linalg.norm(move))
                if min(part, 1 - part) * distance <= NEAR * diagonal or tries == TRIES:
                    if part * distance > 0:
                        points.append(x + part * move)
                        moments.append(t + part * sign * h)
                    return np.array(points), np.array(moments)
                h, tries, whole, part = part * h, tries + 1, False, 1.0
            x = x + move
            t = end if h == abs(end - t) else t + sign * h
            if scheme.error is not None:
                allowed = grown if whole else max(grown, allowed or 0.0)
            points.append(x)
            moments.append(t)
    return np.array(points), np.array(moments)
