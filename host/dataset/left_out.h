/* A table of what was found and left out, by kind. */
#ifndef CC_DATASET_LEFT_OUT_H
#define CC_DATASET_LEFT_OUT_H

#include "base/diag.h"
#include "camcl/pictures.h"

/* Rows in the order in which their kinds were first seen. Texts are the table's own. */
typedef struct cc_left_out {
    camcl_left_out *rows;
    size_t count, capacity;
} cc_left_out;

/* Adds `count` of a kind; kinds are told apart byte by byte. `example` stays the first one. */
camcl_status cc_left_out_add(cc_left_out *table, const char *kind, uint32_t count, const char *example, camcl_error *err);
/* Adds every row of another table. */
camcl_status cc_left_out_merge(cc_left_out *table, const camcl_left_out *rows, size_t count, camcl_error *err);
void cc_left_out_free(cc_left_out *table);

#endif
