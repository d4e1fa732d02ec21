"""What the launcher of MPI programs (mpiexec, srun) says of its processes, and whether MPI agrees.

In: environment variables. Out: rank and size before MPI starts; MPI's world; ConfigError where the
launcher belongs to another MPI, so that every process takes itself for the only one; the end of all
processes, after what this one has printed.
"""

from __future__ import annotations

import fcntl
import os
import stat
import sys
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING

from insitu.core.errors import ConfigError

if TYPE_CHECKING:
    from mpi4py import MPI

RANKS = (
    "PMI_RANK",
    "PMIX_RANK",
    "OMPI_COMM_WORLD_RANK",
    "MV2_COMM_WORLD_RANK",
)
SIZES = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS")


# How long `abort` waits for a launcher that does not read, in seconds.
_PATIENCE = 5.0


def rank() -> int:
    """This process's rank as the launcher tells it, without starting MPI; 0 if there is none."""
    return next((int(os.environ[name]) for name in RANKS if name in os.environ), 0)


def world() -> MPI.Intracomm:
    """MPI's world. Not collective, except that MPI starts.

    Raises: ConfigError where MPI cannot be loaded; and as `check`.
    """
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:  # without mpi4py; without an MPI library
        first = str(error).partition("\n")[0]
        raise ConfigError([f"MPI cannot be started: {first}"]) from None
    check()
    return MPI.COMM_WORLD


def world_if_any() -> MPI.Intracomm | None:
    """As `world`; but None where MPI cannot be loaded and this process was started alone."""
    if _launched()[0] > 1:
        return world()
    try:
        import mpi4py.MPI  # noqa: F401
    except (ImportError, RuntimeError):
        return None
    return world()


def check() -> None:
    """Compare MPI's number of processes with the launcher's. Not collective; starts MPI.

    Raises: ConfigError where MPI has one process and the launcher has started several.
    """
    from mpi4py import MPI

    launched, variable = _launched()
    if MPI.COMM_WORLD.size > 1 or launched == 1:
        return
    library = MPI.Get_library_version().strip("\0").splitlines()[0].strip()
    own = Path(sys.executable).with_name("mpiexec")
    which = f", for example {own}" if own.exists() else ""
    raise ConfigError(
        [
            f"mpiexec started {launched} processes ({variable}), but each is alone in MPI: mpiexec "
            f"belongs to another MPI than mpi4py, which uses {library}. Use the mpiexec of that "
            f"one{which}; or unset {variable} if each process is to work on its own"
        ]
    )


def abort(comm: MPI.Comm, status: int) -> None:
    """End all ranks of the communicator, when the launcher has taken what this one has printed.

    Not collective; does not return. A launcher that is told of the end first may throw away what
    still waits in the pipe, and with it the reason.
    """
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    until = time.monotonic() + _PATIENCE
    while any(_waiting(descriptor) for descriptor in (1, 2)) and time.monotonic() < until:
        time.sleep(0.001)
    comm.Abort(status)


def _waiting(descriptor: int) -> bool:
    """Whether bytes written to this pipe have not been read; False for what is no pipe."""
    count = bytearray(4)
    try:
        if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            return False
        fcntl.ioctl(descriptor, termios.FIONREAD, count)
    except OSError:  # closed
        return False
    return any(count)


def _launched() -> tuple[int, str]:
    """The largest number of processes that a launcher says it has started, and where it says so."""
    found = [(int(os.environ[name]), name) for name in SIZES if os.environ.get(name, "").isdigit()]
    return max([(1, ""), *found])
