/* model.init: weights that PyTorch wrote, under torchvision's names (timm's ResNets have the same). */
#include "run/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

/* Prefixes that PyTorch's wrappers put before every name. */
static const char *const wrappers[] = { "module.", "model.", "_orig_mod." };

static bool all_start_with(const cc_safetensors *file, const char *prefix)
{
    size_t count = cc_safetensors_count(file), length = strlen(prefix);
    for (size_t i = 0; i < count; i++)
        if (strncmp(cc_safetensors_at(file, i)->name, prefix, length) != 0) return false;
    return count > 0;
}

/* Collects the wrapper prefixes that all of the file's tensors have. */
static void find_prefix(const cc_safetensors *file, char *prefix, size_t size)
{
    char longer[64];
    bool found = true;
    prefix[0] = '\0';
    while (found) {
        found = false;
        for (size_t i = 0; i < CC_COUNT(wrappers) && !found; i++) {
            int length = snprintf(longer, sizeof longer, "%s%s", prefix, wrappers[i]);
            found = length > 0 && (size_t)length < size && all_start_with(file, longer);
        }
        if (found) snprintf(prefix, size, "%s", longer);
    }
}

static const cc_st_tensor *find(const cc_safetensors *file, const cc_init_report *report, const cc_param *p)
{
    char name[sizeof report->prefix + sizeof p->name];
    snprintf(name, sizeof name, "%s%s", report->prefix, p->name);
    return cc_safetensors_find(file, name);
}

static bool has_shape(const cc_st_tensor *tensor, const cc_param *p)
{
    if (tensor->dims != p->rank) return false;
    for (unsigned i = 0; i < p->rank; i++)
        if (tensor->shape[i] != p->dim[i]) return false;
    return true;
}

/* The parameters of the node that gives the logits. */
static bool is_head(const cc_graph *g, const cc_param *p) { return p->node == g->node_count - 1; }

/* The number of classes of the file's head; 0 if the file has no head with this network's number of features. */
static size_t head_classes(const cc_safetensors *file, const cc_init_report *report, const cc_graph *g)
{
    size_t classes = 0;
    for (size_t i = 0; i < g->param_count; i++) {
        const cc_param *p = &g->params[i];
        const cc_st_tensor *tensor = is_head(g, p) ? find(file, report, p) : NULL;
        if (!is_head(g, p)) continue;
        if (tensor == NULL || tensor->dims != p->rank || (p->rank == 2 && tensor->shape[1] != p->dim[1])) return 0;
        if (classes && tensor->shape[0] != classes) return 0;
        classes = tensor->shape[0];
    }
    return classes;
}

/* ---- what does not fit */

typedef struct misfit {
    size_t missing, shape, unknown;
    char first[320];
    cc_text list;
} misfit;

static void add_shape(cc_text *text, const size_t *shape, unsigned rank)
{
    cc_text_add(text, "[");
    for (unsigned i = 0; i < rank; i++)
        cc_text_add(text, i ? ",%zu" : "%zu", shape[i]);
    cc_text_add(text, "]");
}

static void note(misfit *m, cc_text *line, size_t *count)
{
    if (!line->failed && m->first[0] == '\0') snprintf(m->first, sizeof m->first, "%s", line->data);
    if (!line->failed) cc_text_add(&m->list, "%s\n", line->data);
    cc_text_free(line);
    ++*count;
}

static void check_param(misfit *m, const cc_safetensors *file, const cc_init_report *report, const cc_graph *g, const cc_param *p)
{
    const cc_st_tensor *tensor = find(file, report, p);
    cc_text line = CC_TEXT_INIT;
    if (tensor && (has_shape(tensor, p) || (is_head(g, p) && report->head_classes))) return;
    cc_text_add(&line, tensor ? "%s is " : "%s is missing, it should be ", p->name);
    if (tensor) {
        add_shape(&line, tensor->shape, tensor->dims);
        cc_text_add(&line, ", not ");
    }
    add_shape(&line, p->dim, p->rank);
    note(m, &line, tensor ? &m->shape : &m->missing);
}

/* Whether name is the counter of batches that PyTorch keeps beside a batch norm's statistics. Files may hold it, but it is not taken:
 * counting starts anew. */
static bool is_counter(const cc_graph *g, const char *name)
{
    const char *dot = strrchr(name, '.');
    if (dot == NULL || strcmp(dot, ".num_batches_tracked") != 0) return false;
    const size_t length = (size_t)(dot - name);
    for (size_t i = 0; i < g->param_count; i++)
        if (g->params[i].role == CC_ROLE_RUNNING_VAR && strncmp(g->params[i].name, name, length) == 0 &&
            strcmp(g->params[i].name + length, ".running_var") == 0)
            return true;
    return false;
}

static void check_tensor(misfit *m, const cc_graph *g, const cc_st_tensor *tensor, cc_init_report *report)
{
    const char *name = tensor->name + strlen(report->prefix);
    cc_text line = CC_TEXT_INIT;
    if (cc_graph_find(g, name) != CC_NONE) return;
    if (is_counter(g, name)) {
        report->counters++;
        return;
    }
    cc_text_add(&line, "%s ", tensor->name);
    add_shape(&line, tensor->shape, tensor->dims);
    cc_text_add(&line, " has no place");
    note(m, &line, &m->unknown);
}

static camcl_status check(const char *path, const cc_safetensors *file, const cc_graph *g, cc_init_report *report, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    misfit m = { .list = CC_TEXT_INIT };
    for (size_t i = 0; i < g->param_count; i++)
        check_param(&m, file, report, g, &g->params[i]);
    for (size_t i = 0; i < cc_safetensors_count(file); i++)
        check_tensor(&m, g, cc_safetensors_at(file, i), report);
    if (m.missing + m.shape + m.unknown) {
        status = cc_fail(err, CAMCL_BAD_DATA,
                         "%s: not the weights of %s, stem %s, width %zu: %zu tensors are missing, %zu have another shape, %zu no place; "
                         "first: %s (change model.arch, model.stem or model.width, or model.init)",
                         path, g->spec.arch, g->spec.stem, g->spec.width, m.missing, m.shape, m.unknown, m.first);
        if (m.list.data) cc_detail(err, "%s", m.list.data);
    }
    cc_text_free(&m.list);
    return status;
}

/* ---- taking the tensors */

/* The file's values of parameter i, which must be fit to use. Given a model, they become its own; a head of another size is redrawn. */
static camcl_status take(cc_model *model, const cc_param *p, size_t i, const char *path, const cc_safetensors *file, cc_init_report *report,
                         uint64_t seed, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const cc_st_tensor *tensor = find(file, report, p);
    float *values = NULL;
    if (!has_shape(tensor, p)) return model ? cc_weights_init_param(model->main, i, seed, err) : CAMCL_OK;
    CC_TRY(CC_NEW(p->count, &values, err));
    CC_TRY(cc_safetensors_get_f32(file, tensor->name, p->rank, p->dim, values, err));
    CC_TRY(cc_param_check(p, values, path, "", CC_WEIGHTS_ADVICE, err));
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
    memset(report, 0, sizeof *report);
    CC_TRY(cc_safetensors_read(path, &file, err));
    find_prefix(file, report->prefix, sizeof report->prefix);
    report->head_classes = head_classes(file, report, g);
    CC_TRY(check(path, file, g, report, err));
    report->redrawn = report->head_classes != g->spec.classes;
    /* The model changes only once everything is known to be fit. */
    for (size_t i = 0; i < g->param_count; i++)
        CC_TRY(take(NULL, &g->params[i], i, path, file, report, seed, err));
    for (size_t i = 0; i < g->param_count; i++)
        CC_TRY(take(model, &g->params[i], i, path, file, report, seed, err));
    CC_TRY(cc_model_refresh(model, err));
cleanup:
    cc_safetensors_free(&file);
    return status;
}

void cc_init_describe(const cc_init_report *report, size_t classes, char *text, size_t size)
{
    int used = snprintf(text, size, "%zu tensors", report->taken);
    if (report->prefix[0] && used >= 0 && (size_t)used < size)
        used += snprintf(text + used, size - (size_t)used, ", without the prefix \"%s\"", report->prefix);
    if (report->counters && used >= 0 && (size_t)used < size)
        used += snprintf(text + used, size - (size_t)used, ", %zu num_batches_tracked left out", report->counters);
    if (report->redrawn && used >= 0 && (size_t)used < size)
        snprintf(text + used, size - (size_t)used, ", the head of %zu classes redrawn for %zu", report->head_classes, classes);
}
