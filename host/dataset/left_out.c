#include "dataset/left_out.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* Kinds are often extensions, and a folder may hold as many of those as files. From this many on, new kinds share a row. */
#define MOST_KINDS 64
#define OTHER_KINDS "others"

static size_t find_row(const cc_left_out *table, const char *kind)
{
    size_t row = 0;
    while (row < table->count && strcmp(table->rows[row].kind, kind) != 0)
        row++;
    return row;
}

static camcl_status append_row(cc_left_out *table, const char *kind, const char *example, camcl_error *err)
{
    char *own_kind = NULL, *own_example = NULL;
    camcl_status status = cc_grow((void **)&table->rows, &table->capacity, table->count + 1, sizeof *table->rows, err);
    if (status == CAMCL_OK) status = cc_copy_text(kind, &own_kind, err);
    if (status == CAMCL_OK) status = cc_copy_text(example, &own_example, err);
    if (status != CAMCL_OK) {
        free(own_kind);
        return status;
    }
    table->rows[table->count++] = (camcl_left_out){ own_kind, 0, own_example };
    return CAMCL_OK;
}

camcl_status cc_left_out_add(cc_left_out *table, const char *kind, uint32_t count, const char *example, camcl_error *err)
{
    size_t row = find_row(table, kind);
    if (row == table->count && row >= MOST_KINDS) {
        kind = OTHER_KINDS;
        row = find_row(table, kind);
    }
    if (row == table->count) CC_RETURN_IF_FAILED(append_row(table, kind, example, err));
    table->rows[row].count += count;
    return CAMCL_OK;
}

camcl_status cc_left_out_merge(cc_left_out *table, const camcl_left_out *rows, size_t count, camcl_error *err)
{
    for (size_t i = 0; i < count; i++)
        CC_RETURN_IF_FAILED(cc_left_out_add(table, rows[i].kind, rows[i].count, rows[i].example, err));
    return CAMCL_OK;
}

void cc_left_out_free(cc_left_out *table)
{
    for (size_t i = 0; i < table->count; i++) {
        free((void *)table->rows[i].kind);
        free((void *)table->rows[i].example);
    }
    free(table->rows);
    *table = (cc_left_out){ NULL, 0, 0 };
}
