#!/bin/bash
# Scaling series of insitu on this machine, without a queue. Filled in by jobs/submit.py.

cd "@ROOT@" || exit 2
# shellcheck disable=SC1091
source "@VENV@/bin/activate" || exit 2

set -uo pipefail
export INSITU_ENGINE=@ENGINE@
readonly RANKS_PER_NODE=@RANKS_PER_NODE@
export OMP_NUM_THREADS=@DEPTH@

launch() {
  local ranks="$1"
  shift
  "${MPIEXEC:-mpiexec}" -n "$ranks" "$@"
}

# shellcheck source=jobs/runs.sh
source jobs/runs.sh
run_all "@NODES@" "@SERIES@" @CELLS@ @STEPS@ "@OUTPUT@"
