/* Choosing a variant and recording it; what variants share. */
#include "ops/record.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"

const char *cc_direction_name(cc_direction direction)
{
    switch (direction) {
    case CC_FORWARD: return "forward";
    case CC_BACKWARD_DATA: return "backward-data";
    case CC_BACKWARD_WEIGHT: return "backward-weight";
    case CC_BACKWARD: return "backward";
    case CC_TANGENT: return "tangent";
    }
    return "unknown";
}

void cc_op_key(const cc_operation *op, cc_direction direction, const void *desc, char *text, size_t size)
{
    char shape[128] = "";
    if (op->write_key) op->write_key(desc, shape, sizeof shape);
    snprintf(text, size, "%s %s%s%s", op->name, cc_direction_name(direction), *shape ? " " : "", shape);
}

void cc_variant_label(const cc_variant *variant, const void *desc, char *text, size_t size)
{
    cc_op_key(variant->op, variant->direction, desc, text, size);
    const size_t length = strlen(text);
    snprintf(text + length, size - length, " = %s", variant->name);
}

bool cc_variant_fits(const camcl_device *device, const cc_variant *variant, const void *desc)
{
    char label[192];
    cc_variant_label(variant, desc, label, sizeof label);
    return !cc_device_is_unfit(device, label);
}

camcl_status cc_variant_record(const cc_variant *variant, cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add,
                               camcl_error *err)
{
    char label[192];
    cc_variant_label(variant, desc, label, sizeof label);
    CC_RETURN_IF_FAILED(cc_tape_label(tape, label, err));
    CC_RETURN_IF_FAILED(variant->record(tape, desc, io, count, add, err));
    return cc_tape_label(tape, "", err);
}

camcl_status cc_op_record(cc_tape *tape, const cc_operation *op, cc_direction direction, const void *desc, const cc_tensor *io,
                          size_t count, bool add, camcl_error *err)
{
    const camcl_device *device = cc_tape_device(tape);
    const camcl_device_info *info = camcl_device_get_info(device);
    for (size_t i = cc_operation_count(op); i-- > 0;) {
        const cc_variant *variant = cc_operation_at(op, i);
        if (variant->direction == direction && variant->supports(info, desc) && cc_variant_fits(device, variant, desc))
            return cc_variant_record(variant, tape, desc, io, count, add, err);
    }
    return cc_fail(err, CAMCL_UNSUPPORTED, "%s, %s: no kernel for this shape on %s (report this as a defect)", op->name,
                   cc_direction_name(direction), info->name);
}

camcl_status cc_op_check(const char *op, const cc_operand *expected, size_t expected_count, const cc_tensor *io, size_t count,
                         camcl_error *err)
{
    if (count != expected_count)
        return cc_fail(err, CAMCL_FAILED, "%s: %zu tensors instead of %zu (report this as a defect)", op, count, expected_count);
    for (size_t i = 0; i < count; i++) {
        const cc_operand *want = &expected[i];
        const unsigned need = want->need & ~(unsigned)CC_APART;
        if (io[i].buffer == NULL) {
            if (need == CC_OPTIONAL) continue;
            return cc_fail(err, CAMCL_FAILED, "%s: tensor %s is missing (report this as a defect)", op, want->name);
        }
        size_t elements = cc_tensor_count(&io[i]);
        if (io[i].dtype != want->dtype || elements < want->elements || (elements > want->elements && need != CC_AT_LEAST))
            return cc_fail(err, CAMCL_FAILED,
                           "%s: tensor %s has %zu elements of type %d instead of %zu of type %d (report this as a defect)", op, want->name,
                           elements, (int)io[i].dtype, want->elements, (int)want->dtype);
        if (elements > INT32_MAX)
            return cc_fail(err, CAMCL_UNSUPPORTED, "%s: tensor %s has %zu elements, more than 2^31 - 1 (use smaller batches)", op,
                           want->name, elements);
        for (size_t j = 0; (want->need & CC_APART) && j < count; j++)
            if (j != i && io[j].buffer == io[i].buffer)
                return cc_fail(err, CAMCL_FAILED, "%s: tensor %s cannot be %s, too (report this as a defect)", op, want->name,
                               expected[j].name);
    }
    return CAMCL_OK;
}

camcl_status cc_op_check_no_add(const char *op, bool add, camcl_error *err)
{
    return add ? cc_fail(err, CAMCL_FAILED, "%s: has no output that can be added to (report this as a defect)", op) : CAMCL_OK;
}

camcl_status cc_op_check_scalar(const char *op, cc_device_scalar scalar, camcl_error *err)
{
    if (scalar.buffer == NULL || scalar.index >= cc_buffer_bytes(scalar.buffer) / sizeof(float))
        return cc_fail(err, CAMCL_FAILED, "%s: scalar %zu is not in its buffer (report this as a defect)", op, scalar.index);
    return CAMCL_OK;
}

bool cc_likes_long_items(const camcl_device_info *info) { return info->type == CAMCL_CPU && strstr(info->name, "llvmpipe") == NULL; }

const char *cc_vector_options(const camcl_device_info *info)
{
    const bool many = info->vector_registers >= 32;
    if (info->vector_width >= 16) return many ? "-DWIDTH=16 -DREGISTERS=32" : "-DWIDTH=16 -DREGISTERS=16";
    if (info->vector_width >= 8) return many ? "-DWIDTH=8 -DREGISTERS=32" : "-DWIDTH=8 -DREGISTERS=16";
    return many ? "-DWIDTH=4 -DREGISTERS=32" : "-DWIDTH=4 -DREGISTERS=16";
}

cc_shape cc_row_shape(const camcl_device_info *info, size_t c)
{
    static const cc_shape shapes[] = {
        { 1, 1, "-DWIDTH=1" },
        { 4, 1, "-DWIDTH=4" },
        { 1, 64, "-DWIDTH=1 -DLANES=64" },
        { 4, 64, "-DWIDTH=4 -DLANES=64" },
    };
    const bool cpu = cc_likes_long_items(info);
    if (cpu && c % info->vector_width == 0) return (cc_shape){ info->vector_width, 1, cc_vector_options(info) };
    const size_t width = c % 4 == 0 ? 4 : 1, lanes = cpu || info->max_work_group < 64 ? 1 : 64;
    for (size_t i = 0; i < CC_COUNT(shapes); i++)
        if (shapes[i].width == width && shapes[i].lanes == lanes) return shapes[i];
    return shapes[0];
}

cc_launch cc_rows_launch(const cc_tape *tape, size_t n, bool sums)
{
    const cc_shape shape = cc_row_shape(camcl_device_get_info(cc_tape_device(tape)), 1);
    cc_launch launch = { .options = shape.options, .dims = 1, .global = { sums ? shape.lanes : n } };
    if (sums) launch.local[0] = shape.lanes;
    return launch;
}

cc_launch cc_classes_launch(const cc_tape *tape, size_t classes)
{
    cc_launch launch = cc_rows_launch(tape, 1, true);
    launch.global[0] = classes * launch.local[0];
    return launch;
}

cc_work_split cc_split_work(const camcl_device_info *info, size_t total, size_t grain)
{
    if (!cc_likes_long_items(info)) return (cc_work_split){ total, 1 };
    size_t ranges = cc_max_size(info->compute_units, 1) * 8;
    size_t each = cc_max_size(cc_ceil_div(total, ranges), cc_max_size(grain, 1));
    return (cc_work_split){ cc_ceil_div(total, each), each };
}
