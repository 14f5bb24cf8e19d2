/* Linear layers: directly where they are small, else by GEMM. */
#include <stdio.h>

#include "base/memory.h"
#include "device/kernel_bindings.h"
#include "ops/gemm.h"
#include "ops/linear.h"
#include "ops/record.h"

/* GEMM is chosen from the number of multiplications on at which it is worth its packing. On CPUs the direct kernels were 2 to 10 times
 * as fast as CLBlast up to 65 million (PoCL, three directions together). */
const cc_variant *cc_linear_choose(const camcl_device_info *info, cc_direction direction, const cc_linear_desc *d)
{
    const bool gemm = (double)d->n * (double)d->in * (double)d->out >= (double)(cc_likes_long_items(info) ? 1 << 28 : 1 << 22);
    return cc_operation_find(&cc_linear_operation, direction, gemm ? "gemm" : "direct");
}

/* A launch over `total` outputs, each of them a vector along the inputs when `width` is not 1. */
static cc_launch over(cc_tape *tape, const cc_linear_desc *d, size_t total, size_t *each)
{
    const camcl_device_info *info = camcl_device_get_info(cc_tape_device(tape));
    const cc_work_split split = cc_split_work(info, total, 4);
    *each = split.each;
    return (cc_launch){ .options = cc_row_shape(info, d->in).options,
                        .dims = 1,
                        .global = { split.items },
                        .flops = 2.0 * (double)d->n * (double)d->in * (double)d->out };
}

static size_t vectors(cc_tape *tape, const cc_linear_desc *d)
{
    return d->in / cc_row_shape(camcl_device_get_info(cc_tape_device(tape)), d->in).width;
}

static camcl_status check_forward(const cc_linear_desc *d, const cc_tensor *io, size_t count, camcl_error *err)
{
    return CC_CHECK_OPERANDS("linear", io, count, err, { "x", CC_F32, d->n * d->in, CC_EXACT }, { "w", CC_F32, d->out * d->in, CC_EXACT },
                             { "b", CC_F32, d->out, CC_OPTIONAL }, { "y", CC_F32, d->n * d->out, CC_EXACT });
}

static camcl_status check_data(const cc_linear_desc *d, const cc_tensor *io, size_t count, camcl_error *err)
{
    return CC_CHECK_OPERANDS("linear", io, count, err, { "dy", CC_F32, d->n * d->out, CC_EXACT }, { "w", CC_F32, d->out * d->in, CC_EXACT },
                             { "dx", CC_F32, d->n * d->in, CC_EXACT });
}

static camcl_status check_weight(const cc_linear_desc *d, const cc_tensor *io, size_t count, camcl_error *err)
{
    return CC_CHECK_OPERANDS("linear", io, count, err, { "x", CC_F32, d->n * d->in, CC_EXACT }, { "dy", CC_F32, d->n * d->out, CC_EXACT },
                             { "dw", CC_F32, d->out * d->in, CC_EXACT }, { "db", CC_F32, d->out, CC_OPTIONAL });
}

static camcl_status direct_forward(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    (void)add;
    const cc_linear_desc *d = desc;
    CC_RETURN_IF_FAILED(check_forward(d, io, count, err));
    cc_buffer *w = io[1].buffer, *b = io[2].buffer;
    size_t each;
    cc_launch l = over(tape, d, d->n * d->out, &each);
    const size_t lanes = cc_row_shape(camcl_device_get_info(cc_tape_device(tape)), d->in).lanes;
    if (lanes > 1) {
        l.global[0] = d->n * d->out * lanes;
        l.local[0] = lanes;
    }
    return CC_LAUNCH(tape, linear_forward, &l, err, .x = CC_IN(io[0].buffer), .w = CC_IN(w), .b = CC_IN(b ? b : w),
                     .y = CC_OUT(io[3].buffer), .n = CC_INT(d->n), .in = CC_INT(d->in), .out = CC_INT(d->out), .each = CC_INT(each),
                     .has_b = CC_INT(b != NULL));
}

static camcl_status direct_backward_data(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_linear_desc *d = desc;
    CC_RETURN_IF_FAILED(check_data(d, io, count, err));
    cc_buffer *dx = io[2].buffer;
    size_t each;
    const cc_launch l = over(tape, d, d->n * vectors(tape, d), &each);
    return CC_LAUNCH(tape, linear_backward_data, &l, err, .dy = CC_IN(io[0].buffer), .w = CC_IN(io[1].buffer),
                     .dx = add ? CC_INOUT(dx) : CC_OUT(dx), .n = CC_INT(d->n), .in = CC_INT(d->in), .out = CC_INT(d->out),
                     .each = CC_INT(each), .add = CC_INT(add));
}

static camcl_status direct_backward_weight(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_linear_desc *d = desc;
    CC_RETURN_IF_FAILED(check_weight(d, io, count, err));
    cc_buffer *dy = io[1].buffer, *dw = io[2].buffer, *db = io[3].buffer;
    size_t each;
    const cc_launch l = over(tape, d, d->out * vectors(tape, d), &each);
    return CC_LAUNCH(tape, linear_backward_weight, &l, err, .x = CC_IN(io[0].buffer), .dy = CC_IN(dy),
                     .dw = add ? CC_INOUT(dw) : CC_OUT(dw),
                     .db = db == NULL ? CC_INOUT(dy)
                           : add      ? CC_INOUT(db)
                                      : CC_OUT(db),
                     .n = CC_INT(d->n), .in = CC_INT(d->in), .out = CC_INT(d->out), .each = CC_INT(each), .add = CC_INT(add),
                     .has_db = CC_INT(db != NULL));
}

static camcl_status gemm_forward(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    (void)add;
    const cc_linear_desc *d = desc;
    CC_RETURN_IF_FAILED(check_forward(d, io, count, err));
    const cc_tensor b = io[2], y = io[3];
    if (b.buffer) {
        size_t each;
        const cc_launch l = over(tape, d, d->n * d->out, &each);
        CC_RETURN_IF_FAILED(CC_LAUNCH(tape, linear_bias, &l, err, .b = CC_IN(b.buffer), .y = CC_OUT(y.buffer), .n = CC_INT(d->n),
                                      .out = CC_INT(d->out), .each = CC_INT(each)));
    }
    const cc_gemm_desc gemm = { .m = d->n, .n = d->out, .k = d->in, .transpose_b = true };
    return cc_gemm(tape, &gemm, io[0], io[1], y, b.buffer != NULL, err);
}

static camcl_status gemm_backward_data(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_linear_desc *d = desc;
    CC_RETURN_IF_FAILED(check_data(d, io, count, err));
    const cc_gemm_desc gemm = { .m = d->n, .n = d->in, .k = d->out };
    return cc_gemm(tape, &gemm, io[0], io[1], io[2], add, err);
}

static camcl_status gemm_backward_weight(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_linear_desc *d = desc;
    CC_RETURN_IF_FAILED(check_weight(d, io, count, err));
    cc_buffer *db = io[3].buffer;
    if (db) {
        const cc_launch l = { .options = cc_row_shape(camcl_device_get_info(cc_tape_device(tape)), d->in).options,
                              .dims = 1,
                              .global = { d->out } };
        CC_RETURN_IF_FAILED(CC_LAUNCH(tape, linear_bias_gradient, &l, err, .dy = CC_IN(io[1].buffer), .db = add ? CC_INOUT(db) : CC_OUT(db),
                                      .n = CC_INT(d->n), .out = CC_INT(d->out), .add = CC_INT(add)));
    }
    const cc_gemm_desc gemm = { .m = d->out, .n = d->in, .k = d->n, .transpose_a = true };
    return cc_gemm(tape, &gemm, io[1], io[0], io[2], add, err);
}

static const cc_variant variants[] = {
    { .op = &cc_linear_operation,
      .direction = CC_FORWARD,
      .name = "direct",
      .family = "",
      .supports = cc_supports_all,
      .record = direct_forward },
    { .op = &cc_linear_operation,
      .direction = CC_BACKWARD_DATA,
      .name = "direct",
      .family = "",
      .supports = cc_supports_all,
      .record = direct_backward_data },
    { .op = &cc_linear_operation,
      .direction = CC_BACKWARD_WEIGHT,
      .name = "direct",
      .family = "",
      .supports = cc_supports_all,
      .record = direct_backward_weight },
    { .op = &cc_linear_operation,
      .direction = CC_FORWARD,
      .name = "gemm",
      .role = CC_ROLE_CLBLAST,
      .family = "",
      .supports = cc_supports_all,
      .record = gemm_forward },
    { .op = &cc_linear_operation,
      .direction = CC_BACKWARD_DATA,
      .name = "gemm",
      .role = CC_ROLE_CLBLAST,
      .family = "",
      .supports = cc_supports_all,
      .record = gemm_backward_data },
    { .op = &cc_linear_operation,
      .direction = CC_BACKWARD_WEIGHT,
      .name = "gemm",
      .role = CC_ROLE_CLBLAST,
      .family = "",
      .supports = cc_supports_all,
      .record = gemm_backward_weight },
};
static const size_t variant_count = CC_COUNT(variants);

static const cc_variant *builtin(const camcl_device_info *info, const char *policy, cc_direction direction, const void *desc)
{
    (void)policy;
    return cc_linear_choose(info, direction, desc);
}

static bool competes(const camcl_device_info *info, const char *policy, const cc_variant *variant, const void *desc)
{
    (void)info, (void)policy, (void)variant, (void)desc;
    return true;
}

/* Bias and bias gradient are left out. */
static size_t operands(cc_direction direction, const void *desc, cc_tensor *io, size_t *output)
{
    const cc_linear_desc *d = desc;
    const cc_tensor x = { .dtype = CC_F32, .rank = 2, .dim = { d->n, d->in } }, y = { .dtype = CC_F32, .rank = 2, .dim = { d->n, d->out } },
                    w = { .dtype = CC_F32, .rank = 2, .dim = { d->out, d->in } };
    io[0] = direction == CC_BACKWARD_DATA ? y : x;
    io[1] = direction == CC_BACKWARD_WEIGHT ? y : w;
    io[2] = direction == CC_FORWARD ? CC_NO_TENSOR : direction == CC_BACKWARD_DATA ? x : w;
    io[3] = direction == CC_FORWARD ? y : CC_NO_TENSOR;
    *output = direction == CC_FORWARD ? 3 : 2;
    return direction == CC_BACKWARD_DATA ? 3 : 4;
}

static void product(const void *desc, cc_gemm_desc *out)
{
    const cc_linear_desc *d = desc;
    *out = (cc_gemm_desc){ .m = d->n, .n = d->out, .k = d->in, .transpose_b = true };
}

static void write_key(const void *desc, char *text, size_t size)
{
    const cc_linear_desc *d = desc;
    snprintf(text, size, "n%zu in%zu out%zu", d->n, d->in, d->out);
}

static bool read_key(const char *text, void *desc)
{
    cc_linear_desc *d = desc;
    return sscanf(text, "n%zu in%zu out%zu", &d->n, &d->in, &d->out) == 3 && d->n && d->in && d->out;
}

static cc_cost cost(const void *desc)
{
    const cc_linear_desc *d = desc;
    const double n = (double)d->n, in = (double)d->in, out = (double)d->out;
    return (cc_cost){ 2 * n * in * out, sizeof(float) * (n * in + in * out + n * out) };
}

const cc_operation cc_linear_operation = {
    .name = "linear",
    .lists = (const cc_variant_list[]){ { variants, &variant_count }, { NULL, NULL } },
    .write_key = write_key,
    .read_key = read_key,
    .cost = cost,
    .choice = &(const cc_op_choice){ .builtin = builtin, .competes = competes, .operands = operands, .product = product },
};

static camcl_status record_chosen(cc_tape *tape, cc_direction direction, const cc_linear_desc *desc, const cc_tensor *io, size_t count,
                                  bool add, camcl_error *err)
{
    const cc_variant *variant = cc_linear_choose(camcl_device_get_info(cc_tape_device(tape)), direction, desc);
    return cc_variant_record(variant, tape, desc, io, count, add, err);
}

camcl_status cc_linear_forward(cc_tape *tape, const cc_linear_desc *desc, cc_tensor x, cc_tensor w, cc_tensor b, cc_tensor y,
                               camcl_error *err)
{
    return record_chosen(tape, CC_FORWARD, desc, (const cc_tensor[]){ x, w, b, y }, 4, false, err);
}

camcl_status cc_linear_backward_data(cc_tape *tape, const cc_linear_desc *desc, cc_tensor dy, cc_tensor w, cc_tensor dx, bool add,
                                     camcl_error *err)
{
    return record_chosen(tape, CC_BACKWARD_DATA, desc, (const cc_tensor[]){ dy, w, dx }, 3, add, err);
}

camcl_status cc_linear_backward_weight(cc_tape *tape, const cc_linear_desc *desc, cc_tensor x, cc_tensor dy, cc_tensor dw, cc_tensor db,
                                       bool add, camcl_error *err)
{
    return record_chosen(tape, CC_BACKWARD_WEIGHT, desc, (const cc_tensor[]){ x, dy, dw, db }, 4, add, err);
}
