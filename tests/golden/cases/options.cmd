# Where options may stand and how they may be written.
liqcascade funding --rate=0.0001 --notional=100000 --hold=30d
liqcascade -q funding --rate 0.0001 --notional 100000 --hold 30d
liqcascade --threads 2 --progress=never funding --rate 0.0001 --notional 100000 --hold 30d -qv
liqcascade funding --rate -0.0001 --notional 100000 --hold 30d
# What is wrong is told, with the nearest word.
liqcascade
liqcascade liqprce
liqcascade xyzzy
liqcascade --jsn funding
liqcascade funding --rat 0.0001
liqcascade funding --xyzzy
liqcascade funding -x
liqcascade funding --rate
liqcascade funding --json=yes
liqcascade funding --progress sometimes
liqcascade funding --threads many
liqcascade funding --threads=-1
liqcascade funding --threads 0
liqcascade funding extra --rate 0.0001
liqcascade funding -- --rate
liqcascade cite --json
liqcascade help nothing
