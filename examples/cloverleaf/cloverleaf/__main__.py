"""Runs a deck on its own, without in situ processing, and prints the field summaries.

In: the command line, see --help. Out: a table on standard output of rank 0.
"""

from __future__ import annotations

import argparse
import sys

from mpi4py import MPI

from .simulation import CloverLeaf

_EXAMPLES = """examples:
  python -m cloverleaf clover.in
  python -m cloverleaf clover.in --steps 20 --cells 32 32 32
  mpiexec -n 4 python -m cloverleaf clover.in
"""
_COLUMNS = (
    "volume", "mass", "density", "pressure", "internal_energy", "kinetic_energy", "total_energy",
)  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; returns the exit status. Collective."""
    options = _parser().parse_args(arguments)
    try:
        simulation = CloverLeaf(options.deck, cells=options.cells and tuple(options.cells))
        _run(simulation, options.steps)
    except (OSError, ValueError, ArithmeticError) as error:
        # These are raised on every rank alike, so one of them may speak for all.
        if MPI.COMM_WORLD.rank == 0:
            print(f"cloverleaf: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cloverleaf",
        description="Compressible Euler equations by CloverLeaf3D's scheme, on any rank count.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("deck", metavar="DECK", help="a CloverLeaf3D input deck (clover.in)")
    parser.add_argument(
        "--steps", type=int, metavar="N", help="stop after N steps, before the deck's end"
    )
    parser.add_argument(
        "--cells", type=int, nargs=3, metavar=("NX", "NY", "NZ"), help="override the deck's cells"
    )
    return parser


def _run(simulation: CloverLeaf, steps: int | None) -> None:
    frequency = simulation.deck.summary_frequency
    _print("   step          time" + "".join(f"{name:>17}" for name in _COLUMNS))
    _print_summary(simulation)
    while not simulation.done and (steps is None or simulation.cycle < steps):
        simulation.step()
        last = simulation.done or simulation.cycle == steps
        if last or (frequency and simulation.cycle % frequency == 0):
            _print_summary(simulation)


def _print_summary(simulation: CloverLeaf) -> None:
    values = simulation.summary()
    _print(
        f"{simulation.cycle:7d} {simulation.time:13.6g}"
        + "".join(f"{values[name]:17.8e}" for name in _COLUMNS)
    )


def _print(text: str) -> None:
    if MPI.COMM_WORLD.rank == 0:
        print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
