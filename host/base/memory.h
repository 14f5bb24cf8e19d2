/* Checked sizes and allocation. */
#ifndef CC_BASE_MEMORY_H
#define CC_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"

#define CC_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* a*b and a+b into *out; false when they do not fit in size_t. */
bool cc_mul_size(size_t a, size_t b, size_t *out);
bool cc_add_size(size_t a, size_t b, size_t *out);

static inline size_t cc_ceil_div(size_t a, size_t b) { return (a + b - 1) / b; }
static inline size_t cc_round_up(size_t a, size_t b) { return cc_ceil_div(a, b) * b; }
static inline size_t cc_min_size(size_t a, size_t b) { return a < b ? a : b; }
static inline size_t cc_max_size(size_t a, size_t b) { return a > b ? a : b; }

/* Zeroed memory for count elements; *out is NULL when it fails (CAMCL_NO_MEMORY). The caller frees with free(). */
camcl_status cc_calloc(size_t count, size_t size, void **out, camcl_error *err);
/* The same, typed: CC_TRY(CC_NEW(n, &pointer, err)). */
#define CC_NEW(count, out, err) cc_calloc((count), sizeof(**(out)), (void **)(out), (err))

/* Grows *array (of *capacity elements) so that it holds at least `need` elements. The contents are kept. */
camcl_status cc_grow(void **array, size_t *capacity, size_t need, size_t size, camcl_error *err);

/* A copy of text (strdup with a status). */
camcl_status cc_copy_text(const char *text, char **out, camcl_error *err);

#endif
