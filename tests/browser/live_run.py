"""A simulation on all ranks that waits before each step for a file, and records each step.

In: a folder. Out: crash copies there, and a record at the end.
"""

import sys
import time
from pathlib import Path

from mpi4py import MPI

import insitu
from tests.support.moving import Moving
from tests.support.sessions import run_file

folder = Path(sys.argv[1])
simulation = Moving(MPI.COMM_WORLD, steps=3)
changes = {"window": {"steps": 3, "every": 1}, "actions": []}
fields = {"density": {"iterations": 40}}
session = insitu.open(run_file(folder, fields=fields, **changes), simulation.comm)
while not simulation.done:
    simulation.step()
    while not (folder / f"step_{simulation.cycle}").exists():
        time.sleep(0.02)
    session.publish(simulation.mesh())
    session.execute()
session.close()
