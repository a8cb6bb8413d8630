#include "sim/study/nulls.h"

#include <math.h>
#include <stdbool.h>

#include <gsl/gsl_errno.h>
#include <gsl/gsl_multifit.h>

#include "base/memory.h"

/* Directions of the regressors below this share of the largest are not told apart. */
#define RANK_TOLERANCE 1e-10

enum { COLUMNS_MAX = NULLS_PREDICTORS_MAX + 1 };

/* ---- least squares ---------------------------------------------------------------------- */

/* y = x c, row by row. */
struct design {
    double *x, *y; /* owned; `columns` and 1 per row */
    size_t rows, columns;
};

struct fitted {
    double coefficients[COLUMNS_MAX], errors[COLUMNS_MAX];
    double residual; /* sum of squares */
};

static void design_free(struct design *self)
{
    memory_free(self->x);
    memory_free(self->y);
}

static int design_init(struct design *self, size_t rows_most, size_t columns, struct error *err)
{
    *self = (struct design){.columns = columns};
    self->x = memory_alloc(rows_most, columns * sizeof *self->x);
    self->y = memory_alloc(rows_most, sizeof *self->y);
    if (self->x != NULL && self->y != NULL)
        return ERROR_NONE;
    design_free(self);
    return error_memory(err, "a regression");
}

/* Leaves the row out when a number of it is not known. `regressors` without the constant. */
static void design_add(struct design *self, double y, const double *regressors)
{
    bool known = isfinite(y);
    for (size_t k = 0; k + 1 < self->columns; k++)
        known = known && isfinite(regressors[k]);
    if (!known)
        return;
    double *row = self->x + self->rows * self->columns;
    row[0] = 1.0;
    for (size_t k = 0; k + 1 < self->columns; k++)
        row[k + 1] = regressors[k];
    self->y[self->rows++] = y;
}

/* A code of GSL. */
static int solve(struct design *self, gsl_multifit_linear_workspace *work, struct fitted *out,
                 size_t *out_rank)
{
    double covariances[COLUMNS_MAX * COLUMNS_MAX];
    gsl_matrix_view x = gsl_matrix_view_array(self->x, self->rows, self->columns);
    gsl_vector_view y = gsl_vector_view_array(self->y, self->rows);
    gsl_vector_view c = gsl_vector_view_array(out->coefficients, self->columns);
    gsl_matrix_view covariance = gsl_matrix_view_array(covariances, self->columns, self->columns);
    int status = gsl_multifit_linear_tsvd(&x.matrix, &y.vector, RANK_TOLERANCE, &c.vector,
                                          &covariance.matrix, &out->residual, out_rank, work);
    for (size_t k = 0; k < self->columns && status == GSL_SUCCESS; k++)
        out->errors[k] = sqrt(gsl_matrix_get(&covariance.matrix, k, k));
    return status;
}

static int least_squares(struct design *self, struct fitted *out, struct error *err)
{
    if (self->rows < self->columns + 1)
        return error_set(err, ERROR_DATA, "%zu bars and sides to fit %zu numbers to", self->rows,
                         self->columns);
    size_t rank = 0;
    int status = GSL_ENOMEM;
    gsl_error_handler_t *before = gsl_set_error_handler_off();
    gsl_multifit_linear_workspace *work = gsl_multifit_linear_alloc(self->rows, self->columns);
    if (work != NULL)
        status = solve(self, work, out, &rank);
    gsl_multifit_linear_free(work);
    gsl_set_error_handler(before);
    if (status == GSL_ENOMEM)
        return error_memory(err, "a regression");
    if (status != GSL_SUCCESS)
        return error_set(err, ERROR_NUMERICAL, "least squares: %s", gsl_strerror(status));
    if (rank < self->columns)
        return error_set(err, ERROR_DATA, "regressors that do not vary apart from each other");
    return ERROR_NONE;
}

static double sigma_of(const struct design *design, const struct fitted *fitted)
{
    return sqrt(fitted->residual / (double)(design->rows - design->columns));
}

static size_t count_training(const unsigned char *training, size_t count)
{
    size_t bars = 0;
    for (size_t i = 0; i < count; i++)
        bars += training[i] != 0;
    return bars;
}

/* NaN stays NaN, which fmax would lose. */
static double raised(double value, double floor)
{
    return value < floor ? floor : value;
}

static bool is_floor(double floor)
{
    return floor > 0.0 && floor < INFINITY;
}

/* ---- powers of the adverse excursion ---------------------------------------------------- */

double nulls_adverse(enum nulls_side side, double open, double high, double low)
{
    return raised(side == NULLS_LONGS ? log(open / low) : log(high / open), 0.0);
}

static double log_adverse(const struct nulls_bars *bars, size_t bar, int side, double floor)
{
    double adverse =
        nulls_adverse((enum nulls_side)side, bars->open[bar], bars->high[bar], bars->low[bar]);
    return log(raised(adverse, floor));
}

/* NaN where there is no base to speak of. */
static double log_base(const struct nulls_bars *bars, size_t bar, enum nulls_base base)
{
    double amount = base == NULLS_OI ? bars->oi[bar] : bars->volume[bar];
    return amount > 0.0 ? log(amount) : NAN;
}

static int check_power(const struct nulls_bars *bars, enum nulls_base base,
                       const struct nulls_floors *floors, struct error *err)
{
    if (!is_floor(floors->flow) || !is_floor(floors->adverse))
        return error_set(err, ERROR_SCENARIO, "floors %g and %g of null models; expected above 0",
                         floors->flow, floors->adverse);
    if (base == NULLS_VOLUME && bars->volume == NULL)
        return error_set(err, ERROR_DATA, "a null model of volume without volume");
    return ERROR_NONE;
}

static void add_power_rows(struct design *design, const struct nulls_bars *bars,
                           const unsigned char *training, enum nulls_base base,
                           const struct nulls_floors *floors)
{
    for (size_t bar = 0; bar < bars->count; bar++) {
        for (int side = 0; side < NULLS_SIDES && training[bar] != 0; side++) {
            double regressor = log_adverse(bars, bar, side, floors->adverse);
            double flow = raised(bars->flow[side][bar], floors->flow);
            design_add(design, log(flow) - log_base(bars, bar, base), &regressor);
        }
    }
}

int nulls_power_fit(const struct nulls_bars *bars, const unsigned char *training,
                    enum nulls_base base, const struct nulls_floors *floors,
                    struct nulls_power *out, struct error *err)
{
    struct design design;
    struct fitted fitted = {.residual = NAN};
    int code = check_power(bars, base, floors, err);
    if (code != ERROR_NONE)
        return code;
    code = design_init(&design, NULLS_SIDES * count_training(training, bars->count), 2, err);
    if (code != ERROR_NONE)
        return code;
    add_power_rows(&design, bars, training, base, floors);
    code = least_squares(&design, &fitted, err);
    if (code == ERROR_NONE)
        *out = (struct nulls_power){base, fitted.coefficients[0], fitted.coefficients[1],
                                    sigma_of(&design, &fitted), design.rows};
    design_free(&design);
    return code;
}

void nulls_power_predict(const struct nulls_power *self, const struct nulls_bars *bars,
                         const struct nulls_floors *floors, double *const out[NULLS_SIDES])
{
    for (int side = 0; side < NULLS_SIDES; side++)
        for (size_t bar = 0; bar < bars->count && out[side] != NULL; bar++)
            out[side][bar] = exp(self->log_scale + log_base(bars, bar, self->base) +
                                 self->power * log_adverse(bars, bar, side, floors->adverse));
}

/* ---- regression on predictions ---------------------------------------------------------- */

static int check_regression(double flow_floor, const struct nulls_predictor *predictors,
                            size_t predictor_count, struct error *err)
{
    if (predictor_count == 0 || predictor_count > NULLS_PREDICTORS_MAX)
        return error_set(err, ERROR_SCENARIO, "%zu predictors; expected 1 to %d", predictor_count,
                         NULLS_PREDICTORS_MAX);
    bool floors = is_floor(flow_floor);
    for (size_t k = 0; k < predictor_count; k++)
        floors = floors && is_floor(predictors[k].floor);
    if (!floors)
        return error_set(err, ERROR_SCENARIO, "a floor of a regression is not above 0");
    return ERROR_NONE;
}

static void log_predictions(const struct nulls_predictor *predictors, size_t predictor_count,
                            int side, size_t bar, double *out)
{
    for (size_t k = 0; k < predictor_count; k++)
        out[k] = log(raised(predictors[k].predicted[side][bar], predictors[k].floor));
}

static void add_regression_rows(struct design *design, const double *const flow[NULLS_SIDES],
                                size_t count, const unsigned char *training, double flow_floor,
                                const struct nulls_predictor *predictors)
{
    double regressors[NULLS_PREDICTORS_MAX];
    for (size_t bar = 0; bar < count; bar++) {
        for (int side = 0; side < NULLS_SIDES && training[bar] != 0; side++) {
            log_predictions(predictors, design->columns - 1, side, bar, regressors);
            design_add(design, log(raised(flow[side][bar], flow_floor)), regressors);
        }
    }
}

static void describe(const struct design *design, const struct fitted *fitted,
                     struct nulls_regression *out)
{
    double sum = 0.0, total = 0.0;
    *out = (struct nulls_regression){.predictors = design->columns - 1, .used = design->rows};
    for (size_t i = 0; i < design->rows; i++)
        sum += design->y[i];
    out->mean = sum / (double)design->rows;
    for (size_t i = 0; i < design->rows; i++)
        total += (design->y[i] - out->mean) * (design->y[i] - out->mean);
    out->r2 = total > 0.0 ? 1.0 - fitted->residual / total : NAN;
    out->sigma = sigma_of(design, fitted);
    for (size_t k = 0; k < design->columns; k++) {
        out->coefficients[k] = fitted->coefficients[k];
        out->errors[k] = fitted->errors[k];
    }
}

int nulls_regression_fit(const double *const flow[NULLS_SIDES], size_t count,
                         const unsigned char *training, double flow_floor,
                         const struct nulls_predictor *predictors, size_t predictor_count,
                         struct nulls_regression *out, struct error *err)
{
    struct design design;
    struct fitted fitted = {.residual = NAN};
    int code = check_regression(flow_floor, predictors, predictor_count, err);
    if (code != ERROR_NONE)
        return code;
    size_t rows_most = NULLS_SIDES * count_training(training, count);
    code = design_init(&design, rows_most, predictor_count + 1, err);
    if (code != ERROR_NONE)
        return code;
    add_regression_rows(&design, flow, count, training, flow_floor, predictors);
    code = least_squares(&design, &fitted, err);
    if (code == ERROR_NONE)
        describe(&design, &fitted, out);
    design_free(&design);
    return code;
}

static double predict(const struct nulls_regression *self, const double *regressors)
{
    double sum = self->coefficients[0];
    for (size_t k = 0; k < self->predictors; k++)
        sum += self->coefficients[k + 1] * regressors[k];
    return exp(sum);
}

void nulls_regression_predict(const struct nulls_regression *self, size_t count,
                              const struct nulls_predictor *predictors,
                              double *const out[NULLS_SIDES])
{
    double regressors[NULLS_PREDICTORS_MAX];
    for (int side = 0; side < NULLS_SIDES; side++) {
        for (size_t bar = 0; bar < count; bar++) {
            log_predictions(predictors, self->predictors, side, bar, regressors);
            out[side][bar] = predict(self, regressors);
        }
    }
}
