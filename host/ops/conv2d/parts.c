#include "ops/conv2d/parts.h"

#include "base/memory.h"
#include "device/kernel_bindings.h"
#include "ops/conv2d/tile.h"
#include "ops/record.h"

camcl_status cc_conv2d_parts_begin(cc_tape *tape, const cc_conv2d_desc *d, size_t count, cc_buffer *dw, bool add, cc_conv2d_parts *parts,
                                   camcl_error *err)
{
    const size_t kb = cc_conv2d_tile_panel(camcl_device_get_info(cc_tape_device(tape)), d->k).channels, rsc = d->r * d->s * d->c,
                 size = cc_ceil_div(d->k, kb) * rsc * kb;
    *parts = (cc_conv2d_parts){ dw, NULL, add, count, size, kb, rsc, d->k };
    if (count == 1 && d->k % kb == 0) return CAMCL_OK;
    return cc_tape_buffer(tape, count * size * sizeof(float), "weight gradient parts", &parts->partial, err);
}

camcl_status cc_conv2d_parts_end(cc_tape *tape, const cc_conv2d_parts *p, camcl_error *err)
{
    const camcl_device_info *info = camcl_device_get_info(cc_tape_device(tape));
    const size_t items = 4 * (size_t)info->compute_units, each = cc_ceil_div(p->rsc, items);
    if (p->partial == NULL) return CAMCL_OK;
    const cc_launch launch = { .options = cc_vector_options(info),
                               .dims = 1,
                               .global = { cc_ceil_div(p->rsc, each) },
                               .local = { 1 },
                               .bytes = 4.0 * (double)(p->count * p->size + 2 * p->rsc * p->k) };
    return CC_LAUNCH(tape, conv2d_reduce, &launch, err, .partial = CC_IN(p->partial), .dw = p->add ? CC_INOUT(p->dw) : CC_OUT(p->dw),
                     .rsc = CC_INT(p->rsc), .K = CC_INT(p->k), .KB = CC_INT(p->kb), .parts = CC_INT(p->count), .part_size = CC_INT(p->size),
                     .rows_each = CC_INT(each), .add = CC_INT(p->add));
}
