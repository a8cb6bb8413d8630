#include "sim/study/measure.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "scenarios/value.h"
#include "sim/metrics.h"

/* Runs that are kept at a time; all those of a variant at least. */
enum { PASS_RUNS = 1024, SHARED_PARTS = 8, NAMES_MAX = 128 };

/* ---- numbers ---------------------------------------------------------------------------- */

int measure_number(const char *name)
{
    const struct field *field;
    for (size_t i = 0; (field = metrics_number_field(i)) != NULL; i++)
        if (strcmp(field->name, name) == 0)
            return (int)i;
    return -1;
}

const char *measure_hint(const char *name, char *buffer)
{
    const char *names[NAMES_MAX];
    const struct field *field;
    size_t count = 0;
    for (; count < NAMES_MAX && (field = metrics_number_field(count)) != NULL; count++)
        names[count] = field->name;
    return value_hint(name, names, count, buffer);
}

static double mean_of(const double *numbers, size_t replicates, size_t stride, size_t number)
{
    double sum = 0.0;
    size_t there = 0;
    for (size_t r = 0; r < replicates; r++) {
        double value = numbers[r * stride + number];
        if (isnan(value))
            continue;
        sum += value;
        there++;
    }
    return there > 0 ? sum / (double)there : NAN;
}

struct measure_means measure_means_of(const double *numbers, size_t replicates, size_t stride,
                                      const size_t *which, size_t count)
{
    struct measure_means out = {{NAN, NAN}, false};
    for (size_t r = 0; r < replicates; r++)
        out.ran_away |= evaluate_ran_away(numbers + r * stride);
    for (size_t i = 0; i < count && !out.ran_away; i++)
        out.mean[i] = mean_of(numbers, replicates, stride, which[i]);
    return out;
}

int measure_answer(const struct measure_means *self, const struct condition *when, double mean)
{
    if (self->ran_away)
        return SEARCH_NONE;
    return condition_holds(when, mean) ? SEARCH_HOLDS : SEARCH_FAILS;
}

/* ---- runs ------------------------------------------------------------------------------- */

struct pass {
    struct evaluate_item *items; /* owned */
    double *numbers;             /* by item; owned */
};

static int run_pass(struct evaluate *evaluate, const struct pass *pass,
                    struct measure_variant *variants, size_t count, const size_t *which,
                    size_t which_count, struct error *err)
{
    size_t replicates = (size_t)evaluate->scenario.replicates, each = evaluate_numbers();
    for (size_t i = 0; i < count * replicates; i++)
        pass->items[i] = (struct evaluate_item){
            .settings = variants[i / replicates].settings,
            .count = variants[i / replicates].count,
            .replicate = i % replicates,
            .numbers = pass->numbers + i * each,
        };
    int code = evaluate_items(evaluate, pass->items, count * replicates, NULL, NULL, err);
    for (size_t i = 0; i < count && code == ERROR_NONE; i++)
        variants[i].means = measure_means_of(pass->numbers + i * replicates * each, replicates,
                                             each, which, which_count);
    return code;
}

int measure_variants(struct evaluate *evaluate, struct measure_variant *variants, size_t count,
                     const size_t *which, size_t which_count, struct error *err)
{
    size_t replicates = (size_t)evaluate->scenario.replicates;
    size_t each = PASS_RUNS / replicates > 0 ? PASS_RUNS / replicates : 1;
    each = each < count ? each : count;
    struct pass pass = {
        .items = memory_alloc(each * replicates, sizeof *pass.items),
        .numbers = memory_alloc(each * replicates * evaluate_numbers(), sizeof *pass.numbers),
    };
    int code = pass.items == NULL || pass.numbers == NULL ? error_memory(err, "measuring runs")
                                                          : ERROR_NONE;
    for (size_t i = 0; i < count && code == ERROR_NONE; i += each) {
        size_t some = count - i < each ? count - i : each;
        code = run_pass(evaluate, &pass, variants + i, some, which, which_count, err);
    }
    memory_free(pass.items);
    memory_free(pass.numbers);
    return code;
}

int measure_parts(const struct evaluate *evaluate, const struct measure_variant *one,
                  const struct measure_variant *other, size_t *out_parts, struct error *err)
{
    const struct evaluate_item items[] = {{.settings = one->settings, .count = one->count},
                                          {.settings = other->settings, .count = other->count}};
    size_t books = 0;
    int code = evaluate_books(evaluate, items, 2, &books, err);
    *out_parts = books == 1 ? SHARED_PARTS : 2;
    return code;
}
