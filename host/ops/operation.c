/* Walking the variants of an operation. */
#include "ops/operation.h"

#include <assert.h>
#include <string.h>

/* The variants of the operation one after another: the one behind `last` (NULL: the first), NULL at the end. */
static const cc_variant *next(const cc_operation *op, const cc_variant *last)
{
    bool found = last == NULL;
    for (const cc_variant_list *list = op->lists; list->variants; list++) {
        for (size_t i = 0; i < *list->count; i++) {
            const cc_variant *v = &list->variants[i];
            if (found && v->op == op) return v;
            found = found || v == last;
        }
    }
    return NULL;
}

size_t cc_operation_count(const cc_operation *op)
{
    size_t count = 0;
    for (const cc_variant *v = next(op, NULL); v; v = next(op, v))
        count++;
    return count;
}

const cc_variant *cc_operation_at(const cc_operation *op, size_t index)
{
    const cc_variant *v = next(op, NULL);
    for (; v && index > 0; index--)
        v = next(op, v);
    assert(v);
    return v;
}

const cc_variant *cc_operation_find(const cc_operation *op, cc_direction direction, const char *name)
{
    for (const cc_variant *v = next(op, NULL); v; v = next(op, v))
        if (v->direction == direction && strcmp(v->name, name) == 0) return v;
    return NULL;
}
