# For the scripts that run a sweep in many processes and kill it: a sweep of a second or more
# ($positions_per_bar), sweep.yaml, and what one undisturbed process makes of it, whole/. Sourced; $1
# is the command.
# shellcheck source=tests/golden/support.bash
source "$(dirname "${BASH_SOURCE[0]}")/../golden/support.bash"

shipped=$source_dir/scenarios/cluster

# Some draws have a critical value and others have none, so that merge has a search to do.
cat >sweep.yaml <<YAML
extends: $source_dir/scenarios/shock-94b.yaml
title: a small sweep
replicates: 2
time: {warmup: 2025-10-07T00:00Z, start: 2025-10-10T20:00Z, end: 2025-10-10T21:00Z, step: 5m}
oi: {levels_usd: []}
book: {positions_per_bar: ${positions_per_bar:-20}}
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
baselines: [open]
critical: {along: oi.level_usd, when: jump_share_of_oi >= 0.05, refine: 1e9}
YAML
expect 0 sweep sweep.yaml -q -o whole --threads 1

# same DIR: both tables are those of whole/, byte by byte.
same() {
    local table
    for table in sweep critical; do
        cmp "$1/$table.csv" "whole/$table.csv" || fail "$1: $table.csv differs"
    done
}

# some_done FOLDER PROCESS: waits until a journal below FOLDER has more than its header; fails when
# PROCESS ends before.
some_done() {
    for _ in $(seq 6000); do
        [ -z "$(find "$1" -name '*.journal' -size +1k 2>/dev/null)" ] || return 0
        kill -0 "$2" 2>/dev/null || return 1
        sleep 0.005
    done
    return 1
}

# `liqcascade` for the scripts, as in a PATH.
mkdir bin
ln -s "$command" bin/liqcascade
export PATH=$folder/bin:$PATH
