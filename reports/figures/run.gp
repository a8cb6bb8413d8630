# One run: price, forced orders by side, and open interest over time.
#
#   gnuplot -c reports/figures/run.gp RESULTS_DIR OUT.svg [RUN]
#
# RESULTS_DIR was written by `liqcascade run` and holds summary.csv, steps.csv and manifest.json. RUN
# is a row of summary.csv (1). The same results give the same bytes.

if (ARGC < 2) exit message "usage: gnuplot -c run.gp RESULTS_DIR OUT.svg [RUN]"
results = ARG1
run = ARGC > 2 ? int(ARG3) : 1
steps = results . "/steps.csv"

# ---- what was run ----------------------------------------------------------------------------

said(key) = system(sprintf("sed -n 's/^  \"%s\": \"*\\([^\"]*\\)\"*,$/\\1/p' '%s/manifest.json'", \
                           key, results))
title_text = said("title")
coin = said("symbol")
do for [quote in "USDT USDC USD"] {
    end = strlen(coin) - strlen(quote)
    if (end > 0) {
        if (coin[end + 1:] eq quote) { coin = coin[:end] }
    }
}
# Data are what they are: a reconstruction says so in the picture.
reconstructed = said("reconstructed") eq "true"

set datafile separator ","
set datafile columnheaders
set datafile missing NaN
seconds(name) = strptime("%Y-%m-%dT%H:%M:%SZ", stringcolumn(name))
of_run(value) = int(column("run")) == run ? value : NaN

summary_file = results . "/summary.csv"
stats summary_file using (of_run(seconds("start"))) nooutput
if (STATS_records == 0) exit message sprintf("no run %d in %s", run, summary_file)
start = STATS_min
stats summary_file using (of_run(seconds("end"))) nooutput
end = STATS_min
stats summary_file using (of_run(column("price_start"))) nooutput
price_start = STATS_min
stats summary_file using (of_run(column("oi_start_coins"))) nooutput
oi_start = STATS_min

# At most 200 bars of forced orders, of a width that one can say.
width = 60
do for [minutes in "2 5 10 15 20 30 60 120 240 360 720 1440 10080 43200"] {
    if ((end - start) / width > 200) { width = 60 * int(minutes) }
}
bin(time) = start + width * (floor((time - start) / width) + 0.5)
width_text = width < 3600 ? sprintf("%d min", width / 60) \
           : width < 86400 ? sprintf("%d h", width / 3600) : sprintf("%d d", width / 86400)

# ---- scales ----------------------------------------------------------------------------------

# A line has about 700 points: enough for its width in print, and small enough for a page.
stats steps using (of_run(column("price_low"))) nooutput
thin = int(ceil(STATS_records / 700.0))
step = (end - start) / STATS_records
price_low = STATS_min
stats steps using (of_run(column("price_high"))) nooutput
price_high = STATS_max
# The path without forced orders differs from the price where they move it, or are said to have.
stats steps using (of_run(column("exogenous_close"))) nooutput
top = price_high > STATS_max ? price_high : STATS_max
bottom = price_low < STATS_min ? price_low : STATS_min
if (top == bottom) { top = 1.001 * bottom }
room = 0.12 * (top - bottom)
stats steps using (of_run(abs(column("exogenous_close") - column("price_close")))) nooutput
moved = STATS_max > 0
stats steps using (of_run(column("price_low")) == price_low ? seconds("time") : NaN) nooutput
low_time = STATS_min + 0.5 * step
price_unit = price_low > 10000 ? 1000.0 : 1.0
stats steps using (of_run(column("oi_coins"))) nooutput
oi_unit = STATS_max > 20000 ? 1000.0 : 1.0
oi_low = oi_start < STATS_min ? oi_start : STATS_min
oi_high = oi_start > STATS_max ? oi_start : STATS_max
if (oi_high == oi_low) { oi_high = oi_low + 1.0 }
oi_room = 0.1 * (oi_high - oi_low)
# Lines go from the state before the first step, which steps.csv does not hold, through each close.
stats steps using (seconds("time") == start ? of_run(column("price_close")) : NaN) nooutput
price_first = STATS_min
stats steps using (seconds("time") == start ? of_run(column("oi_coins")) : NaN) nooutput
oi_first = STATS_min
closed(name) = seconds(name) + step
priced(name) = of_run(column(name) / price_unit)
# Steps without forced orders make no bar, but the first: a plot without any point is warned of.
flow(name) = column(name) > 0 || seconds("time") == start ? of_run(column(name) / flow_unit) : NaN

# A round distance of tics, so that a range has about four.
power(x) = 10.0 ** floor(log10(x))
nice(range) = range / 4 / power(range / 4) < 1.5 ? power(range / 4) \
            : range / 4 / power(range / 4) < 3.5 ? 2 * power(range / 4) \
            : range / 4 / power(range / 4) < 7.5 ? 5 * power(range / 4) : 10 * power(range / 4)
# The largest bar on either side.
array sums[800]
do for [i = 1:800] { sums[i] = 0.0 }
place(time) = int(floor((time - start) / width)) + 1
add(i, x) = (sums[i] = sums[i] + x)
stats steps using (int(column("run")) == run ? \
    add(place(seconds("time")), column("liquidated_long_usd")) + \
    add(400 + place(seconds("time")), column("liquidated_short_usd")) : NaN) nooutput
flow_high = 0.0
flow_low = 0.0
do for [i = 1:400] {
    if (sums[i] > flow_high) { flow_high = sums[i] }
    if (-sums[400 + i] < flow_low) { flow_low = -sums[400 + i] }
}
if (flow_high - flow_low == 0) { flow_high = 1e6 }
flow_unit = flow_high - flow_low > 2e8 ? 1e9 : 1e6
flow_name = flow_unit == 1e9 ? "billion" : "million"
flow_range = (flow_high - flow_low) / flow_unit
tic = 300
do for [text in "600 900 1800 3600 7200 10800 21600 43200 86400 172800 604800 2592000"] {
    if (int(text) <= (end - start) / 6.0) { tic = int(text) }
}
in_hours = tic < 86400

# 80600 as 80,600; below 1000 with two decimals.
grouped(x) = x < 1000 ? sprintf("%.2f", x) \
           : sprintf("%d,%03d", int(floor(x + 0.5)) / 1000, int(floor(x + 0.5)) % 1000)

# ---- picture ---------------------------------------------------------------------------------

set terminal svg size 860,740 dynamic font "Helvetica,15" background "#ffffff" \
    name "liqcascade"
set output ARG2
set multiplot
set lmargin at screen 0.075
set rmargin at screen 0.955
set xdata time
set xrange [start:end]
set border 3 lw 1
set tics nomirror out scale 0.6
set grid xtics ytics lt 1 lw 0.6 lc rgb "#dddddd"
set xtics tic
set mxtics 2
set format x ""
set style fill solid 1.0 border lt -1
set key at screen 0.96, 0.912 right top vertical maxrows 1 Left reverse samplen 1.8 width -4 \
    font ",13" noautotitle

# Over the panels: what this is, and what the data are.
set label 1 title_text at screen 0.02, 0.972 left font "Helvetica Bold,17" noenhanced
set label 2 (reconstructed ? \
    "RECONSTRUCTION: prices and open interest made from published figures, not observed; forced orders by the model" : \
    "Prices and open interest as given; forced orders by the model") \
    at screen 0.02, 0.940 left font "Helvetica,13" noenhanced

# Price.
set tmargin at screen 0.870
set bmargin at screen 0.600
set label 3 "Price, " . (price_unit > 1 ? "thousand USD" : "USD") \
    at screen 0.02, 0.895 left font ",14"
set label 4 sprintf("low %s", grouped(price_low)) at low_time, price_low / price_unit \
    left offset 0.8, -0.45 font ",12" point pt 7 ps 0.5 lc rgb "#000000" front
set arrow 1 from start, price_start / price_unit to start + step, price_first / price_unit nohead \
    lw 1.5 lc rgb "#000000"
set ytics nice((top - bottom) / price_unit)
set yrange [(bottom - room) / price_unit:(top + room) / price_unit]
if (moved) {
    plot steps every thin using (closed("time")):(priced("exogenous_close")) \
             with lines lw 1.6 dt (5, 3) lc rgb "#b2182b" \
             title "less the modelled impact", \
         steps every thin using (closed("time")):(priced("price_close")) \
             with lines lw 1.5 lc rgb "#000000" title "last price"
} else {
    plot steps every thin using (closed("time")):(priced("price_close")) \
             with lines lw 1.5 lc rgb "#000000" title "last price"
}
unset label
unset arrow

# Forced orders.
set tmargin at screen 0.545
set bmargin at screen 0.315
set label 3 sprintf("Forced orders, %s USD per %s", flow_name, width_text) \
    at screen 0.02, 0.570 left font ",14"
set yrange [flow_low / flow_unit - 0.04 * flow_range:flow_high / flow_unit + 0.04 * flow_range]
set ytics nice(flow_range)
set key at screen 0.96, 0.587
set xzeroaxis lt 1 lw 1 lc rgb "#000000"
set boxwidth width * 0.92 absolute
plot steps using (bin(seconds("time"))):(flow("liquidated_long_usd")) \
         smooth frequency with boxes fc rgb "#000000" lw 0.5 title "longs sold (up)", \
     steps using (bin(seconds("time"))):(-flow("liquidated_short_usd")) \
         smooth frequency with boxes fc rgb "#cccccc" lw 0.5 title "shorts bought back (down)"
unset label

# Open interest.
set tmargin at screen 0.260
set bmargin at screen 0.090
set label 3 "Open interest of a side, " . (oi_unit > 1 ? "thousand " : "") . coin \
    at screen 0.02, 0.285 left font ",14"
set arrow 1 from start, oi_start / oi_unit to start + step, oi_first / oi_unit nohead \
    lw 1.5 lc rgb "#000000"
set ytics nice((oi_high - oi_low) / oi_unit)
set yrange [(oi_low - oi_room) / oi_unit:(oi_high + oi_room) / oi_unit]
set format x (in_hours ? "%H:%M\n%d %b" : "%d %b\n%Y")
unset key
plot steps every thin using (closed("time")):(of_run(column("oi_coins") / oi_unit)) \
         with lines lw 1.5 lc rgb "#000000"
unset multiplot
unset output
