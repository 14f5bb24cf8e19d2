/* Crop, resize back, quarter turns: the transform T of images and CAMs, and its transpose. Kernels in cl/warp.cl. */
#include <assert.h>

#include "base/memory.h"
#include "ops/geometry.h"
#include "ops/ops.h"
#include "ops/record.h"
#include "ops/variants.h"

/* One buffer may hold both, at different rows. */
static camcl_status launch(cc_tape *tape, const char *kernel, const cc_warp_desc *d, cc_tensor from, cc_tensor transforms, cc_tensor to,
                           const cc_arg *add, camcl_error *err)
{
    const double floats = (double)d->n * (double)d->size * (double)d->size * (double)d->c;
    const bool same = from.buffer == to.buffer;
    assert(cc_tensor_count(&transforms) >= 8 * d->n);
    assert(!same || d->src_row0 + d->n <= d->dst_row0 || d->dst_row0 + d->n <= d->src_row0);
    const cc_launch warp = { .program = "warp",
                             .kernel = kernel,
                             .dims = 3,
                             .global = { cc_row_items(tape, d->size), d->size, d->n },
                             .flops = 6.0 * floats,
                             .bytes = 8.0 * floats };
    const cc_arg args[] = { same ? CC_INOUT(from.buffer) : CC_IN(from.buffer),
                            CC_IN(transforms.buffer),
                            same || (add && add->value.i) ? CC_INOUT(to.buffer) : CC_OUT(to.buffer),
                            CC_INT(d->n),
                            CC_INT(d->size),
                            CC_INT(d->c),
                            CC_INT(d->src_row0),
                            CC_INT(d->dst_row0),
                            add ? *add : CC_INT(0) };
    return cc_tape_launch(tape, &warp, args, add ? CC_COUNT(args) : CC_COUNT(args) - 1, err);
}

/* io: {src, transforms, dst} */
static camcl_status forward(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_warp_desc *d = desc;
    assert(count == 3 && !add && cc_tensor_count(&io[0]) >= (d->src_row0 + d->n) * d->size * d->size * d->c);
    assert(cc_tensor_count(&io[2]) >= (d->dst_row0 + d->n) * d->size * d->size * d->c);
    (void)count, (void)add;
    return launch(tape, "warp_forward", d, io[0], io[1], io[2], NULL, err);
}

/* io: {ddst, transforms, dsrc(add)} */
static camcl_status backward(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_warp_desc *d = desc;
    assert(count == 3 && cc_tensor_count(&io[0]) >= (d->dst_row0 + d->n) * d->size * d->size * d->c);
    assert(cc_tensor_count(&io[2]) >= (d->src_row0 + d->n) * d->size * d->size * d->c);
    (void)count;
    return launch(tape, "warp_backward", d, io[0], io[1], io[2], &CC_INT(add), err);
}

static bool supports(const camcl_device_info *info, const void *desc)
{
    const cc_warp_desc *d = desc;
    (void)info;
    return d->size <= CC_MAX_SIDE && cc_fits_int(d->size, d->size, d->c) && cc_fits_int(d->n, 8, 1) &&
           cc_fits_int(d->src_row0 + d->n, 1, 1) && cc_fits_int(d->dst_row0 + d->n, 1, 1);
}

const cc_variant cc_warp_variants[] = {
    { .op = "warp", .direction = CC_FORWARD, .name = "general", .family = "", .supports = supports, .record = forward },
    { .op = "warp", .direction = CC_BACKWARD, .name = "general", .family = "", .supports = supports, .record = backward },
};
const size_t cc_warp_variant_count = CC_COUNT(cc_warp_variants);

camcl_status cc_warp_forward(cc_tape *tape, const cc_warp_desc *desc, cc_tensor src, cc_tensor transforms, cc_tensor dst, camcl_error *err)
{
    return cc_op_record(tape, "warp", CC_FORWARD, desc, (const cc_tensor[]){ src, transforms, dst }, 3, false, err);
}

camcl_status cc_warp_backward(cc_tape *tape, const cc_warp_desc *desc, cc_tensor ddst, cc_tensor transforms, cc_tensor dsrc, bool add,
                              camcl_error *err)
{
    return cc_op_record(tape, "warp", CC_BACKWARD, desc, (const cc_tensor[]){ ddst, transforms, dsrc }, 3, add, err);
}
