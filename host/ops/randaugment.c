/* Operations on the bytes of pictures. Kernels in cl/randaugment.cl. */
#include "base/memory.h"
#include "device/kernel_bindings.h"
#include "ops/geometry.h"
#include "ops/variants.h"

#define GROUP_LANES 128

enum { OPERATION_WORDS = 8 };
_Static_assert(sizeof(cc_picture_operation) == OPERATION_WORDS * sizeof(int32_t), "the device's table of operations has no gaps");

/* io: {bytes, operations, normalise, dst}; options: for one channel, for three. */
static camcl_status record(cc_tape *tape, const cc_randaugment_desc *d, const cc_tensor *io, size_t count, size_t lanes,
                           const char *const options[2], camcl_error *err)
{
    const size_t image = d->size * d->size * d->c;
    cc_tensor spare;
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS("randaugment", io, count, err, { "bytes", CC_U8, d->n * image, CC_EXACT | CC_APART },
                                          { "operations", CC_I32, OPERATION_WORDS * d->n * d->operations, CC_AT_LEAST },
                                          { "normalise", CC_F32, 2 * d->c, CC_EXACT },
                                          { "dst", CC_F32, (d->dst_row0 + d->n) * image, CC_AT_LEAST | CC_APART }));
    CC_RETURN_IF_FAILED(cc_tensor_on_tape(tape, "pictures, moved", CC_U8, CC_DIMS(d->n * image), &spare, err));
    const double values = (double)d->n * (double)image, steps = (double)d->operations;
    const cc_launch launch = { .options = options[d->c == 3],
                               .dims = 1,
                               .global = { lanes * d->n },
                               .local = { lanes, 1, 1 },
                               .flops = 2.0 * values * steps,
                               .bytes = values * (2.0 * steps + 5.0) };
    return CC_LAUNCH(tape, randaugment, &launch, err, .bytes = CC_INOUT(io[0].buffer), .spare = CC_OUT(spare.buffer),
                     .operations = CC_IN(io[1].buffer), .normalise = CC_IN(io[2].buffer), .dst = CC_OUT(io[3].buffer),
                     .size = CC_INT(d->size), .count = CC_INT(d->operations), .dst_row0 = CC_INT(d->dst_row0));
}

static camcl_status serial(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_op_check_no_add("randaugment", add, err));
    static const char *const options[] = { "-DWIDTH=1 -DCHANNELS=1", "-DWIDTH=1 -DCHANNELS=3" };
    return record(tape, desc, io, count, 1, options, err);
}

static camcl_status group(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_op_check_no_add("randaugment", add, err));
    static const char *const options[] = { "-DWIDTH=1 -DLANES=128 -DCHANNELS=1", "-DWIDTH=1 -DLANES=128 -DCHANNELS=3" };
    return record(tape, desc, io, count, GROUP_LANES, options, err);
}

/* Up to there, places with 16 bits of fraction fit an int, and the sum of a picture's bytes an unsigned int. */
static bool supports_serial(const camcl_device_info *info, const void *desc)
{
    enum { MOST_SIDE = 4096 };
    const cc_randaugment_desc *d = desc;
    (void)info;
    return (d->c == 1 || d->c == 3) && d->size <= MOST_SIDE && cc_fits_int(d->dst_row0 + d->n, 1, 1) &&
           cc_fits_int(d->n, OPERATION_WORDS, d->operations);
}

static bool supports_group(const camcl_device_info *info, const void *desc)
{
    return supports_serial(info, desc) && info->max_work_group >= GROUP_LANES;
}

enum { SERIAL, GROUP };
const cc_variant cc_randaugment_variants[] = {
    [SERIAL] = { .op = &cc_randaugment_operation,
                 .direction = CC_FORWARD,
                 .name = "general",
                 .family = "",
                 .supports = supports_serial,
                 .record = serial },
    [GROUP] = { .op = &cc_randaugment_operation,
                .direction = CC_FORWARD,
                .name = "group",
                .family = "",
                .supports = supports_group,
                .record = group },
};
const size_t cc_randaugment_variant_count = CC_COUNT(cc_randaugment_variants);
CC_SMALL_OPERATION(randaugment, randaugment);

camcl_status cc_randaugment(cc_tape *tape, const cc_randaugment_desc *desc, cc_tensor bytes, cc_tensor operations, cc_tensor normalise,
                            cc_tensor dst, camcl_error *err)
{
    return cc_record_serial_or_group(tape, &cc_randaugment_variants[SERIAL], &cc_randaugment_variants[GROUP], desc,
                                     (const cc_tensor[]){ bytes, operations, normalise, dst }, 4, false, err);
}
