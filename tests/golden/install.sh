#!/usr/bin/env bash
# What is installed works from wherever it lies, by itself: the command finds its series, tables and
# scenarios, and the cluster scripts call the command that they came with. mpirun and sbatch are played
# by a few lines each; tests/cluster has the real ones.
set -euo pipefail
# shellcheck source=tests/golden/support.bash
source "$(dirname "${BASH_SOURCE[0]}")/support.bash"
[ -n "${LIQCASCADE_BUILD_DIR:-}" ] || skip 'no LIQCASCADE_BUILD_DIR'
command -v cmake >/dev/null || skip 'cmake is not installed'

cmake --install "$LIQCASCADE_BUILD_DIR" --prefix "$folder/made" >install.txt 2>&1 ||
    fail "cmake --install: $(cat install.txt)"
mv made moved # the place that it was installed to is nowhere in it
built=$command share=$folder/moved/share/liqcascade
small() {
    cat <<YAML
extends: $1/scenarios/shock-94b.yaml
title: a small sweep
replicates: 2
time: {warmup: 2025-10-07T00:00Z, start: 2025-10-10T20:00Z, end: 2025-10-10T21:00Z, step: 5m}
oi: {levels_usd: []}
book: {positions_per_bar: 2}
sweep: {method: grid, axes: {oi.level_usd: [20e9, 60e9, 94e9]}}
critical: {along: oi.level_usd, when: jump_share_of_oi >= 0.05, refine: 1e9}
YAML
}
small "$source_dir" >source.yaml
small "$share" >sweep.yaml
expect 0 sweep source.yaml -q -o whole
same() {
    local table
    for table in sweep critical; do
        cmp "$1/$table.csv" "whole/$table.csv" || fail "$1: $table.csv differs"
    done
}

# ---- the command alone

unset LIQCASCADE_SHARE
command=$folder/moved/bin/liqcascade
[ "$(readlink -f "$command")" != "$built" ] || fail 'the installed command is the built one'
(cd "$source_dir" && find scenarios datasets \( -name '*.yaml' -o -name '*.csv' -o -name '*.zst' \) | sort) >source.txt
(cd "$share" && find scenarios datasets \( -name '*.yaml' -o -name '*.csv' -o -name '*.zst' \) | sort) >share.txt
cmp source.txt share.txt || fail "not what is shipped: $(diff source.txt share.txt)"
for scenario in "$share"/scenarios/*.yaml; do
    expect 0 scenario check "$scenario"
done
expect 0 sweep sweep.yaml -q -o out/results
same out/results
rm -r out/results

# It reads its own series, not those of the tree that it was built from.
mv "$share/datasets/builtin" aside
"$command" sweep sweep.yaml -q -o out/results >out.txt 2>err.txt && fail 'it runs without its series'
grep -q 'no shipped series is called btc-2025-autumn' err.txt || fail "without its series: $(cat err.txt)"
mv aside "$share/datasets/builtin"
rm -rf out/results*

# ---- the scripts: another command is first in the PATH

mkdir bin
printf '#!/bin/sh\necho "the wrong liqcascade" >&2\nexit 99\n' >bin/liqcascade
cat >bin/mpirun <<'MPIRUN'
#!/usr/bin/env bash
# mpirun -n N ... COMMAND ...: the ranks, one after another.
echo "$*" >mpirun.txt
size=$2
while [[ $1 != */liqcascade ]]; do shift; done
for ((rank = 0; rank < size; rank++)); do
    OMPI_COMM_WORLD_RANK=$rank OMPI_COMM_WORLD_SIZE=$size "$@" || exit
done
MPIRUN
cat >bin/sbatch <<'SBATCH'
#!/usr/bin/env bash
# Notes its arguments, each in quotes, and what a job would call.
printf "'%s' " "$@" >>sbatch.txt
command -v liqcascade >>sbatch.txt
echo "$((40 + $(wc -l <sbatch.txt)));a_cluster"
SBATCH
chmod +x bin/*
PATH=$folder/bin:$PATH

# script STATUS NAME ARGUMENT...
script() {
    local status=$1 name=$2 got=0
    shift 2
    bash "$share/scenarios/cluster/$name" "$@" >out.txt 2>err.txt || got=$?
    [ $got -eq "$status" ] || fail "$name $* ends with $got: $(cat out.txt err.txt)"
}
says() { grep -qF -e "$1" err.txt || fail "not '$1': $(cat err.txt)"; }

script 0 mpirun.sh sweep.yaml out/results/ 3 2 --hostfile hosts
same out/results
grep -q -e '--hostfile hosts .*/moved/bin/liqcascade sweep .*--threads 2' mpirun.txt ||
    fail "mpirun was called with $(cat mpirun.txt)"

for name in mpirun.sh sweep.sbatch; do
    script 5 $name sweep.yaml out/results 3
    says 'out/results exists already'
    script 2 $name sweep.yaml out/results
    says usage
    script 2 $name sweep.yaml out/results many
    says usage
    script 2 $name sweep.yaml out/results 1
    says 'liqcascade sweep SCENARIO'
    mv out/results aside
    script 4 $name sweep.yaml out/results 4
    says 'shards of another number than 4: shard-0001-of-0003'
    mv aside out/results
done
rm -r out/results
sed 's/60e9/61e9/' sweep.yaml >changed.yaml
script 3 sweep.sbatch changed.yaml out/results 3
says 'scenario changed'
sed 's/positions_per_bar/positions_a_bar/' sweep.yaml >wrong.yaml
script 3 sweep.sbatch wrong.yaml out/results 3
says 'positions_a_bar'
[ ! -e sbatch.txt ] || fail "refused, but submitted: $(cat sbatch.txt)"

# ---- the array: the shard that is left, and the merge behind it

# submitted LINE: what the line of sbatch.txt says.
submitted() { sed -n "$1p" sbatch.txt; }

rm -r out/results.shards/shard-0002-of-0003
script 0 sweep.sbatch sweep.yaml out/results 3 --account=me '--comment=two words'
[ "$(cat out.txt)" = $'shards 2: job 41\nmerge: job 42' ] || fail "sweep.sbatch says $(cat out.txt)"
submitted 1 | grep -q "'--account=me' '--comment=two words' '--array=2' '.*/sweep.sbatch' 'sweep.yaml' 'out/results' '3' $folder/moved/bin/liqcascade$" ||
    fail "the array is $(submitted 1)"
submitted 2 | grep -q "'--account=me' .*'--dependency=afterok:41' '--kill-on-invalid-dep=yes' .*'3' 'merge' " ||
    fail "the merge is $(submitted 2)"

# As Slurm starts them: a copy somewhere, the login node's PATH, an array's variables.
mkdir spool
cp "$share/scenarios/cluster/sweep.sbatch" spool/slurm_script
PATH=$folder/moved/bin:$PATH SLURM_JOB_ID=43 SLURM_ARRAY_TASK_ID=2 SLURM_CPUS_PER_TASK=2 \
    bash spool/slurm_script sweep.yaml out/results 3 >task.txt 2>&1 || fail "a task: $(cat task.txt)"
PATH=$folder/moved/bin:$PATH SLURM_JOB_ID=42 \
    bash spool/slurm_script sweep.yaml out/results 3 merge >task.txt 2>&1 || fail "the merge: $(cat task.txt)"
same out/results
rm -r out/results out/results.shards sbatch.txt
script 0 sweep.sbatch sweep.yaml out/results 3
submitted 1 | grep -q "'--array=1-3'" || fail "the array is $(submitted 1)"

# A shard that finishes nothing before the time limit does not go round for ever.
printf '#!/bin/sh\ntrap "exit 130" TERM\ntouch began\nwhile :; do sleep 0.05; done\n' >bin/liqcascade
printf '#!/bin/sh\ntouch requeued\n' >bin/scontrol
chmod +x bin/scontrol
SLURM_JOB_ID=44 SLURM_ARRAY_TASK_ID=1 bash spool/slurm_script sweep.yaml out/results 3 >task.txt 2>&1 &
until [ -e began ]; do sleep 0.05; done
kill -USR1 $!
status=0
wait $! || status=$?
[ $status -eq 130 ] || fail "a shard at its time limit ends with $status: $(cat task.txt)"
grep -q 'shard 1 finished nothing within the time limit' task.txt || fail "$(cat task.txt)"
[ ! -e requeued ] || fail 'a shard that finishes nothing goes back into the queue'
[ ! -e out/results ] || fail "leftovers: $(ls out)"
