/* How operations spread rows and sums over devices of different kinds. */
#ifndef CC_OPS_GEOMETRY_H
#define CC_OPS_GEOMETRY_H

#include <stdint.h>

#include "ops/record.h"

/* Kernels index within an image with 32-bit integers, and cl/bilinear.clh multiplies two sides. */
#define CC_MAX_SIDE 16384

static inline bool cc_on_cpu(const cc_tape *tape) { return cc_likes_long_items(camcl_device_get_info(cc_tape_device(tape))); }

/* Work-items for a row of `count` elements that a kernel walks with a stride of the global size: one on a CPU, where a work-item costs
 * more than an element, else one for each element. */
static inline size_t cc_row_items(const cc_tape *tape, size_t count) { return cc_on_cpu(tape) ? 1 : count; }

/* True when a*b*c elements can be indexed with an int. */
static inline bool cc_fits_int(size_t a, size_t b, size_t c)
{
    const size_t limit = INT32_MAX;
    return a <= limit && b <= limit && c <= limit && (a == 0 || b == 0 || c <= limit / a / b);
}

/* Records with `serial` (no work-item shares a sum) on CPUs and wherever `group` is not supported, else with `group`. CAMCL_UNSUPPORTED
 * when neither supports desc. */
camcl_status cc_record_serial_or_group(cc_tape *tape, const cc_variant *serial, const cc_variant *group, const void *desc,
                                       const cc_tensor *io, size_t count, bool add, camcl_error *err);

#endif
