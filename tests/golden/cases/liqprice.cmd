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
liqcascade liqprice --side long --entry 60000 --leverage 50 --qty 5 --at 2020-03-12
# A position topped up after opening; one that no price liquidates.
liqcascade liqprice --side long --entry 50000 --leverage 50 --qty 1 --margin 5000
liqcascade liqprice --side long --entry 50000 --leverage 1 --qty 0.1
liqcascade liqprice --side short --symbol ETHUSDT --entry 4000 --margin 1000 --notional 40000 --json
liqcascade liqprice --side short --entry 50000 --leverage 50 --qty 1 --mmr 0.005 --formula inverse_mark --json
# The taker fee; each venue's own formula and brackets, in USD and in coins, of both schemes.
liqcascade liqprice --side long --entry 50000 --leverage 10 --qty 1 --mmr 0.004 --taker 0.0005 --formula linear_fee
liqcascade liqprice --venue okx --side short --entry 120000 --leverage 10 --qty 15
liqcascade liqprice --venue okx --symbol BTCUSD --side short --entry 50000 --leverage 10 --qty 1
liqcascade liqprice --venue hyperliquid --side long --entry 120000 --leverage 20 --qty 1000
liqcascade liqprice --venue hyperliquid --side short --entry 100000 --leverage 10 --qty 1490
liqcascade liqprice --venue bybit --side long --entry 120000 --leverage 10 --qty 100
liqcascade liqprice --venue bybit --side long --entry 30000 --leverage 10 --qty 100 --at 2022-06-13 --formula linear_entry
liqcascade liqprice --venue bybit_inverse --side long --entry 120000 --leverage 20 --qty 100
liqcascade liqprice --venue bitmex --side long --entry 8000 --leverage 20 --notional 2000000 --at 2020-03-12
liqcascade liqprice --venue deribit --side short --entry 100000 --leverage 10 --qty 10
liqcascade liqprice --venue binance_coinm --side long --entry 50000 --leverage 10 --qty 100
# Cross margin alone, with other contracts and hedged; fully hedged only a rise liquidates.
liqcascade liqprice --side long --entry 120000 --qty 10 --at 2025-10-10 --wallet 92000
liqcascade liqprice --side short --entry 120000 --qty 10 --at 2025-10-10 --wallet 92000 --leverage 20
liqcascade liqprice --side long --entry 120000 --qty 10 --at 2025-10-10 --wallet 100000 --other-maintenance 5000 --other-upnl -3000 --hedge-qty 4 --hedge-entry 118000
liqcascade liqprice --side long --entry 20000 --qty 10 --at 2025-10-10 --wallet 2000 --hedge-qty 10
liqcascade liqprice --side long --entry 50000 --qty 1 --wallet 60000
liqcascade liqprice --side long --entry 50000 --qty 1 --wallet 1000 --mmr 0.005 --formula linear_entry
liqcascade liqprice --side long --entry 120000 --qty 10 --wallet 100000 --hedge-qty 4 --at 2025-10-10 --formula linear_fee --json
