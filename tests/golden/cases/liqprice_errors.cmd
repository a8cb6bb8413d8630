liqcascade liqprice --side long --entry 120500 --leverage 50 --qty 100
liqcascade liqprice --side long --entry 120000 --leverage 125 --qty 1 --at 2024-08-05
liqcascade liqprice --side long --entry 120000 --leverage 1 --qty 16000
liqcascade liqprice --side long --entry 50000 --leverage 250 --qty 1 --mmr 0.005
liqcascade liqprice --side long --entry 50000 --leverage 10 --qty 1 --margin 4000
liqcascade liqprice --side up --entry 50000 --leverage 10 --qty 1
liqcascade liqprice --entry 50000 --leverage 10 --qty 1
liqcascade liqprice --side long --leverage 10 --qty 1
liqcascade liqprice --side long --entry 50000 --leverage 10
liqcascade liqprice --side long --entry 50000 --qty 1
liqcascade liqprice --side long --entry 50000 --leverage 10 --qty 1 --notional 50000
liqcascade liqprice --side long --entry 50k --leverage 10 --qty 1
liqcascade liqprice --side long --entry -1 --leverage 10 --qty 1
liqcascade liqprice --side long --entry 50000 --leverage 0.5 --qty 1
liqcascade liqprice --side long --entry 50000 --leverage 10 --qty nan
liqcascade liqprice --side long --entry 50000 --leverage 10 --qty 1 --mmr 5
liqcascade liqprice --side long --entry 50000 --leverage 10 --qty 1 --formula linear_marc
liqcascade liqprice --side long --entry 50000 --leverage 10 --qty 1 --formula inverse_mark
liqcascade liqprice --side long --entry 50000 --leverage 10 --qty 1 --symbol DOGEUSDT
liqcascade liqprice --side long --entry 50000 --leverage 10 --qty 1 --venue ../binance
liqcascade liqprice --side long --entry 50000 --leverage 10 --qty 1 --venue nowhere
liqcascade liqprice --side long --entry 50000 --leverage 10 --qty 1 --at yesterday
liqcascade liqprice --side long --entry 50000 --leverage 10 --notional 50000 --venue bitmex --formula linear_mark
liqcascade liqprice --side long --entry 50000 --notional 50000 --venue bitmex --wallet 1000
liqcascade liqprice --side long --entry 50000 --leverage 10 --qty 1 --venue cme
liqcascade liqprice --side long --entry 50000 --leverage 10 --qty 1 --taker 0.2
liqcascade liqprice --side long --entry 50000 --qty 1 --wallet 100
liqcascade liqprice --side long --entry 50000 --qty 1 --wallet 1000 --margin 1000
liqcascade liqprice --side long --entry 50000 --qty 1 --leverage 10 --hedge-qty 1
liqcascade liqprice --side long --entry 50000 --qty 1 --leverage 10 --other-upnl 100
liqcascade liqprice --side long --entry 50000 --qty 1 --wallet 1000 --hedge-entry 40000
liqcascade liqprice --side long --entry 50000 --qty 1 --wallet 1000 --hedge-qty -1
liqcascade liqprice --side long --entry 50000 --qty 1 --wallet 1000 --hedge-qty 1 --hedge-entry 0
liqcascade liqprice --side long --entry 50000 --qty 1 --wallet 1000 --other-maintenance -1
liqcascade liqprice --side long --entry 120000 --qty 1 --wallet 1e9 --hedge-qty 20000 --at 2025-10-10
liqcascade liqprice --side long --entry 120000 --qty 1 --wallet 1e9 --leverage 200 --at 2025-10-10
