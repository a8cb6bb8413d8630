#!/bin/bash
# The command lines quoted in README.md and reports/doc work, and print what the pages say.
#
#   tests/golden/documentation.sh COMMAND [--update] [PAGE...]
#
# In a fenced block marked `console`, a line that begins with `$ ` is run by bash in a folder that holds
# scenarios/, datasets/ and the small files of tests/golden/documentation; what follows is what it
# prints on a terminal, messages included. A line of `...` stands for any number of lines; a block
# without output shows none on purpose and is run all the same. A status other than 0 is written
# `[exit N]` behind the output. A command that stands in several places is run once. --update writes
# the output anew where all of it is shown: read the difference before committing it.
set -u
command=$(realpath "${1:-${LIQCASCADE_COMMAND:-}}") || exit 2
shift
source_dir=$(realpath "${LIQCASCADE_SOURCE_DIR:-$(dirname "${BASH_SOURCE[0]}")/../..}")
export LIQCASCADE_SHARE=$source_dir LC_ALL=C TERM=dumb
update=no
if [ "${1:-}" = --update ]; then
    update=yes
    shift
fi
pages=("$@")
[ ${#pages[@]} -gt 0 ] || pages=(README.md reports/doc/*.md)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin" "$work/cache" "$work/folder"
ln -s "$command" "$work/bin/liqcascade"
export PATH="$work/bin:$PATH"
cp -r "$source_dir/scenarios" "$work/folder"
mkdir -p "$work/folder/datasets"
cp -r "$source_dir/datasets/anchors" "$work/folder/datasets"
cp "$source_dir"/tests/golden/documentation/* "$work/folder"

# What a command prints, in the file named.
output_of() {
    local key
    key=$work/cache/$(printf '%s' "$1" | sha256sum | cut -c 1-32)
    if [ ! -f "$key" ]; then
        (cd "$work/folder" && bash -c "$1" >"$key" 2>&1 </dev/null)
        local status=$?
        [ -z "$(tail -c 1 "$key")" ] || echo >>"$key"
        [ $status -eq 0 ] || printf '[exit %d]\n' $status >>"$key"
        sed -i "s|$source_dir/||g" "$key"
    fi
    printf '%s' "$key"
}

# True when the shown lines (file $1) agree with those printed ($2); `...` is any number of lines.
agrees() {
    awk 'NR == FNR { shown[++n] = $0; next }
         { printed[++m] = $0 }
         function match_from(i, j) {
             for (; i <= n; i++) {
                 if (shown[i] == "...") {
                     if (i == n) return 1
                     for (; j <= m; j++) if (printed[j] == shown[i + 1] && match_from(i + 1, j)) return 1
                     return 0
                 }
                 if (j > m || printed[j] != shown[i]) return 0
                 j++
             }
             return j > m
         }
         END { exit !match_from(1, 1) }' "$1" "$2"
}

failed=0
commands=0

# finish PAGE LINE: the command in $line and what was shown of it.
finish() {
    [ -n "$line" ] || return
    commands=$((commands + 1))
    local printed
    printed=$(output_of "$line")
    if [ -s "$work/shown" ]; then
        if [ $update = yes ] && ! grep -qx '\.\.\.' "$work/shown"; then
            cp "$printed" "$work/shown"
        elif ! agrees "$work/shown" "$printed"; then
            echo "$1:$2: \$ $line"
            diff -u --label shown --label printed "$work/shown" "$printed"
            failed=$((failed + 1))
        fi
    elif [ "$(tail -n 1 "$printed" | grep -c '^\[exit ')" -ne 0 ]; then
        echo "$1:$2: \$ $line"
        cat "$printed"
        failed=$((failed + 1))
    fi
    cat "$work/shown" >>"$work/page"
    line=
    : >"$work/shown"
}

cd "$source_dir" || exit 2
for page in "${pages[@]}"; do
    number=0
    console=no
    line=
    begun=0
    : >"$work/shown"
    : >"$work/page"
    while IFS= read -r text; do
        number=$((number + 1))
        if [ $console = no ]; then
            [ "$text" = '```console' ] && console=yes
        elif [[ $text == '```' ]]; then
            finish "$page" $begun
            console=no
        elif [[ $text == '$ '* ]]; then
            finish "$page" $begun
            line=${text#\$ }
            begun=$number
        else
            printf '%s\n' "$text" >>"$work/shown"
            continue
        fi
        printf '%s\n' "$text" >>"$work/page"
    done <"$page"
    [ $update = yes ] && ! cmp -s "$work/page" "$page" && cp "$work/page" "$page"
    # Links between the pages lead somewhere.
    while IFS= read -r target; do
        [ -e "$(dirname "$page")/$target" ] || {
            echo "$page: no $target"
            failed=$((failed + 1))
        }
    done < <(grep -o '](\([^)#:]*\))' "$page" | sed 's/^](//; s/)$//' | sort -u)
done
echo "$commands commands, $failed complaints"
[ $failed -eq 0 ] || echo "after a change that is meant: $0 COMMAND --update, and read the difference"
[ $commands -gt 0 ] && [ $failed -eq 0 ]
