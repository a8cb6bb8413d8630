#!/usr/bin/env bash
# A sweep gives the same bytes at any number of threads, in one piece or in shards, and however often
# it was stopped on the way; what cannot be done is refused and says why. tests/cluster has many
# kills, mpirun and Slurm.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/support.bash"

# Four days of 5-minute bars, in which a book of 2 positions a bar meets a fall of 10 %. Critical
# values are searched where some draws have one and others have none.
cat >sweep.yaml <<YAML
extends: $source_dir/scenarios/shock-94b.yaml
title: a small sweep
replicates: 2
time: {warmup: 2025-10-07T00:00Z, start: 2025-10-10T20:00Z, end: 2025-10-10T21:00Z, step: 5m}
oi: {levels_usd: []}
book: {positions_per_bar: 2}
sweep:
  method: grid
  axes:
    oi.level_usd: [20e9, 60e9, 94e9, 120e9]
    impact.gamma: [0.6, 1]
uncertainty:
  draws: 3
  parameters:
    book.leverage.alpha: {uniform: [0.8, 1.6]}
    impact.reference_move_log: {lognormal: {median: 9.0e-4, sigma: 0.2}}
bands: {quantiles: [0.05, 0.5, 0.95], over: both}
baselines: [open]
critical: {along: oi.level_usd, when: jump_share_of_oi >= 0.05, refine: 1e9}
YAML
points=8 draws=3 items=48

# same DIR [REFERENCE]: both tables are those of the reference, byte by byte.
same() {
    local table
    for table in sweep critical; do
        cmp "$1/$table.csv" "${2:-whole}/$table.csv" || fail "$1: $table.csv differs"
    done
}

# ---- threads

expect 0 sweep sweep.yaml -q -o whole --threads 1
for threads in 2 4 7; do
    expect 0 sweep sweep.yaml -q -o out/results --threads $threads
    same out/results
    [ "$(ls -A out)" = results ] || fail "a finished sweep leaves $(ls -A out)"
    rm -r out/results
done
expect 0 sweep sweep.yaml -q -o other --seed 8
cmp -s other/sweep.csv whole/sweep.csv && fail 'another seed gives the same results'

# The sweep did what it was to do: some draw has a critical value and some has none, and the level
# matters.
values=$(column whole/critical.csv value | grep -c . || true)
[ "$values" -gt 0 ] && column whole/critical.csv value | grep -qx '' ||
    fail "critical values: $(cat whole/critical.csv)"
awk -F, 'NR > 1 && $6 != "" && $7 - $6 > 1e9 { exit 1 }' whole/critical.csv ||
    fail 'a bracket is wider than refine'
rows=$(column whole/sweep.csv metric | sort -u | wc -l)
[ "$(tail -n +2 whole/sweep.csv | wc -l)" -eq $((points * 2 * rows)) ] ||
    fail 'sweep.csv lacks rows'
[ "$(tail -n +2 whole/sweep.csv | cut -d, -f 1-5 | sort -u | wc -l)" -eq $((points * 2 * rows)) ] ||
    fail 'sweep.csv repeats rows'

# ---- the plan

expect 0 sweep sweep.yaml --dry-run -o out/results
for line in "points $points" "draws $draws" 'replicates 2' 'baselines 1' \
    "runs $((items * 2))" "books $((draws * 2))"; do
    tr -s ' ' <out.txt | grep -qx "$line" || fail "--dry-run does not say '$line': $(cat out.txt)"
done
[ -z "$(ls -A out)" ] || fail "--dry-run leaves $(ls -A out)"

# ---- shards

# Where nobody says otherwise, in a folder that is not there yet.
expect 0 sweep sweep.yaml -q
same results/sweep
rm -r results
expect 0 sweep sweep.yaml -q --shard 1/3
rm -r results

for shard in 3 1 2; do
    expect 0 sweep sweep.yaml -q -o shards --shard $shard/3 --threads $shard
done
expect 0 merge shards -q -o merged
same merged
expect 0 merge shards/shard-000{2,3,1}-of-0003 -q -o merged -f
same merged
expect 0 sweep sweep.yaml -q -o shards --shard 2/3 --resume
expect 5 sweep sweep.yaml -q -o shards --shard 2/3

# More shards than items of the smallest kind: each of a single item, and some with none.
for shard in $(seq 5); do
    expect 0 sweep sweep.yaml -q -o few --shard "$shard/5" --set 'sweep.axes={oi.level_usd: [20e9, 94e9]}' \
        --set uncertainty.draws=2
done
expect 0 merge few -q -o few_merged
expect 0 sweep sweep.yaml -q -o few_whole --set 'sweep.axes={oi.level_usd: [20e9, 94e9]}' \
    --set uncertainty.draws=2
same few_merged few_whole

merge_refused() {
    local text=$1
    shift
    expect_error 4 "$text" merge "$@" -o out/results
}
cp -r shards missing
rm -r missing/shard-0002-of-0003
merge_refused 'missing: 2' missing
merge_refused 'shard-0001-of-0003' shards shards/shard-0001-of-0003
expect 0 sweep sweep.yaml -q -o foreign --shard 2/3 --seed 8
cp -r foreign/shard-0002-of-0003 missing
merge_refused 'shard-0002-of-0003' missing
rm -r missing/shard-0002-of-0003
cp -r shards/shard-0002-of-0003 missing
printf x | dd of=missing/shard-0002-of-0003/points.journal bs=1 seek=1000 conv=notrunc 2>/dev/null
merge_refused 'shard-0002-of-0003' missing
expect_error 2 'expected -o DIR' merge shards

# ---- stopped and resumed: a sweep of some seconds

sed 's/positions_per_bar: 2/positions_per_bar: 40/' sweep.yaml >long.yaml
expect 0 sweep long.yaml -q -o long --threads 1

start() {
    "$command" sweep long.yaml --progress never "$@" >out.txt 2>err.txt &
}
kept() {
    [ -e out/results.journal ] && stat -c %s out/results.journal || echo 0
}
# Waits until the journal has a record more than its header.
some_done() {
    for _ in $(seq 3000); do
        [ "$(kept)" -gt 2000 ] && return
        kill -0 $! 2>/dev/null || return
        sleep 0.002
    done
}

for signal in INT TERM; do
    start -o out/results --threads 1
    some_done
    kill -s $signal $!
    status=0
    wait $! || status=$?
    [ $status -eq 130 ] || fail "SIG$signal ends a sweep with $status: $(cat err.txt)"
    grep -q '^liqcascade: interrupted' err.txt || fail "SIG$signal: $(cat err.txt)"
    grep -q 'finishing the runs under way' err.txt || fail "SIG$signal: $(cat err.txt)"
    grep -q 'out/results.journal; --resume goes on' err.txt || fail "SIG$signal: $(cat err.txt)"
    [ "$(ls -A out)" = results.journal ] || fail "SIG$signal leaves $(ls -A out)"
    expect 5 sweep long.yaml -q -o out/results
    grep -q -e --resume err.txt || fail "an old journal: $(cat err.txt)"
    expect 3 sweep long.yaml -q -o out/results --resume --set impact.gamma=0.7
    expect 3 sweep long.yaml -q -o out/results --resume --set critical.refine=2e9
    [ "$(ls -A out)" = results.journal ] || fail "refused, a sweep leaves $(ls -A out)"
    expect 0 sweep long.yaml -o out/results --resume --threads 2
    grep -q "going on after [1-9][0-9]* of $items items" err.txt || fail "a resume: $(cat err.txt)"
    same out/results long
    [ "$(ls -A out)" = results ] || fail "resumed, a sweep leaves $(ls -A out)"
    rm -r out/results
done

# Killed at random moments from its start to its end.
wanted=5
kills=0 finished=0
while [ $kills -lt $wanted ]; do
    start -q -o out/results --resume --threads $((1 + kills % 2))
    sleep "0.$(printf '%03d' $((RANDOM % 400)))"
    kill -KILL $! 2>/dev/null || true
    status=0
    wait $! 2>/dev/null || status=$?
    case $status in
    137) kills=$((kills + 1)) ;;
    0)
        same out/results long
        finished=$((finished + 1))
        rm -r out/results
        ;;
    *) fail "between kills a sweep ends with $status: $(cat err.txt)" ;;
    esac
    [ ! -e out/results ] || {
        same out/results long
        rm -rf out/results out/results.journal
    }
done
expect 0 sweep long.yaml -q -o out/results --resume
same out/results long
rm -rf out/results out/.results.partial-*
echo "$kills kills, finished $finished times between them"

# ---- a full disk loses nothing that was computed

mkdir small
if mount -t tmpfs -o size=16k tmpfs small 2>/dev/null; then
    undo() { umount "$folder/small" 2>/dev/null || true; }
    expect 5 sweep sweep.yaml -o small/results
    grep -q 'small/results.journal: .*No space left on device' err.txt ||
        fail "a full disk under the journal: $(cat err.txt)"
    [ "$(ls -A small)" = results.journal ] || fail "a full disk keeps $(ls -A small)"
    mount -o remount,size=64k small
    expect 5 sweep sweep.yaml -o small/results --resume
    grep -q "going on after [1-9][0-9]* of $items items" err.txt ||
        fail "resumed after a full disk: $(cat err.txt)"
    grep -q 'small/results/[a-z]*.csv: cannot write: No space left on device' err.txt ||
        fail "a full disk under the results: $(cat err.txt)"
    [ "$(ls -A small)" = results.journal ] || fail "a full disk keeps $(ls -A small)"
    mount -o remount,size=4m small
    expect 0 sweep sweep.yaml -o small/results --resume
    grep -q "going on after $items of $items items" err.txt ||
        fail "resumed after a full disk: $(cat err.txt)"
    same small/results
else
    echo 'without the full disk: cannot mount one'
fi

# ---- refused

refused() {
    local text=$1
    shift
    expect_error 3 "$text" sweep sweep.yaml -o out/results "$@"
}
refused 'impact.gama' --set 'sweep.axes={impact.gama: [0.5, 1]}'
refused 'impact.gamma' --set 'sweep.axes={impact.gamma: {from: 1, to: 0.5, step: 0.1}}'
refused 'impact.gamma' --set 'sweep.axes={impact.gamma: []}'
refused 'critical.along' --set critical.along=impact.depth_oi_exponent
refused 'liquidated_dollars is no number of summary.csv' --set 'critical.when="liquidated_dollars >= 1"'
refused 'naive' --set 'baselines=[naive]'
refused 'oi.levels_usd' --set 'oi.levels_usd=[1e9, 2e9]'
# A value that no model takes is refused before anything is computed.
refused 'impact.gamma' --set 'sweep.axes={oi.level_usd: [20e9, 60e9], impact.gamma: [0.6, -1]}' \
    --set critical.along=oi.level_usd
expect_error 3 'sweep: is missing; expected a method and axes, or the command `run`' \
    sweep "$source_dir/scenarios/shock-94b.yaml" --set 'oi.levels_usd=[]' -o out/results
expect_error 5 'exists already' sweep sweep.yaml -o whole
expect_error 2 '--shard' sweep sweep.yaml -o out/results --shard 4/3
