/* What a step exchanges with other devices that train together with this one.
 *
 * Every device passes its own images through the network, and has the logits of the whole batch. So losses, thresholds and states of the
 * objectives, which go by the whole batch, are computed as one device alone would: by every device for itself. */
#include <stdlib.h>

#include "base/memory.h"
#include "objective/step_internal.h"

/* Rows of a pass that lie together: of the labelled images, or of one view of the unlabelled ones. */
typedef struct block {
    size_t own, all, rows; /* the first row in the device's batch, and in the whole one */
} block;
enum { MOST_BLOCKS = 3 };

static size_t find_blocks(const cc_step *step, cc_view view, block out[MOST_BLOCKS])
{
    const cc_part *p = &step->own;
    const size_t b = step->spec.batch_labeled, u = step->spec.batch_unlabeled;
    size_t count = 0;
    if (view == CC_VIEW_LABELED) out[count++] = (block){ 0, p->labeled0, p->labeled };
    if (view != CC_VIEW_LABELED) out[count++] = (block){ 0, p->unlabeled0, p->unlabeled };
    if (view != CC_VIEW_LABELED || !is_joint(step)) return count;
    if (weak_is_joint(step)) out[count++] = (block){ p->labeled, b + p->unlabeled0, p->unlabeled };
    out[count++] = (block){ first_strong_row(step, p->labeled, p->unlabeled), first_strong_row(step, b, u) + p->unlabeled0, p->unlabeled };
    return count;
}

static size_t all_rows(const cc_step *step, cc_view view)
{
    const size_t b = step->spec.batch_labeled, u = step->spec.batch_unlabeled;
    if (view != CC_VIEW_LABELED) return u;
    return is_joint(step) ? first_strong_row(step, b, u) + u : b;
}

/* The devices' rows are brought together as a sum: each leaves 0 in the place of the others'. */
camcl_status cc_step_gather_logits(cc_step *step, cc_view view, cc_tensor own, cc_tensor *all, camcl_error *err)
{
    block blocks[MOST_BLOCKS];
    *all = own;
    if (!step->shared) return CAMCL_OK;
    const size_t classes = step->model->graph->spec.classes, rows = all_rows(step, view), row = classes * sizeof(float);
    CC_RETURN_IF_FAILED(cc_tensor_on_tape(step->tape, "logits of the whole batch", CC_F32, CC_DIMS(rows, classes), all, err));
    CC_RETURN_IF_FAILED(cc_tape_zero(step->tape, all->buffer, err));
    for (size_t i = 0, count = find_blocks(step, view, blocks); i < count; i++)
        CC_RETURN_IF_FAILED(
            cc_tape_copy(step->tape, own.buffer, blocks[i].own * row, all->buffer, blocks[i].all * row, blocks[i].rows * row, err));
    return cc_tape_exchange(step->tape, &(cc_exchange_point){ CC_EXCHANGE_SUM, all->buffer, 0, rows * classes, 0 }, err);
}

camcl_status cc_step_own_rows(cc_step *step, cc_view view, cc_tensor all, cc_tensor *own, camcl_error *err)
{
    block blocks[MOST_BLOCKS];
    *own = all;
    if (!step->shared) return CAMCL_OK;
    const size_t count = find_blocks(step, view, blocks), classes = step->model->graph->spec.classes, row = classes * sizeof(float);
    const size_t rows = blocks[count - 1].own + blocks[count - 1].rows;
    CC_RETURN_IF_FAILED(cc_tensor_on_tape(step->tape, "gradient of the own logits", CC_F32, CC_DIMS(rows, classes), own, err));
    for (size_t i = 0; i < count; i++)
        CC_RETURN_IF_FAILED(
            cc_tape_copy(step->tape, all.buffer, blocks[i].all * row, own->buffer, blocks[i].own * row, blocks[i].rows * row, err));
    return CAMCL_OK;
}

camcl_status cc_step_own_images(cc_step *step, const char *name, cc_tensor all, cc_tensor *own, camcl_error *err)
{
    *own = all;
    if (!step->shared) return CAMCL_OK;
    const size_t count = step->own.unlabeled, first = step->own.unlabeled0, size = sizeof(float);
    CC_RETURN_IF_FAILED(cc_tensor_on_tape(step->tape, name, all.dtype, CC_DIMS(count), own, err));
    return cc_tape_copy(step->tape, all.buffer, first * size, own->buffer, 0, count * size, err);
}

/* ---- gradients */

/* A part of the flat gradient that is complete behind launch `after`. */
typedef struct part {
    size_t begin, end, after;
} part;

/* Cuts the gradient into parts of at least LEAST_BYTES, from its end, because backward passes come to the last layers first. */
static size_t cut(const cc_step *step, part parts[CC_MOST_LATER])
{
    enum { LEAST_BYTES = 1 << 20 };
    const cc_model *m = step->model;
    const size_t total = m->graph->trained, least = cc_max_size(LEAST_BYTES / sizeof(float), cc_ceil_div(total, CC_MOST_LATER));
    size_t count = 0;
    part now = { total, total, 0 };
    for (size_t i = m->graph->param_count; i-- > 0;) {
        const cc_param *p = &m->graph->params[i];
        if (cc_param_is_statistic(p)) continue;
        const size_t after = cc_tape_last_write(step->tape, m->grads[i].buffer);
        now.begin = p->offset;
        if (after != SIZE_MAX) now.after = cc_max_size(now.after, after);
        if (now.end - now.begin < least && now.begin > 0) continue;
        parts[count++] = now;
        now = (part){ now.begin, now.begin, 0 };
    }
    return count;
}

/* The latest first: whatever is put on the tape moves what is behind it. */
static int by_launch(const void *a, const void *b)
{
    const part *x = a, *y = b;
    return x->after < y->after ? 1 : x->after > y->after ? -1 : x->begin < y->begin ? -1 : 1;
}

static camcl_status share_gradients(cc_step *step, camcl_error *err)
{
    part parts[CC_MOST_LATER];
    const size_t count = cut(step, parts);
    qsort(parts, count, sizeof *parts, by_launch);
    for (size_t i = 0; i < count; i++) {
        const cc_exchange_point point = { CC_EXCHANGE_SUM_LATER, step->model->gradients, parts[i].begin * sizeof(float),
                                          parts[i].end - parts[i].begin, 0 };
        CC_RETURN_IF_FAILED(cc_tape_exchange_after(step->tape, parts[i].after, &point, err));
    }
    return CAMCL_OK;
}

camcl_status cc_step_share(cc_step *step, camcl_error *err)
{
    const cc_objective_kind *kind = step->spec.objective.kind;
    if (uses_cams(step))
        CC_RETURN_IF_FAILED(cc_tape_exchange(step->tape, &(cc_exchange_point){ CC_EXCHANGE_SUM, step->sums[SUMS_C].buffer, 0, 4, 0 }, err));
    for (size_t i = 0; i < kind->state_count; i++) {
        const cc_exchange_point state = { CC_EXCHANGE_FIRST, step->state[i].buffer, 0, cc_tensor_bytes(&step->state[i]) / 4, 0 };
        CC_RETURN_IF_FAILED(cc_tape_exchange(step->tape, &state, err));
    }
    return share_gradients(step, err);
}
