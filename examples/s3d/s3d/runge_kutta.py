"""Runge-Kutta of 4th order in five stages and two registers of the state.

RK4(3)5[2R+]C of C. A. Kennedy, M. H. Carpenter, R. M. Lewis, "Low-storage, explicit Runge-Kutta
schemes for the compressible Navier-Stokes equations", Appl. Numer. Math. 35 (2000) 177.

In: a state and its rate of change. Out: the state one step later, in place.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .axes import Array

# Stage i starts from the state plus b_j of all stages before the last one, and a of the last.
A = (
    970286171893 / 4311952581923,
    6584761158862 / 12103376702013,
    2251764453980 / 15575788980749,
    26877169314380 / 34165994151039,
)
B = (
    1153189308089 / 22510343858157,
    1772645290293 / 4653164025191,
    -1672844663538 / 4480602732383,
    2114624349019 / 3568978502595,
    5198255086312 / 14908931495163,
)


def advance(state: Array, dt: float, rate: Callable[[Array], Array], stage: Array) -> None:
    """Advance `state` by `dt` in place; `rate` is called five times and may be collective.

    `stage` is a second array of the same shape, overwritten. What `rate` returns is overwritten
    too.
    """
    change = rate(state)
    for a, b in zip(A, B, strict=False):
        np.multiply(change, a * dt, out=stage)
        stage += state
        change *= b * dt
        state += change
        change = rate(stage)
    change *= B[-1] * dt
    state += change
