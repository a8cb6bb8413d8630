/*
 * What venue rules cost: the same book of a million positions and the same shock of -15 % against
 * USD 94B, once with one venue that liquidates whole positions and insures without limit, once with
 * three venues (Binance, Bybit, Hyperliquid) that liquidate in parts, have prices of their own,
 * small insurance funds, and deleverage. One thread, one process, in turns; what is printed is the
 * time with rules over the time without. Reading data and writing results are not part of it.
 */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/paths.h"
#include "scenarios/scenario.h"
#include "sim/run.h"
#include "sim/setup.h"

enum { ROUNDS = 5 };

#define COMMON                                                                    \
    "oi.levels_usd=[94e9]", "book.positions_per_bar=10", "path.move_log=-0.1625", \
        "book.size_usd.median=1e5"

#define PLAIN                                                                         \
    "venues=[{name: all, rules: binance, liquidation: full, oi_share: 1, adl: none, " \
    "insurance_fund_usd: null}]"
/* The venues' own rules; funds so small that they have to deleverage. */
#define RULED                                                                    \
    "venues=[{name: binance, rules: binance, oi_share: 0.4, adl: pnl_leverage, " \
    "insurance_fund_usd: 1e8},"                                                  \
    "{name: bybit, rules: bybit, oi_share: 0.3, insurance_fund_usd: 1e7},"       \
    "{name: hyperliquid, rules: hyperliquid, oi_share: 0.3, insurance_fund_usd: 1e7}]"

static const char *const plain[] = {COMMON, PLAIN};
static const char *const ruled[] = {COMMON, "impact.arbitrage_half_life=10s", RULED};

static void fail(const char *what)
{
    fprintf(stderr, "bench_rules: %s\n", what);
    exit(1);
}

static double now_s(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void prepare(struct scenario *scenario, struct setup *setup, const char *const *sets,
                    size_t count)
{
    struct error_list errors = {0};
    struct error err = {0};
    char path[PATHS_SIZE];
    snprintf(path, sizeof path, "%s/scenarios/shock-94b.yaml", LIQCASCADE_SOURCE_DIR);
    if (scenario_load(scenario, path, sets, count, &errors) != ERROR_NONE)
        fail(errors.items[0].message);
    if (setup_init(setup, scenario, &err) != ERROR_NONE)
        fail(err.message);
}

static double run_once(const struct setup *setup, struct metrics_summary *out)
{
    struct error err = {0};
    struct run_tables tables;
    double start = now_s();
    if (run_scenario(setup, &tables, &err) != ERROR_NONE)
        fail(err.message);
    double time = now_s() - start;
    *out = tables.summary[0];
    run_tables_free(&tables);
    return time;
}

static void print(const char *what, double time, const struct metrics_summary *summary)
{
    printf("  %-10s%8.3f s  %lld positions, %lld liquidated, %lld partial orders, %.1f %% of OI "
           "liquidated, ADL %.1f %%, taken over %.1f %%\n",
           what, time, (long long)summary->positions, (long long)summary->liquidated_positions,
           (long long)summary->partial_orders, 100.0 * summary->liquidated_share_of_oi,
           100.0 * summary->adl_coins / summary->oi_start_coins,
           100.0 * summary->backstop_coins / summary->oi_start_coins);
}

int main(void)
{
    struct scenario scenarios[2];
    struct setup setups[2];
    struct metrics_summary summaries[2];
    double best[2] = {0.0, 0.0};
    omp_set_num_threads(1);
    prepare(&scenarios[0], &setups[0], plain, sizeof plain / sizeof *plain);
    prepare(&scenarios[1], &setups[1], ruled, sizeof ruled / sizeof *ruled);
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < 2; i++) {
            double time = run_once(&setups[i], &summaries[i]);
            best[i] = round == 0 || time < best[i] ? time : best[i];
        }
    printf("venue rules: partial liquidation, three venues and deleveraging against the plain "
           "run\n");
    print("plain", best[0], &summaries[0]);
    print("rules", best[1], &summaries[1]);
    printf("  rules / plain %.2f   (target: at most 2)\n", best[1] / best[0]);
    for (int i = 0; i < 2; i++) {
        setup_free(&setups[i]);
        scenario_free(&scenarios[i]);
    }
    return 0;
}
