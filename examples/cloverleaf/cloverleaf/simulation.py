"""Runs CloverLeaf3D's time step on one block per rank and publishes it for in situ processing.

In: a deck and a communicator. Out: the advancing fields, their mesh tree and their summary.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI

from .axes import X, Y, Z
from .deck import Deck, DeckError, parse_deck
from .decomposition import decompose
from .fields import Fields, make_grid
from .halo import HaloExchange
from .initial import fill_initial
from .kernels.accelerate import accelerate
from .kernels.advec_cell import advec_cell
from .kernels.advec_mom import advec_mom
from .kernels.field_summary import partial_sums
from .kernels.flux_calc import flux_calc
from .kernels.ideal_gas import ideal_gas
from .kernels.pdv import pdv
from .kernels.time_step import longest_step
from .kernels.viscosity import viscosity
from .publish import ghost_flags, mesh_tree

_SMALL = 1.0e-16
_LEAST_TIMESTEP = 1.0e-7

_START_HALO = (
    "density0", "energy0", "pressure", "viscosity", "density1", "energy1",
    "xvel0", "yvel0", "zvel0", "xvel1", "yvel1", "zvel1",
)  # fmt: skip
# The original leaves zvel0 out here; nothing reads its ghosts.
_STEP_HALO = ("density0", "energy0", "pressure", "xvel0", "yvel0")
_CELL_SWEEP_HALO = ("density1", "energy1", "vol_flux_x", "vol_flux_y", "vol_flux_z")
_MOMENTUM_SWEEP_HALO = (
    "density1", "energy1", "xvel1", "yvel1", "zvel1",
    "mass_flux_x", "mass_flux_y", "mass_flux_z",
)  # fmt: skip
_PUBLISH_HALO = ("pressure", "xvel0", "yvel0", "zvel0")


class CloverLeaf:
    """The compressible Euler equations on a box, by CloverLeaf3D's scheme.

    Attributes: `comm`; `deck` (settings in force); `place`, `grid` and `fields` (this rank's
    block: where it lies, its mesh, its arrays); `cycle` (steps done), `time`, `dt` (last step).
    """

    def __init__(
        self,
        deck: str | Path,
        comm: MPI.Intracomm | None = None,
        *,
        cells: tuple[int, int, int] | None = None,
    ) -> None:
        """Set up the deck at path `deck` on `comm` (COMM_WORLD); `cells` overrides x, y, z cells.

        Collective. The deck is read on rank 0 only. Raises on every rank: DeckError or OSError
        when it cannot be read, ValueError when a rank would get no cells.
        """
        self.comm = MPI.COMM_WORLD if comm is None else comm
        self.deck = _read_on_rank_0(Path(deck), self.comm)
        if cells is not None:
            self.deck = self.deck.with_cells(cells)
        self.place = decompose(self.deck.cells, self.comm.size, self.comm.rank)
        self.grid = make_grid(self.deck, self.place)
        self.fields = Fields(self.place.shape)
        self.cycle = 0
        self.time = 0.0
        self.dt = self.deck.initial_timestep
        self._halo = HaloExchange(self.comm, self.place, self.fields)
        self._ghosts = ghost_flags(self.place.shape)
        self._published_cycle = -1
        fill_initial(self.deck, self.grid, self.fields)
        ideal_gas(self.fields, predicted=False)
        self._halo.update(_START_HALO, 2)

    @property
    def done(self) -> bool:
        """Whether the deck's end_time or end_step is reached."""
        return self.time + _SMALL > self.deck.end_time or self.cycle >= self.deck.end_step

    def step(self) -> None:
        """Advance by one time step, also beyond the deck's end.

        Collective. Raises ArithmeticError on every rank when the stable step is too small, which
        is how a run that has gone unstable shows.
        """
        self.dt = self._choose_timestep()
        self._lagrangian_step()
        self._advect()
        self._reset()
        self.cycle += 1
        self.time += self.dt

    def mesh(self) -> dict[str, Any]:
        """This rank's block as a Blueprint tree of nested dicts, whose arrays are not copied.

        As in the original, pressure and velocity have one good ghost layer and density and energy
        none: their first is a step old, their second dates from the start. Values are flat
        float64, x fastest, on (cells + 4) cells or (cells + 5) vertices along each axis; they
        change with the next step. The caller must not write to them. Collective.
        """
        self._prepare_output()
        return mesh_tree(
            self.grid,
            self.fields,
            self._ghosts,
            time=self.time,
            cycle=self.cycle,
            rank=self.comm.rank,
        )

    def summary(self) -> dict[str, float]:
        """Volume, mass, mean density and pressure, internal, kinetic and total energy of all.

        Collective; every rank gets the same numbers.
        """
        ideal_gas(self.fields, predicted=False)
        sums = np.empty(5)
        self.comm.Allreduce(partial_sums(self.grid, self.fields), sums, op=MPI.SUM)
        volume, mass, pressure, internal, kinetic = (float(value) for value in sums)
        return {
            "volume": volume,
            "mass": mass,
            "density": mass / volume,
            "pressure": pressure / volume,
            "internal_energy": internal,
            "kinetic_energy": kinetic,
            "total_energy": internal + kinetic,
        }

    def _prepare_output(self) -> None:
        """Bring pressure, viscosity and the published ghosts up to date, once per cycle."""
        if self._published_cycle == self.cycle:
            return
        ideal_gas(self.fields, predicted=False)
        self._halo.update(_PUBLISH_HALO, 1)
        viscosity(self.grid, self.fields)
        self._published_cycle = self.cycle

    def _choose_timestep(self) -> float:
        ideal_gas(self.fields, predicted=False)
        self._halo.update(_STEP_HALO, 1)
        viscosity(self.grid, self.fields)
        self._halo.update(("viscosity",), 1)
        stable = longest_step(self.grid, self.fields)
        # MPI leaves the minimum of a NaN open, so it goes round as a step that is refused.
        stable = self.comm.allreduce(stable if stable == stable else 0.0, op=MPI.MIN)
        dt = min(float(stable), self.dt * self.deck.timestep_rise, self.deck.max_timestep)
        if dt < _LEAST_TIMESTEP:
            raise ArithmeticError(
                f"step {self.cycle + 1} at time {self.time:g}: the stable time step {dt:g} is "
                f"below {_LEAST_TIMESTEP:g}; the run has become unstable"
            )
        return dt

    def _lagrangian_step(self) -> None:
        """Move the mesh with the flow: half a step for the pressure, then the whole step."""
        pdv(self.grid, self.fields, self.dt, predict=True)
        ideal_gas(self.fields, predicted=True)
        self._halo.update(("pressure",), 1)
        # The original now sets density1 and energy1 back to the start values. The corrector
        # overwrites both from density0 and energy0 before anyone reads them, so that is left out.
        accelerate(self.grid, self.fields, self.dt)
        pdv(self.grid, self.fields, self.dt, predict=False)
        flux_calc(self.grid, self.fields, self.dt)

    def _advect(self) -> None:
        """Map back to the fixed mesh, one axis after the other: x y z, next step z y x."""
        order = (X, Y, Z) if self.cycle % 2 == 0 else (Z, Y, X)
        for sweep, axis in enumerate(order):
            if sweep < 2:
                self._halo.update(_CELL_SWEEP_HALO, 2)
            advec_cell(self.grid, self.fields, axis, done=order[:sweep])
            self._halo.update(_MOMENTUM_SWEEP_HALO, 2)
            advec_mom(self.grid, self.fields, axis, done=order[:sweep])

    def _reset(self) -> None:
        """Make the advanced values those of the next step's start; owned values only."""
        f = self.fields
        nz, ny, nx = f.shape
        cells = (slice(2, nz + 2), slice(2, ny + 2), slice(2, nx + 2))
        vertices = (slice(2, nz + 3), slice(2, ny + 3), slice(2, nx + 3))
        f.density0[cells] = f.density1[cells]
        f.energy0[cells] = f.energy1[cells]
        for axis in (X, Y, Z):
            f.vel0[axis][vertices] = f.vel1[axis][vertices]


def _read_on_rank_0(path: Path, comm: MPI.Intracomm) -> Deck:
    """Read and parse the deck once and share it, or share the failure so that all ranks raise."""
    found: Deck | DeckError | OSError | None = None
    if comm.rank == 0:
        try:
            found = parse_deck(path.read_text(encoding="utf-8", errors="replace"))
        except DeckError as error:
            found = DeckError(f"{path}: {error}")
        except OSError as error:
            found = error
    found = comm.bcast(found, root=0)
    if isinstance(found, Exception):
        raise found
    assert isinstance(found, Deck)
    return found
