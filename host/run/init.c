/* model.init: weights that PyTorch wrote, under torchvision's names (timm's ResNets have the same). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "run/checkpoint.h"
#include "run/init_misfit.h"
#include "run/init_names.h"

enum { MOST_LISTED = 10, MOST_NAME = 40 };

/* ---- the head */

static const cc_st_tensor *find(const cc_safetensors *file, const cc_graph *g, const cc_init_names *names, const cc_param *p)
{
    return cc_init_names_tensor(names, file, g, p->name);
}

/* Whether the file's head, if it has one, agrees with itself: all of it has the same number of classes. */
static bool is_head_sound(const cc_safetensors *file, const cc_graph *g, const cc_init_names *names)
{
    size_t classes = 0;
    for (size_t i = 0; i < g->param_count; i++) {
        const cc_st_tensor *tensor = cc_init_is_head(g, &g->params[i]) ? find(file, g, names, &g->params[i]) : NULL;
        if (tensor == NULL) continue;
        const size_t rows = tensor->dims ? tensor->shape[0] : 1;
        if (classes && rows != classes) return false;
        classes = rows;
    }
    return true;
}

/* What becomes of the file's head: its number of classes if all of it has this network's features, else 0. */
static void look_at_head(const cc_safetensors *file, const cc_graph *g, const cc_init_names *names, cc_init_report *report)
{
    size_t parts = 0, present = 0, fit = 0, classes = 0;
    for (size_t i = 0; i < g->param_count; i++) {
        const cc_param *p = &g->params[i];
        const cc_st_tensor *tensor = cc_init_is_head(g, p) ? find(file, g, names, p) : NULL;
        parts += cc_init_is_head(g, p);
        if (tensor == NULL) continue;
        present++;
        fit += tensor->dims == p->rank && (p->rank < 2 || tensor->shape[1] == p->dim[1]);
        classes = tensor->dims ? tensor->shape[0] : 0;
    }
    report->has_head = present > 0;
    report->head_classes = fit == parts ? classes : 0;
    report->redrawn = report->head_classes != g->spec.classes;
}

/* ---- what is left out, and what else could have been taken */

/* The part of the name that tells it from what has the prefix: "encoder_k." of "encoder_k.conv1.weight" beside "encoder_q.". */
static size_t group_length(const char *name, const char *prefix)
{
    size_t same = 0;
    for (size_t i = 0; prefix[i] && name[i] == prefix[i]; i++)
        if (prefix[i] == '.') same = i + 1;
    const size_t part = strcspn(name + same, ".");
    return same + part + (name[same + part] == '.');
}

/* `...: 122 of "encoder_k.", 1 of "queue" and 3 more`; taken: [tensors in the order of names]. */
static void list_left_out(const cc_safetensors *file, const bool *taken, const char *prefix, cc_init_report *report)
{
    cc_text text = CC_TEXT_INIT;
    size_t groups = 0, listed = 0, count = cc_safetensors_count(file);
    for (size_t i = 0; i < count;) {
        const char *name = cc_safetensors_by_name(file, i)->name;
        const size_t length = group_length(name, prefix);
        size_t of_group = 0;
        do {
            of_group += !taken[i++];
        } while (i < count && length > 0 && name[length - 1] == '.' && strncmp(cc_safetensors_by_name(file, i)->name, name, length) == 0);
        report->left_out += of_group;
        if (of_group == 0 || groups++ >= MOST_LISTED) continue;
        cc_text group = CC_TEXT_INIT;
        cc_text_add_bytes(&group, name, length);
        cc_text_add(&text, "%s%zu of \"", listed ? ", " : "", of_group);
        if (!group.failed) cc_text_add_visible(&text, group.data, MOST_NAME);
        cc_text_add(&text, "\"");
        cc_text_free(&group);
        listed += of_group;
    }
    if (report->left_out > listed) cc_text_add(&text, " and %zu more", report->left_out - listed);
    if (!text.failed && text.data) snprintf(report->others, sizeof report->others, "%s", text.data);
    cc_text_free(&text);
}

static void list_rivals(const cc_init_names *names, size_t count, cc_init_report *report)
{
    cc_text text = CC_TEXT_INIT;
    for (size_t i = 1; i < count && i <= MOST_LISTED; i++) {
        cc_text_add(&text, i > 1 ? ", \"" : "\"");
        cc_text_add_visible(&text, names[i].prefix, MOST_NAME);
        cc_text_add(&text, "\"");
    }
    if (count > MOST_LISTED + 1) cc_text_add(&text, " and %zu more", count - 1 - MOST_LISTED);
    if (!text.failed && text.data) snprintf(report->rivals, sizeof report->rivals, "%s", text.data);
    cc_text_free(&text);
}

static void mark(const cc_safetensors *file, const cc_st_tensor *tensor, bool *taken)
{
    if (tensor) taken[cc_safetensors_search(file, tensor->name)] = true;
}

static camcl_status describe_rest(const cc_safetensors *file, const cc_graph *g, const cc_init_names *names, size_t count,
                                  cc_init_report *report, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    bool *taken = NULL;
    CC_TRY(CC_NEW(cc_safetensors_count(file), &taken, err));
    for (size_t i = 0; i < g->param_count; i++) {
        mark(file, find(file, g, names, &g->params[i]), taken);
        mark(file, cc_init_names_counter(names, file, g, &g->params[i]), taken);
    }
    list_left_out(file, taken, names->prefix, report);
    list_rivals(names, count, report);
cleanup:
    free(taken);
    return status;
}

/* ---- taking the tensors */

/* As timm does it: an image of one channel is what a colour image with three equal channels is. values: [K,3,R,S] to [K,1,R,S]. */
static void sum_channels(const cc_param *p, float *values)
{
    const size_t taps = p->dim[2] * p->dim[3];
    for (size_t k = 0; k < p->dim[0]; k++)
        for (size_t t = 0; t < taps; t++) {
            const float *from = values + 3 * k * taps + t;
            values[k * taps + t] = from[0] + from[taps] + from[2 * taps];
        }
}

/* The file's values of parameter i, which must be fit to use. Given a model, they become its own; a head that does not fit is redrawn. */
static camcl_status take(cc_model *model, const cc_graph *g, size_t i, const char *path, const cc_safetensors *file,
                         const cc_init_names *names, cc_init_report *report, uint64_t seed, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const cc_param *p = &g->params[i];
    const cc_st_tensor *tensor = find(file, g, names, p);
    float *values = NULL;
    if (cc_init_is_head(g, p) && report->redrawn) return model ? cc_weights_init_param(model->main, i, seed, err) : CAMCL_OK;
    CC_TRY(CC_NEW(cc_max_size(p->count, cc_st_elements(tensor)), &values, err));
    CC_TRY(cc_safetensors_get_f32(file, tensor->name, tensor->dims, tensor->shape, values, err));
    if (cc_init_is_summed(g, p, tensor)) {
        sum_channels(p, values);
        report->summed = true;
    }
    CC_TRY(cc_param_check(p, values, path, names->prefix, CC_WEIGHTS_ADVICE, err));
    if (model) {
        CC_TRY(cc_model_set(model, i, values, err));
        report->taken++;
    }
cleanup:
    free(values);
    return status;
}

camcl_status cc_checkpoint_init(const char *path, cc_model *model, uint64_t seed, cc_init_report *report, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const cc_graph *g = model->graph;
    cc_safetensors *file = NULL;
    cc_init_names *names = NULL;
    size_t count;
    memset(report, 0, sizeof *report);
    CC_TRY(cc_safetensors_read(path, &file, err));
    CC_TRY(cc_init_names_find(file, g, &names, &count, err));
    const bool sound = is_head_sound(file, g, names);
    if (cc_init_misfits(names) > 0 || !sound) {
        status = cc_init_fail(path, file, g, names, !sound, err);
        goto cleanup;
    }
    memcpy(report->prefix, names->prefix, sizeof report->prefix);
    report->by_number = names->by_number;
    report->counters = names->counters;
    look_at_head(file, g, names, report);
    CC_TRY(describe_rest(file, g, names, count, report, err));
    /* The model changes only once everything is known to be fit. */
    for (size_t i = 0; i < g->param_count; i++)
        CC_TRY(take(NULL, g, i, path, file, names, report, seed, err));
    for (size_t i = 0; i < g->param_count; i++)
        CC_TRY(take(model, g, i, path, file, names, report, seed, err));
    CC_TRY(cc_model_refresh(model, err));
cleanup:
    free(names);
    cc_safetensors_free(&file);
    return status;
}

/* ---- what is said of it */

static void describe_head(const cc_init_report *report, size_t classes, cc_text *text)
{
    if (!report->redrawn) return;
    if (report->head_classes)
        cc_text_add(text, ", the head of %zu classes redrawn for %zu", report->head_classes, classes);
    else if (report->has_head)
        cc_text_add(text, ", the head, which does not fit, redrawn for %zu classes", classes);
    else
        cc_text_add(text, ", the head drawn for %zu classes because the file has none", classes);
}

void cc_init_describe(const cc_init_report *report, size_t classes, char *out, size_t size)
{
    cc_text text = CC_TEXT_INIT;
    cc_text_add(&text, "%zu tensors", report->taken);
    if (report->prefix[0]) {
        cc_text_add(&text, ", without the prefix \"");
        cc_text_add_visible(&text, report->prefix, MOST_NAME);
        cc_text_add(&text, "\"");
    }
    if (report->rivals[0]) cc_text_add(&text, " (not taken: the same network of %s)", report->rivals);
    if (report->by_number) cc_text_add(&text, ", layers by their numbers");
    if (report->counters) cc_text_add(&text, ", %zu num_batches_tracked left out", report->counters);
    describe_head(report, classes, &text);
    if (report->summed) cc_text_add(&text, ", the first convolution's three channels summed for grey images");
    if (report->left_out) cc_text_add(&text, ", left out: %s", report->others);
    snprintf(out, size, "%s", text.failed ? "" : text.data);
    cc_text_free(&text);
}
