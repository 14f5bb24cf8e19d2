/* UDA (Xie et al., arXiv 1904.12848). L_u is the cross-entropy of the strong view with the weak view's sharpened probabilities, over
 * confident images. */
#include "objective/objective.h"

static camcl_status loss(cc_objective_scope *scope, camcl_error *err)
{
    const cc_objective *o = scope->options;
    const cc_rows_desc q = cc_objective_rows(scope, &scope->strong);
    const cc_soft_targets p = { scope->weak.logits, scope->weak.row0, o->temperature };
    CC_RETURN_IF_FAILED(cc_soft_cross_entropy_forward(scope->tape, &q, scope->strong.logits, &p, scope->weight, scope->loss_sums, err));
    return cc_soft_cross_entropy_backward(scope->tape, &q, scope->strong.logits, &p, scope->weight, o->alpha, scope->denominator,
                                          scope->dlogits, err);
}

const cc_objective_kind cc_objective_uda = {
    .name = "uda", .traits = CC_OBJECTIVE_TRAITS_uda, .masked = true, .targets = cc_objective_hard_targets, .loss = loss
};
