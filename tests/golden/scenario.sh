#!/usr/bin/env bash
# liqcascade scenario new, check, show and schema, as a user meets them; $1 is the command.
set -euo pipefail

command=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# Runs the command and expects an exit status; stdout in out.txt, stderr in err.txt.
expect() {
    local status=$1 got=0
    shift
    "$command" "$@" >out.txt 2>err.txt || got=$?
    [ "$got" -eq "$status" ] || fail "$* exits with $got, not $status: $(cat out.txt err.txt)"
}

# A new scenario is a good one, and is never written over another.
expect 0 scenario new mine
expect 0 scenario check mine.yaml
grep -q '^ok: mine: BTCUSDT, 2025-10-10T20:00:00Z to 2025-10-11T02:00:00Z, 360 steps' out.txt ||
    fail "check says $(cat out.txt)"
[ ! -s err.txt ] || fail "check of a new scenario warns: $(cat err.txt)"
cp mine.yaml kept.yaml
expect 5 scenario new mine
grep -q 'mine.yaml: .*File exists' err.txt || fail "new over a file says $(cat err.txt)"
cmp -s mine.yaml kept.yaml || fail "new wrote over a file"
expect 0 scenario new 'a "quoted" \ name' -o quoted.yaml
expect 0 scenario check quoted.yaml
grep -qF 'ok: a "quoted" \ name:' out.txt || fail "the title became $(cat out.txt)"

# The resolved scenario resolves to itself.
expect 0 scenario show mine.yaml --set impact.gamma=0.5
cp out.txt shown.yaml
grep -q '^  gamma: 0.5  #' shown.yaml || fail "a setting is not in force"
expect 0 scenario show shown.yaml
cmp -s out.txt shown.yaml || fail "the resolved scenario resolves to another"

# All errors at once, on stderr, with exit status 3 and nothing on stdout.
expect 3 scenario check mine.yaml --set impact.half_life=20 --set impact.gama=1 \
    --set time.end=2025-10-10
[ "$(wc -l <err.txt)" -eq 3 ] || fail "three errors print as $(cat err.txt)"
[ ! -s out.txt ] || fail "errors went to stdout"
grep -q 'impact.half_life: .*expected a duration such as 20m' err.txt || fail "$(cat err.txt)"
grep -q 'did you mean impact.gamma?' err.txt || fail "$(cat err.txt)"
grep -q 'time.end: .*after time.start' err.txt || fail "$(cat err.txt)"
expect 5 scenario check nowhere.yaml
expect 2 scenario check
expect 2 scenario chekc mine.yaml

# A short warm-up is allowed, and told.
expect 0 scenario check mine.yaml --set time.warmup=2025-10-01
grep -q 'at least 30d' err.txt || fail "a short warm-up goes without a word"

# Every key that show prints is in the schema.
expect 0 scenario schema
cp out.txt schema.txt
for key in format time.step data.INPUT.path data.funding.unit 'venues\[\].oi_share' impact.gamma; do
    grep -q "^$key: " schema.txt || fail "the schema lacks $key"
done
expect 0 scenario schema --json
head -c 1 out.txt | grep -q '\[' || fail "the schema as JSON begins with $(head -c 20 out.txt)"
grep -q '"key": "impact.gamma"' out.txt || fail "the schema as JSON lacks impact.gamma"
