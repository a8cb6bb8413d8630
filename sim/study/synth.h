/*
 * Reconstructions: a minute series of price, mark, volume, open interest and funding made from a
 * table of published figures (sim/study/anchors.h) by a seeded bridge. Between two published prices
 * the logarithm of price is a Brownian bridge with the table's volatility; a bar's high and low are
 * those of a Brownian motion with the bar's open and close. Every figure of the table is honoured
 * to the tick. What it yields is no observation and is called a reconstruction wherever it is
 * shown.
 *
 *     struct anchors anchors;
 *     struct synth synth = {0};
 *     code = anchors_read(&anchors, "datasets/anchors/btc-2025-autumn.csv", err);
 *     code = synth_build(&synth, &anchors, &(struct synth_options){...}, err);
 *     code = synth_write(&synth, &anchors, "out", false, err);
 *
 * A draw depends on the seed, the name of its stream and the minute alone (base/random.h), and
 * everything is rounded to ticks, so the same table and seed give the same bytes.
 */
#ifndef LIQCASCADE_SIM_STUDY_SYNTH_H
#define LIQCASCADE_SIM_STUDY_SYNTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "sim/study/anchors.h"

struct synth_options {
    bool has_seed;
    uint64_t seed;          /* in place of the table's */
    int64_t from_ms, to_ms; /* part to keep, [from, to); CALENDAR_NONE: the table's range. The part
                               is the same minutes, not a reconstruction of its own */
};

struct synth_bars {
    int64_t *open, *high, *low, *close; /* in ticks */
};

struct synth {
    int64_t start_ms;  /* of bar 0; bars are minutes */
    size_t bars;       /* of the table's range */
    size_t first, end; /* the part to write: bars [first, end) */
    uint64_t seed;
    struct synth_bars last, mark;
    int64_t *volume_coins; /* in the bar */
    int64_t *oi_steps;     /* open interest at the bar's start, in units of the table's oi_step */
};

/* Fills `self`. ERROR_DATA: figures that no path can meet, options outside of the table's range.
   On failure `self` needs no free. */
int synth_build(struct synth *self, const struct anchors *anchors,
                const struct synth_options *options, struct error *err);
void synth_free(struct synth *self);

/* Funding at a payment time (a multiple of 8 h), in units of 1e-8 of the notional. */
int64_t synth_funding(const struct synth *self, const struct anchors *anchors, int64_t time_ms);

/* The files of a reconstruction; each is a canonical CSV (datasets/), compressed with zstd. */
enum synth_file { SYNTH_PRICE, SYNTH_MARK, SYNTH_OI, SYNTH_FUNDING, SYNTH_FILE_COUNT };
/* "price.csv.zst", ... */
const char *synth_file_name(enum synth_file file);

/* The text of one file before compression, appended to `out`. ERROR_IO when memory is short. */
int synth_csv(const struct synth *self, const struct anchors *anchors, enum synth_file file,
              struct text_buffer *out, struct error *err);

/* Writes the files and meta.yaml as a directory that appears at once. With `force` a directory of
   an earlier reconstruction is replaced; one that holds anything else never is. ERROR_IO. */
int synth_write(const struct synth *self, const struct anchors *anchors, const char *directory,
                bool force, struct error *err);

#endif
