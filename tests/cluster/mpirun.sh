#!/usr/bin/env bash
# Three processes under Open MPI's mpirun give the bytes of one, and go on where they were killed.
set -euo pipefail
command -v mpirun >/dev/null || { echo 'skipped: mpirun is not installed'; exit 77; }
positions_per_bar=80
# shellcheck source=tests/cluster/support.bash
source "$(dirname "${BASH_SOURCE[0]}")/support.bash"

# A machine of fewer cores than processes, and a container's root.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
mpirun -n 3 true >mpirun.txt 2>&1 || skip "mpirun cannot start: $(head -c 500 mpirun.txt)"

# In the words of the manual.
mpirun -n 3 --bind-to none liqcascade sweep sweep.yaml -o ranks --threads 1 2>err.txt ||
    fail "mpirun ends with $?: $(cat err.txt)"
for rank in 1 2 3; do
    grep -q "shard $rank of 3 (Open MPI)" err.txt || fail "no rank $rank: $(cat err.txt)"
done
[ "$(ls ranks | wc -l)" -eq 3 ] || fail "three ranks leave $(ls ranks)"
expect 0 merge ranks -q -o merged
same merged

# The script, killed on the way, and again.
setsid bash "$shipped/mpirun.sh" sweep.yaml out/results 3 1 >first.txt 2>&1 &
some_done out/results.shards $! || fail "mpirun.sh ends before it is killed: $(cat first.txt)"
pkill -KILL -s $! # its session: the script, mpirun and the ranks
wait $! 2>/dev/null && fail 'a killed mpirun.sh ends well'
ls out/results.shards/*.journal >/dev/null || fail 'the ranks were not killed'
[ ! -e out/results ] || fail 'a killed mpirun.sh has results'
status=0
bash "$shipped/mpirun.sh" sweep.yaml out/results 3 1 >second.txt 2>&1 || status=$?
[ $status -eq 0 ] || fail "mpirun.sh again ends with $status: $(cat second.txt)"
grep -q 'going on after' second.txt || fail "nothing was kept: $(cat second.txt)"
same out/results

# What was finished is not done again; what cannot be merged fails before the work.
rm -r out/results
bash "$shipped/mpirun.sh" sweep.yaml out/results 3 >third.txt 2>&1 || fail "$(cat third.txt)"
same out/results

# script_refuses STATUS TEXT ARGUMENT...
script_refuses() {
    local status=$1 text=$2 got=0
    shift 2
    bash "$shipped/mpirun.sh" "$@" >err.txt 2>&1 || got=$?
    [ $got -eq "$status" ] || fail "mpirun.sh $* ends with $got: $(cat err.txt)"
    grep -qF "$text" err.txt || fail "mpirun.sh $*: $(cat err.txt)"
}
script_refuses 5 'out/results exists already' sweep.yaml out/results 3
rm -r out/results
script_refuses 4 'another number than 4' sweep.yaml out/results 4
script_refuses 2 usage sweep.yaml out/results
script_refuses 2 usage sweep.yaml out/results three
script_refuses 2 'no cluster' sweep.yaml out/results 1
sed "s/60e9/61e9/" sweep.yaml >changed.yaml
script_refuses 3 "scenario changed" changed.yaml out/results 3
[ ! -e out/results ] || fail 'refused, mpirun.sh leaves results'
