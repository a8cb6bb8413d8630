# What cannot be written is an error of its own, a full disk as much as a closed pipe.
liqcascade version > /dev/full
liqcascade help > /dev/full
liqcascade funding --rate 0.0001 --notional 100000 --hold 30d --json > /dev/full
(sleep 0.3; liqcascade cite) | true; echo "${PIPESTATUS[0]}"
# Colour only on a terminal that wants it.
TERM=xterm script -qec "liqcascade liqprce" /dev/null | cat -v
TERM=xterm NO_COLOR=1 script -qec "liqcascade liqprce" /dev/null | cat -v
TERM=dumb script -qec "liqcascade liqprce" /dev/null | cat -v
# What changes with the build is left out; that it is there is not.
liqcascade version | cut -d ' ' -f 1
liqcascade --version | head -n 1 | cut -d ' ' -f 1
liqcascade version --json | grep -c -e '"version": "[0-9]' -e '"revision"' -e '"zstd": "1'
liqcascade cite | grep -c -e '@software{liqcascade,' -e '  title   = {liqcascade: liquidation cascades'
