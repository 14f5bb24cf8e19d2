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

static cc_rows_desc rows_of(const cc_objective_scope *scope, const cc_view_logits *view)
{
    return (cc_rows_desc){ view->row0, scope->sizes.unlabeled, scope->sizes.classes };
}

camcl_status cc_objective_hard_targets(cc_objective_scope *scope, camcl_error *err)
{
    const cc_rows_desc rows = rows_of(scope, &scope->weak);
    CC_RETURN_IF_FAILED(cc_tensor_on_tape(scope->tape, "pseudo-labels", CC_I32, CC_DIMS(rows.n), &scope->pseudo, err));
    CC_RETURN_IF_FAILED(cc_tensor_on_tape(scope->tape, "mask", CC_F32, CC_DIMS(rows.n), &scope->weight, err));
    return cc_confidence(scope->tape, &rows, scope->options->confidence, scope->weak.logits, scope->threshold, scope->truth, scope->pseudo,
                         scope->weight, scope->confidence_sums, err);
}

camcl_status cc_objective_cross_entropy(cc_objective_scope *scope, camcl_error *err)
{
    const cc_rows_desc rows = rows_of(scope, &scope->strong);
    CC_RETURN_IF_FAILED(
        cc_cross_entropy_forward(scope->tape, &rows, scope->strong.logits, scope->pseudo, scope->weight, scope->loss_sums, err));
    return cc_cross_entropy_backward(scope->tape, &rows, scope->strong.logits, scope->pseudo, scope->weight, scope->options->alpha,
                                     scope->denominator, scope->dlogits, err);
}
