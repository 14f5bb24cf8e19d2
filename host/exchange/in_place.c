#include "exchange/in_place.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/parallel.h"

/* Floats. A block of two devices stays in a core's second-level cache until its sums are copied; a piece is worth a thread. */
enum { BLOCK = 16384, PIECE = 16 * BLOCK };

typedef struct addition {
    float **values; /* [devices], each [count] */
    size_t devices, count;
} addition;

static void add_block(const addition *a, size_t from, size_t count)
{
    float *sums = a->values[0] + from;
    for (size_t d = 1; d < a->devices; d++) {
        const float *more = a->values[d] + from;
        for (size_t i = 0; i < count; i++)
            sums[i] += more[i];
    }
    for (size_t d = 1; d < a->devices; d++)
        memcpy(a->values[d] + from, sums, count * sizeof *sums);
}

static void add_piece(void *context, size_t index)
{
    const addition *a = context;
    const size_t end = cc_min_size((index + 1) * PIECE, a->count);
    for (size_t from = index * PIECE; from < end; from += BLOCK)
        add_block(a, from, cc_min_size(BLOCK, end - from));
}

camcl_status cc_add_in_place(const cc_exchange_point *const *points, size_t devices, size_t *culprit, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    addition a = { NULL, devices, points[0]->count };
    size_t mapped = 0;
    CC_TRY(CC_NEW(devices, &a.values, err));
    for (; mapped < devices; mapped++) {
        void *data;
        status = cc_buffer_map(points[mapped]->buffer, points[mapped]->offset, a.count * sizeof(float), &data, err);
        if (status != CAMCL_OK) {
            *culprit = mapped;
            goto cleanup;
        }
        a.values[mapped] = data;
    }
    cc_parallel((a.count + PIECE - 1) / PIECE, add_piece, &a);
cleanup:
    for (size_t d = 0; d < mapped; d++) {
        const camcl_status unmapped = cc_buffer_unmap(points[d]->buffer, a.values[d], status == CAMCL_OK ? err : NULL);
        if (status != CAMCL_OK || unmapped == CAMCL_OK) continue;
        status = unmapped;
        *culprit = d;
    }
    free(a.values);
    return status;
}
