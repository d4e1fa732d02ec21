#!/bin/bash -l
#SBATCH --job-name=@NAME@
#SBATCH --account=@ACCOUNT@
#SBATCH --partition=@QUEUE@
#SBATCH --nodes=@SELECT@
#SBATCH --ntasks-per-node=@RANKS_PER_NODE@
#SBATCH --cpus-per-task=@DEPTH@
#SBATCH --gpus-per-node=4
#SBATCH --exclusive
#SBATCH --time=@WALLTIME@
#SBATCH --output=@OUTPUT@/@NAME@.log
@DIRECTIVES@
# Scaling series of insitu where SLURM starts the jobs. Filled in by jobs/submit.py.

cd "@ROOT@" || exit 2
# shellcheck disable=SC1091
source "@VENV@/bin/activate" || exit 2

set -uo pipefail
export INSITU_ENGINE=@ENGINE@
readonly RANKS_PER_NODE=@RANKS_PER_NODE@
readonly DEPTH=@DEPTH@
export OMP_NUM_THREADS="$DEPTH"

launch() {
  local ranks="$1"
  shift
  # Steps are smaller than the job where it runs several numbers of nodes.
  srun --nodes=$((ranks / RANKS_PER_NODE)) --ntasks="$ranks" --ntasks-per-node="$RANKS_PER_NODE" \
    --cpus-per-task="$DEPTH" --cpu-bind=cores jobs/gpu_affinity.sh "$@"
}

# shellcheck source=jobs/runs.sh
source jobs/runs.sh
run_all "@NODES@" "@SERIES@" @CELLS@ @STEPS@ "@OUTPUT@"
