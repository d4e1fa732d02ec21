/* A compiled program with Python inside of it, as a simulation with Ascent is: the extract is run
 * at every step, MPI ends, and Python is never told that it is over. */

#include <Python.h>
#include <mpi.h>
#include <stdio.h>

static const char* const start =
    "from pathlib import Path\n"
    "from mpi4py import MPI\n"
    "from tests.support.ascent_extract import Ascent, Published\n"
    "simulation, ascent = Published(MPI.COMM_WORLD), Ascent(Path('.'))\n";

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  Py_Initialize();
  int failed = PyRun_SimpleString(start);
  for (int step = 0; step < 4 && !failed; step++)
    failed = PyRun_SimpleString("simulation.step()\nascent.execute(simulation.node())\n");
  if (failed) MPI_Abort(MPI_COMM_WORLD, 1);
  MPI_Finalize();
  puts("MPI has ended");
  return 0;
}
