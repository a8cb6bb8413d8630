#!/usr/bin/env bash
# However a run ends (interrupted, killed, a full disk, nobody who listens), the results directory is
# there whole or not at all.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/support.bash"
small_market
cat >long.yaml <<'YAML'
extends: scenario.yaml
replicates: 2000
book: {positions_per_bar: 200}
output: [summary]
YAML
cat >wordy.yaml <<'YAML'
extends: scenario.yaml
replicates: 6
output: [steps, positions]
YAML

# start ARGUMENT...: the command in the background; its process is $!.
start() {
    "$command" run "$@" >out.txt 2>err.txt &
}

# ends STATUS: waits for it.
ends() {
    local got=0
    wait $! || got=$?
    [ $got -eq "$1" ] || fail "$2 ends with $got, not $1: $(cat err.txt)"
}

# ---- signals

for signal in INT TERM; do
    start long.yaml -o out/results
    sleep 0.7
    kill -s $signal $!
    SECONDS=0
    ends 130 "SIG$signal"
    [ $SECONDS -le 5 ] || fail "SIG$signal is heard after $SECONDS s"
    grep -q '^liqcascade: interrupted' err.txt || fail "SIG$signal: $(cat err.txt)"
    [ ! -s out.txt ] || fail "an interrupted run prints $(cat out.txt)"
    [ -z "$(ls -A out)" ] || fail "SIG$signal leaves $(ls -A out)"
done

# So is one that still reads: 3 GB of empty lines, packed just below what is taken for a bomb.
head -c 10M /dev/zero | tr '\0' '\n' | gzip -1 >member
for _ in $(seq 300); do cat member; done >lines.gz
sed 's/path: price.csv/path: lines.gz/' scenario.yaml >reading.yaml
start reading.yaml -o out/results
sleep 0.5
kill -s INT $!
SECONDS=0
ends 130 'SIGINT while it reads'
[ $SECONDS -le 5 ] || fail "SIGINT while it reads is heard after $SECONDS s"
[ -z "$(ls -A out)" ] || fail "SIGINT while it reads leaves $(ls -A out)"

# Killed while it writes, a run leaves its hidden folder, which is in nobody's way.
written() {
    for _ in $(seq 2000); do
        [ -n "$(ls -A out)" ] && return
        kill -0 $! 2>/dev/null || return
        sleep 0.002
    done
}
expect 0 run wordy.yaml -q -o whole --progress never
start wordy.yaml -q -o out/results
written
kill -KILL $! 2>/dev/null || true
wait $! 2>/dev/null || true
case $(ls -A out) in
.results.partial-*) ;;
results) echo 'without the killed run: it was done before the signal' ;;
*) fail "a killed run leaves '$(ls -A out)'" ;;
esac
rm -rf out/results
expect 0 run wordy.yaml -q -o out/results
diff -r --exclude=manifest.json whole out/results || fail 'a run after a killed one differs'
rm -rf out/results out/.results.partial-*

# Interrupted while it writes, it is done or gone.
start wordy.yaml -q -o out/results
written
kill -INT $! 2>/dev/null || true
status=0
wait $! || status=$?
case $status in
0) diff -r --exclude=manifest.json whole out/results || fail 'an interrupted run differs' ;;
130) [ -z "$(ls -A out)" ] || fail "interrupted while it writes, a run leaves $(ls -A out)" ;;
*) fail "interrupted while it writes, a run ends with $status" ;;
esac
rm -rf out/results

# ---- nobody listens: the results are whole, and the exit status says that the words were lost

expect 0 run scenario.yaml -o whole_small
heard() {
    [ "$1" -eq "$2" ] || fail "$3: exit status $1, not $2"
    diff -r --exclude=manifest.json whole_small out/results || fail "$3: the results differ"
    [ "$(ls -A out)" = results ] || fail "$3 leaves $(ls -A out)"
    rm -r out/results
}
status=0
"$command" run scenario.yaml -o out/results >&- 2>err.txt || status=$?
heard $status 5 'closed standard output'
grep -q 'standard output: cannot write' err.txt || fail "closed standard output: $(cat err.txt)"
status=0
"$command" run scenario.yaml -o out/results >/dev/full 2>err.txt || status=$?
heard $status 5 'full standard output'
status=0
"$command" run scenario.yaml -q -o out/results <&- >&- 2>&- || status=$?
heard $status 0 'nothing open, nothing to say'
status=0
"$command" run scenario.yaml -o out/results 2>&- >/dev/null || status=$?
heard $status 0 'closed standard error'
set +o pipefail
"$command" run scenario.yaml -o out/results 2>err.txt | head -n 1 >first.txt
set -o pipefail
grep -q '^a small market' first.txt || fail "the first line is $(cat first.txt)"
rm -r out/results

# ---- a full disk

mkdir small
if mount -t tmpfs -o size=64k tmpfs small 2>/dev/null; then
    undo() { umount "$folder/small" 2>/dev/null || true; }
    expect 5 run scenario.yaml -o small/results
    grep -q 'small/results/[a-z]*.csv: cannot write: No space left on device' err.txt ||
        fail "a full disk: $(cat err.txt)"
    [ -z "$(ls -A small)" ] || fail "a full disk keeps $(ls -A small)"
else
    echo 'without the full disk: cannot mount one'
fi
