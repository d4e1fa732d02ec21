#!/bin/bash
#SBATCH --job-name=simulation
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=4
#SBATCH --time=01:00:00
#SBATCH --signal=USR1@120
# A program of your own with insitu under SLURM: a template to copy and change.
#
# 120 s before the time limit every rank gets SIGUSR1, finishes its step and writes the record
# (`python -m insitu.run` always, your own code with `signals: true` in the run file). After a crash
# the window is gathered from the nodes' memory before they are given away.

set -uo pipefail
readonly RECORD="${RECORD:-out/record}" # record.path in the run file
readonly SCRATCH="${SCRATCH:-/dev/shm}" # record.scratch in the run file
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"

# Replace this by your program: srun ./simulation input.deck
srun python -m insitu.run "${1:-run.yaml}"
status=$?

# One process per node: copy what a crash has left, if it has, and remove it from the node. The names
# begin with the job's number, so another job of yours on the node is left alone.
on_every_node() {
  srun --nodes="$SLURM_JOB_NUM_NODES" --ntasks="$SLURM_JOB_NUM_NODES" --ntasks-per-node=1 "$@"
}
readonly GATHERED="$RECORD.crash.$SLURM_JOB_ID"
# shellcheck disable=SC2016
on_every_node bash -c '
  for folder in "$1"/insitu."$SLURM_JOB_ID".*; do
    [ -d "$folder" ] || continue
    mkdir -p "$2/$SLURM_NODEID" && cp -r "$folder" "$2/$SLURM_NODEID" \
      && insitu recover --discard "$folder"
  done' - "$SCRATCH" "$GATHERED"

if [ -d "$GATHERED" ]; then
  insitu recover "$GATHERED"/*/insitu.* -o "$RECORD.recovered.$SLURM_JOB_ID"
fi
exit "$status"
