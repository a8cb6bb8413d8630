# The same position under each formula.
liqcascade liqprice --side long --entry 50000 --leverage 50 --qty 1 --mmr 0.005
liqcascade liqprice --side long --entry 50000 --leverage 50 --qty 1 --mmr 0.005 --formula linear_entry
liqcascade liqprice --side long --entry 50000 --leverage 50 --qty 1 --mmr 0.005 --formula inverse_entry
liqcascade liqprice --side long --entry 50000 --leverage 50 --qty 1 --mmr 0.005 --formula inverse_mark
# Brackets of October 2025, both sides, and one that changes its bracket on the way.
liqcascade liqprice --venue binance --symbol BTCUSDT --side long --entry 120000 --leverage 20 --qty 50 --at 2025-10-10
liqcascade liqprice --venue binance --symbol BTCUSDT --side short --entry 120000 --leverage 20 --qty 50 --at 2025-10-10
liqcascade liqprice --side long --entry 120500 --leverage 20 --qty 100 --at 2025-10-10T21:15Z
# The first tier was smaller in August 2024.
liqcascade liqprice --side long --entry 60000 --leverage 100 --qty 5 --at 2024-08-05
liqcascade liqprice --side long --entry 60000 --leverage 100 --qty 5 --at 2020-03-12
# A position topped up after opening; one that no price liquidates.
liqcascade liqprice --side long --entry 50000 --leverage 50 --qty 1 --margin 5000
liqcascade liqprice --side long --entry 50000 --leverage 1 --qty 0.1
liqcascade liqprice --side short --symbol ETHUSDT --entry 4000 --margin 1000 --notional 40000 --json
liqcascade liqprice --side short --entry 50000 --leverage 50 --qty 1 --mmr 0.005 --formula inverse_mark --json
