# For the golden scripts that run scenarios: a folder of one's own, checks of a command's exit status
# and message, and a small market. Sourced; $1 is the command.

command=$(realpath "${1:-${LIQCASCADE_COMMAND:?}}")
source_dir=$(realpath "${LIQCASCADE_SOURCE_DIR:-$(dirname "${BASH_SOURCE[0]}")/../..}")
data_dir=${LIQCASCADE_TEST_DATA:-$source_dir/../shared/data}
export LIQCASCADE_SHARE=$source_dir LC_ALL=C TERM=dumb
unset OMP_NUM_THREADS SLURM_CPUS_PER_TASK

# In memory where that is possible: a results directory is synced to its disk, file by file.
folder=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
trap 'leave' EXIT
cd "$folder"
mkdir out # the results of the test's runs, so that leftovers are seen

# Hook for what a script has to undo besides its folder.
undo() { :; }

leave() {
    undo
    cd /
    rm -rf "$folder"
}

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# Ends a script that cannot be run here; ctest shows it as skipped.
skip() {
    echo "skipped: $*"
    exit 77
}

# Runs the command and expects an exit status; stdout in out.txt, stderr in err.txt.
expect() {
    local status=$1 got=0
    shift
    "$command" "$@" >out.txt 2>err.txt || got=$?
    [ "$got" -eq "$status" ] ||
        fail "\`$*\` exits with $got, not $status: $(head -c 2000 out.txt err.txt)"
}

# expect_error STATUS TEXT ARGUMENT...: one error that holds every TEXT line, nothing on stdout, and
# neither results nor leftovers in out/.
expect_error() {
    local status=$1 text=$2 line
    shift 2
    expect "$status" "$@"
    [ ! -s out.txt ] || fail "\`$*\` fails, but prints $(head -c 500 out.txt)"
    [ "$(wc -l <err.txt)" -eq 1 ] || fail "\`$*\` gives not one error but: $(head -c 2000 err.txt)"
    while IFS= read -r line; do
        grep -qF -e "$line" err.txt || fail "\`$*\` does not say '$line': $(head -c 1000 err.txt)"
    done <<<"$text"
    [ -z "$(ls -A out)" ] || fail "\`$*\` leaves $(ls -A out)"
}

# column FILE NAME: the values of a column, one a line.
column() {
    awk -F, -v name="$2" '
        NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i; if (!at) exit 3; next }
        { print $at }' "$1" || fail "$1 has no column $2"
}

# Four days of 5-minute bars from 2024-03-01: a wave, and on the fourth day at noon a fall of 12 % in
# an hour of which half is won back. Open interest of 50,000 coins that loses a tenth in the fall;
# funding of 0.01 % every 8 hours. Writes price.csv, oi.csv, funding.csv and scenario.yaml.
small_market() {
    awk 'BEGIN {
        pi = atan2(0, -1); start = 1709251200
        print "timestamp_ms,open,high,low,close,volume" >"price.csv"
        print "time,oi" >"oi.csv"
        print "time,rate" >"funding.csv"
        close_before = 60000
        for (i = 0; i < 1152; i++) {
            at = (i - 1008) / 12
            fall = at < 0 ? 0 : at < 1 ? 0.12 * at : at < 6 ? 0.12 - 0.06 * (at - 1) / 5 : 0.06
            last = 60000 * (1 + 0.01 * sin(2 * pi * i / 200) + 0.002 * sin(2 * pi * i / 7)) * (1 - fall)
            high = (last > close_before ? last : close_before) * 1.0005
            low = (last < close_before ? last : close_before) * 0.9995
            printf "%d000,%.2f,%.2f,%.2f,%.2f,%d\n", start + 300 * i, close_before, high, low, last,
                100 + i % 50 >"price.csv"
            close_before = sprintf("%.2f", last) + 0
            printf "%d,%.3f\n", start + 300 * i, 50000 * (1 - fall / 1.2) + i % 3 >"oi.csv"
            if (i % 96 == 0) printf "%d,0.0001\n", start + 300 * i >"funding.csv"
        }
        printf "%d,%.3f\n", start + 300 * 1152, 47500 >"oi.csv"
    }'
    cat >scenario.yaml <<'YAML'
format: 1
title: a small market
symbol: BTCUSDT
seed: 7
time: {warmup: 2024-03-01T00:00Z, start: 2024-03-04T00:00Z, end: 2024-03-05T00:00Z, step: 5m}
data:
  price: {path: price.csv, format: ohlcv_ms}
  funding: {path: funding.csv, format: generic, time: {column: time, as: unix_s}, columns: {rate: rate}, interval: 8h, unit: fraction}
  oi: {path: oi.csv, format: generic, time: {column: time, as: unix_s}, columns: {oi: oi}, unit: coins, scope: test}
book: {positions_per_bar: 10}
impact: {reference_coins: 500}
YAML
}
