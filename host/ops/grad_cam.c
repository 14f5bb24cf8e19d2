/* Grad-CAM: the seed of its backward pass, the map, and the first-order gradient. Kernels in cl/grad_cam.cl. */
#include "base/memory.h"
#include "device/kernel_bindings.h"
#include "ops/geometry.h"
#include "ops/ops.h"
#include "ops/record.h"
#include "ops/variants.h"

/* The macros of cl/grad_cam.cl. */
typedef struct shape {
    const char *options;
    size_t width, lanes, channels, rows;
} shape;

static const shape group = { "-DWIDTH=1 -DLANES=32 -DCHANNELS=32 -DROWS=4", 1, 32, 32, 4 };

/* Of the variants whose work-items share nothing. */
static shape serial(const cc_tape *tape)
{
    const camcl_device_info *info = camcl_device_get_info(cc_tape_device(tape));
    return (shape){ cc_vector_options(info), info->vector_width, 1, 1, 1 };
}

static const char *row_options(const cc_tape *tape) { return cc_on_cpu(tape) ? serial(tape).options : group.options; }

/* Groups along the pixels: enough for every GPU core, but on CPUs several pixels each. */
static size_t pixel_groups(const shape *s, size_t pixels) { return s->lanes > 1 ? pixels : cc_ceil_div(pixels, 16); }

/* io: {a, gradient, m, cam} */
static camcl_status forward(cc_tape *tape, const cc_grad_cam_desc *d, const cc_tensor *io, size_t count, const shape *s, camcl_error *err)
{
    const size_t pixels = d->h * d->w;
    const double floats = (double)d->n * (double)pixels * (double)d->c;
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS(
        "grad_cam", io, count, err, { "a", CC_F32, d->n * pixels * d->c, CC_EXACT }, { "gradient", CC_F32, d->n * pixels * d->c, CC_EXACT },
        { "m", CC_F32, d->n * d->c, CC_EXACT | CC_APART }, { "cam", CC_F32, d->n * pixels, CC_EXACT | CC_APART }));
    const cc_launch weights = { .options = s->options,
                                .dims = 3,
                                .global = { cc_ceil_div(d->c, s->width), d->n, s->rows },
                                .local = { s->channels, 1, s->rows },
                                .flops = floats,
                                .bytes = 4.0 * floats };
    CC_RETURN_IF_FAILED(CC_LAUNCH(tape, grad_cam_forward_weights, &weights, err, .gradient = CC_IN(io[1].buffer), .m = CC_OUT(io[2].buffer),
                                  .pixels = CC_INT(pixels), .c = CC_INT(d->c)));
    const cc_launch map = { .options = s->options,
                            .dims = 2,
                            .global = { s->lanes * pixel_groups(s, pixels), d->n },
                            .local = { s->lanes, 1, 1 },
                            .flops = 2.0 * floats,
                            .bytes = 4.0 * floats };
    return CC_LAUNCH(tape, grad_cam_forward_map, &map, err, .a = CC_IN(io[0].buffer), .m = CC_IN(io[2].buffer), .cam = CC_OUT(io[3].buffer),
                     .pixels = CC_INT(pixels), .c = CC_INT(d->c), .relu = CC_INT(d->relu));
}

static camcl_status forward_serial(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_op_check_no_add("grad_cam", add, err));
    const shape s = serial(tape);
    return forward(tape, desc, io, count, &s, err);
}

static camcl_status forward_group(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_op_check_no_add("grad_cam", add, err));
    return forward(tape, desc, io, count, &group, err);
}

/* io: {m, cam, u, da(add)} */
static camcl_status backward(cc_tape *tape, const cc_grad_cam_desc *d, const cc_tensor *io, size_t count, bool add, const shape *s,
                             camcl_error *err)
{
    const size_t pixels = d->h * d->w;
    const double floats = (double)d->n * (double)pixels * (double)d->c;
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS("grad_cam", io, count, err, { "m", CC_F32, d->n * d->c, CC_EXACT },
                                          { "cam", CC_F32, d->n * pixels, CC_EXACT }, { "u", CC_F32, d->n * pixels, CC_EXACT },
                                          { "da", CC_F32, d->n * pixels * d->c, CC_EXACT | CC_APART }));
    const cc_launch launch = { .options = s->options,
                               .dims = 2,
                               .global = { s->lanes * pixel_groups(s, pixels), d->n },
                               .local = { s->lanes, 1, 1 },
                               .flops = floats,
                               .bytes = (add ? 8.0 : 4.0) * floats };
    return CC_LAUNCH(tape, grad_cam_backward, &launch, err, .m = CC_IN(io[0].buffer), .cam = CC_IN(io[1].buffer), .u = CC_IN(io[2].buffer),
                     .da = add ? CC_INOUT(io[3].buffer) : CC_OUT(io[3].buffer), .pixels = CC_INT(pixels), .c = CC_INT(d->c),
                     .relu = CC_INT(d->relu), .add = CC_INT(add));
}

static camcl_status backward_serial(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const shape s = serial(tape);
    return backward(tape, desc, io, count, add, &s, err);
}

static camcl_status backward_group(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    return backward(tape, desc, io, count, add, &group, err);
}

/* io: {a, cam, u, v} */
static camcl_status tangent(cc_tape *tape, const cc_grad_cam_desc *d, const cc_tensor *io, size_t count, bool add, const shape *s,
                            camcl_error *err)
{
    const size_t pixels = d->h * d->w;
    const double floats = (double)d->n * (double)pixels * (double)d->c;
    CC_RETURN_IF_FAILED(cc_op_check_no_add("grad_cam", add, err));
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS("grad_cam", io, count, err, { "a", CC_F32, d->n * pixels * d->c, CC_EXACT },
                                          { "cam", CC_F32, d->n * pixels, CC_EXACT }, { "u", CC_F32, d->n * pixels, CC_EXACT },
                                          { "v", CC_F32, d->n * pixels * d->c, CC_EXACT | CC_APART }));
    const cc_launch launch = { .options = s->options,
                               .dims = 3,
                               .global = { cc_ceil_div(d->c, s->width), d->n, s->rows },
                               .local = { s->channels, 1, s->rows },
                               .flops = 2.0 * floats,
                               .bytes = 8.0 * floats };
    return CC_LAUNCH(tape, grad_cam_tangent, &launch, err, .a = CC_IN(io[0].buffer), .cam = CC_IN(io[1].buffer), .u = CC_IN(io[2].buffer),
                     .v = CC_OUT(io[3].buffer), .pixels = CC_INT(pixels), .c = CC_INT(d->c), .relu = CC_INT(d->relu));
}

static camcl_status tangent_serial(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const shape s = serial(tape);
    return tangent(tape, desc, io, count, add, &s, err);
}

static camcl_status tangent_group(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    return tangent(tape, desc, io, count, add, &group, err);
}

/* io: {classes_explained, dlogits} */
static camcl_status seed(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_rows_desc *d = desc;
    CC_RETURN_IF_FAILED(cc_op_check_no_add("grad_cam_seed", add, err));
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS("grad_cam_seed", io, count, err, { "classes_explained", CC_I32, d->n, CC_AT_LEAST },
                                          { "dlogits", CC_F32, (d->row0 + d->n) * d->classes, CC_AT_LEAST | CC_APART }));
    const cc_launch launch = { .options = row_options(tape), .dims = 2, .global = { cc_row_items(tape, d->classes), d->n } };
    return CC_LAUNCH(tape, grad_cam_seed, &launch, err, .explained = CC_IN(io[0].buffer), .dlogits = CC_OUT(io[1].buffer),
                     .row0 = CC_INT(d->row0), .n = CC_INT(d->n), .classes = CC_INT(d->classes));
}

/* io: {logits, out} */
static camcl_status argmax(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_rows_desc *d = desc;
    CC_RETURN_IF_FAILED(cc_op_check_no_add("argmax_rows", add, err));
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS("argmax_rows", io, count, err, { "logits", CC_F32, (d->row0 + d->n) * d->classes, CC_AT_LEAST },
                                          { "out", CC_I32, d->n, CC_AT_LEAST | CC_APART }));
    const cc_launch launch = { .options = row_options(tape), .dims = 1, .global = { d->n } };
    return CC_LAUNCH(tape, argmax_rows, &launch, err, .logits = CC_IN(io[0].buffer), .out = CC_OUT(io[1].buffer), .row0 = CC_INT(d->row0),
                     .n = CC_INT(d->n), .classes = CC_INT(d->classes));
}

static bool supports_serial(const camcl_device_info *info, const void *desc)
{
    const cc_grad_cam_desc *d = desc;
    (void)info;
    return cc_fits_int(d->h, d->w, d->c) && cc_fits_int(d->n, 1, 1);
}

static bool supports_group(const camcl_device_info *info, const void *desc)
{
    return supports_serial(info, desc) && info->max_work_group >= group.channels * group.rows;
}

static bool supports_rows(const camcl_device_info *info, const void *desc)
{
    const cc_rows_desc *d = desc;
    (void)info;
    return cc_fits_int(d->row0 + d->n, 1, 1) && cc_fits_int(d->classes, 1, 1);
}

enum { FORWARD_SERIAL, FORWARD_GROUP, BACKWARD_SERIAL, BACKWARD_GROUP, TANGENT_SERIAL, TANGENT_GROUP };
const cc_variant cc_grad_cam_variants[] = {
    [FORWARD_SERIAL] = { .op = &cc_grad_cam_operation,
                         .direction = CC_FORWARD,
                         .name = "general",
                         .family = "",
                         .supports = supports_serial,
                         .record = forward_serial },
    [FORWARD_GROUP] = { .op = &cc_grad_cam_operation,
                        .direction = CC_FORWARD,
                        .name = "group",
                        .family = "",
                        .supports = supports_group,
                        .record = forward_group },
    [BACKWARD_SERIAL] = { .op = &cc_grad_cam_operation,
                          .direction = CC_BACKWARD,
                          .name = "general",
                          .family = "",
                          .supports = supports_serial,
                          .record = backward_serial },
    [BACKWARD_GROUP] = { .op = &cc_grad_cam_operation,
                         .direction = CC_BACKWARD,
                         .name = "group",
                         .family = "",
                         .supports = supports_group,
                         .record = backward_group },
    [TANGENT_SERIAL] = { .op = &cc_grad_cam_operation,
                         .direction = CC_TANGENT,
                         .name = "general",
                         .family = "",
                         .supports = supports_serial,
                         .record = tangent_serial },
    [TANGENT_GROUP] = { .op = &cc_grad_cam_operation,
                        .direction = CC_TANGENT,
                        .name = "group",
                        .family = "",
                        .supports = supports_group,
                        .record = tangent_group },
    { .op = &cc_grad_cam_seed_operation,
      .direction = CC_FORWARD,
      .name = "general",
      .family = "",
      .supports = supports_rows,
      .record = seed },
    { .op = &cc_argmax_rows_operation,
      .direction = CC_FORWARD,
      .name = "general",
      .family = "",
      .supports = supports_rows,
      .record = argmax },
};
const size_t cc_grad_cam_variant_count = CC_COUNT(cc_grad_cam_variants);
CC_SMALL_OPERATION(grad_cam, grad_cam);
CC_SMALL_OPERATION(grad_cam_seed, grad_cam);
CC_SMALL_OPERATION(argmax_rows, grad_cam);

camcl_status cc_grad_cam_seed(cc_tape *tape, const cc_rows_desc *desc, cc_tensor classes_explained, cc_tensor dlogits, camcl_error *err)
{
    return cc_op_record(tape, &cc_grad_cam_seed_operation, CC_FORWARD, desc, (const cc_tensor[]){ classes_explained, dlogits }, 2, false,
                        err);
}

camcl_status cc_argmax_rows(cc_tape *tape, const cc_rows_desc *desc, cc_tensor logits, cc_tensor out, camcl_error *err)
{
    return cc_op_record(tape, &cc_argmax_rows_operation, CC_FORWARD, desc, (const cc_tensor[]){ logits, out }, 2, false, err);
}

camcl_status cc_grad_cam_forward(cc_tape *tape, const cc_grad_cam_desc *desc, cc_tensor a, cc_tensor gradient, cc_tensor m, cc_tensor cam,
                                 camcl_error *err)
{
    return cc_record_serial_or_group(tape, &cc_grad_cam_variants[FORWARD_SERIAL], &cc_grad_cam_variants[FORWARD_GROUP], desc,
                                     (const cc_tensor[]){ a, gradient, m, cam }, 4, false, err);
}

camcl_status cc_grad_cam_backward(cc_tape *tape, const cc_grad_cam_desc *desc, cc_tensor m, cc_tensor cam, cc_tensor u, cc_tensor da,
                                  bool add, camcl_error *err)
{
    return cc_record_serial_or_group(tape, &cc_grad_cam_variants[BACKWARD_SERIAL], &cc_grad_cam_variants[BACKWARD_GROUP], desc,
                                     (const cc_tensor[]){ m, cam, u, da }, 4, add, err);
}

camcl_status cc_grad_cam_tangent(cc_tape *tape, const cc_grad_cam_desc *desc, cc_tensor a, cc_tensor cam, cc_tensor u, cc_tensor v,
                                 camcl_error *err)
{
    return cc_record_serial_or_group(tape, &cc_grad_cam_variants[TANGENT_SERIAL], &cc_grad_cam_variants[TANGENT_GROUP], desc,
                                     (const cc_tensor[]){ a, cam, u, v }, 4, false, err);
}
