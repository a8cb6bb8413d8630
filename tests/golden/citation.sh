#!/bin/bash
# `liqcascade cite` says what CITATION.cff says.
#
#   tests/golden/citation.sh COMMAND
set -u
command=${1:-${LIQCASCADE_COMMAND:-${LIQCASCADE:-}}}
source_dir=${LIQCASCADE_SOURCE_DIR:-$(dirname "${BASH_SOURCE[0]}")/../..}
cited=$("$command" cite) || exit 1
failed=0

for key in title version license '  - name'; do
    value=$(sed -n "s/^$key: *\"\{0,1\}\([^\"]*\)\"\{0,1\}\$/\1/p" "$source_dir/CITATION.cff")
    if [ -z "$value" ] || [[ $cited != *"$value"* ]]; then
        echo "CITATION.cff has $key: '$value', the command says:"
        echo "$cited"
        failed=1
    fi
done
exit $failed
