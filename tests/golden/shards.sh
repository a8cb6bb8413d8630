#!/usr/bin/env bash
# Shards that are torn, begun, of another number or another scenario, and disks that are full under a
# shard or a merge: each is told apart by name, and nothing that was computed is lost.
set -euo pipefail
# shellcheck source=tests/golden/support.bash
source "$(dirname "${BASH_SOURCE[0]}")/support.bash"

cat >sweep.yaml <<YAML
extends: $source_dir/scenarios/shock-94b.yaml
title: a small sweep
replicates: 2
time: {warmup: 2025-10-07T00:00Z, start: 2025-10-10T20:00Z, end: 2025-10-10T21:00Z, step: 5m}
oi: {levels_usd: []}
book: {positions_per_bar: 2}
sweep: {method: grid, axes: {oi.level_usd: [20e9, 60e9, 94e9], impact.gamma: [0.6, 1]}}
baselines: [open]
critical: {along: oi.level_usd, when: jump_share_of_oi >= 0.05, refine: 1e9}
YAML
expect 0 sweep sweep.yaml -q -o whole
for shard in 1 2 3; do
    expect 0 sweep sweep.yaml -q -o shards --shard $shard/3
done
same() {
    local table
    for table in sweep critical; do
        cmp "$1/$table.csv" "whole/$table.csv" || fail "$1: $table.csv differs"
    done
}
sums() { (cd "$1" && find . -type f -exec sha256sum {} + | sort); }

# refused TEXT: a merge of broken/ says so, gives no results, and leaves the shards as they are.
refused() {
    sums broken >before.txt
    expect_error 4 "$1" merge broken -o out/results
    sums broken | cmp - before.txt || fail 'a merge that is refused changes the shards'
    rm -r broken
    cp -r shards broken
}
second=broken/shard-0002-of-0003
cp -r shards broken

# ---- damaged

truncate -s -1 $second/points.journal
refused 'shard-0002-of-0003'
truncate -s 0 $second/points.journal
refused 'shard-0002-of-0003'
printf x >>$second/points.journal
refused 'shard-0002-of-0003'
head -c 4096 /dev/urandom >$second/points.journal
refused 'shard-0002-of-0003'
# Another shard's items under this one's name.
cp broken/shard-0001-of-0003/points.journal $second/points.journal
refused 'shard-0002-of-0003'

# ---- begun, of another number, of none

mv $second/points.journal $second.journal
rm -r $second
refused 'begun but not finished: 2'
mv broken/shard-0003-of-0003 broken/shard-0003-of-0004
refused 'shard-0003-of-0004'
mv broken/shard-0003-of-0003 broken/shard-0004-of-0003
refused 'shard-0004-of-0003'
rm -r broken/*
refused 'broken'
expect 5 merge nowhere -o out/results
grep -q nowhere err.txt || fail "no folder: $(cat err.txt)"

# A shard is run again over a damaged one only after that was removed: it might be the only one.
truncate -s -1 $second/points.journal
expect 4 sweep sweep.yaml -q -o broken --shard 2/3 --resume
grep -q 'shard-0002-of-0003' err.txt || fail "a damaged shard: $(cat err.txt)"
rm -r $second
expect 0 sweep sweep.yaml -q -o broken --shard 2/3 --resume
expect 0 merge broken -q -o out/results
same out/results
rm -r out/results

# ---- another scenario

expect 0 sweep sweep.yaml -q -o other --shard 2/3 --set impact.gamma=0.9 --set 'sweep.axes={oi.level_usd: [20e9, 60e9, 94e9]}'
rm -r $second
cp -r other/shard-0002-of-0003 broken
refused 'shard-0002-of-0003'
# All of one kind, but not of the scenario that lies in them.
for shard in 1 2 3; do
    sed -i 's/^seed: .*/seed: 99/' broken/shard-000$shard-of-0003/scenario.yaml
    grep -q '^seed: 99' broken/shard-000$shard-of-0003/scenario.yaml || fail 'no seed to change'
done
refused 'another scenario'

# ---- a full disk under a shard, and under a merge

mkdir small
if mount -t tmpfs -o size=16k tmpfs small 2>/dev/null; then
    undo() { umount "$folder/small" 2>/dev/null || true; }
    expect 5 sweep sweep.yaml -o small/shards --shard 1/2
    grep -q 'No space left on device' err.txt || fail "a full disk under a shard: $(cat err.txt)"
    [ "$(ls -A small/shards)" = shard-0001-of-0002.journal ] || fail "a full disk keeps $(ls -A small/shards)"
    kept=$(stat -c %s small/shards/shard-0001-of-0002.journal)
    mount -o remount,size=4m small
    expect 0 sweep sweep.yaml -o small/shards --shard 1/2 --resume
    [ "$kept" -lt 2000 ] || grep -q 'going on after' err.txt || fail "resumed: $(cat err.txt)"
    expect 0 sweep sweep.yaml -o small/shards --shard 2/2
    sums small/shards >before.txt
    head -c 4m /dev/zero >small/filler 2>/dev/null || true
    expect 5 merge small/shards -o small/results
    grep -q 'No space left on device' err.txt || fail "a full disk under a merge: $(cat err.txt)"
    [ ! -e small/results ] || fail 'a merge without room leaves results'
    sums small/shards | cmp - before.txt || fail 'a merge without room changes the shards'
    rm small/filler
    expect 0 merge small/shards -q -o small/results
    same small/results
else
    echo 'without the full disk: cannot mount one'
fi
