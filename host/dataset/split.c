/* Drawing the pools. */
#include "dataset/split.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"

typedef enum pool { FREE, LABELED, UNLABELED, VALIDATION, TEST, UNUSED } pool;

/* The images of class c that a split may draw from, in official order, are members[starts[c]] .. members[starts[c + 1] - 1]. */
typedef struct census {
    uint32_t *members;
    size_t *starts; /* [classes + 1] */
} census;

static camcl_status take_census(const cc_split_data *data, const cc_split_plan *plan, const uint8_t *pools, census *out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const size_t candidates = data->images - data->unlabeled - data->validation;
    size_t *next = NULL;
    CC_TRY(CC_NEW(candidates, &out->members, err));
    CC_TRY(CC_NEW(data->classes + 1, &out->starts, err));
    CC_TRY(CC_NEW(data->classes, &next, err));
    for (size_t c = 0; c < data->classes; c++) {
        next[c] = out->starts[c];
        out->starts[c + 1] = out->starts[c] + plan->have[c];
    }
    for (size_t i = 0; i < candidates; i++)
        if (pools[i] == FREE) out->members[next[data->labels[i]]++] = (uint32_t)i;
cleanup:
    free(next);
    return status;
}

/* The test set, and the validation set that came with the data: it serves, or no pool may have its images. */
static void mark_given(const cc_split_data *data, const cc_split_plan *plan, uint8_t *pools)
{
    const pool given = plan->counts.validation ? VALIDATION : UNUSED;
    for (size_t i = 0; i < data->held_out_count; i++)
        pools[data->held_out[i]] = TEST;
    for (size_t i = data->images - data->validation; i < data->images; i++)
        pools[i] = (uint8_t)given;
}

/* Draws validation images first, so that they do not depend on the number of labelled images. */
static camcl_status mark_classes(const census *all, const cc_split_data *data, const cc_split_plan *plan, uint64_t seed, uint8_t *pools,
                                 camcl_error *err)
{
    uint32_t *order = NULL;
    CC_RETURN_IF_FAILED(CC_NEW(data->images, &order, err));
    for (size_t c = 0; c < data->classes; c++) {
        const uint32_t *members = all->members + all->starts[c];
        const size_t validation = plan->validation[c], labeled = plan->labeled[c];
        cc_rng rng = cc_rng_at(seed, CC_RNG_SPLIT, c);
        cc_rng_permutation(&rng, order, (uint32_t)plan->have[c]);
        for (size_t i = 0; i < validation; i++)
            pools[members[order[i]]] = VALIDATION;
        for (size_t i = validation; i < validation + labeled; i++)
            pools[members[order[i]]] = LABELED;
    }
    free(order);
    return CAMCL_OK;
}

/* Draws from one permutation of all training images, so that the draw does not depend on classes. */
static camcl_status mark_unlabeled(const cc_split_data *data, uint64_t seed, size_t count, uint8_t *pools, camcl_error *err)
{
    uint32_t *order = NULL;
    cc_rng rng = cc_rng_at(seed, CC_RNG_SPLIT, data->classes);
    CC_RETURN_IF_FAILED(CC_NEW(data->images, &order, err));
    cc_rng_permutation(&rng, order, (uint32_t)data->images);
    for (size_t i = 0; i < data->images && count > 0; i++) {
        if (pools[order[i]] != FREE) continue;
        pools[order[i]] = UNLABELED;
        count--;
    }
    free(order);
    return CAMCL_OK;
}

static camcl_status reserve(cc_split *split, const cc_split_counts *counts, camcl_error *err)
{
    CC_RETURN_IF_FAILED(CC_NEW(counts->labeled, &split->labeled, err));
    CC_RETURN_IF_FAILED(CC_NEW(counts->unlabeled, &split->unlabeled, err));
    return CC_NEW(counts->validation, &split->validation, err);
}

static void collect(const uint8_t *pools, size_t n, bool reuse, cc_split *split)
{
    for (size_t i = 0; i < n; i++) {
        const pool p = (pool)pools[i];
        if (p == LABELED) split->labeled[split->labeled_count++] = (uint32_t)i;
        if (p == UNLABELED || (reuse && p == LABELED)) split->unlabeled[split->unlabeled_count++] = (uint32_t)i;
        if (p == VALIDATION) split->validation[split->validation_count++] = (uint32_t)i;
    }
}

camcl_status cc_split_make(const cc_split_data *data, const cc_split_spec *spec, cc_split *out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    census all = { NULL, NULL };
    uint8_t *pools = NULL;
    cc_split_plan plan;
    *out = (cc_split){ 0 };
    CC_TRY(cc_split_plan_make(data, spec, &plan, err));
    CC_TRY(CC_NEW(data->images, &pools, err));
    mark_given(data, &plan, pools);
    CC_TRY(take_census(data, &plan, pools, &all, err));
    CC_TRY(mark_classes(&all, data, &plan, spec->seed, pools, err));
    CC_TRY(mark_unlabeled(data, spec->seed, plan.counts.unlabeled - (spec->reuse_labeled ? plan.counts.labeled : 0), pools, err));
    CC_TRY(reserve(out, &plan.counts, err));
    collect(pools, data->images, spec->reuse_labeled, out);
    CC_TRY(cc_split_set_test(out, data, err));
cleanup:
    cc_split_plan_free(&plan);
    free(pools);
    free(all.members);
    free(all.starts);
    if (status != CAMCL_OK) cc_split_free(out);
    return status;
}

camcl_status cc_split_set_test(cc_split *split, const cc_split_data *data, camcl_error *err)
{
    if (split->test || data->held_out_count == 0) return CAMCL_OK;
    CC_RETURN_IF_FAILED(CC_NEW(data->held_out_count, &split->test, err));
    memcpy(split->test, data->held_out, data->held_out_count * sizeof *split->test);
    split->test_count = data->held_out_count;
    return CAMCL_OK;
}

void cc_split_free(cc_split *split)
{
    free(split->labeled);
    free(split->unlabeled);
    free(split->validation);
    free(split->test);
    *split = (cc_split){ 0 };
}
