# shellcheck shell=bash
# Every series at every number of nodes, one after the other; sourced by the job scripts.
#
# In: RANKS_PER_NODE, and a function `launch RANKS COMMAND...` that starts so many ranks.
#     run_all "1 2 4" "strong weak" CELLS STEPS OUTPUT
# Out: a line of JSON in OUTPUT for each; exit status 1 if any of them failed, the others are run.
run_all() {
  local nodes series ranks failed=0
  for nodes in $1; do
    for series in $2; do
      ranks=$((nodes * RANKS_PER_NODE))
      echo "$(date '+%F %T') $series: $ranks ranks"
      launch "$ranks" python -m mpi4py benchmarks/scaling_run.py "$series" \
        --cells "$3" --steps "$4" --output "$5" || failed=1
    done
  done
  return "$failed"
}
