"""Runs the flame kernel on its own, without in situ processing, and prints its summary.

In: the command line, see --help. Out: a table on standard output of rank 0.
"""

from __future__ import annotations

import argparse
import sys
import time

from mpi4py import MPI

from .simulation import FlameKernel

_EXAMPLES = """examples:
  python -m s3d --points 32 32 32
  mpiexec -n 2 python -m s3d --steps 100
"""
_COLUMNS = ("temperature", "lowest_pressure", "highest_pressure", "heat_release", "mass", "energy")


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; returns the exit status. Collective."""
    options = _parser().parse_args(arguments)
    try:
        simulation = FlameKernel(points=tuple(options.points))
    except ValueError as error:
        # Raised on every rank alike, so one of them may speak for all.
        if MPI.COMM_WORLD.rank == 0:
            print(f"s3d: {error}", file=sys.stderr)
        return 1
    _run(simulation, options.steps, options.every)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m s3d",
        description="A flame kernel in hydrogen and air, on any number of ranks.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--points", type=int, nargs=3, metavar=("NX", "NY", "NZ"), default=(48, 48, 48)
    )
    parser.add_argument("--steps", type=int, metavar="N", help="stop after N steps")
    parser.add_argument("--every", type=int, metavar="N", default=20, help="a line each N steps")
    return parser


def _run(simulation: FlameKernel, steps: int | None, every: int) -> None:
    _print("   step      time, s  s/step" + "".join(f"{name:>17}" for name in _COLUMNS))
    start = time.perf_counter()
    while not simulation.done and (steps is None or simulation.cycle < steps):
        simulation.step()
        if simulation.cycle % every == 0 or simulation.done or simulation.cycle == steps:
            values = simulation.summary()
            seconds = (time.perf_counter() - start) / simulation.cycle
            _print(
                f"{simulation.cycle:7d} {simulation.time:12.4e} {seconds:7.3f}"
                + "".join(f"{values[name]:17.6e}" for name in _COLUMNS)
            )


def _print(text: str) -> None:
    if MPI.COMM_WORLD.rank == 0:
        print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
