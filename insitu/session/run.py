"""python -m insitu.run: runs a simulation with insitu attached.

In: a run file that names an importable simulation, and options on the command line.
Out: what the run file asks for; exit status 0, 1 if the run failed, 2 if it could not start.

A simulation is any object with step() and mesh(), both called on all ranks together, and `cycle`
and `time`; optionally `done`, whether it has finished. It is constructed with
`comm=` and the further keys of the run file's `simulation`.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import numpy as np
from mpi4py import MPI
from threadpoolctl import threadpool_limits

from insitu import actions, config
from insitu.actions import Actions
from insitu.config import FieldConfig, RunConfig, SimulationConfig
from insitu.core import launcher
from insitu.core.code import refusal
from insitu.core.errors import ConfigError, nearest
from insitu.core.limits import byte_size
from insitu.core.parallel import RemoteError, cpu_share
from insitu.engines import threads
from insitu.mesh import (
    GridChoice,
    MeshError,
    Partition,
    PublishedStep,
    Resampler,
    field_names,
    finer_grid,
    partitions,
)
from insitu.models.base import Model
from insitu.models.sparse_grid.model import SparseGrid
from insitu.session import Session
from insitu.session.recording import with_a_record
from insitu.session.report import decibels
from insitu.session.reporter import terminal
from insitu.session.signals import EndSignals
from insitu.store import record_lock
from insitu.training.options import Relative
from insitu.training.select_codec import MODEL

FAILED, REFUSED, INTERRUPTED = 1, 2, 130
# Beyond a field's target, resampling adds a quarter to the squared error: 1 dB.
_ROOM_DB = 6.0
_BLAS_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

_DESCRIPTION = """\
Run a simulation with insitu attached: compress its fields every few steps, keep
the most recent steps in memory, and draw pictures of them when a trigger fires.
"""
_EXAMPLES = """\
examples:
  mpiexec -n 4 python -m insitu.run examples/cloverleaf/run.yaml
  mpiexec -n 4 python -m insitu.run run.yaml --steps 20 --set fields.density.psnr=45
  python -m insitu.run run.yaml --dry-run
"""


class Simulation(Protocol):
    """What the run file's `simulation` must name."""

    cycle: int
    time: float

    def step(self) -> None:
        """Advance by one step. Collective."""

    def mesh(self) -> Any:
        """This rank's part of the mesh and its fields, as a Blueprint tree. Collective."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a simulation as the command line says; returns the exit status. Collective.

    The status is the same on every rank. What the simulation raises ends all ranks, with the
    traceback of the rank that it was raised on.
    """
    comm = MPI.COMM_WORLD
    try:
        launcher.check()
        arguments, status = _read_command_line(comm, argv)
        return status if arguments is None else _start(comm, arguments)
    except ConfigError as error:  # the same on every rank
        if comm.rank == launcher.rank() == 0:
            print(f"insitu: {error}", file=sys.stderr)
        return REFUSED
    except RemoteError as error:  # as well: insitu failed, and was asked to say so
        if comm.rank == 0:
            traceback.print_exception(error)
        return FAILED
    except BaseException as error:  # on this rank at least, and others may wait for it
        return _end_all_ranks(comm, error)


def _start(comm: MPI.Comm, arguments: argparse.Namespace) -> int:
    """Check everything that can be checked, construct the simulation, and run it. Collective."""
    run, wanted = config.broadcast(comm, lambda: actions.load(arguments.config, arguments.set))
    with _refused_together(comm):
        make = _simulation_type(run.simulation, comm)
    _share_out_blas(comm)
    simulation = make()
    with _refused_together(comm):
        _check_simulation(simulation, arguments.steps)
    mesh = simulation.mesh()
    record = with_a_record(run, wanted)[0].record
    with _refused_together(comm):
        if comm.rank == 0 and record and (problem := record_lock.find_problem(record.path)):
            raise ConfigError([f"record.path: {record.path} cannot be made: {problem}"])
    shown = None
    if not arguments.dry_run:
        quiet, steps = arguments.quiet, arguments.steps
        shown = terminal(comm, run.output, quiet=quiet, progress=True, steps=steps)
    # Signals are caught here; a dry run writes nothing.
    if arguments.dry_run and record is not None:
        record = replace(record, on=())
    attached = replace(run, signals=False, record=record)
    session = Session(attached, wanted, comm, terminal=shown)
    try:
        session.check(mesh)
    except (ConfigError, RemoteError) as error:  # the same on every rank
        session.close()  # releases the record, which stays as it was
        if isinstance(error, ConfigError):
            raise
        raise ConfigError([f"simulation: cannot read what it publishes: {error}"]) from None
    if arguments.dry_run:
        _print_plan(comm, session.run, wanted, simulation, mesh)
        return 0
    return _run(comm, simulation, session, arguments.steps)


def _share_out_blas(comm: MPI.Comm) -> None:
    """Leave the simulation's NumPy and SciPy no more BLAS threads than this rank's share of its
    node's CPUs, unless the environment says how many. Collective.

    By default every rank's BLAS takes all CPUs, and ranks wait for each other's threads.
    """
    is_set = any(os.environ.get(name) for name in _BLAS_THREADS)
    if comm.allreduce(not is_set, op=MPI.LOR):
        share = cpu_share(comm, threads.cpus())
        if not is_set:
            threadpool_limits(limits=share, user_api="blas")


def _run(comm: MPI.Comm, simulation: Simulation, session: Session, steps: int | None) -> int:
    """Step, publish and execute until the end; returns the exit status. Collective."""
    signals = EndSignals(comm, "the step is finished, the record written")
    signals.catch()
    done = 0
    try:
        while not _at_end(comm, simulation, done == steps, bool(signals.came)):
            simulation.step()
            session.publish(simulation.mesh())
            session.execute()
            done += 1
        interrupted = signals.agreed()
        session.close()
    except BaseException:
        session.abandon()
        raise
    finally:
        signals.release()
    if session.record_problem:
        if comm.rank == 0:
            print(f"insitu: {session.record_problem}", file=sys.stderr)
        return FAILED
    return INTERRUPTED if interrupted else 0


def _at_end(comm: MPI.Comm, simulation: Simulation, enough: bool, interrupted: bool) -> bool:
    """Whether the run is over: one answer for all ranks, and one allreduce. Collective."""
    mine = np.array([enough or interrupted or getattr(simulation, "done", False)], dtype=np.int32)
    result = np.empty_like(mine)
    comm.Allreduce(mine, result, op=MPI.MAX)
    return bool(result[0])


@contextmanager
def _refused_together(comm: MPI.Comm) -> Iterator[None]:
    """Run a block that holds no collective; a ConfigError on one rank is raised on all.

    Collective at its end. Anything else that the block raises goes its way.
    """
    refusal = ""
    try:
        yield
    except ConfigError as error:
        refusal = str(error)
    refusal = comm.allreduce(refusal, op=MPI.MAX)
    if refusal:
        raise ConfigError([refusal])


def _end_all_ranks(comm: MPI.Comm, error: BaseException) -> int:
    """Say what was raised on this rank and end all of them; returns only if there is one rank."""
    if isinstance(error, KeyboardInterrupt):
        text, status = "insitu: interrupted\n", INTERRUPTED
    else:
        where = f"insitu: rank {comm.rank} of {comm.size}: uncaught exception, the run ends\n"
        text, status = where + "".join(traceback.format_exception(error)), FAILED
    sys.stderr.write(text)
    if comm.size > 1:
        launcher.abort(comm, status)
    return status


# ---- before the start


def _read_command_line(
    comm: MPI.Comm, argv: Sequence[str] | None
) -> tuple[argparse.Namespace | None, int]:
    """The command line, read on rank 0 so that only it prints; or None and the exit status."""
    arguments, status = None, 0
    if comm.rank == 0:
        try:
            arguments = _parser().parse_args(argv)
        except SystemExit as end:  # --help, or a mistake that argparse has printed
            status = end.code if isinstance(end.code, int) else REFUSED
        sys.stdout.flush()
    arguments, status = comm.bcast((arguments, status), root=0)
    return arguments, status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m insitu.run",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("config", metavar="CONFIG", help="run file (YAML)")
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="replace one value of the run file, as in fields.density.psnr=45; may be repeated",
    )
    parser.add_argument(
        "--steps",
        metavar="N",
        type=_positive,
        help="stop after N steps; default: the simulation's end",
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="check the run file against the simulation, print the plan, and exit",
    )
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of steps, 1 or more")
    return int(text)


def _simulation_type(section: SimulationConfig | None, comm: MPI.Comm) -> Callable[[], Simulation]:
    """The constructor that the run file names, with its arguments. Raises ConfigError."""
    if section is None:
        raise ConfigError(["simulation: is required, with the module of a simulation"])
    if refused := refusal(f"simulation.module: {section.module!r}"):
        raise ConfigError([refused])
    module = _import(section)
    name = section.class_name or _default_class(module)
    if not callable(getattr(module, name, None)):
        known = [n for n in _public(module) if callable(getattr(module, n))]
        hint = nearest(name, known) or f" (there are {', '.join(known)})"
        raise ConfigError([f"simulation.class: {section.module} has no {name!r}{hint}"])
    make: Callable[..., Simulation] = getattr(module, name)
    _check_arguments(make, name, {"comm": comm, **section.arguments})
    return lambda: make(comm=comm, **section.arguments)


def _import(section: SimulationConfig) -> ModuleType:
    """Import the simulation's module; what fails inside it is not caught."""
    sys.path.insert(0, section.path)
    try:
        return importlib.import_module(section.module)
    except ModuleNotFoundError as error:
        if not error.name or not f"{section.module}.".startswith(f"{error.name}."):
            raise
    folder = Path(section.path)
    near = [p.stem for p in folder.iterdir()] if folder.is_dir() else []
    where = f"in {section.path} or the environment{nearest(section.module, near)}"
    raise ConfigError([f"simulation.module: no module {section.module!r} {where}"])


def _public(module: ModuleType) -> list[str]:
    return list(getattr(module, "__all__", [n for n in vars(module) if not n.startswith("_")]))


def _default_class(module: ModuleType) -> str:
    """`simulation`, or the only public class with step() and mesh()."""
    if callable(getattr(module, "simulation", None)):
        return "simulation"
    found = [
        name
        for name in _public(module)
        if inspect.isclass(kind := getattr(module, name))
        and callable(getattr(kind, "step", None))
        and callable(getattr(kind, "mesh", None))
    ]
    if len(found) == 1:
        return found[0]
    which = f"one of {', '.join(found)}" if found else "there is none with step() and mesh()"
    raise ConfigError([f"simulation.class: name the class in {module.__name__}; {which}"])


def _check_arguments(make: Callable[..., Any], name: str, arguments: dict[str, Any]) -> None:
    """Refuse arguments that the constructor does not take, and a lack of those that it needs."""
    try:
        parameters = inspect.signature(make).parameters
    except ValueError:  # some constructors written in C do not tell
        return
    named = [p for p in parameters.values() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    names = [p.name for p in named]
    open_ended = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    problems = []
    for key in arguments if not open_ended else ():
        if key == "comm" and key not in names:
            problems.append(f"simulation.class: {name} does not take `comm`, the communicator")
        elif key not in names:
            hint = nearest(key, names)
            problems.append(f"simulation.{key}: {name} takes no argument {key!r}{hint}")
    problems += [
        f"simulation.{p.name}: is required by {name}"
        for p in named
        if p.default is p.empty and p.name not in arguments
    ]
    if problems:
        raise ConfigError(problems)


def _check_simulation(simulation: object, steps: int | None) -> None:
    """Refuse an object that cannot be run, or not to an end."""
    name = type(simulation).__name__
    lacking = [a for a in ("step", "mesh", "cycle", "time") if not hasattr(simulation, a)]
    if lacking:
        raise ConfigError([f"simulation.class: {name} lacks {' and '.join(lacking)}"])
    if steps is None and not hasattr(simulation, "done"):
        raise ConfigError([f"--steps: is required, since {name} has no `done`"])


# ---- --dry-run


def _print_plan(
    comm: MPI.Comm, run: RunConfig, wanted: Actions, simulation: Simulation, mesh: Any
) -> None:
    """Print what would be done with a mesh that was checked. Collective."""
    here = field_names(mesh, ghost_field=run.ghost_field)
    published = sorted({name for names in comm.allgather(here) for name in names})
    lines = [f"simulation  {type(simulation).__name__}, ranks: {comm.size}"]
    lines += [f"published   {', '.join(published)}"]
    meshes, resampling = _as_boxes(comm, run, mesh)
    lines += _field_lines(comm, run, meshes) + resampling
    bound = "" if run.window.memory is None else f", at most {byte_size(run.window.memory)} a rank"
    lines += [f"window      {run.window.steps} steps, one every {run.window.every} cycles{bound}"]
    lines += [f"query       {q.name} = {q.expression.text}" for q in wanted.queries]
    for trigger in wanted.triggers:
        acts = ", ".join(f"{action.what} {action.name}" for action in trigger.actions)
        when = trigger.condition.text if trigger.condition else f"{trigger.callback} says so"
        lines.append(f"trigger     {trigger.name} ({trigger.mode}): {when}")
        lines.append(f"            does {acts or 'nothing'}")
    for action in wanted.due:
        of = "any field" if action.reads is None else ", ".join(sorted(action.reads))
        lines.append(f"{action.what:<12}{action.name}, of {of}")
    lines += [f"record      {run.record.path}"] if run.record else []
    lines += [f"output      {run.output}"]
    if comm.rank == 0:
        print("\n".join(lines))


def _as_boxes(comm: MPI.Comm, run: RunConfig, mesh: Any) -> tuple[dict[str, Any], list[str]]:
    """For each recorded field the mesh that it is read from: boxes, if it is made of cells; and
    lines that say what that costs. Collective."""
    meshes: dict[str, Any] = {}
    lines = []
    here = PublishedStep.of(mesh, run.ghost_field)
    for name, field in run.fields.items():
        parts = field.components or (name,)
        if not comm.allreduce(any(map(here.is_made_of_cells, parts)), op=MPI.LOR):
            meshes[name] = mesh
            continue
        resampler = Resampler(comm, run.resample.cells, run.ghost_field)
        boxes = meshes[name] = resampler.to_boxes(mesh, parts)
        x, y, z = (len(line) - 1 for line in resampler.lines)
        error = resampler.error(boxes, *parts)
        line = f"{name} to {x} x {y} x {z} cells, {error.covered:.1%} of it in the domain: "
        line += f"{decibels(error.psnr_db)}, RMS {error.rms:.3g}, at the mesh's points"
        wanted = run.fields[name].wanted_db
        if wanted is not None and error.psnr_db < wanted + _ROOM_DB:
            start = GridChoice((x, y, z), error)
            finer = finer_grid(comm, mesh, parts, wanted + _ROOM_DB, start, run.ghost_field)
            line += f"; with cells: [{', '.join(map(str, finer.cells))}], "
            line += f"{decibels(finer.error.psnr_db)}"
        lines.append(f"resampled   {line}")
    return meshes, lines


def _field_lines(comm: MPI.Comm, run: RunConfig, meshes: Mapping[str, Any]) -> list[str]:
    """A line per recorded field: its samples, its model on rank 0, its limits. Collective."""
    lines = []
    for name, field in run.fields.items():
        blocks: list[Partition] = []
        with _refused_together(comm):
            blocks = _blocks(meshes[name], name, field, run.ghost_field)
        mine = sum(block.n_voxels for block in blocks)
        total = comm.allreduce(mine)
        components = comm.allreduce(max((b.n_components for b in blocks), default=1), op=MPI.MAX)
        line = f"field       {name}: {total} samples"
        line += f" of {components} components" if components > 1 else ""
        if field.codec != MODEL:
            line += f", by codec {field.codec}"
        elif mine:
            recipe = field.recipe
            block = recipe.model_for(total).for_block(components, mine / total)
            line += f", a {SparseGrid.kind} or" if recipe.any_model else ","
            line += f" a {block.kind}"
            if recipe.sized_by_target and block.trained:
                line += f" of {_sizes(block, mine)} parameters on rank 0, by its target"
            elif block.trained:
                line += f" of {block.n_params} parameters on rank 0"
        limits = [f"{field.wanted_db:g} dB"] if field.wanted_db else []
        limits += [f"a ratio of {field.ratio:g}"] if field.ratio else []
        if isinstance(field.max_error, Relative):
            limits += [f"errors of {field.max_error.rel:g} of the range"]
        elif field.max_error:
            limits += [f"errors of {field.max_error:g}"]
        limits += [f"{field.iterations} iterations"] if field.iterations else []
        limits += [f"{field.seconds:g} s"] if field.seconds else []
        lines.append(line + (f", until {' or '.join(limits)}" if limits else ""))
    return lines


def _sizes(block: Model, n_voxels: int) -> str:
    """The fewest and the most parameters of the models that a target chooses from."""
    options = block.sizes(n_voxels, corrected=True)
    return f"{options[0].model.n_params} to {options[-1].model.n_params}"


def _blocks(
    mesh: Any, name: str, field: FieldConfig, ghost_field: str | tuple[str, ...]
) -> list[Partition]:
    """This rank's blocks of a field. Raises ConfigError if its components do not fit together."""
    try:
        return partitions(mesh, field.components or name, name=name, ghost_field=ghost_field)
    except MeshError as error:
        raise ConfigError([f"fields.{name}: the simulation publishes {error}"]) from None
