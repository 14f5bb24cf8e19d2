#include "run/state_check.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

#define ADVICE "(restore an older copy of the file, or choose another output.dir)"

/* ---- tensors */

/* Gaps between parameters hold nothing and are not looked at. */
static camcl_status check_params(const char *path, const cc_graph *graph, const char *prefix, bool statistics, const float *flat,
                                 camcl_error *err)
{
    for (size_t i = 0; i < graph->param_count; i++) {
        const cc_param *p = &graph->params[i];
        if (cc_param_is_statistic(p) != statistics) continue;
        CC_RETURN_IF_FAILED(cc_param_check(p, flat + p->offset, path, prefix, ADVICE, err));
    }
    return CAMCL_OK;
}

static camcl_status check_objective(const char *path, const cc_run_shape *shape, const cc_run_state *s, camcl_error *err)
{
    for (size_t i = 0; i < shape->objective->state_count; i++) {
        const cc_objective_state *kept = &shape->objective->states[i];
        if (kept->dtype != CC_F32) continue;
        for (size_t k = 0; k < kept->count(&shape->sizes); k++)
            if (!isfinite(((const float *)s->objective[i])[k]))
                return cc_fail(err, CAMCL_BAD_DATA, "%s: tensor 'objective.%s': entry %zu is not finite " ADVICE, path, kept->name, k);
    }
    for (size_t i = 0; i < shape->objective->sum_count; i++)
        for (size_t k = 0; k < 4; k++)
            if (!isfinite(s->interval.own[i][k]))
                return cc_fail(err, CAMCL_BAD_DATA, "%s: entry %zu,%zu of \"interval.objective\" is not finite " ADVICE, path, i, k);
    return CAMCL_OK;
}

static camcl_status check_tensors(const char *path, const cc_graph *graph, const cc_run_state *s, camcl_error *err)
{
    CC_RETURN_IF_FAILED(check_params(path, graph, "model.", false, s->now.weights, err));
    CC_RETURN_IF_FAILED(check_params(path, graph, "model.", true, s->now.statistics, err));
    CC_RETURN_IF_FAILED(check_params(path, graph, "momentum.", false, s->velocity, err));
    if (s->average.weights) CC_RETURN_IF_FAILED(check_params(path, graph, "ema.", false, s->average.weights, err));
    if (s->average.statistics) CC_RETURN_IF_FAILED(check_params(path, graph, "ema.", true, s->average.statistics, err));
    if (!s->has_best) return CAMCL_OK;
    CC_RETURN_IF_FAILED(check_params(path, graph, "best.", false, s->best.weights, err));
    return check_params(path, graph, "best.", true, s->best.statistics, err);
}

/* ---- where the run stands */

bool cc_run_state_owes_row(const cc_run_state *s, uint64_t steps, uint64_t epoch_steps, uint64_t eval_every)
{
    const bool evaluates = s->step % epoch_steps == 0 && (s->step == steps || s->step / epoch_steps % eval_every == 0);
    return evaluates && s->interval.sums[CC_SUM_STEPS] > 0;
}

/* Where a program says when to evaluate, any step may be the best one's. */
static camcl_status check_best_step(const char *path, const cc_run_state *s, camcl_error *err)
{
    if (!s->has_best || s->best_step <= s->step) return CAMCL_OK;
    return cc_fail(err, CAMCL_BAD_DATA, "%s: its best weights are of step %" PRIu64 ", which lies behind its step %" PRIu64 " " ADVICE,
                   path, s->best_step, s->step);
}

static camcl_status check_steps(const char *path, const cc_run_state *s, const cc_state_limits *limits, camcl_error *err)
{
    if (s->step > limits->steps)
        return cc_fail(err, CAMCL_BAD_DATA, "%s: it says step %" PRIu64 " of a training of %" PRIu64 " steps " ADVICE, path, s->step,
                       limits->steps);
    if (limits->stepwise) return check_best_step(path, s, err);
    const uint64_t told = s->step - cc_run_state_owes_row(s, limits->steps, limits->epoch_steps, limits->eval_every);
    const bool evaluated = told == limits->steps || told / limits->epoch_steps >= limits->eval_every;
    if (evaluated && !s->has_best)
        return cc_fail(err, CAMCL_BAD_DATA, "%s: it has no best weights, though step %" PRIu64 " lies behind an evaluation " ADVICE, path,
                       s->step);
    /* The epochs are compared by division, because a product of what the file says could overflow. */
    if (s->has_best && (s->best_step > s->step || s->best_step == 0 || s->best_step % limits->epoch_steps != 0 ||
                        s->best_step / limits->epoch_steps != s->best_epoch))
        return cc_fail(err, CAMCL_BAD_DATA,
                       "%s: its best weights are of step %" PRIu64 " and epoch %" PRIu64 ", which no run is at by step %" PRIu64 " " ADVICE,
                       path, s->best_step, s->best_epoch, s->step);
    return CAMCL_OK;
}

static camcl_status check_numbers(const char *path, const cc_run_state *s, const cc_split *split, camcl_error *err)
{
    /* Without validation images there is no score. With validation images, a score that is not a number would never be beaten, or
     * always. */
    if (s->has_best && split->validation_count > 0 && !(s->best_score >= 0 && s->best_score <= 100))
        return cc_fail(err, CAMCL_BAD_DATA, "%s: its best score, %g, is no percentage " ADVICE, path, s->best_score);
    if (!(s->seconds >= 0) || !isfinite(s->seconds))
        return cc_fail(err, CAMCL_BAD_DATA, "%s: its training time, %g s, is no time " ADVICE, path, s->seconds);
    for (size_t i = 0; i < CC_INTERVAL_SUMS; i++)
        if (!isfinite(s->interval.sums[i]))
            return cc_fail(err, CAMCL_BAD_DATA, "%s: entry %zu of \"interval\" is not finite " ADVICE, path, i);
    return CAMCL_OK;
}

/* ---- the split */

typedef struct pool {
    const char *name;
    const uint32_t *images;
    size_t count, configured;
    bool labeled; /* each image must have a label */
} pool;

/* Positions in the list of pools. */
enum { LABELED, UNLABELED };

/* `taken` [images]: 1 + the pool that has the image, or 0. */
static camcl_status check_pool(const char *path, const pool *pools, uint8_t which, const cc_state_limits *limits, uint8_t *taken,
                               camcl_error *err)
{
    const pool *p = &pools[which];
    for (size_t i = 0; i < p->count; i++) {
        const uint32_t image = p->images[i];
        if (image >= limits->images)
            return cc_fail(err, CAMCL_BAD_DATA,
                           "%s: its split has image %" PRIu32 ", but %s has %zu training images (restore the data that the run began with)",
                           path, image, limits->data, limits->images);
        if (p->labeled && limits->labels[image] < 0)
            return cc_fail(err, CAMCL_BAD_DATA,
                           "%s: image %" PRIu32 " is among its %s images, but %s has no label for it (restore the data that the run began "
                           "with)",
                           path, image, p->name, limits->data);
        const bool again = limits->reuse_labeled && which == UNLABELED && taken[image] == LABELED + 1;
        if (taken[image] == which + 1)
            return cc_fail(err, CAMCL_BAD_DATA, "%s: image %" PRIu32 " is twice among its %s images " ADVICE, path, image, p->name);
        if (taken[image] && !again)
            return cc_fail(err, CAMCL_BAD_DATA, "%s: image %" PRIu32 " is both among its %s and its %s images " ADVICE, path, image,
                           pools[taken[image] - 1].name, p->name);
        taken[image] = (uint8_t)(which + 1);
    }
    if (p->count != p->configured)
        return cc_fail(
            err, CAMCL_BAD_DATA,
            "%s: it has %zu %s images, configuration and data make it %zu (restore the data that the run began with, or an older "
            "copy of the file)",
            path, p->count, p->name, p->configured);
    return CAMCL_OK;
}

static camcl_status check_split(const char *path, const cc_split *split, const cc_state_limits *limits, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const pool pools[] = { { "labelled", split->labeled, split->labeled_count, limits->split.labeled, true },
                           { "unlabelled", split->unlabeled, split->unlabeled_count, limits->split.unlabeled, false },
                           { "validation", split->validation, split->validation_count, limits->split.validation, true },
                           { "test", split->test, split->test_count, limits->split.test, true } };
    uint8_t *taken = NULL;
    CC_TRY(CC_NEW(limits->images, &taken, err));
    for (size_t i = 0; i < CC_COUNT(pools); i++)
        CC_TRY(check_pool(path, pools, (uint8_t)i, limits, taken, err));
cleanup:
    free(taken);
    return status;
}

camcl_status cc_run_state_check(const char *path, const cc_run_shape *shape, const cc_run_state *state, const cc_split *split,
                                const cc_state_limits *limits, camcl_error *err)
{
    CC_RETURN_IF_FAILED(check_split(path, split, limits, err));
    CC_RETURN_IF_FAILED(check_steps(path, state, limits, err));
    CC_RETURN_IF_FAILED(check_numbers(path, state, split, err));
    CC_RETURN_IF_FAILED(check_tensors(path, shape->graph, state, err));
    return check_objective(path, shape, state, err);
}
