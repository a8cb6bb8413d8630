#!/bin/bash
# reports/figures/run.gp draws a fresh result: without a word from gnuplot, the same bytes twice, with
# what the data are in the picture.
#
#   tests/golden/figure.sh COMMAND [--update]
#
# --update draws reports/figures/btc-2025-10.svg, the figure of the README, anew.
set -u
command=$(realpath "${1:-${LIQCASCADE_COMMAND:-}}") || exit 2
source_dir=$(realpath "${LIQCASCADE_SOURCE_DIR:-$(dirname "${BASH_SOURCE[0]}")/../..}")
export LIQCASCADE_SHARE=$source_dir LC_ALL=C
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

if ! command -v gnuplot >/dev/null; then
    echo 'skipped: gnuplot is not installed'
    exit 77
fi

complain() {
    echo "$*"
    failed=1
}

draw() {
    gnuplot -c "$source_dir/reports/figures/run.gp" "$@" 2>&1
}

# run NAME SCENARIO [OPTION...]
run() {
    local name=$1 scenario=$2
    shift 2
    if ! "$command" run "$source_dir/scenarios/$scenario.yaml" -q -o "$work/$name" "$@"; then
        echo "cannot run $scenario"
        exit 1
    fi
}

if [ "${2:-}" = --update ]; then
    run october btc-2025-10
    draw "$work/october" "$source_dir/reports/figures/btc-2025-10.svg"
    exit $failed
fi

# A small book over a short warm-up: the figure's parts are the same.
small=(--set replicates=2 --set book.positions_per_bar=4)
run observed btc-2025-10 "${small[@]}" --set time.warmup=2025-10-09T00:00Z
run shock shock-94b --set book.positions_per_bar=4 --set time.warmup=2025-10-09T00:00Z
run calm btc-2025-10 "${small[@]}" --set time.warmup=2025-10-09T00:00Z \
    --set time.end=2025-10-10T20:05Z --set impact.model=none

for name in observed shock calm; do
    said=$(draw "$work/$name" "$work/$name.svg")
    [ -z "$said" ] || complain "$name: gnuplot says: $said"
    draw "$work/$name" "$work/again.svg" >/dev/null
    cmp "$work/$name.svg" "$work/again.svg" || complain "$name: two drawings differ"
    [ "$(grep . "$work/$name.svg" | tail -n 1)" = '</svg>' ] || complain "$name: no whole SVG"
    grep -q RECONSTRUCTION "$work/$name.svg" || complain "$name: does not say reconstruction"
done
# The published low of 10 October 2025, Binance BTCUSDT: 101,516.5.
grep -q 'low 101,517' "$work/observed.svg" || complain 'observed: the low is not the published one'
draw "$work/observed" "$work/second.svg" 2 >/dev/null
cmp -s "$work/observed.svg" "$work/second.svg" && complain 'the second run is drawn as the first'
draw "$work/observed" "$work/third.svg" 3 >/dev/null && complain 'a run that is not there is drawn'

# Data that are no reconstruction do not say so.
sed 's/"reconstructed": true/"reconstructed": false/' "$work/observed/manifest.json" >"$work/m"
mv "$work/m" "$work/observed/manifest.json"
draw "$work/observed" "$work/given.svg" >/dev/null
grep -q RECONSTRUCTION "$work/given.svg" && complain 'given data are called a reconstruction'

exit $failed
