#!/bin/bash
# One GPU per rank, seen as device 0:  mpiexec ... gpu_affinity.sh COMMAND...
#
# In reverse order: on nodes of one AMD Milan and four A100 (Polaris, Perlmutter), CPUs 0 to 7 are
# nearest to GPU 3.
set -euo pipefail

readonly GPUS="${GPUS_PER_NODE:-4}"
local_rank="${PMI_LOCAL_RANK:-${PALS_LOCAL_RANKID:-${SLURM_LOCALID:-${MPI_LOCALRANKID:-}}}}"
if [[ -z "$local_rank" ]]; then
  echo "gpu_affinity.sh: no rank within the node; expected PMI_LOCAL_RANK, PALS_LOCAL_RANKID," \
    "SLURM_LOCALID or MPI_LOCALRANKID from the launcher" >&2
  exit 2
fi
export CUDA_VISIBLE_DEVICES=$((GPUS - 1 - local_rank % GPUS))
exec "$@"
