/* pseudo_labels.csv of a run: which classes its pseudo-labels fall into. */
#include <string.h>

#include "base/memory.h"
#include "train/run.h"

static const char *path_of(const cc_run *run) { return cc_run_dir_file(run->dir, CC_RUN_PSEUDO_LABELS); }

camcl_status cc_run_open_pseudo(cc_run *run, camcl_error *err)
{
    const size_t classes = camcl_dataset_get_info(run->dataset)->classes;
    if (!cc_objective_learns_unlabeled(run->settings.step.objective.kind)) return CAMCL_OK;
    CC_RETURN_IF_FAILED(cc_pseudo_labels_read(path_of(run), classes, camcl_dataset_class_names(run->dataset), &run->pseudo_labels, err));
    return run->state.pseudo ? CAMCL_OK : CC_NEW(classes * CC_PSEUDO_SUMS, &run->state.pseudo, err);
}

camcl_status cc_run_drop_pseudo(cc_run *run, camcl_error *err)
{
    return cc_pseudo_labels_drop_after(&run->pseudo_labels, path_of(run), cc_run_told_step(run), err);
}

camcl_status cc_run_append_pseudo(cc_run *run, uint64_t epoch, camcl_error *err)
{
    const cc_pseudo_evaluation evaluation = { run->state.step, epoch, run->state.interval.sums[CC_SUM_UNLABELED] };
    if (run->state.pseudo == NULL || !cc_step_has_pseudo_labels(run->step)) return CAMCL_OK;
    CC_RETURN_IF_FAILED(cc_pseudo_labels_append(&run->pseudo_labels, path_of(run), &evaluation, run->state.pseudo, err));
    memset(run->state.pseudo, 0, run->pseudo_labels.classes * CC_PSEUDO_SUMS * sizeof *run->state.pseudo);
    return CAMCL_OK;
}
