/* The plan: which kernel serves which convolution. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "device/timings.h"
#include "model/model.h"
#include "model/tune.h"

camcl_status cc_plan_format(const cc_plan *plan, char **text, camcl_error *err)
{
    cc_text out = CC_TEXT_INIT;
    cc_text_add(&out, "%s", "");
    for (size_t i = 0; i < plan->count; i++) cc_text_add(&out, "%s = %s\n", plan->entries[i].key, plan->entries[i].variant);
    if (out.failed) {
        cc_text_free(&out);
        return cc_fail(err, CAMCL_NO_MEMORY, "memory: no room for the kernel plan (close other programs)");
    }
    *text = out.data;
    return CAMCL_OK;
}

static camcl_status add(cc_plan *plan, const char *key, size_t key_length, const char *variant, size_t variant_length, camcl_error *err)
{
    cc_plan_entry entry;
    if (key_length >= sizeof entry.key || variant_length >= sizeof entry.variant)
        return cc_fail(err, CAMCL_BAD_DATA, "kernel plan: a line is too long (delete the run's state and start again)");
    memset(&entry, 0, sizeof entry);
    memcpy(entry.key, key, key_length);
    memcpy(entry.variant, variant, variant_length);
    CC_RETURN_IF_FAILED(cc_grow((void **)&plan->entries, &plan->capacity, plan->count + 1, sizeof entry, err));
    plan->entries[plan->count++] = entry;
    return CAMCL_OK;
}

camcl_status cc_plan_parse(cc_plan *plan, const char *text, camcl_error *err)
{
    plan->count = 0;
    while (*text) {
        size_t length = strcspn(text, "\n");
        const char *equals = strstr(text, " = ");
        if (equals == NULL || equals >= text + length)
            return cc_fail(err, CAMCL_BAD_DATA, "kernel plan: \"%.*s\" is not \"key = variant\" (delete the run's state and start again)",
                           (int)length, text);
        CC_RETURN_IF_FAILED(add(plan, text, (size_t)(equals - text), equals + 3, (size_t)(text + length - equals) - 3, err));
        text += length + (text[length] == '\n');
    }
    return CAMCL_OK;
}

bool cc_plan_read_key(const char *key, cc_direction *direction, cc_conv2d_desc *desc)
{
    char name[24];
    cc_conv2d_desc d;
    if (sscanf(key, "conv2d %23s n%zu h%zu w%zu c%zu k%zu r%zu s%zu stride%zu pad%zu", name, &d.n, &d.h, &d.w, &d.c, &d.k, &d.r, &d.s,
               &d.stride, &d.pad) != 10)
        return false;
    for (int i = CC_FORWARD; i <= CC_BACKWARD_WEIGHT; i++) {
        if (strcmp(name, cc_direction_name((cc_direction)i)) != 0) continue;
        *direction = (cc_direction)i;
        *desc = d;
        return d.n && d.h && d.w && d.c && d.k && d.r && d.s && d.stride && d.h + 2 * d.pad >= d.r && d.w + 2 * d.pad >= d.s;
    }
    return false;
}

void cc_plan_clear(cc_plan *plan)
{
    free(plan->entries);
    memset(plan, 0, sizeof *plan);
}

camcl_status cc_model_choose(cc_model *model, cc_direction direction, const cc_conv2d_desc *desc, const cc_variant **out, camcl_error *err)
{
    char key[sizeof((cc_plan_entry *)0)->key];
    const camcl_device_info *info = camcl_device_get_info(model->device);
    cc_conv2d_key(desc, direction, key, sizeof key);
    for (size_t i = 0; i < model->plan.count; i++) {
        if (strcmp(model->plan.entries[i].key, key) != 0) continue;
        *out = cc_registry_find("conv2d", direction, model->plan.entries[i].variant);
        if (*out && (*out)->supports(info, desc)) return CAMCL_OK;
        return cc_fail(err, CAMCL_UNSUPPORTED, "kernel plan: \"%s\" for %s does not run on %s (start a new run)",
                       model->plan.entries[i].variant, key, info->name);
    }
    const cc_tune_mode mode = cc_device_tune_mode(model->device);
    if (mode == CC_TUNE_FULL && !cc_tune_knows(model->device, direction, desc)) {
        CC_RETURN_IF_FAILED(cc_tune_conv2d(model->device, direction, desc, err));
        cc_timings_store(model->device);
    }
    *out = mode == CC_TUNE_OFF ? NULL : cc_tune_find(model->device, direction, desc);
    if (*out == NULL) *out = cc_conv2d_choose(info, cc_device_conv_policy(model->device), direction, desc);
    return add(&model->plan, key, strlen(key), (*out)->name, strlen((*out)->name), err);
}
