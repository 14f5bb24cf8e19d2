/* The end of a run whose numbers are not finite any more: what is saved, and the command that tries again. */
#include <inttypes.h>
#include <math.h>

#include "base/text.h"
#include "train/run.h"

/* A run that saved something keeps its learning rate, so another run is needed; one that saved nothing may begin again in its place. */
static void add_command(cc_text *text, const cc_run *run)
{
    const double lower = camcl_config_double(run->config, "optim.lr") / 10;
    cc_text dir = CC_TEXT_INIT;
    cc_text_add(text, "camcl train ");
    cc_text_add_shell_word(text, cc_run_dir_file(run->dir, CC_RUN_CONFIG));
    cc_text_add(text, " optim.lr=%g ", lower);
    if (run->saved_step == 0) {
        cc_text_add(text, "--resume");
        return;
    }
    cc_text_add(&dir, "%s-lr%g", cc_run_dir_path(run->dir), lower);
    cc_text_add(text, "output.dir=");
    if (dir.failed)
        text->failed = true;
    else
        cc_text_add_shell_word(text, dir.data);
    cc_text_free(&dir);
}

camcl_status cc_run_fail_diverged(const cc_run *run, const char *what, double value, uint64_t step, camcl_error *err)
{
    const char *init = camcl_config_string(run->config, "model.init"), *became = isnan(value) ? "NaN" : "infinite";
    cc_text command = CC_TEXT_INIT;
    /* The first loss is that of the initial weights, so no learning rate is to blame. */
    if (step == 0)
        return cc_fail(err, CAMCL_NOT_FINITE,
                       "training: %s became %s in the first step, before anything was learnt (check data.mean and data.std%s%s)", what,
                       became, *init ? ", and the weights in model.init = " : "", init);
    if (run->dir == NULL)
        return cc_fail(err, CAMCL_NOT_FINITE, "training: %s became %s at step %" PRIu64 ", with optim.lr = %s (lower it)", what, became,
                       step, camcl_config_string(run->config, "optim.lr"));
    add_command(&command, run);
    cc_fail(err, CAMCL_NOT_FINITE, "training: %s became %s at step %" PRIu64 ", with optim.lr = %s (lower it: %s)", what, became, step,
            camcl_config_string(run->config, "optim.lr"), command.failed ? "optim.lr" : command.data);
    cc_run_add_saved(run, err);
    cc_text_free(&command);
    return CAMCL_NOT_FINITE;
}

camcl_status cc_run_check_finite(const cc_run *run, const char *what, const float *values, size_t n, camcl_error *err)
{
    double found = 0;
    for (size_t i = 0; i < n && !isnan(found); i++)
        if (!isfinite(values[i])) found = (double)values[i];
    return isfinite(found) ? CAMCL_OK : cc_run_fail_diverged(run, what, found, run->state.step, err);
}
