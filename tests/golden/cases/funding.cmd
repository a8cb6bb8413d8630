liqcascade funding --rate 0.0001 --interval 8h --notional 100000 --hold 30d
liqcascade funding --rate 0.0001 --interval 8h --notional 100000 --hold 30d --leverage 50 --mmr 0.004
liqcascade funding --rate 0.0001 --interval 8h --notional 100000 --hold 60d --leverage 50 --mmr 0.004
liqcascade funding --rate -0.0003 --interval 1h --notional 25000 --hold 12h --leverage 10 --mmr 0.005
liqcascade funding --rate -0.0003 --interval 1h --notional 25000 --hold 12h --side short
liqcascade funding --rate 0.0001 --notional 100000 --hold 30d --leverage 50 --mmr 0.004 --json
liqcascade funding --rate 0.0001 --notional 100000 --hold 30d --json
# Errors.
liqcascade funding --notional 100000 --hold 30d
liqcascade funding --rate 0.0001 --hold 30d
liqcascade funding --rate 0.0001 --notional 100000
liqcascade funding --rate 0.0001 --notional 100000 --hold 30
liqcascade funding --rate 0.0001 --notional 100000 --hold 30d --interval 0h
liqcascade funding --rate 1.5 --notional 100000 --hold 30d
liqcascade funding --rate 0.0001 --notional 100000 --hold 30d --leverage 50
liqcascade funding --rate 0.0001 --notional 100000 --hold 30d --leverage 50 --mmr 0.02
