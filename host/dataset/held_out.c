#include "dataset/held_out.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/rng.h"

typedef struct quota {
    uint32_t of;      /* images of the class */
    uint32_t drawn;   /* of them */
    double remainder; /* of its share, that rounding down took away */
} quota;

/* Largest remainder: shares are rounded down, and what is then missing from the rounded total goes to those that lost most. */
static void round_shares(quota *quotas, size_t classes, size_t n, double share)
{
    size_t missing = (size_t)llround(share * (double)n);
    for (size_t c = 0; c < classes; c++) {
        double exact = share * quotas[c].of;
        quotas[c].drawn = (uint32_t)exact;
        quotas[c].remainder = exact - quotas[c].drawn;
        missing -= cc_min_size(missing, quotas[c].drawn);
    }
    for (; missing > 0; missing--) {
        size_t most = 0;
        for (size_t c = 1; c < classes; c++)
            if (quotas[c].remainder > quotas[most].remainder) most = c;
        quotas[most].drawn++;
        quotas[most].remainder = -1;
    }
}

/* A class that can spare an image has one in the test set, and every class keeps one to learn from. */
static void bound_shares(quota *quotas, size_t classes)
{
    for (size_t c = 0; c < classes; c++) {
        uint32_t most = quotas[c].of > 0 ? quotas[c].of - 1 : 0;
        if (quotas[c].drawn == 0) quotas[c].drawn = 1;
        if (quotas[c].drawn > most) quotas[c].drawn = most;
    }
}

/* Sorts the images by class; those of class c start at starts[c]. */
static void sort_by_class(const int32_t *labels, size_t n, const quota *quotas, size_t classes, size_t *starts, uint32_t *sorted)
{
    size_t end = 0;
    for (size_t c = 0; c < classes; c++)
        starts[c] = end += quotas[c].of;
    /* Each class is filled from its end, so that its start is where the filling stops. */
    for (size_t i = n; i-- > 0;)
        sorted[--starts[labels[i]]] = (uint32_t)i;
}

camcl_status cc_held_out_draw(const int32_t *labels, size_t n, size_t classes, double share, uint64_t seed, uint32_t **out, size_t *count,
                              camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    quota *quotas = NULL;
    size_t *starts = NULL;
    uint32_t *sorted = NULL, *order = NULL;
    unsigned char *marks = NULL;
    *out = NULL;
    *count = 0;
    if (!(share > 0)) return CAMCL_OK;
    CC_TRY(CC_NEW(classes, &quotas, err));
    CC_TRY(CC_NEW(classes, &starts, err));
    CC_TRY(CC_NEW(n, &sorted, err));
    CC_TRY(CC_NEW(n, &order, err));
    CC_TRY(CC_NEW(n, &marks, err));
    for (size_t i = 0; i < n; i++)
        quotas[labels[i]].of++;
    round_shares(quotas, classes, n, share);
    bound_shares(quotas, classes);
    sort_by_class(labels, n, quotas, classes, starts, sorted);
    for (size_t c = 0; c < classes; c++) {
        cc_rng rng = cc_rng_at(seed, CC_RNG_HELD_OUT, c);
        cc_rng_permutation(&rng, order, quotas[c].of);
        for (uint32_t i = 0; i < quotas[c].drawn; i++)
            marks[sorted[starts[c] + order[i]]] = 1;
    }
    for (size_t i = 0; i < n; i++)
        if (marks[i]) sorted[(*count)++] = (uint32_t)i;
    if (*count) {
        *out = sorted;
        sorted = NULL;
    }
cleanup:
    free(quotas);
    free(starts);
    free(sorted);
    free(order);
    free(marks);
    return status;
}
