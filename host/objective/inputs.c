#include "objective/inputs.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

cc_step_input cc_step_input_of(const cc_draws *draws, float lr, float threshold)
{
    return (cc_step_input){ .labeled = draws->labeled,
                            .weak = draws->weak,
                            .strong = draws->strong,
                            .lr = lr,
                            .threshold = threshold,
                            .operations = draws->operations,
                            .maps = draws->maps,
                            .counted = draws->counted };
}

/* ---- tables */

static camcl_status create_table(camcl_device *device, const char *name, size_t rows, cc_tensor *out, camcl_error *err)
{
    return cc_tensor_create(device, name, CC_I32, CC_DIMS(rows, 8), out, err);
}

/* Whether own images need tables of their own: the device shows a part of the batch, or not every image lies at its own place. */
static bool has_own_tables(const cc_inputs *in)
{
    const cc_part *own = &in->spec.own;
    return !cc_resident_is_whole(in->data) || own->labeled < in->spec.labeled || own->unlabeled < in->spec.unlabeled;
}

static camcl_status create_tables(cc_inputs *in, camcl_device *device, int which, size_t rows, size_t own_rows, camcl_error *err)
{
    CC_RETURN_IF_FAILED(create_table(device, "transforms", rows, &in->all[which], err));
    in->own[which] = in->all[which];
    return has_own_tables(in) ? create_table(device, "transforms of own images", own_rows, &in->own[which], err) : CAMCL_OK;
}

static camcl_status create_between(cc_inputs *in, camcl_device *device, camcl_error *err)
{
    const size_t u = in->spec.own.unlabeled, s = in->spec.image_size;
    if (!cc_views_are_affine(&in->spec.views)) {
        in->between.turns = in->own[CC_VIEW_STRONG];
        return CAMCL_OK;
    }
    CC_RETURN_IF_FAILED(cc_tensor_create(device, "T", CC_F32, CC_DIMS(u, CC_AFFINE_FLOATS), &in->between.maps, err));
    return cc_tensor_create(device, "pixels that count", CC_I32, CC_DIMS(u, s, 4), &in->between.counted, err);
}

camcl_status cc_inputs_create(camcl_device *device, cc_resident *data, const cc_inputs_spec *spec, cc_inputs *out, camcl_error *err)
{
    const cc_part *own = &spec->own;
    memset(out, 0, sizeof *out);
    out->spec = *spec;
    out->data = data;
    CC_RETURN_IF_FAILED(CC_NEW(own->labeled + 2 * own->unlabeled, &out->places, err));
    CC_RETURN_IF_FAILED(create_tables(out, device, CC_VIEW_LABELED, spec->labeled, own->labeled, err));
    if (spec->unlabeled == 0) return CAMCL_OK;
    CC_RETURN_IF_FAILED(create_tables(out, device, CC_VIEW_WEAK, spec->unlabeled, own->unlabeled, err));
    CC_RETURN_IF_FAILED(create_table(device, "strong transforms", own->unlabeled, &out->own[CC_VIEW_STRONG], err));
    const size_t operations = cc_view_operations(&spec->views);
    if (operations)
        CC_RETURN_IF_FAILED(cc_tensor_create(device, "operations", CC_I32, CC_DIMS(own->unlabeled, operations, 8), &out->operations, err));
    return spec->cams ? create_between(out, device, err) : CAMCL_OK;
}

void cc_inputs_release(cc_inputs *in)
{
    for (int i = CC_VIEW_LABELED; i <= CC_VIEW_WEAK; i++) {
        if (in->own[i].buffer != in->all[i].buffer) cc_buffer_destroy(&in->own[i].buffer);
        cc_buffer_destroy(&in->all[i].buffer);
    }
    cc_buffer_destroy(&in->own[CC_VIEW_STRONG].buffer);
    cc_buffer_destroy(&in->operations.buffer);
    cc_buffer_destroy(&in->between.maps.buffer);
    cc_buffer_destroy(&in->between.counted.buffer);
    free(in->places);
    memset(in, 0, sizeof *in);
}

/* Rows from row0 on, as many as the table has. */
static camcl_status send(const cc_tensor *to, const void *rows, size_t row0, camcl_error *err)
{
    if (to->buffer == NULL) return CAMCL_OK;
    const size_t bytes = cc_tensor_bytes(to);
    return cc_buffer_upload(to->buffer, 0, (const char *)rows + row0 * (bytes / to->dim[0]), bytes, err);
}

/* Has the own images of this step on the device, and says where they are. Both views of an image have it from one place. */
static camcl_status place_images(cc_inputs *in, const cc_step_input *input, camcl_error *err)
{
    const cc_part *own = &in->spec.own;
    const size_t b = own->labeled, u = own->unlabeled;
    cc_transform *weak = in->places + b, *strong = weak + u;
    if (!has_own_tables(in)) return send(&in->own[CC_VIEW_STRONG], input->strong, 0, err);
    memcpy(in->places, input->labeled + own->labeled0, b * sizeof *in->places);
    if (u) memcpy(weak, input->weak + own->unlabeled0, u * sizeof *weak);
    CC_RETURN_IF_FAILED(cc_resident_place(in->data, b + u, in->places, err));
    if (u) memcpy(strong, input->strong + own->unlabeled0, u * sizeof *strong);
    for (size_t i = 0; i < u; i++)
        strong[i].source = weak[i].source;
    CC_RETURN_IF_FAILED(send(&in->own[CC_VIEW_LABELED], in->places, 0, err));
    CC_RETURN_IF_FAILED(send(&in->own[CC_VIEW_WEAK], weak, 0, err));
    return send(&in->own[CC_VIEW_STRONG], strong, 0, err);
}

camcl_status cc_inputs_send(cc_inputs *in, const cc_step_input *input, camcl_error *err)
{
    const size_t first = in->spec.own.unlabeled0;
    CC_RETURN_IF_FAILED(send(&in->all[CC_VIEW_LABELED], input->labeled, 0, err));
    CC_RETURN_IF_FAILED(send(&in->all[CC_VIEW_WEAK], input->weak, 0, err));
    CC_RETURN_IF_FAILED(send(&in->operations, input->operations, first, err));
    CC_RETURN_IF_FAILED(send(&in->between.maps, input->maps, first, err));
    CC_RETURN_IF_FAILED(send(&in->between.counted, input->counted, first, err));
    return place_images(in, input, err);
}

/* ---- views */

static cc_window window_of(const cc_inputs *in)
{
    switch (in->spec.views.weak) {
    case CC_WEAK_FLIP_SHIFT: return CC_WINDOW_SHIFTED;
    case CC_WEAK_RESIZED_CROP: return CC_WINDOW_SCALED;
    case CC_WEAK_FLIP: break;
    }
    return CC_WINDOW_WHOLE;
}

camcl_status cc_inputs_load_labeled(const cc_inputs *in, cc_tape *tape, cc_tensor dst, size_t row0, camcl_error *err)
{
    return cc_resident_load(in->data, tape, in->spec.own.labeled, in->spec.image_size, window_of(in), in->own[CC_VIEW_LABELED], dst, row0,
                            err);
}

camcl_status cc_inputs_load_weak(const cc_inputs *in, cc_tape *tape, cc_tensor dst, size_t row0, camcl_error *err)
{
    return cc_resident_load(in->data, tape, in->spec.own.unlabeled, in->spec.image_size, window_of(in), in->own[CC_VIEW_WEAK], dst, row0,
                            err);
}

camcl_status cc_inputs_load_strong(const cc_inputs *in, cc_tape *tape, cc_tensor weak, size_t weak_row0, cc_tensor dst, size_t row0,
                                   camcl_error *err)
{
    const size_t u = in->spec.own.unlabeled, size = in->spec.image_size, operations = cc_view_operations(&in->spec.views);
    const cc_warp_desc warp = { u, size, cc_resident_channels(in->data), weak_row0, row0 };
    if (operations)
        return cc_resident_load_augmented(in->data, tape, u, size, in->own[CC_VIEW_STRONG], operations, in->operations, dst, row0, err);
    if (cc_strong_is_own(&in->spec.views))
        return cc_resident_load(in->data, tape, u, size, window_of(in), in->own[CC_VIEW_STRONG], dst, row0, err);
    return cc_warp_forward(tape, &warp, weak, in->own[CC_VIEW_STRONG], dst, err);
}

camcl_status cc_inputs_labels(const cc_inputs *in, cc_tape *tape, cc_tensor labels, camcl_error *err)
{
    return cc_resident_labels(in->data, tape, in->spec.labeled, in->all[CC_VIEW_LABELED], labels, err);
}

camcl_status cc_inputs_hidden_labels(const cc_inputs *in, cc_tape *tape, cc_tensor truth, camcl_error *err)
{
    return cc_resident_labels(in->data, tape, in->spec.unlabeled, in->all[CC_VIEW_WEAK], truth, err);
}
