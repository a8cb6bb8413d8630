#include "models/size.h"

#include <math.h>

#include "base/random.h"

const struct size_model size_models[] = {
    [SIZE_KIND_LOGNORMAL] = {"lognormal", "the log of the size is normal", "own prior"},
    [SIZE_KIND_PARETO] = {"pareto", "the part above a size falls as size^-alpha",
                          "Gabaix et al. 2003, \"A theory of power-law distributions in financial "
                          "market fluctuations\", Nature 423 (trades and investors); for "
                          "positions: own prior"},
    [SIZE_KIND_FIXED] = {"fixed", "all alike", "by definition"},
};
const int size_model_count = sizeof size_models / sizeof *size_models;

double size_draw(const struct size_params *params, double u)
{
    switch (params->kind) {
    case SIZE_KIND_LOGNORMAL:
        return params->median * exp(params->sigma * random_normal(u));
    case SIZE_KIND_PARETO:
        if (params->alpha == 1.0)
            return params->minimum / (1.0 - u);
        return params->minimum * pow(1.0 - u, -1.0 / params->alpha);
    case SIZE_KIND_FIXED:
        break;
    }
    return params->value;
}
