#include "model/fit.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"

/* Length of KEY in a label "KEY = VARIANT". */
static size_t key_length(const char *label)
{
    const char *equals = strstr(label, " = ");
    return equals ? (size_t)(equals - label) : strlen(label);
}

/* NULL: the plan does not choose this operation's kernels. */
static const cc_plan_entry *find_entry(const cc_plan *plan, const char *label)
{
    const size_t length = key_length(label);
    for (size_t i = 0; i < plan->count; i++)
        if (strlen(plan->entries[i].key) == length && memcmp(plan->entries[i].key, label, length) == 0) return &plan->entries[i];
    return NULL;
}

/* After the recording that replaced the kernel. */
static camcl_status say_replaced(const cc_plan *plan, const cc_recording *recording, const cc_misfit *misfit, camcl_error *err)
{
    char line[512];
    const size_t length = key_length(misfit->label);
    const cc_plan_entry *now = find_entry(plan, misfit->label);
    snprintf(line, sizeof line, "kernels: %.*s: %s %s: using %s%s", (int)length, misfit->label, misfit->label + length + strlen(" = "),
             misfit->why, now ? now->variant : "another kernel",
             now && now->saved ? " (the run so far used the former, so its last bits may differ from here on)" : "");
    return recording->say(recording->context, line, err);
}

/* Several kernels of one variant may not fit; that is said once. */
static camcl_status say_all(const cc_plan *plan, const cc_recording *recording, const cc_misfit *misfits, size_t count, camcl_error *err)
{
    for (size_t i = 0; recording->say && i < count; i++) {
        size_t first = 0;
        while (strcmp(misfits[first].label, misfits[i].label) != 0)
            first++;
        if (first == i) CC_RETURN_IF_FAILED(say_replaced(plan, recording, &misfits[i], err));
    }
    return CAMCL_OK;
}

/* Recording anew does not help if a launch has no label, or was recorded although its label was known not to fit. */
static bool may_replace(const cc_misfit *misfits, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (misfits[i].known || strstr(misfits[i].label, " = ") == NULL) return false;
    return count > 0;
}

camcl_status cc_model_commit(cc_model *model, cc_arena *arena, const cc_recording *recording, camcl_error *err)
{
    camcl_status status;
    const cc_misfit *misfits = NULL;
    size_t count = 0;
    do {
        cc_arena_clear(arena);
        CC_RETURN_IF_FAILED(recording->record(recording->context, arena, err));
        CC_RETURN_IF_FAILED(say_all(&model->plan, recording, misfits, count, err));
        status = cc_arena_commit(arena, err);
        misfits = cc_arena_misfits(arena, &count);
        /* Each iteration adds labels to those that the device knows not to fit, so that the loop ends. */
    } while (status == CAMCL_UNSUPPORTED && may_replace(misfits, count));
    return status;
}
