#!/bin/bash
# Runs the command as a user would and compares what it says with what is kept.
#
#   tests/golden/run.sh COMMAND [--update] [CASE...]
#
# cases/NAME.cmd has one shell command a line (# begins a comment line), run in an empty directory;
# `liqcascade` is COMMAND. cases/NAME.out is the transcript: `$ line`, standard output, standard
# error behind `! `, and `[exit N]` where the status is not 0. --update writes the transcripts anew:
# read the difference before committing it. Nothing that a build changes (version, revision, paths)
# belongs into a case.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
update=no
command=
names=()
for argument in "$@"; do
    case $argument in
    --update) update=yes ;;
    *) if [ -z "$command" ]; then command=$argument; else names+=("$argument"); fi ;;
    esac
done
command=${command:-${LIQCASCADE_COMMAND:-${LIQCASCADE:-}}}
if [ ! -x "$command" ]; then
    echo "usage: $0 COMMAND [--update] [CASE...]" >&2
    exit 2
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin" "$work/cases"
ln -s "$(realpath "$command")" "$work/bin/liqcascade"
export PATH="$work/bin:$PATH" LC_ALL=C TERM=dumb LIQCASCADE_SHARE=${LIQCASCADE_SOURCE_DIR:-$here/../..}
unset NO_COLOR OMP_NUM_THREADS
LIQCASCADE_SHARE=$(realpath "$LIQCASCADE_SHARE")

# What one line of a case says.
say() {
    printf '$ %s\n' "$1"
    bash -c "$1" >"$work/stdout" 2>"$work/stderr" </dev/null
    local status=$?
    cat "$work/stdout"
    sed "s|^|! |; s|$LIQCASCADE_SHARE|SHARE|g" "$work/stderr"
    [ "$status" -eq 0 ] || printf '[exit %d]\n' "$status"
}

transcript() {
    mkdir "$work/cases/$1"
    cd "$work/cases/$1" || exit 2
    grep -v -e '^#' -e '^$' "$here/cases/$1.cmd" | while IFS= read -r line; do say "$line"; done
}

if [ ${#names[@]} -eq 0 ]; then
    for file in "$here"/cases/*.cmd; do names+=("$(basename "$file" .cmd)"); done
fi
failed=0
for name in "${names[@]}"; do
    (transcript "$name") >"$work/$name.out"
    if [ $update = yes ]; then
        cp "$work/$name.out" "$here/cases/$name.out"
    elif ! diff -u --label "$name.out (kept)" --label "$name.out (now)" \
        "$here/cases/$name.out" "$work/$name.out"; then
        failed=$((failed + 1))
    fi
done
[ $update = yes ] || echo "${#names[@]} cases, $failed differ"
[ $failed -eq 0 ]
