#include "run/init_misfit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/words.h"
#include "model/arch.h"

enum { MOST_LINES = 10, MOST_NAME = 120 };

/* ---- what does not fit */

typedef struct misfits {
    size_t missing, shape, unplaced;
    cc_text first, list;
} misfits;

static void add_shape(cc_text *text, const size_t *shape, unsigned rank)
{
    cc_text_add(text, "[");
    for (unsigned i = 0; i < rank; i++)
        cc_text_add(text, i ? ",%zu" : "%zu", shape[i]);
    cc_text_add(text, "]");
}

static void note(misfits *m, cc_text *line, size_t *count)
{
    const size_t before = m->missing + m->shape + m->unplaced;
    if (line->failed)
        m->list.failed = true;
    else if (before == 0)
        cc_text_add(&m->first, "%s", line->data);
    if (!line->failed && before < MOST_LINES) cc_text_add(&m->list, "%s\n", line->data);
    cc_text_free(line);
    ++*count;
}

static void note_param(misfits *m, const cc_safetensors *file, const cc_graph *g, const cc_init_names *names, const cc_param *p)
{
    const cc_st_tensor *tensor = cc_init_names_tensor(names, file, g, p->name);
    char name[CC_INIT_PREFIX + sizeof p->name + 24];
    cc_text line = CC_TEXT_INIT;
    if (tensor && cc_init_fits(g, p, tensor)) return;
    cc_init_names_write(names, g, p->name, name, sizeof name);
    cc_text_add_visible(&line, name, MOST_NAME);
    cc_text_add(&line, tensor ? " is " : " is missing, it should be ");
    if (tensor) {
        add_shape(&line, tensor->shape, tensor->dims);
        cc_text_add(&line, ", not ");
    }
    add_shape(&line, p->dim, p->rank);
    note(m, &line, tensor ? &m->shape : &m->missing);
}

/* Whether the tensor is a parameter or a counter. */
static bool has_place(const cc_safetensors *file, const cc_graph *g, const cc_init_names *names, const cc_st_tensor *tensor)
{
    for (size_t i = 0; i < g->param_count; i++)
        if (cc_init_names_tensor(names, file, g, g->params[i].name) == tensor ||
            cc_init_names_counter(names, file, g, &g->params[i]) == tensor)
            return true;
    return false;
}

static void note_tensor(misfits *m, const cc_safetensors *file, const cc_graph *g, const cc_init_names *names, const cc_st_tensor *tensor)
{
    cc_text line = CC_TEXT_INIT;
    if (!cc_init_names_own(names, g, tensor->name) || has_place(file, g, names, tensor)) return;
    cc_text_add_visible(&line, tensor->name, MOST_NAME);
    cc_text_add(&line, " ");
    add_shape(&line, tensor->shape, tensor->dims);
    cc_text_add(&line, " has no place");
    note(m, &line, &m->unplaced);
}

static void note_all(misfits *m, const cc_safetensors *file, const cc_graph *g, const cc_init_names *names, bool head)
{
    for (size_t i = 0; i < g->param_count; i++)
        if (head || !cc_init_is_head(g, &g->params[i])) note_param(m, file, g, names, &g->params[i]);
    for (size_t i = 0; names->unplaced > 0 && i < cc_safetensors_count(file); i++)
        note_tensor(m, file, g, names, cc_safetensors_at(file, i));
    const size_t count = m->missing + m->shape + m->unplaced;
    if (count > MOST_LINES) cc_text_add(&m->list, "and %zu more\n", count - MOST_LINES);
}

static size_t count_body(const cc_graph *g)
{
    size_t count = 0;
    for (size_t i = 0; i < g->param_count; i++)
        count += !cc_init_is_head(g, &g->params[i]);
    return count;
}

/* What a file without any of the network's tensors has instead. */
static void add_names(cc_text *text, const cc_safetensors *file)
{
    const size_t count = cc_safetensors_count(file);
    cc_text_add(text, "the file has %zu tensors%s", count, count ? ": " : "");
    for (size_t i = 0; i < cc_min_size(count, MOST_LINES); i++) {
        if (i > 0) cc_text_add(text, ", ");
        cc_text_add_visible(text, cc_safetensors_at(file, i)->name, MOST_NAME);
    }
    if (count > MOST_LINES) cc_text_add(text, " and %zu more", count - MOST_LINES);
    cc_text_add(text, "\n");
}

/* ---- which network it is */

/* The number of channels of the first stage, by the first tensor whose name ends like it; 0 if there is none. */
static size_t find_width(const cc_safetensors *file)
{
    static const char *const endings[] = { "layer1.0.conv1.weight", ".0.conv1.weight" };
    for (size_t k = 0; k < CC_COUNT(endings); k++)
        for (size_t i = 0; i < cc_safetensors_count(file); i++) {
            const cc_st_tensor *tensor = cc_safetensors_by_name(file, i);
            const size_t length = strlen(tensor->name), tail = strlen(endings[k]);
            if (tensor->dims == 4 && length >= tail && strcmp(tensor->name + length - tail, endings[k]) == 0) return tensor->shape[0];
        }
    return 0;
}

/* Whether the file holds this network whole. A network that cannot be built is none. */
static bool is_whole(const cc_safetensors *file, const cc_graph_spec *spec)
{
    cc_graph *graph = NULL;
    cc_init_names *names = NULL;
    size_t count;
    const bool whole = cc_graph_build(spec, 1, &graph, NULL) == CAMCL_OK &&
                       cc_init_names_find(file, graph, &names, &count, NULL) == CAMCL_OK && cc_init_misfits(&names[0]) == 0;
    free(names);
    cc_graph_destroy(&graph);
    return whole;
}

/* The network of the table of architectures that the file holds. */
static bool identify(const cc_safetensors *file, const cc_graph_spec *wanted, cc_graph_spec *out)
{
    const size_t width = find_width(file);
    if (width == 0 || width > 65536) return false;
    for (size_t i = 0; i < cc_arch_count; i++) {
        const char *stems = cc_archs[i].stems, *stem;
        size_t length;
        while (cc_words_next(&stems, &stem, &length)) {
            *out = *wanted;
            out->width = width;
            snprintf(out->arch, sizeof out->arch, "%s", cc_archs[i].name);
            snprintf(out->stem, sizeof out->stem, "%.*s", (int)length, stem);
            if (is_whole(file, out)) return true;
        }
    }
    return false;
}

static void add_advice(cc_text *text, const cc_safetensors *file, const cc_graph_spec *wanted)
{
    cc_graph_spec found;
    if (!identify(file, wanted, &found)) {
        cc_text_add(text, "change model.arch, model.stem or model.width, or model.init");
        return;
    }
    cc_text_add(text, "it holds %s: set", found.arch);
    if (strcmp(found.arch, wanted->arch) != 0) cc_text_add(text, " model.arch = %s", found.arch);
    if (strcmp(found.stem, wanted->stem) != 0) cc_text_add(text, " model.stem = %s", found.stem);
    if (found.width != wanted->width) cc_text_add(text, " model.width = %zu", found.width);
}

camcl_status cc_init_fail(const char *path, const cc_safetensors *file, const cc_graph *g, const cc_init_names *names, bool head,
                          camcl_error *err)
{
    camcl_status status = CAMCL_BAD_DATA;
    misfits m = { .first = CC_TEXT_INIT, .list = CC_TEXT_INIT };
    cc_text advice = CC_TEXT_INIT;
    note_all(&m, file, g, names, head);
    if (names->missing == count_body(g)) add_names(&m.list, file);
    add_advice(&advice, file, &g->spec);
    if (m.first.failed || m.list.failed || advice.failed)
        status = cc_fail(err, CAMCL_NO_MEMORY, "memory: no room for a message (close other programs)");
    else {
        cc_fail(err, status,
                "%s: not the weights of %s, stem %s, width %zu: %zu tensors are missing, %zu have another shape, %zu no place; "
                "first: %s (%s)",
                path, g->spec.arch, g->spec.stem, g->spec.width, m.missing, m.shape, m.unplaced, m.first.data ? m.first.data : "",
                advice.data);
        cc_detail(err, "%s", m.list.data ? m.list.data : "");
    }
    cc_text_free(&m.first);
    cc_text_free(&m.list);
    cc_text_free(&advice);
    return status;
}
