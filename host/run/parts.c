#include "run/parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "dataset/apportion.h"

/* counts [count]: of the `total` images that `key` says. */
static camcl_status share_out(const char *key, size_t total, const double *shares, size_t count, size_t *counts, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    size_t *weights = NULL, *least = NULL, *most = NULL;
    double all = 0;
    if (total < count)
        return cc_fail(err, CAMCL_BAD_CONFIG,
                       "%s = %zu: each of the %zu devices that train together needs at least one image of a batch (raise it, list fewer "
                       "devices or start fewer ranks)",
                       key, total, count);
    CC_TRY(CC_NEW(count, &weights, err));
    CC_TRY(CC_NEW(count, &least, err));
    CC_TRY(CC_NEW(count, &most, err));
    for (size_t i = 0; i < count; i++)
        all += shares[i];
    for (size_t i = 0; i < count; i++) {
        weights[i] = (size_t)(shares[i] / all * 1e6 + 0.5);
        least[i] = 1;
        most[i] = total;
    }
    cc_apportion(total, weights, least, most, count, counts);
cleanup:
    free(weights);
    free(least);
    free(most);
    return status;
}

camcl_status cc_parts_divide(size_t labeled, size_t unlabeled, const double *shares, size_t count, cc_part *parts, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    size_t *own_labeled = NULL, *own_unlabeled = NULL;
    cc_part next = { 0, 0, 0, 0 };
    CC_TRY(CC_NEW(count, &own_labeled, err));
    CC_TRY(CC_NEW(count, &own_unlabeled, err));
    CC_TRY(share_out("train.batch_labeled", labeled, shares, count, own_labeled, err));
    if (unlabeled) CC_TRY(share_out("train.batch_unlabeled", unlabeled, shares, count, own_unlabeled, err));
    for (size_t i = 0; i < count; i++) {
        next = (cc_part){ next.labeled0 + next.labeled, own_labeled[i], next.unlabeled0 + next.unlabeled, own_unlabeled[i] };
        parts[i] = next;
    }
cleanup:
    free(own_labeled);
    free(own_unlabeled);
    return status;
}

double cc_parts_share(size_t images, double seconds) { return (double)images / seconds; }
