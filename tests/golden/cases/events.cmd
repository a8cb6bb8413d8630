# The table of events and what is said of one of them.
liqcascade data events --help
liqcascade data events
liqcascade data events 2021-09-07
liqcascade data events 2022-11-08
liqcascade data events 2026-01-31 --json
liqcascade data events 2026-01-30
liqcascade data events --from absent.csv
printf 'event,title,start,end,symbol,venue,figure,at,span,low,high,unit,kind,source\na,A,2024-08-05,2024-08-06,all,all,liquidated,,,2,1,usd,press,me\n' > own.csv; liqcascade data events --from own.csv
sed -i s/liquidated,/liquidated_usd,/ own.csv; liqcascade data events --from own.csv
sed -i s/2,1,/1,,/ own.csv; liqcascade data events a --from own.csv
