#!/bin/bash -l
#PBS -N @NAME@
#PBS -A @ACCOUNT@
#PBS -q @QUEUE@
#PBS -l select=@SELECT@:system=polaris
#PBS -l place=scatter
#PBS -l walltime=@WALLTIME@
#PBS -l filesystems=@FILESYSTEMS@
#PBS -j oe
#PBS -o @OUTPUT@/@NAME@.log
@DIRECTIVES@
# Scaling series of insitu on Polaris (ALCF): PBS, PALS, Cray MPICH. Filled in by jobs/submit.py.

cd "@ROOT@" || exit 2

# The way out of a compute node.
export http_proxy="http://proxy.alcf.anl.gov:3128"
export https_proxy="$http_proxy"

module use /soft/modulefiles
module load conda
conda activate base
# shellcheck disable=SC1091
source "@VENV@/bin/activate" || exit 2

set -uo pipefail
export INSITU_ENGINE=@ENGINE@
# insitu hands only host memory to MPI, and its Python is not linked to Cray's GPU library.
export MPICH_GPU_SUPPORT_ENABLED=0

readonly RANKS_PER_NODE=@RANKS_PER_NODE@
readonly DEPTH=@DEPTH@ # cores of a rank, from its own NUMA domain at 4 ranks a node

launch() {
  local ranks="$1"
  shift
  mpiexec -n "$ranks" --ppn "$RANKS_PER_NODE" --depth "$DEPTH" --cpu-bind depth \
    --env "OMP_NUM_THREADS=$DEPTH" jobs/gpu_affinity.sh "$@"
}

# shellcheck source=jobs/runs.sh
source jobs/runs.sh
run_all "@NODES@" "@SERIES@" @CELLS@ @STEPS@ "@OUTPUT@"
