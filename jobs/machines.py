"""The machines that the series are run on: their job scripts, queues and limits.

In: numbers of nodes, a queue or none. Out: the jobs that these make.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Queue:
    """A queue of a machine, and what it takes."""

    name: str
    min_nodes: int
    max_nodes: int
    max_minutes: tuple[tuple[int, int], ...]
    """(nodes from which on, minutes), rising."""
    together: bool
    """All numbers of nodes go into one job: the queue is for few jobs of a user."""

    def minutes(self, nodes: int) -> int:
        """The longest that a job of so many nodes may take."""
        return [minutes for least, minutes in self.max_minutes if nodes >= least][-1]


@dataclass(frozen=True)
class Machine:
    """Where jobs are submitted."""

    name: str
    template: str
    submit: tuple[str, ...]
    ranks_per_node: int
    depth: int
    """Cores of a rank."""
    cores: int | None = None
    """Of a node, where that is known."""
    queues: tuple[Queue, ...] = ()
    """Smallest first; none: any queue, whose limits are not known here."""


@dataclass(frozen=True)
class Job:
    """One job: the numbers of nodes that it runs the series on, one after the other."""

    queue: str
    nodes: tuple[int, ...]

    @property
    def select(self) -> int:
        """Nodes that it asks for."""
        return max(self.nodes)


# ALCF user guide, "Running Jobs on Polaris", August 2026; debug-scaling takes one job of a user at
# a time, and prod hands jobs on to queues for 10, 25 and 100 nodes and more.
POLARIS = Machine(
    "polaris",
    "polaris.pbs.sh",
    ("qsub",),
    ranks_per_node=4,
    depth=8,
    cores=32,
    queues=(
        Queue("debug", 1, 2, ((1, 60),), together=True),
        Queue("debug-scaling", 1, 10, ((1, 60),), together=True),
        Queue("prod", 10, 496, ((10, 180), (25, 360), (100, 1440)), together=False),
    ),
)
SLURM = Machine("slurm", "slurm.sh", ("sbatch",), ranks_per_node=4, depth=8)
HERE = Machine("here", "here.sh", ("bash",), ranks_per_node=1, depth=1)
MACHINES = {machine.name: machine for machine in (POLARIS, SLURM, HERE)}

MIN_MINUTES = 5  # of every queue of Polaris


def jobs_for(machine: Machine, nodes: Sequence[int], queue: str, minutes: int) -> list[Job]:
    """The jobs for numbers of nodes, each in the given queue, or ("auto") the smallest that fits.

    Raises ValueError naming the number of nodes, or the minutes, that a queue does not take.
    """
    counts = sorted(set(nodes))
    if not counts or counts[0] < 1:
        raise ValueError(f"nodes: {list(nodes)}; expected numbers from 1 on")
    if not machine.queues:
        return [Job("" if queue == "auto" else queue, (count,)) for count in counts]
    chosen: dict[str, list[int]] = {}
    for count in counts:
        found = _queue(machine, count, queue)
        if not MIN_MINUTES <= minutes <= found.minutes(count):
            raise ValueError(
                f"minutes: {minutes}; {found.name} takes {MIN_MINUTES} to {found.minutes(count)} "
                f"for {count} nodes"
            )
        chosen.setdefault(found.name, []).append(count)
    jobs = []
    for kind in machine.queues:
        counts = chosen.get(kind.name, [])
        groups = [tuple(counts)] if kind.together and counts else [(count,) for count in counts]
        jobs += [Job(kind.name, group) for group in groups]
    return jobs


def _queue(machine: Machine, nodes: int, name: str) -> Queue:
    fitting = [q for q in machine.queues if q.min_nodes <= nodes <= q.max_nodes]
    named = [q for q in machine.queues if name in (q.name, "auto")]
    if not named:
        there = ", ".join(q.name for q in machine.queues)
        raise ValueError(f"queue: no {name!r} on {machine.name}; there are {there}, or auto")
    for queue in named:
        if queue in fitting:
            return queue
    limits = ", ".join(f"{q.name} takes {q.min_nodes} to {q.max_nodes}" for q in named)
    instead = f"; use {fitting[0].name}" if fitting else ""
    raise ValueError(f"nodes: {nodes}: {limits}{instead}")
