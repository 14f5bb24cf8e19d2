#include "run/init_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { LONGEST_NAME = CC_INIT_PREFIX + sizeof(((cc_param *)0)->name) + 24 };

/* ---- parameters and tensors */

bool cc_init_is_head(const cc_graph *g, const cc_param *p) { return p->node == g->node_count - 1; }

static bool is_stem(const cc_graph *g, const cc_param *p)
{
    return p->role == CC_ROLE_WEIGHT && p->rank == 4 && g->nodes[p->node].inputs[0] == 0;
}

bool cc_init_is_summed(const cc_graph *g, const cc_param *p, const cc_st_tensor *tensor)
{
    return is_stem(g, p) && p->dim[1] == 1 && tensor->dims == 4 && tensor->shape[1] == 3;
}

bool cc_init_fits(const cc_graph *g, const cc_param *p, const cc_st_tensor *tensor)
{
    const bool summed = cc_init_is_summed(g, p, tensor);
    if (tensor->dims != p->rank) return false;
    for (unsigned i = 0; i < p->rank; i++)
        if (tensor->shape[i] != p->dim[i] && !(summed && i == 1)) return false;
    return true;
}

/* ---- children: what stands before the first point of a name */

typedef struct child {
    const char *name;
    size_t length;
} child;

static child child_of(const char *name) { return (child){ name, strcspn(name, ".") }; }

static bool same_child(child a, child b) { return a.length == b.length && memcmp(a.name, b.name, a.length) == 0; }

/* Without the number at its end: "layer5" is of the same family as "layer1", which a network of four stages does not have. */
static child family_of(child c)
{
    while (c.length > 1 && c.name[c.length - 1] >= '0' && c.name[c.length - 1] <= '9')
        c.length--;
    return c;
}

/* The children of the network in order, without the head; returns how many, at most CC_INIT_CHILDREN - 1. */
static size_t list_children(const cc_graph *g, child *out)
{
    size_t count = 0;
    for (size_t i = 0; i < g->param_count && count < CC_INIT_CHILDREN - 1; i++) {
        const child c = child_of(g->params[i].name);
        bool known = cc_init_is_head(g, &g->params[i]);
        for (size_t k = 0; k < count && !known; k++)
            known = same_child(out[k], c);
        if (!known) out[count++] = c;
    }
    return count;
}

/* The digits at the head of text as a number; false if there are none, or no point follows. */
static bool read_number(const char *text, size_t *out)
{
    char *end;
    if (*text < '0' || *text > '9') return false;
    const unsigned long value = strtoul(text, &end, 10);
    *out = (size_t)value;
    return *end == '.' && end - text < 6;
}

/* ---- names */

void cc_init_names_write(const cc_init_names *names, const cc_graph *g, const char *name, char *out, size_t size)
{
    child children[CC_INIT_CHILDREN];
    if (!names->by_number) {
        snprintf(out, size, "%s%s", names->prefix, name);
        return;
    }
    const size_t count = list_children(g, children);
    size_t place = 0;
    while (place < count && !same_child(children[place], child_of(name)))
        place++;
    if (place < names->numbers)
        snprintf(out, size, "%s%zu%s", names->prefix, names->number[place], name + child_of(name).length);
    else
        snprintf(out, size, "%s%s", names->prefix, name);
}

const cc_st_tensor *cc_init_names_tensor(const cc_init_names *names, const cc_safetensors *file, const cc_graph *g, const char *name)
{
    char full[LONGEST_NAME];
    cc_init_names_write(names, g, name, full, sizeof full);
    return cc_safetensors_find(file, full);
}

const cc_st_tensor *cc_init_names_counter(const cc_init_names *names, const cc_safetensors *file, const cc_graph *g, const cc_param *p)
{
    char name[sizeof p->name + 24];
    const char *dot = strrchr(p->name, '.');
    if (p->role != CC_ROLE_RUNNING_VAR || dot == NULL) return NULL;
    snprintf(name, sizeof name, "%.*s.num_batches_tracked", (int)(dot - p->name), p->name);
    return cc_init_names_tensor(names, file, g, name);
}

bool cc_init_names_own(const cc_init_names *names, const cc_graph *g, const char *name)
{
    child children[CC_INIT_CHILDREN];
    size_t number;
    const size_t length = strlen(names->prefix), count = list_children(g, children);
    if (strncmp(name, names->prefix, length) != 0) return false;
    const child own = child_of(name + length);
    if (own.length == 0 || own.name[own.length] == '\0') return false;
    if (names->by_number) return read_number(own.name, &number) && !(names->numbers > count && number == names->number[count]);
    for (size_t i = 0; i < count; i++)
        if (same_child(own, children[i]) || (own.name[own.length - 1] <= '9' && same_child(family_of(own), family_of(children[i]))))
            return true;
    return false;
}

/* ---- how one prefix fits */

static bool has_prefix(const cc_safetensors *file, size_t i, const char *prefix)
{
    return i < cc_safetensors_count(file) && strncmp(cc_safetensors_by_name(file, i)->name, prefix, strlen(prefix)) == 0;
}

/* The numbers that follow the prefix, sorted; false if there are not as many as the network has children, with or without the head. */
static bool read_numbers(cc_init_names *names, const cc_safetensors *file, const cc_graph *g)
{
    child children[CC_INIT_CHILDREN];
    const size_t count = list_children(g, children), length = strlen(names->prefix);
    names->numbers = 0;
    for (size_t i = cc_safetensors_search(file, names->prefix); has_prefix(file, i, names->prefix); i++) {
        size_t number, place = 0;
        if (!read_number(cc_safetensors_by_name(file, i)->name + length, &number)) continue;
        while (place < names->numbers && names->number[place] < number)
            place++;
        if (place < names->numbers && names->number[place] == number) continue;
        if (names->numbers == CC_INIT_CHILDREN) return false;
        memmove(names->number + place + 1, names->number + place, (names->numbers - place) * sizeof *names->number);
        names->number[place] = number;
        names->numbers++;
    }
    return names->numbers == count || names->numbers == count + 1;
}

static size_t count_own(const cc_init_names *names, const cc_safetensors *file, const cc_graph *g)
{
    size_t own = 0;
    for (size_t i = cc_safetensors_search(file, names->prefix); has_prefix(file, i, names->prefix); i++)
        own += cc_init_names_own(names, g, cc_safetensors_by_name(file, i)->name);
    return own;
}

/* Fills in the counts; stops early, with too many missing, where `most` misfits are exceeded. */
static void count_misfits(cc_init_names *names, const cc_safetensors *file, const cc_graph *g, size_t most)
{
    size_t found = 0;
    for (size_t i = 0; i < g->param_count && names->missing + names->shape <= most; i++) {
        const cc_param *p = &g->params[i];
        const cc_st_tensor *tensor = cc_init_is_head(g, p) ? NULL : cc_init_names_tensor(names, file, g, p->name);
        if (cc_init_is_head(g, p)) continue;
        names->missing += tensor == NULL;
        names->shape += tensor && !cc_init_fits(g, p, tensor);
        names->counters += cc_init_names_counter(names, file, g, p) != NULL;
        found += tensor != NULL;
    }
    if (names->missing + names->shape <= most) names->unplaced = count_own(names, file, g) - found - names->counters;
}

/* ---- which prefix */

/* Networks that are not trained by the gradient but follow one that is; and the student whose teacher is what its method is after. */
static bool is_copy(const char *prefix)
{
    static const char *const copies[] = { "encoder_k",         "key_encoder",       "momentum_encoder", "encoder_momentum",
                                          "backbone_momentum", "momentum_backbone", "target",           "target_network",
                                          "target_net",        "target_encoder",    "student" };
    for (const char *at = prefix; *at; at += child_of(at).length + 1)
        for (size_t i = 0; i < CC_COUNT(copies); i++)
            if (same_child(child_of(at), child_of(copies[i]))) return true;
    return false;
}

static size_t points(const char *prefix)
{
    size_t count = 0;
    for (; *prefix; prefix++)
        count += *prefix == '.';
    return count;
}

static int better_first(const void *a, const void *b)
{
    const cc_init_names *x = a, *y = b;
    const size_t x_misfits = cc_init_misfits(x), y_misfits = cc_init_misfits(y), x_points = points(x->prefix), y_points = points(y->prefix);
    if (x_misfits != y_misfits) return x_misfits < y_misfits ? -1 : 1;
    if (is_copy(x->prefix) != is_copy(y->prefix)) return is_copy(x->prefix) ? 1 : -1;
    if (x_points != y_points) return x_points < y_points ? -1 : 1;
    return strcmp(x->prefix, y->prefix);
}

typedef struct search {
    const cc_safetensors *file;
    const cc_graph *graph;
    cc_init_names *list;
    size_t count, capacity;
} search;

/* Keeps the candidate if it is whole, or better than the only one so far. */
static camcl_status consider(search *s, const char *name, size_t prefix, bool by_number, camcl_error *err)
{
    cc_init_names names = { .by_number = by_number };
    if (prefix >= sizeof names.prefix) return CAMCL_OK;
    memcpy(names.prefix, name, prefix);
    if (by_number && !read_numbers(&names, s->file, s->graph)) return CAMCL_OK;
    count_misfits(&names, s->file, s->graph, s->count ? cc_init_misfits(&s->list[0]) : (size_t)-1);
    if (s->count && cc_init_misfits(&names) > 0) {
        if (better_first(&names, &s->list[0]) < 0) s->list[0] = names;
        return CAMCL_OK;
    }
    if (s->count && cc_init_misfits(&s->list[0]) > 0) s->count = 0;
    CC_RETURN_IF_FAILED(cc_grow((void **)&s->list, &s->capacity, s->count + 1, sizeof *s->list, err));
    s->list[s->count++] = names;
    return CAMCL_OK;
}

/* Whether name ends with `ending`, at its start or after a point; the length of what comes before. */
static bool ends_with(const char *name, const char *ending, size_t *before)
{
    const size_t length = strlen(name), tail = strlen(ending);
    if (length < tail || memcmp(name + length - tail, ending, tail) != 0) return false;
    *before = length - tail;
    return *before == 0 || name[*before - 1] == '.';
}

/* The last parameter before the head's. A file that lacks the first one is told what it lacks where this one is. */
static const char *last_of_body(const cc_graph *g)
{
    size_t i = g->param_count;
    while (i > 1 && cc_init_is_head(g, &g->params[i - 1]))
        i--;
    return g->params[i - 1].name;
}

/* Whether the file has this name behind the first `prefix` bytes of another one. */
static bool has_name(const cc_safetensors *file, const char *other, size_t prefix, const char *name)
{
    char full[LONGEST_NAME];
    if (prefix >= CC_INIT_PREFIX) return false;
    snprintf(full, sizeof full, "%.*s%s", (int)prefix, other, name);
    return cc_safetensors_find(file, full) != NULL;
}

camcl_status cc_init_names_find(const cc_safetensors *file, const cc_graph *graph, cc_init_names **out, size_t *count, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    search s = { .file = file, .graph = graph };
    const char *first = graph->params[0].name, *last = last_of_body(graph);
    char numbered[sizeof graph->params[0].name + 2];
    *out = NULL;
    *count = 0;
    snprintf(numbered, sizeof numbered, "0%s", first + child_of(first).length);
    for (size_t i = 0; i < cc_safetensors_count(file); i++) {
        const char *name = cc_safetensors_by_name(file, i)->name;
        size_t prefix;
        if (ends_with(name, first, &prefix)) CC_TRY(consider(&s, name, prefix, false, err));
        if (ends_with(name, numbered, &prefix)) CC_TRY(consider(&s, name, prefix, true, err));
        if (ends_with(name, last, &prefix) && !has_name(file, name, prefix, first)) CC_TRY(consider(&s, name, prefix, false, err));
    }
    if (s.count == 0) CC_TRY(consider(&s, "", 0, false, err));
    qsort(s.list, s.count, sizeof *s.list, better_first);
    *out = s.list;
    *count = s.count;
    s.list = NULL;
cleanup:
    free(s.list);
    return status;
}
