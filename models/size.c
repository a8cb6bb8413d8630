#include "models/size.h"

#include <math.h>

#include "base/random.h"

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
