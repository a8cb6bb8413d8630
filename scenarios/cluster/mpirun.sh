#!/usr/bin/env bash
# A sweep under mpirun (Open MPI, or any launcher that speaks PMI), merged when all ranks are done:
#
#     bash scenarios/cluster/mpirun.sh scenarios/oi-levels.yaml results/oi-levels 3 [THREADS]
#
# The whole of it is one line,
#
#     mpirun -n 3 liqcascade sweep SCENARIO -o DIR --resume && liqcascade merge DIR -o RESULTS
#
# in which every process learns its shard from the launcher. The same line again goes on after a
# stop, if the number of processes is the same. Processes are not bound to cores: each has THREADS
# threads (1).
set -euo pipefail

[[ $# -ge 3 ]] || { echo "usage: bash $0 SCENARIO RESULTS PROCESSES [THREADS]" >&2; exit 2; }

mpirun -n "$3" --bind-to none liqcascade sweep "$1" -o "$2.shards" --threads "${4:-1}" --resume
liqcascade merge "$2.shards" -o "$2"
