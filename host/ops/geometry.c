#include "ops/geometry.h"

camcl_status cc_record_serial_or_group(cc_tape *tape, const cc_variant *serial, const cc_variant *group, const void *desc,
                                       const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const camcl_device *device = cc_tape_device(tape);
    const camcl_device_info *info = camcl_device_get_info(device);
    const bool grouped = !cc_on_cpu(tape) && group->supports(info, desc) && cc_variant_fits(device, group, desc);
    const cc_variant *variant = grouped ? group : serial;
    if (!variant->supports(info, desc))
        return cc_fail(err, CAMCL_UNSUPPORTED, "%s %s: the shape is too large (use smaller images or batches)", variant->op->name,
                       cc_direction_name(variant->direction));
    return cc_variant_record(variant, tape, desc, io, count, add, err);
}
