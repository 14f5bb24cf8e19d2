/* What a run leaves that a failure has ended. */
#include <inttypes.h>

#include "base/text.h"
#include "train/team_internal.h"

void cc_run_add_saved(const cc_run *run, camcl_error *err)
{
    if (run->saved_step == 0) {
        cc_detail(err, "Nothing was saved: no weights, no state. The first save comes after epoch %" PRIu64 ", or after half an hour.\n",
                  run->loop.save_every);
        return;
    }
    cc_detail(err, "Saved before, and kept: step %" PRIu64 " in %s", run->saved_step, cc_run_file_name(CC_RUN_STATE));
    if (run->saved_models) cc_detail(err, " and %s", cc_run_file_name(CC_RUN_LAST));
    if (run->saved_models && cc_run_dir_has(run->dir, CC_RUN_BEST))
        cc_detail(err, ", the best weights until then in %s", cc_run_file_name(CC_RUN_BEST));
    cc_detail(err, ".\n");
    if (run->state.step > run->saved_step) cc_detail(err, "Not saved: what was trained since.\n");
}

/* Keys that choose the devices of the list but for one. Shares that were given are those of all. */
static void add_others(cc_text *text, const cc_run *run, size_t culprit)
{
    const char *before = " device.select=";
    for (size_t i = 0; i < own_count(&run->team); i++) {
        if (i == culprit) continue;
        cc_text_add(text, "%s%s", before, selector_of(run, i));
        before = ",";
    }
    if (!camcl_config_is(run->config, "device.share", "auto")) cc_text_add(text, " device.share=auto");
}

void cc_run_add_way_on(const cc_run *run, camcl_error *err)
{
    const cc_team *team = &run->team;
    const size_t culprit = team->exchange && team->count ? cc_exchange_culprit(team->exchange) : CC_NO_DEVICE;
    cc_text command = CC_TEXT_INIT;
    if (run->dir == NULL && team->world == NULL) return;
    if (run->dir)
        cc_run_add_saved(run, err);
    else if (run->state.step > run->first_step) /* another rank than 0 speaks where 0 is lost */
        cc_detail(err, "What was saved before is in the run's folder, on rank 0's machine.\n");
    if (team->world) { /* other machines need not have the run's folder, nor this one's devices */
        cc_detail(err, "%s: start all ranks again as before, with --resume. Other devices may be chosen, and more or fewer ranks.\n",
                  run->saved_step || run->dir == NULL ? "To go on from there" : "To begin again");
        return;
    }
    cc_text_add(&command, "camcl train ");
    cc_text_add_shell_word(&command, cc_run_dir_file(run->dir, CC_RUN_CONFIG));
    cc_text_add(&command, " --resume");
    if (culprit != CC_NO_DEVICE) add_others(&command, run, culprit);
    if (!command.failed) cc_detail(err, "%s: %s\n", run->saved_step ? "To go on from there" : "To begin again", command.data);
    cc_detail(err, "Other devices than before may be chosen, and more or fewer.\n");
    cc_text_free(&command);
}
