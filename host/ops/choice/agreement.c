#include "ops/choice/agreement.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

#define SHARE 0.01 /* of the root of the mean square */

camcl_status cc_agreement_begin(cc_agreement *a, size_t count, double bound, camcl_error *err)
{
    *a = (cc_agreement){ .count = count, .bound = bound };
    return CC_NEW(cc_max_size(count, 1), &a->got, err);
}

void cc_agreement_end(cc_agreement *a)
{
    free(a->expected);
    free(a->got);
    *a = (cc_agreement){ .count = 0 };
}

camcl_status cc_agreement_poison(cc_agreement *a, cc_buffer *result, camcl_error *err)
{
    for (size_t i = 0; i < a->count; i++)
        a->got[i] = NAN;
    return cc_buffer_write(result, 0, a->got, a->count * sizeof(float), err);
}

/* NaN anywhere makes it NaN. */
static double root_mean_square(const float *numbers, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)numbers[i] * (double)numbers[i];
    return sqrt(sum / (double)cc_max_size(count, 1));
}

camcl_status cc_agreement_compare(cc_agreement *a, const cc_buffer *result, bool *agrees, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_buffer_read(result, 0, a->got, a->count * sizeof(float), err));
    if (a->expected == NULL) {
        const double size = root_mean_square(a->got, a->count);
        float *next;
        *agrees = isfinite(size);
        if (!*agrees) return CAMCL_OK;
        CC_RETURN_IF_FAILED(CC_NEW(cc_max_size(a->count, 1), &next, err));
        a->expected = a->got;
        a->got = next;
        if (a->bound == 0) a->bound = SHARE * size;
        return CAMCL_OK;
    }
    *agrees = true;
    for (size_t i = 0; i < a->count && *agrees; i++)
        *agrees = fabs((double)a->got[i] - (double)a->expected[i]) <= a->bound;
    return CAMCL_OK;
}
