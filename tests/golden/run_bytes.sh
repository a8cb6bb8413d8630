#!/usr/bin/env bash
# A results directory is the same bytes at any number of threads, however they are asked for.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/support.bash"
small_market

same() {
    diff -r "out/$1" "out/$2" >difference.txt ||
        fail "$1 and $2 differ: $(head -c 1000 difference.txt)"
}

# compare NAME ARGUMENT...: the variable leaves no trace in the directory, so all of it is compared;
# of --threads the manifest keeps the arguments.
compare() {
    local name=$1 threads reference
    shift
    reference=$name.1
    for threads in 1 2 4; do
        OMP_NUM_THREADS=$threads expect 0 run scenario.yaml -q -o out/now "$@"
        mv out/now "out/$name.$threads"
        same "$reference" "$name.$threads"
        expect 0 run scenario.yaml -q -o out/now --threads "$threads" "$@"
        rm out/now/manifest.json
        mv out/now "out/$name.option.$threads"
        cp "out/$reference/manifest.json" "out/$name.option.$threads/"
        same "$reference" "$name.option.$threads"
    done
    [ "$(column "out/$reference/summary.csv" liquidated_positions | sort -n | head -n 1)" -gt 0 ] ||
        fail "$name liquidates nobody: nothing was compared"
}

all_tables='output=[summary, steps, tiers, venues, episodes, positions]'
compare replicates --set replicates=3 --set "$all_tables"
compare levels --set replicates=2 --set 'oi.levels_usd=[2e9, 3e9, 6e9]' --set path.model=shock \
    --set path.at=2024-03-04T12:00Z --set path.move_log=-0.1
compare sizes --set 'oi.levels_usd=[2e9, 6e9]' --set oi.scale_by=sizes --set feedback=naive

# Other draws are other bytes: the comparison can fail.
expect 0 run scenario.yaml -q -o out/now --set replicates=3 --set "$all_tables" --seed 8
diff -q out/now/summary.csv out/replicates.1/summary.csv >/dev/null &&
    fail "another seed gives the same results"
exit 0
