#!/bin/bash
#PBS -N simulation
#PBS -l select=2:ncpus=4:mpiprocs=4
#PBS -l walltime=01:00:00
# A program of your own with insitu under PBS: a template to copy and change.
#
# PBS sends SIGTERM at the time limit and SIGKILL a few seconds later, too late to write. So `timeout`
# sends SIGTERM two minutes earlier: every rank finishes its step and writes the record
# (`python -m insitu.run` always, your own code with `signals: true` in the run file). After a crash
# the window is gathered from the nodes' memory before they are given away.

set -uo pipefail
cd "${PBS_O_WORKDIR:-.}" || exit 2
readonly RECORD="${RECORD:-out/record}" # record.path in the run file
readonly SCRATCH="${SCRATCH:-/dev/shm}" # record.scratch in the run file
readonly SECONDS_TO_RUN="${SECONDS_TO_RUN:-3480}" # the walltime less two minutes
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"

# Replace this by your program: timeout ... mpiexec ./simulation input.deck
timeout --signal=TERM "$SECONDS_TO_RUN" mpiexec python -m insitu.run "${1:-run.yaml}"
status=$?

# One process per node: copy what a crash has left, if it has, and remove it from the node. The names
# begin with the job's number, so another job of yours on the node is left alone.
NODES=$(mktemp) && sort -u "$PBS_NODEFILE" >"$NODES"
on_every_node() {
  mpiexec -n "$(wc -l <"$NODES")" --hostfile "$NODES" "$@"
}
readonly JOB="${PBS_JOBID//[^[:alnum:]_-]/_}"
readonly GATHERED="$RECORD.crash.$JOB"
# shellcheck disable=SC2016
on_every_node bash -c '
  for folder in "$1"/insitu."$3".*; do
    [ -d "$folder" ] || continue
    mkdir -p "$2/$(hostname)" && cp -r "$folder" "$2/$(hostname)" \
      && insitu recover --discard "$folder"
  done' - "$SCRATCH" "$GATHERED" "$JOB"
rm -f "$NODES"

if [ -d "$GATHERED" ]; then
  insitu recover "$GATHERED"/*/insitu.* -o "$RECORD.recovered.$JOB"
fi
exit "$status"
