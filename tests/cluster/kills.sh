#!/usr/bin/env bash
# Fifty ends at random moments - SIGKILL, SIGINT, SIGTERM, one signal or two - each followed by
# --resume, give the bytes of an undisturbed sweep; so do shards, and a merge that is killed.
set -euo pipefail
positions_per_bar=20
# shellcheck source=tests/cluster/support.bash
source "$(dirname "${BASH_SOURCE[0]}")/support.bash"
wanted=50

# How long it takes undisturbed, so that ends come anywhere in it on any machine.
begun=$(date +%s%3N)
expect 0 sweep sweep.yaml -q -o again --threads 2
same again
whole_ms=$(($(date +%s%3N) - begun))
((whole_ms < 2000)) || whole_ms=2000

pause_up_to() {
    local ms=$((RANDOM % $1))
    sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
}

# Ends process $1 at some moment up to $2 ms from now; its exit status in $status, the signal in
# $signal. SIGKILL leaves nothing to the program; after one other signal it ends as it likes.
end_somewhere() {
    local signals=(KILL KILL INT TERM)
    signal=${signals[RANDOM % 4]}
    pause_up_to "$2"
    kill -s "$signal" "$1" 2>/dev/null || true
    if [ "$signal" != KILL ] && ((RANDOM % 2)); then
        kill -s "$signal" "$1" 2>/dev/null || true
        signal+=" twice"
    fi
    status=0
    wait "$1" 2>/dev/null || status=$?
}

declare -A ended=()

# round FINISHED MS ARGUMENT...: ends a sweep once, within MS; FINISHED is there when it is done.
round() {
    local finished=$1 ms=$2
    shift 2
    "$command" sweep sweep.yaml --progress never -q --resume --threads $((1 + RANDOM % 3)) "$@" \
        >out.txt 2>err.txt &
    end_somewhere $! "$ms"
    case $signal-$status in
    *-0) [ -e "$finished" ] || fail "a sweep ends well without $finished" ;;
    KILL-137 | INT*-130 | TERM*-130 | TERM*-143)
        ended[$signal]=$((${ended[$signal]:-0} + 1))
        kills=$((kills + 1))
        ;;
    *) fail "$signal ends a sweep with $status: $(cat err.txt)" ;;
    esac
    if [ "$status" -eq 130 ] && ! grep -q '^liqcascade: interrupted' err.txt; then
        # A shell reports 130 for a process that its second SIGINT ended, too.
        [ "$signal" = 'INT twice' ] || [ ! -s err.txt ] || fail "$signal: $(cat err.txt)"
    fi
}

# ---- one process

kills=0 finished=0
while [ $kills -lt $wanted ]; do
    round out/results $((whole_ms * (1 + RANDOM % 4) / 5)) -o out/results
    [ -e out/results ] || continue # it is whole even where the end came right behind it
    same out/results
    finished=$((finished + 1))
    rm -rf out/results out/results.journal
done
expect 0 sweep sweep.yaml -q -o out/results --resume
same out/results
for signal in "${!ended[@]}"; do echo "SIG$signal: ${ended[$signal]}"; done | sort
echo "$kills ends in a sweep of $whole_ms ms, finished $finished times between them"
rm -rf out/results

# ---- shards, and their merge

kills=0
for shard in 1 2; do
    for _ in $(seq 5); do
        round "out/shards/shard-000$shard-of-0002" $((whole_ms / 8)) -o out/shards --shard $shard/2
    done
    expect 0 sweep sweep.yaml -q -o out/shards --shard $shard/2 --resume
done
merged=0
for _ in $(seq 10); do
    "$command" merge out/shards -q -o out/results >out.txt 2>err.txt &
    end_somewhere $! $((whole_ms * (1 + RANDOM % 6) / 5))
    [ ! -e out/results ] || { same out/results; merged=$((merged + 1)); rm -r out/results; }
done
expect 0 merge out/shards -q -o out/results
same out/results
echo "$kills ends of shards, 10 of merges of which $merged had finished"
