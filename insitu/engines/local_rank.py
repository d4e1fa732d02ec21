"""The rank of this process on its node, before MPI is asked: by it, ranks share the node's GPUs.

In: environment variables of launchers. Out: a number.
"""

from __future__ import annotations

import os

# Environment variables in which launchers pass a process's rank on its node.
_LOCAL_RANKS = (
    "OMPI_COMM_WORLD_LOCAL_RANK",  # Open MPI
    "MPI_LOCALRANKID",  # MPICH, Intel MPI
    "SLURM_LOCALID",
    "PALS_LOCAL_RANKID",  # HPE Cray
    "FLUX_TASK_LOCAL_ID",
)


def local_rank() -> int:
    """Rank of this process on its node, from the launcher's environment variables; default 0."""
    for name in _LOCAL_RANKS:
        if (value := os.environ.get(name, "")).isdecimal():
            return int(value)
    return 0
