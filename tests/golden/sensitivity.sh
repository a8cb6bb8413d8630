#!/usr/bin/env bash
# A sensitivity study gives the same bytes at any number of threads and however often it was stopped
# on the way; what cannot be studied is refused and says why.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/support.bash"

# Four days of 5-minute bars, in which a book of 2 positions a bar meets a fall of 10 %.
cat >study.yaml <<YAML
extends: $source_dir/scenarios/shock-94b.yaml
title: a small study
replicates: 2
time: {warmup: 2025-10-07T00:00Z, start: 2025-10-10T20:00Z, end: 2025-10-10T21:00Z, step: 5m}
oi: {levels_usd: []}
book: {positions_per_bar: 2}
uncertainty:
  parameters:
    impact.gamma: {uniform: [0.6, 1]}
    book.leverage.alpha: {uniform: [0.8, 1.6]}
    impact.reference_move_log: {lognormal: {median: 9.0e-4, sigma: 0.2}}
    fill: {choice: [walk, final]}
sensitivity: {rows: 16, trajectories: 4, metrics: [liquidated_usd, jump_share_of_oi]}
YAML
rows=16 factors=4 points=96 runs=192
morris=(--set sensitivity.method=morris)

# same DIR REFERENCE TABLE: both tables are those of the reference, byte by byte.
same() {
    local table
    for table in "$3" points; do
        cmp "$1/$table.csv" "$2/$table.csv" || fail "$1: $table.csv differs"
    done
}

# ---- threads

expect 0 sensitivity study.yaml -q -o whole --threads 1
expect 0 sensitivity study.yaml -q -o screened --threads 1 "${morris[@]}"
for threads in 2 4; do
    expect 0 sensitivity study.yaml -q -o out/results --threads $threads
    same out/results whole sensitivity
    [ "$(ls -A out)" = results ] || fail "a finished study leaves $(ls -A out)"
    expect 0 sensitivity study.yaml -q -o out/results -f --threads $threads "${morris[@]}"
    same out/results screened morris
    rm -r out/results
done
expect 0 sensitivity study.yaml -q -o other --seed 8
cmp -s other/points.csv whole/points.csv && fail 'another seed gives the same points'

# ---- results

[ "$(head -n 1 whole/sensitivity.csv)" = metric,factor,s1,s1_lo,s1_hi,st,st_lo,st_hi,rows ] ||
    fail "sensitivity.csv: $(head -n 1 whole/sensitivity.csv)"
[ "$(head -n 1 screened/morris.csv)" = \
    metric,factor,mu,mu_star,mu_star_lo,mu_star_hi,sigma,trajectories ] ||
    fail "morris.csv: $(head -n 1 screened/morris.csv)"
for file in whole/sensitivity.csv screened/morris.csv; do
    [ "$(tail -n +2 $file | cut -d, -f 1,2 | sort -u | wc -l)" -eq $((2 * factors)) ] ||
        fail "$file lacks rows: $(cat $file)"
done
[ "$(tail -n +2 whole/points.csv | wc -l)" -eq $points ] || fail 'points.csv lacks points'
[ "$(tail -n +2 screened/points.csv | wc -l)" -eq $((4 * (factors + 1))) ] ||
    fail 'points.csv of trajectories lacks points'
column whole/sensitivity.csv rows | grep -qvx $rows && fail 'rows are missing'
awk -F, 'NR > 1 && !($4 <= $3 && $3 <= $5 && $7 <= $6 && $6 <= $8) { exit 1 }' \
    whole/sensitivity.csv || fail "an interval without its estimate: $(cat whole/sensitivity.csv)"

# A point of points.csv is the run with its settings, the mean of its replicates.
point=$(sed -n 8p whole/points.csv)
IFS=, read -r _ gamma alpha move fill liquidated _ <<<"$point"
expect 0 run study.yaml -q -o out/results --set impact.gamma="$gamma" \
    --set book.leverage.alpha="$alpha" --set impact.reference_move_log="$move" --set fill="$fill"
column out/results/summary.csv liquidated_usd |
    awk -v expected="$liquidated" '{ sum += $1 }
        END { if (NR != 2 || (sum / 2 - expected) ^ 2 > (1e-9 * expected) ^ 2) exit 1 }' ||
    fail "points.csv and run differ: $point"
rm -r out/results

# What the command says: factors by their weight, and what they come to.
expect 0 sensitivity study.yaml -o out/results
grep -q "^a small study: $factors parameters, $rows rows, $points points, 2 replicates$" out.txt ||
    fail "the command says $(cat out.txt)"
[ "$(grep -c 'alone, they explain' out.txt)" -eq 2 ] || fail "the command says $(cat out.txt)"
awk '/^  [a-z_]*:/ { before = 1e9 } / % with interactions/ { if ($2 > before) exit 1; before = $2 }' \
    out.txt || fail "factors out of order: $(cat out.txt)"
rm -r out/results

# ---- the plan: of a row A has a book, and B one that it shares with A of another leverage

expect 0 sensitivity study.yaml --dry-run -o out/results
for line in "parameters $factors" "rows $rows" "points $points" 'replicates 2' "runs $runs" \
    "books $((rows * 2 * 2))"; do
    tr -s ' ' <out.txt | grep -qx "$line" || fail "--dry-run does not say '$line': $(cat out.txt)"
done
[ -z "$(ls -A out)" ] || fail "--dry-run leaves $(ls -A out)"

# ---- stopped and resumed

long=(sensitivity study.yaml --set book.positions_per_bar=20 --set sensitivity.rows=32)
expect 0 "${long[@]}" -q -o long --threads 2

start() {
    "$command" "${long[@]}" -o out/results --progress never "$@" >out.txt 2>err.txt &
}
# Waits until the journal has records more than its header.
some_done() {
    local size
    for _ in $(seq 3000); do
        size=$([ -e out/results.journal ] && stat -c %s out/results.journal || echo 0)
        [ "$size" -gt 4000 ] && return
        kill -0 $! 2>/dev/null || return
        sleep 0.002
    done
}

start --threads 1
some_done
kill -s INT $!
status=0
wait $! || status=$?
[ $status -eq 130 ] || fail "SIGINT ends a study with $status: $(cat err.txt)"
grep -q 'out/results.journal; --resume goes on' err.txt || fail "SIGINT: $(cat err.txt)"
[ "$(ls -A out)" = results.journal ] || fail "SIGINT leaves $(ls -A out)"
expect 5 "${long[@]}" -q -o out/results
expect 3 "${long[@]}" -q -o out/results --resume --set impact.permanent_share=0.1
expect 3 "${long[@]}" -q -o out/results --resume --seed 8
[ "$(ls -A out)" = results.journal ] || fail "refused, a study leaves $(ls -A out)"
expect 0 "${long[@]}" -o out/results --resume --threads 2
grep -q 'going on after [1-9][0-9]* of 384 items' err.txt || fail "a resume: $(cat err.txt)"
same out/results long sensitivity
[ "$(ls -A out)" = results ] || fail "resumed, a study leaves $(ls -A out)"
rm -r out/results

for _ in 1 2 3; do
    start --threads 2 --resume
    sleep "0.$(printf '%03d' $((RANDOM % 400)))"
    kill -KILL $! 2>/dev/null || true
    wait $! 2>/dev/null || true
    rm -rf out/results
done
expect 0 "${long[@]}" -q -o out/results --resume
same out/results long sensitivity
rm -rf out/results out/.results.partial-*

# What was computed is studied anew without computing it again: here after a metric that was missing.
expect 6 sensitivity study.yaml -o out/results \
    --set 'sensitivity.metrics=[liquidated_usd, funding_rate_min, branching_ratio_max, utilisation_max]'
grep -q 'is missing at too many points: 0 of 16 rows' err.txt || fail "$(cat err.txt)"
expect 0 sensitivity study.yaml -o out/results --resume
grep -q "going on after $runs of $runs items" err.txt || fail "another metric: $(cat err.txt)"
same out/results whole sensitivity
rm -r out/results

# ---- refused

refused() {
    local text=$1
    shift
    expect_error 3 "$text" sensitivity study.yaml -q -o out/results "$@"
}
refused 'sensitivity.metrics: liquidated_us is no number of summary.csv
did you mean liquidated_usd?' --set 'sensitivity.metrics=[liquidated_us]'
refused 'sensitivity.metrics' --set 'sensitivity.metrics=[]'
refused 'names fees_usd twice' --set 'sensitivity.metrics=[fees_usd, fees_usd]'
refused 'is no power of two' --set sensitivity.rows=100
refused 'did you mean sobol?' --set sensitivity.method=sobl
refused 'uncertainty.parameters: is missing' --set uncertainty.parameters=null
refused 'oi.levels_usd: are runs side by side' --set 'oi.levels_usd=[60e9, 94e9]'
refused 'cannot be varied' --set 'uncertainty.parameters.sensitivity.level={uniform: [0.5, 0.9]}'

venues= priors=
for i in $(seq 11); do
    venues="$venues{name: v$i, oi_share: 0.0$((i == 11 ? 5 : 95))}, "
    priors="$priors'venues[v$i].cap_scale': {uniform: [1, 2]}, "
    priors="$priors'venues[v$i].fee_rate': {uniform: [0, 0.02]}, "
done
many=(--set "venues=[$venues]" --set "uncertainty.parameters={$priors}")
refused 'has 26 parameters; expected at most 20 factors
sensitivity.method: morris' "${many[@]}"
expect 0 sensitivity study.yaml -q -o out/results "${many[@]}" "${morris[@]}" \
    --set sensitivity.trajectories=2 --set replicates=1
[ "$(tail -n +2 out/results/points.csv | wc -l)" -eq 54 ] || fail 'points of 26 factors'
rm -r out/results
expect_error 2 sensitivity sensitivity -o out/results
