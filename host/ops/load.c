/* Images and labels of a batch, picked from the data set on the device. Kernels in cl/load.cl. */
#include "base/memory.h"
#include "device/kernel_bindings.h"
#include "ops/geometry.h"
#include "ops/ops.h"
#include "ops/record.h"
#include "ops/variants.h"

/* io: {pixels, transforms, normalise, dst} */
static camcl_status check(const cc_load_desc *d, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_op_check_no_add("load_images", add, err));
    return CC_CHECK_OPERANDS("load_images", io, count, err, { "pixels", CC_U8, d->images * d->h * d->w * d->c, CC_AT_LEAST },
                             { "transforms", CC_I32, 8 * d->n, CC_AT_LEAST }, { "normalise", CC_F32, 2 * d->c, CC_EXACT },
                             { "dst", CC_F32, (d->dst_row0 + d->n) * d->size * d->size * d->c, CC_AT_LEAST | CC_APART });
}

static camcl_status resize(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_load_desc *d = desc;
    const double floats = (double)d->n * (double)d->size * (double)d->size * (double)d->c;
    CC_RETURN_IF_FAILED(check(d, io, count, add, err));
    const cc_launch launch = { .dims = 3,
                               .global = { cc_row_items(tape, d->size), d->size, d->n },
                               .flops = 8.0 * floats,
                               .bytes = 4.0 * floats + (double)d->n * (double)d->h * (double)d->w * (double)d->c };
    return CC_LAUNCH(tape, load_images_resize, &launch, err, .pixels = CC_IN(io[0].buffer), .transforms = CC_IN(io[1].buffer),
                     .normalise = CC_IN(io[2].buffer), .dst = CC_OUT(io[3].buffer), .n = CC_INT(d->n), .h = CC_INT(d->h), .w = CC_INT(d->w),
                     .c = CC_INT(d->c), .size = CC_INT(d->size), .dst_row0 = CC_INT(d->dst_row0), .first_image = CC_INT(d->first_image),
                     .images = CC_INT(d->images), .shifted = CC_INT(d->window == CC_WINDOW_SHIFTED));
}

static camcl_status native(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_load_desc *d = desc;
    const double floats = (double)d->n * (double)d->size * (double)d->size * (double)d->c;
    CC_RETURN_IF_FAILED(check(d, io, count, add, err));
    const cc_launch launch = {
        .dims = 3, .global = { cc_row_items(tape, d->size), d->size, d->n }, .flops = 2.0 * floats, .bytes = 5.0 * floats
    };
    return CC_LAUNCH(tape, load_images_native, &launch, err, .pixels = CC_IN(io[0].buffer), .transforms = CC_IN(io[1].buffer),
                     .normalise = CC_IN(io[2].buffer), .dst = CC_OUT(io[3].buffer), .n = CC_INT(d->n), .c = CC_INT(d->c),
                     .size = CC_INT(d->size), .dst_row0 = CC_INT(d->dst_row0), .first_image = CC_INT(d->first_image),
                     .images = CC_INT(d->images), .shifted = CC_INT(d->window == CC_WINDOW_SHIFTED));
}

static camcl_status scaled(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_load_desc *d = desc;
    const double floats = (double)d->n * (double)d->size * (double)d->size * (double)d->c;
    CC_RETURN_IF_FAILED(check(d, io, count, add, err));
    const cc_launch launch = { .dims = 3,
                               .global = { cc_row_items(tape, d->size), d->size, d->n },
                               .flops = 8.0 * floats,
                               .bytes = 4.0 * floats + (double)d->n * (double)d->h * (double)d->w * (double)d->c };
    return CC_LAUNCH(tape, load_images_scaled, &launch, err, .pixels = CC_IN(io[0].buffer), .transforms = CC_IN(io[1].buffer),
                     .normalise = CC_IN(io[2].buffer), .dst = CC_OUT(io[3].buffer), .n = CC_INT(d->n), .h = CC_INT(d->h), .w = CC_INT(d->w),
                     .c = CC_INT(d->c), .size = CC_INT(d->size), .dst_row0 = CC_INT(d->dst_row0), .first_image = CC_INT(d->first_image),
                     .images = CC_INT(d->images));
}

/* io: {pixels, transforms, dst} */
static camcl_status bytes(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_load_desc *d = desc;
    const double values = (double)d->n * (double)d->size * (double)d->size * (double)d->c;
    CC_RETURN_IF_FAILED(cc_op_check_no_add("load_bytes", add, err));
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS("load_bytes", io, count, err, { "pixels", CC_U8, d->images * d->h * d->w * d->c, CC_AT_LEAST },
                                          { "transforms", CC_I32, 8 * d->n, CC_AT_LEAST },
                                          { "dst", CC_U8, (d->dst_row0 + d->n) * d->size * d->size * d->c, CC_AT_LEAST | CC_APART }));
    const cc_launch launch = { .dims = 3,
                               .global = { cc_row_items(tape, d->size), d->size, d->n },
                               .flops = values,
                               .bytes = values + (double)d->n * (double)d->h * (double)d->w * (double)d->c };
    return CC_LAUNCH(tape, load_bytes, &launch, err, .pixels = CC_IN(io[0].buffer), .transforms = CC_IN(io[1].buffer),
                     .dst = CC_OUT(io[2].buffer), .n = CC_INT(d->n), .h = CC_INT(d->h), .w = CC_INT(d->w), .c = CC_INT(d->c),
                     .size = CC_INT(d->size), .dst_row0 = CC_INT(d->dst_row0), .first_image = CC_INT(d->first_image),
                     .images = CC_INT(d->images), .shifted = CC_INT(d->window == CC_WINDOW_SHIFTED));
}

/* io: {labels, transforms, out}; desc: the number of rows, size_t */
static camcl_status labels_of(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const size_t n = *(const size_t *)desc;
    CC_RETURN_IF_FAILED(cc_op_check_no_add("load_labels", add, err));
    /* How many labels there are is the sampler's business: transforms name them. */
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS("load_labels", io, count, err, { "labels", CC_I32, 1, CC_AT_LEAST },
                                          { "transforms", CC_I32, 8 * n, CC_AT_LEAST }, { "out", CC_I32, n, CC_AT_LEAST | CC_APART }));
    const cc_launch launch = { .dims = 1, .global = { n } };
    return CC_LAUNCH(tape, load_labels, &launch, err, .labels = CC_IN(io[0].buffer), .transforms = CC_IN(io[1].buffer),
                     .out = CC_OUT(io[2].buffer), .n = CC_INT(n));
}

static bool supports_any(const camcl_device_info *info, const void *desc)
{
    const cc_load_desc *d = desc;
    (void)info;
    return d->h <= CC_MAX_SIDE && d->w <= CC_MAX_SIDE && d->size <= CC_MAX_SIDE && cc_fits_int(d->h, d->w, d->c) &&
           cc_fits_int(d->size, d->size, d->c) && cc_fits_int(d->n, 8, 1) && cc_fits_int(d->dst_row0 + d->n, 1, 1) &&
           cc_fits_int(d->first_image + d->images, 1, 1);
}

/* Windows of the picture's size, for which pixels need no taps of their own. */
static bool supports_resize(const camcl_device_info *info, const void *desc)
{
    const cc_load_desc *d = desc;
    return supports_any(info, desc) && d->window != CC_WINDOW_SCALED;
}

static bool supports_native(const camcl_device_info *info, const void *desc)
{
    const cc_load_desc *d = desc;
    return supports_resize(info, desc) && d->h == d->size && d->w == d->size;
}

static bool supports_scaled(const camcl_device_info *info, const void *desc)
{
    const cc_load_desc *d = desc;
    return supports_any(info, desc) && d->window == CC_WINDOW_SCALED;
}

static bool supports_labels(const camcl_device_info *info, const void *desc)
{
    (void)info;
    return cc_fits_int(*(const size_t *)desc, 8, 1);
}

const cc_variant cc_load_variants[] = {
    { .op = &cc_load_images_operation,
      .direction = CC_FORWARD,
      .name = "general",
      .family = "",
      .supports = supports_resize,
      .record = resize },
    { .op = &cc_load_images_operation,
      .direction = CC_FORWARD,
      .name = "native",
      .family = "",
      .supports = supports_native,
      .record = native },
    { .op = &cc_load_images_operation,
      .direction = CC_FORWARD,
      .name = "scaled",
      .family = "",
      .supports = supports_scaled,
      .record = scaled },
    { .op = &cc_load_bytes_operation,
      .direction = CC_FORWARD,
      .name = "general",
      .family = "",
      .supports = supports_resize,
      .record = bytes },
    { .op = &cc_load_labels_operation,
      .direction = CC_FORWARD,
      .name = "general",
      .family = "",
      .supports = supports_labels,
      .record = labels_of },
};
const size_t cc_load_variant_count = CC_COUNT(cc_load_variants);
CC_SMALL_OPERATION(load_images, load);
CC_SMALL_OPERATION(load_bytes, load);
CC_SMALL_OPERATION(load_labels, load);

camcl_status cc_load_images(cc_tape *tape, const cc_load_desc *desc, cc_tensor pixels, cc_tensor transforms, cc_tensor normalise,
                            cc_tensor dst, camcl_error *err)
{
    return cc_op_record(tape, &cc_load_images_operation, CC_FORWARD, desc, (const cc_tensor[]){ pixels, transforms, normalise, dst }, 4,
                        false, err);
}

camcl_status cc_load_bytes(cc_tape *tape, const cc_load_desc *desc, cc_tensor pixels, cc_tensor transforms, cc_tensor dst, camcl_error *err)
{
    return cc_op_record(tape, &cc_load_bytes_operation, CC_FORWARD, desc, (const cc_tensor[]){ pixels, transforms, dst }, 3, false, err);
}

camcl_status cc_load_labels(cc_tape *tape, size_t n, cc_tensor labels, cc_tensor transforms, cc_tensor out, camcl_error *err)
{
    return cc_op_record(tape, &cc_load_labels_operation, CC_FORWARD, &n, (const cc_tensor[]){ labels, transforms, out }, 3, false, err);
}
