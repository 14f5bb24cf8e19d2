/* The plan: which kernel serves which convolution. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "model/model.h"
#include "ops/choice/choice.h"
#include "ops/choice/gemm_sets.h"
#include "ops/record.h"

camcl_status cc_plan_format(const cc_plan *plan, char **text, camcl_error *err)
{
    cc_text out = CC_TEXT_INIT;
    cc_text_add(&out, "%s", "");
    for (size_t i = 0; i < plan->count; i++)
        cc_text_add(&out, "%s = %s\n", plan->entries[i].key, plan->entries[i].variant);
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
        return cc_fail(err, CAMCL_BAD_DATA, "kernel plan: a line is too long (choose another output.dir)");
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
            return cc_fail(err, CAMCL_BAD_DATA, "kernel plan: \"%.*s\" is not \"key = variant\" (choose another output.dir)", (int)length,
                           text);
        CC_RETURN_IF_FAILED(add(plan, text, (size_t)(equals - text), equals + 3, (size_t)(text + length - equals) - 3, err));
        plan->entries[plan->count - 1].saved = true;
        text += length + (text[length] == '\n');
    }
    return CAMCL_OK;
}

void cc_plan_update(cc_plan *plan, const camcl_device *device)
{
    for (size_t i = 0; i < plan->count; i++) {
        cc_plan_entry *entry = &plan->entries[i];
        cc_problem p;
        if (!cc_problem_read(entry->key, &p) || p.op->choice == NULL || p.op->choice->successor == NULL) continue;
        const char *now = p.op->choice->successor(camcl_device_get_info(device), p.direction, &p.desc, entry->variant);
        if (now) snprintf(entry->variant, sizeof entry->variant, "%s", now);
    }
}

void cc_plan_clear(cc_plan *plan)
{
    free(plan->entries);
    memset(plan, 0, sizeof *plan);
}

/* ---- choosing */

static cc_plan_entry *find_entry(const cc_plan *plan, const char *key)
{
    for (size_t i = 0; i < plan->count; i++)
        if (strcmp(plan->entries[i].key, key) == 0) return &plan->entries[i];
    return NULL;
}

/* Notes a variant under the key, in place of one that does not fit. */
static camcl_status note(cc_plan *plan, const char *key, const char *variant, camcl_error *err)
{
    cc_plan_entry *entry = find_entry(plan, key);
    if (entry == NULL) return add(plan, key, strlen(key), variant, strlen(variant), err);
    snprintf(entry->variant, sizeof entry->variant, "%s", variant);
    return CAMCL_OK;
}

/* Chooses the parameters of CLBlast: the plan's, else the fastest by timings, else CLBlast's own. The choice is noted once. It is passed
 * to the device before each recording, because another model may have recorded with other parameters in the meantime. */
static camcl_status prepare_gemm(cc_model *model, camcl_error *err)
{
    const cc_plan_entry *entry = find_entry(&model->plan, CC_GEMM_SETS_KEY);
    size_t set = 0;
    if (model->gemm_ready) return cc_gemm_use(model->device, model->gemm_set, err);
    if (entry) {
        while (cc_gemm_set_name(set) && strcmp(cc_gemm_set_name(set), entry->variant) != 0)
            set++;
        if (cc_gemm_set_name(set) == NULL)
            return cc_fail(err, CAMCL_UNSUPPORTED, "kernel plan: \"%s\" for %s is not known (start a new run)", entry->variant, entry->key);
    } else {
        CC_RETURN_IF_FAILED(cc_choose_gemm(model->device, &set, err));
        CC_RETURN_IF_FAILED(
            add(&model->plan, CC_GEMM_SETS_KEY, strlen(CC_GEMM_SETS_KEY), cc_gemm_set_name(set), strlen(cc_gemm_set_name(set)), err));
    }
    CC_RETURN_IF_FAILED(cc_gemm_use(model->device, set, err));
    model->gemm_set = set;
    model->gemm_ready = true;
    return CAMCL_OK;
}

static camcl_status choose(cc_model *model, const cc_problem *problem, const cc_variant **out, camcl_error *err)
{
    char key[sizeof((cc_plan_entry *)0)->key];
    const camcl_device_info *info = camcl_device_get_info(model->device);
    cc_problem_key(problem, key, sizeof key);
    const cc_plan_entry *entry = find_entry(&model->plan, key);
    *out = entry ? cc_operation_find(problem->op, problem->direction, entry->variant) : NULL;
    if (entry && (*out == NULL || !(*out)->supports(info, &problem->desc)))
        return cc_fail(err, CAMCL_UNSUPPORTED, "kernel plan: \"%s\" for %s does not run on %s (start a new run)", entry->variant, key,
                       info->name);
    if (*out == NULL || !cc_variant_fits(model->device, *out, &problem->desc)) {
        CC_RETURN_IF_FAILED(cc_choose_variant(model->device, problem, out, err));
        CC_RETURN_IF_FAILED(note(&model->plan, key, (*out)->name, err));
    }
    return (*out)->role == CC_ROLE_CLBLAST ? prepare_gemm(model, err) : CAMCL_OK;
}

camcl_status cc_model_choose(cc_model *model, cc_direction direction, const cc_conv2d_desc *desc, const cc_variant **out, camcl_error *err)
{
    return choose(model, &(cc_problem){ .op = &cc_conv2d_operation, .direction = direction, .desc.conv2d = *desc }, out, err);
}

camcl_status cc_model_linear(cc_model *model, cc_tape *tape, cc_direction direction, const cc_linear_desc *desc, const cc_tensor *io,
                             size_t count, bool add_output, camcl_error *err)
{
    const cc_variant *variant;
    CC_RETURN_IF_FAILED(
        choose(model, &(cc_problem){ .op = &cc_linear_operation, .direction = direction, .desc.linear = *desc }, &variant, err));
    return cc_variant_record(variant, tape, desc, io, count, add_output, err);
}
