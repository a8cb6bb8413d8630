liqcascade help
liqcascade --help
liqcascade help liqprice
liqcascade liqprice -h
liqcascade funding --help
liqcascade help help
liqcascade help version
liqcascade help cite
