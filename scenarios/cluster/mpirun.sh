#!/usr/bin/env bash
# A sweep under mpirun (Open MPI, or any launcher that speaks PMI), merged when all ranks are done:
#
#     bash mpirun.sh SCENARIO RESULTS PROCESSES [THREADS [MPIRUN OPTION...]]
#     bash mpirun.sh scenarios/oi-levels.yaml results/oi-levels 3 8 --hostfile hosts
#
# The whole of it is one line,
#
#     mpirun -n 3 liqcascade sweep SCENARIO -o RESULTS.shards --resume &&
#         liqcascade merge RESULTS.shards -o RESULTS
#
# in which every process learns its shard from the launcher. The same line again goes on after a
# stop, with the same number of processes. Processes are not bound to cores: each has THREADS
# threads (1). liqcascade is the one that this script was installed with, else the one in the PATH,
# at the same place on every node.
set -euo pipefail

die() { echo "mpirun.sh: $2" >&2; exit "$1"; }

[[ $# -ge 3 && $3 =~ ^[1-9][0-9]*$ && ${4:-1} =~ ^[1-9][0-9]*$ ]] ||
    die 2 'usage: bash mpirun.sh SCENARIO RESULTS PROCESSES [THREADS [MPIRUN OPTION...]]'
(($3 > 1)) || die 2 'one process is no cluster: liqcascade sweep SCENARIO -o RESULTS --resume'
scenario=$1 results=${2%/} processes=$3 threads=${4:-1}
options=("${@:5}")
folder=$results.shards

# ---- what would fail after the work fails before it

here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
program=$here/../../../../bin/liqcascade
if [[ $here == */share/liqcascade/scenarios/cluster && -x $program ]]; then
    program=$(realpath "$program")
else
    program=$(command -v liqcascade) || die 127 'liqcascade is not in the PATH'
fi
command -v mpirun >/dev/null || die 127 'mpirun is not in the PATH'
[[ ! -e $results ]] || die 5 "$results exists already"
for other in "$folder"/shard-*-of-*; do
    [[ ! -e $other || $other == *-of-"$(printf %04d "$processes")"* ]] ||
        die 4 "$folder holds shards of another number than $processes: ${other##*/}"
done

# ---- the work

mpirun -n "$processes" --bind-to none "${options[@]}" \
    "$program" sweep "$scenario" -o "$folder" --threads "$threads" --resume
"$program" merge "$folder" -o "$results"
