/* The weights that a run began with. They are drawn again at its end, and not kept: a hash in the state tells whether they are the same. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "train/gallery.h"

/* A hash of the weights that the model holds. */
static camcl_status hash_weights(const cc_run *run, uint64_t *hash, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const cc_graph *g = run->model->graph;
    cc_snapshot now = { NULL, NULL, 0 };
    CC_TRY(cc_snapshot_take(&now, run->model, 0, err));
    *hash = CC_HASH_START;
    for (size_t i = 0; i < g->param_count; i++) {
        const cc_param *p = &g->params[i];
        *hash = cc_hash_bulk(*hash, (cc_param_is_statistic(p) ? now.statistics : now.weights) + p->offset, p->count * sizeof(float));
    }
cleanup:
    cc_snapshot_free(&now);
    return status;
}

camcl_status cc_run_note_start(cc_run *run, camcl_error *err)
{
    uint64_t hash = 0;
    CC_RETURN_IF_FAILED(hash_weights(run, &hash, err));
    snprintf(run->state.start, sizeof run->state.start, "%016" PRIx64, hash);
    return CAMCL_OK;
}

camcl_status cc_run_draw_start(cc_run *run, cc_init_report *report, camcl_error *err)
{
    const char *init = camcl_config_string(run->config, "model.init");
    CC_RETURN_IF_FAILED(cc_model_init(run->model, run->loop.seed, err));
    return *init ? cc_checkpoint_init(init, run->model, run->loop.seed, report, err) : CAMCL_OK;
}

static camcl_status load(cc_run *run, camcl_error *err)
{
    cc_init_report report;
    CC_RETURN_IF_FAILED(cc_run_draw_start(run, &report, err));
    return cc_model_refresh(run->model, err);
}

#define NONE "no maps of before the training: "

camcl_status cc_gallery_load_start(cc_run *run, bool *known, camcl_error *err)
{
    const char *init = camcl_config_string(run->config, "model.init");
    char noted[sizeof run->state.start];
    camcl_error problem = { 0 };
    *known = false;
    snprintf(noted, sizeof noted, "%s", run->state.start);
    const camcl_status status = load(run, &problem);
    if (status == CAMCL_IO || status == CAMCL_BAD_DATA) return cc_run_say(run, err, NONE "%s", problem.message);
    if (status != CAMCL_OK) return cc_fail(err, status, "%s", problem.message);
    CC_RETURN_IF_FAILED(cc_run_note_start(run, err));
    const bool same = *noted ? strcmp(noted, run->state.start) == 0 : *init == '\0';
    snprintf(run->state.start, sizeof run->state.start, "%s", noted);
    *known = same;
    return same ? CAMCL_OK : cc_run_say(run, err, NONE "the run may have begun with other weights than are in model.init now");
}
