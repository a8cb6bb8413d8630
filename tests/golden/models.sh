#!/usr/bin/env bash
# liqcascade models: each choice of a scenario is told with its parameters, as text and as JSON; $1 is
# the command.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/support.bash"

# says TEXT: a line of the last output is TEXT.
says() { grep -qxF -e "$1" out.txt || fail "no line '$1' in: $(head -c 2000 out.txt)"; }
lacks() { ! grep -qF -e "$1" out.txt || fail "'$1' in: $(head -c 2000 out.txt)"; }

# Every word that the schema offers for a choice of models is told, below the key that takes it.
expect 0 scenario schema
awk '/^[a-z]/ { key = $1; sub(/:$/, "", key) }
     /^    one of / && (key ~ /model$|^(book\.(entry|close)|oi\.(scale_by|flow)|feedback|fill)$/ ||
                        key ~ /^venues\[\]\.(margin|liquidation|adl)$/) {
         sub(/^    one of /, ""); sub(/ or null$/, ""); gsub(/,/, "")
         for (i = 1; i <= NF; i++) print key, $i
     }' out.txt | sort >words.txt
expect 0 models
[ ! -s err.txt ] || fail "models says $(cat err.txt)"
awk 'match($0, /^[a-z]+ \([^)]*\):/) { key = $2; gsub(/[():]/, "", key); next }
     /^[a-z]/ { key = "" }
     /^  [a-z]/ && key { print key, $1 }' out.txt | sort >told.txt
cmp -s words.txt told.txt || fail "words and models differ: $(diff words.txt told.txt)"
[ "$(wc -l <words.txt)" -ge 50 ] || fail "only $(wc -l <words.txt) words were found"
awk 'length > 92 { exit 1 }' out.txt || fail "a line of models is longer than 92 characters"

# A family, a model, all models of a name, and one of them.
expect 0 models margin
says '  linear_mark (the default)'
says '  hyperliquid'
says '      venues[].taker_rate: 0.0005'
says '  parameters of all of margin'
expect 0 models linear_fee
says '      venues[].taker_rate: 0.0005'
says '          a number from 0 to 0.1; fraction'
lacks linear_mark
expect 0 models pareto
says '      book.leverage.alpha: 1.0'
says '      book.size_usd.alpha: 1.2'
expect 0 models size/pareto
says '      book.size_usd.alpha: 1.2'
lacks book.leverage
expect 0 models merton
says '      path.jumps.per_day: null'
says '          source: fitted to the history before path.at'
says '  parameters of all of path, but for observed'
lacks hawkes.branching
expect 0 models impact/none
lacks impact.reference_coins

# Parameters stand in JSON as in the schema, with the defaults in force.
parameters() { grep -o '"key": "[^"]*"' out.txt | sort -u; }
expect 0 models --json
parameters >keys.txt
grep -q '"key": "path.hawkes.branching"' keys.txt || fail "no hawkes.branching in JSON"
grep -q '"key": "venues\[\].adl_drawdown"' keys.txt || fail "no adl_drawdown in JSON"
[ "$(grep -c '"default": true' out.txt)" -eq 14 ] || fail "not 14 families have a default model"
expect 0 models funding/cubic --json
[ "$(parameters | tr '\n' ' ')" = '"key": "funding.cap" "key": "funding.interval" "key": "funding.limit_usd" "key": "funding.max_rate" "key": "funding.model" "key": "funding.premium_limit" "key": "funding.signal" ' ] ||
    fail "the parameters of cubic are $(parameters)"
grep -q '"tables": \[\]' out.txt || fail "bracket tables with a model"

# Bracket tables: as many as dates of contracts in the files.
tables=0
for file in "$source_dir"/datasets/venues/*.csv; do
    dated=$(awk -F, 'NR > 1 { print $1, $2 }' "$file" | sort -u | wc -l)
    tables=$((tables + dated))
done
expect 0 models brackets --json
grep -q '"families": \[\]' out.txt || fail "models with the bracket tables"
[ "$(grep -c '"valid_from"' out.txt)" -eq "$tables" ] || fail "not $tables tables in JSON"
expect 0 models brackets
says '  binance BTCUSDT from 2025-08-21: 12 brackets, up to 150x, caps in usd, marginal'
[ "$(grep -c ' brackets\{0,1\}, up to ' out.txt)" -eq "$tables" ] || fail "not $tables tables"
expect 0 models liquidation/brackets
says '      venues[].partial_brackets: 1'

expect_error 2 '"linear_mrk" is no model; did you mean linear_mark?' models linear_mrk
expect_error 2 '"weather" is no model; `liqcascade models` lists them' models weather
expect_error 2 '"margin/pareto" is no model' models margin/pareto
expect_error 2 'unexpected argument "adl"' models margin adl
