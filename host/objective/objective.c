/* The table of objectives, and what several of them share. */
#include "objective/objective.h"

#include <string.h>

#include "base/memory.h"

#define ROW(symbol, ...) &cc_objective_##symbol,
static const cc_objective_kind *const kinds[] = { CC_OBJECTIVES(ROW) };
#undef ROW

size_t cc_objective_count(void) { return CC_COUNT(kinds); }

const cc_objective_kind *cc_objective_at(size_t index) { return kinds[index]; }

const cc_objective_kind *cc_objective_find(const char *name)
{
    for (size_t i = 0; i < CC_COUNT(kinds); i++)
        if (strcmp(kinds[i]->name, name) == 0) return kinds[i];
    return NULL;
}

bool cc_objective_learns_unlabeled(const cc_objective_kind *kind) { return kind->traits & CC_OBJECTIVE_UNLABELED; }

bool cc_objective_has_teacher(const cc_objective_kind *kind) { return kind->traits & CC_OBJECTIVE_TEACHER; }

bool cc_objective_has_threshold(const cc_objective_kind *kind)
{
    return cc_objective_learns_unlabeled(kind) && !(kind->traits & (CC_OBJECTIVE_ALL_IMAGES | CC_OBJECTIVE_OWN_THRESHOLDS));
}

bool cc_objective_has_cams(const cc_objective *objective) { return cc_objective_learns_unlabeled(objective->kind) && objective->beta != 0; }

/* ---- targets */

cc_rows_desc cc_objective_rows(const cc_objective_scope *scope, const cc_view_logits *view)
{
    return (cc_rows_desc){ view->row0, scope->sizes.unlabeled, scope->sizes.classes };
}

camcl_status cc_objective_create_targets(cc_objective_scope *scope, camcl_error *err)
{
    const size_t n = scope->sizes.unlabeled;
    CC_RETURN_IF_FAILED(cc_tensor_on_tape(scope->tape, "pseudo-labels", CC_I32, CC_DIMS(n), &scope->pseudo, err));
    return cc_tensor_on_tape(scope->tape, "mask", CC_F32, CC_DIMS(n), &scope->weight, err);
}

static camcl_status targets_above(cc_objective_scope *scope, cc_confidence_kind confidence, cc_device_scalar threshold, camcl_error *err)
{
    const cc_rows_desc rows = cc_objective_rows(scope, &scope->weak);
    CC_RETURN_IF_FAILED(cc_objective_create_targets(scope, err));
    return cc_confidence(scope->tape, &rows, confidence, scope->weak.logits, threshold, scope->truth, scope->pseudo, scope->weight,
                         scope->confidence_sums, err);
}

camcl_status cc_objective_hard_targets(cc_objective_scope *scope, camcl_error *err)
{
    return targets_above(scope, scope->options->confidence, scope->threshold, err);
}

camcl_status cc_objective_all_targets(cc_objective_scope *scope, camcl_error *err)
{
    return targets_above(scope, CC_CONFIDENCE_LOGIT, scope->lowest, err);
}

/* ---- losses */

camcl_status cc_objective_cross_entropy(cc_objective_scope *scope, camcl_error *err)
{
    const cc_rows_desc rows = cc_objective_rows(scope, &scope->strong);
    CC_RETURN_IF_FAILED(
        cc_cross_entropy_forward(scope->tape, &rows, scope->strong.logits, scope->pseudo, scope->weight, scope->loss_sums, err));
    return cc_cross_entropy_backward(scope->tape, &rows, scope->strong.logits, scope->pseudo, scope->weight, scope->options->alpha,
                                     scope->denominator, scope->dlogits, err);
}

camcl_status cc_objective_squared_error(cc_objective_scope *scope, camcl_error *err)
{
    const cc_rows_desc q = cc_objective_rows(scope, &scope->strong), p = cc_objective_rows(scope, &scope->weak);
    CC_RETURN_IF_FAILED(
        cc_probability_mse_forward(scope->tape, &q, p.row0, scope->strong.logits, scope->weak.logits, scope->loss_sums, err));
    return cc_probability_mse_backward(scope->tape, &q, p.row0, scope->strong.logits, scope->weak.logits, scope->alpha, scope->denominator,
                                       scope->dlogits, err);
}

/* ---- states */

size_t cc_objective_one(const cc_objective_sizes *sizes)
{
    (void)sizes;
    return 1;
}

size_t cc_objective_classes(const cc_objective_sizes *sizes) { return sizes->classes; }

void cc_objective_uniform(const cc_objective_sizes *sizes, void *values)
{
    for (size_t c = 0; c < sizes->classes; c++)
        ((float *)values)[c] = 1.0f / (float)sizes->classes;
}
