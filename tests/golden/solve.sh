#!/usr/bin/env bash
# `solve` on the command line: what it prints is what it writes, at any number of threads; its answer
# is where `run` turns; what cannot be asked is refused and says why; an interrupt leaves nothing.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/support.bash"

cat >solve.yaml <<YAML
extends: $source_dir/scenarios/shock-94b.yaml
title: a small market
time: {warmup: 2025-10-07T00:00Z, start: 2025-10-10T20:00Z, end: 2025-10-10T21:00Z, step: 5m}
oi: {levels_usd: []}
book: {positions_per_bar: 2}
YAML
draws='uncertainty={draws: 3, parameters: {impact.gamma: {uniform: [0.6, 0.9]}}}'
vary=(--vary path.move_log --range 0:-0.8)
until='oi_change_share <= -0.2'

# ---- the answer

expect 0 solve solve.yaml "${vary[@]}" --until "$until" -o found
cp out.txt found.txt
grep -qx "  path.move_log from 0 to -0.8, until $until" out.txt || fail "$(cat out.txt)"
above=$(column found/solve.csv above | head -1) below=$(column found/solve.csv below | head -1)
[ "$(column found/solve.csv value | head -1)" = "$above" ] || fail "$(cat found/solve.csv)"
[ "$(column found/solve.csv status | head -1)" = found ] || fail "$(cat found/solve.csv)"
for end in above below; do
    expect 0 run solve.yaml -q -f -o out/run --set "path.move_log=${!end}"
    [ "$(column out/run/summary.csv oi_change_share)" = \
        "$(column found/solve.csv metric_$end | head -1)" ] || fail "a run at $end is another"
done
rm -r out/run
awk -v above="$above" -v below="$below" 'BEGIN { d = below - above; exit !(d > 0 && d <= 0.8e-6) }' ||
    fail "the bracket is from $below to $above"
looks=$(tail -n +2 found/probes.csv | wc -l)
grep -qx "  $looks values looked at" found.txt || fail "$looks probes, but $(cat found.txt)"
[ -e found/manifest.json ] && [ -e found/scenario.yaml ] || fail "found/ holds $(ls found)"

expect 0 solve solve.yaml "${vary[@]}" --until "$until" --json
grep -q "\"above\": $above" out.txt || fail "--json: $(cat out.txt)"
expect 0 solve solve.yaml "${vary[@]}" --until "$until" -q
[ ! -s out.txt ] || fail "-q prints $(cat out.txt)"
expect 0 solve solve.yaml "${vary[@]}" --until 'oi_change_share <= -2'
grep -q 'never holds on this range' out.txt || fail "$(cat out.txt)"
expect 0 solve solve.yaml --vary path.move_log --range -0.1:-0.2 --until 'liquidated_usd >= 1'
grep -q 'holds at -0.1 already' out.txt || fail "$(cat out.txt)"
# A large move either way liquidates many, a small one few.
expect 0 solve solve.yaml --vary path.move_log --range 0.8:-0.8 --until 'liquidated_usd < 1e9'
grep -q 'not monotone: along the range it begins to hold 1 time and ceases to 1 time; this is the first' \
    out.txt || fail "$(cat out.txt)"
expect 0 solve solve.yaml --vary path.move_log --range 0.8:-0.8 --until 'liquidated_usd >= 1e9'
grep -q 'not monotone: along the range it ceases to hold 1 time and begins to again 1 time' out.txt ||
    fail "$(cat out.txt)"

# ---- the same bytes

expect 0 solve solve.yaml "${vary[@]}" --until "$until" --set "$draws" -q -o one --threads 1
for threads in 2 4 7; do
    expect 0 solve solve.yaml "${vary[@]}" --until "$until" --set "$draws" -q -o many --threads $threads
    cmp one/solve.csv many/solve.csv && cmp one/probes.csv many/probes.csv || fail "$threads threads"
    rm -r many
done
[ "$(column one/solve.csv draw | grep -vc '^0$')" -eq 3 ] || fail "$(cat one/solve.csv)"

# ---- refused

refused() {
    local status=$1 text=$2
    shift 2
    expect_error "$status" "$text" solve solve.yaml -o out/results "$@"
}
expect_error 2 '--vary KEY is missing' solve solve.yaml
expect_error 2 "--until 'METRIC >= X' is missing" solve solve.yaml "${vary[@]}"
refused 3 '--vary: path.move_lgo: unknown key; expected a key of the scenario; did you mean path.move_log?' \
    --vary path.move_lgo --range 0:-0.1 --until "$until"
refused 2 "--until: oi_change_shar is no number of summary.csv; expected one, such as jump_share_of_oi; did you mean oi_change_share?" \
    "${vary[@]}" --until 'oi_change_shar <= -0.2'
refused 2 "'0:0' is empty" --vary path.move_log --range 0:0 --until "$until"
refused 3 'path.move_log: -9 is out of bounds' --vary path.move_log --range 0:-9 --until "$until"
refused 3 'oi.levels_usd' "${vary[@]}" --until "$until" --set 'oi.levels_usd=[1e9, 2e9]'
refused 3 'impact.gama' "${vary[@]}" --until "$until" --set impact.gama=1
refused 3 'draws path.move_log, which is varied' "${vary[@]}" --until "$until" \
    --set 'uncertainty={draws: 3, parameters: {path.move_log: {uniform: [-0.2, -0.1]}}}'
expect_error 5 'exists already' solve solve.yaml "${vary[@]}" --until "$until" -o found

# ---- interrupted

"$command" solve solve.yaml "${vary[@]}" --until "$until" --set book.positions_per_bar=300 \
    --set "$draws" --progress never -o out/results >out.txt 2>err.txt &
sleep 0.5
kill -INT $!
status=0
wait $! || status=$?
[ $status -eq 130 ] || fail "Ctrl-C ends it with $status: $(cat err.txt)"
[ -z "$(ls -A out)" ] || fail "Ctrl-C leaves $(ls -A out)"
[ ! -s out.txt ] || fail "Ctrl-C prints $(cat out.txt)"
