#include "objective/inputs.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { LABELED, WEAK, STRONG };

/* Tables with sources: those that images are loaded by. */
static int loaded(const cc_inputs *in) { return in->spec.unlabeled == 0 ? 1 : cc_strong_is_own(&in->spec.views) ? 3 : 2; }

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

static camcl_status create_places(cc_inputs *in, camcl_device *device, camcl_error *err)
{
    for (int i = 0; i < loaded(in); i++) {
        in->placed[i] = in->transforms[i];
        if (cc_resident_is_whole(in->data)) continue;
        CC_RETURN_IF_FAILED(
            cc_tensor_create(device, "places of images", CC_I32, CC_DIMS(in->transforms[i].dim[0], 8), &in->placed[i], err));
    }
    return CC_NEW(in->spec.labeled + 2 * in->spec.unlabeled, &in->places, err);
}

static camcl_status create_between(cc_inputs *in, camcl_device *device, camcl_error *err)
{
    const size_t u = in->spec.unlabeled, s = in->spec.image_size;
    if (!cc_views_are_affine(&in->spec.views)) {
        in->between.turns = in->transforms[STRONG];
        return CAMCL_OK;
    }
    CC_RETURN_IF_FAILED(cc_tensor_create(device, "T", CC_F32, CC_DIMS(u, CC_AFFINE_FLOATS), &in->between.maps, err));
    return cc_tensor_create(device, "pixels that count", CC_I32, CC_DIMS(u, s, 4), &in->between.counted, err);
}

camcl_status cc_inputs_create(camcl_device *device, cc_resident *data, const cc_inputs_spec *spec, cc_inputs *out, camcl_error *err)
{
    static const char *const names[] = { "labelled transforms", "weak transforms", "strong transforms" };
    const size_t rows[] = { spec->labeled, spec->unlabeled, spec->unlabeled };
    memset(out, 0, sizeof *out);
    out->spec = *spec;
    out->data = data;
    for (int i = 0; i < (spec->unlabeled ? 3 : 1); i++)
        CC_RETURN_IF_FAILED(cc_tensor_create(device, names[i], CC_I32, CC_DIMS(rows[i], 8), &out->transforms[i], err));
    CC_RETURN_IF_FAILED(create_places(out, device, err));
    if (spec->unlabeled == 0) return CAMCL_OK;
    const size_t operations = cc_view_operations(&spec->views);
    if (operations)
        CC_RETURN_IF_FAILED(cc_tensor_create(device, "operations", CC_I32, CC_DIMS(spec->unlabeled, operations, 8), &out->operations, err));
    return spec->cams ? create_between(out, device, err) : CAMCL_OK;
}

void cc_inputs_release(cc_inputs *in)
{
    for (int i = 0; i < 3; i++) {
        if (in->placed[i].buffer != in->transforms[i].buffer) cc_buffer_destroy(&in->placed[i].buffer);
        cc_buffer_destroy(&in->transforms[i].buffer);
    }
    cc_buffer_destroy(&in->operations.buffer);
    cc_buffer_destroy(&in->between.maps.buffer);
    cc_buffer_destroy(&in->between.counted.buffer);
    free(in->places);
    memset(in, 0, sizeof *in);
}

static camcl_status send(const cc_tensor *to, const void *data, camcl_error *err)
{
    return to->buffer ? cc_buffer_upload(to->buffer, 0, data, cc_tensor_bytes(to), err) : CAMCL_OK;
}

/* Has the images of this step on the device, and says where they are. Both views of an image have it from one place. */
static camcl_status place_images(cc_inputs *in, const cc_step_input *input, camcl_error *err)
{
    const size_t b = in->spec.labeled, u = in->spec.unlabeled;
    cc_transform *weak = in->places + b, *strong = weak + u;
    if (cc_resident_is_whole(in->data)) return CAMCL_OK;
    memcpy(in->places, input->labeled, b * sizeof *in->places);
    if (u) memcpy(weak, input->weak, u * sizeof *weak);
    CC_RETURN_IF_FAILED(cc_resident_place(in->data, b + u, in->places, err));
    if (u) memcpy(strong, input->strong, u * sizeof *strong);
    for (size_t i = 0; i < u; i++)
        strong[i].source = weak[i].source;
    const cc_transform *places[] = { in->places, weak, strong };
    for (int i = 0; i < loaded(in); i++)
        CC_RETURN_IF_FAILED(send(&in->placed[i], places[i], err));
    return CAMCL_OK;
}

camcl_status cc_inputs_send(cc_inputs *in, const cc_step_input *input, camcl_error *err)
{
    const cc_transform *transforms[] = { input->labeled, input->weak, input->strong };
    for (int i = 0; i < 3; i++)
        CC_RETURN_IF_FAILED(send(&in->transforms[i], transforms[i], err));
    CC_RETURN_IF_FAILED(send(&in->operations, input->operations, err));
    CC_RETURN_IF_FAILED(send(&in->between.maps, input->maps, err));
    CC_RETURN_IF_FAILED(send(&in->between.counted, input->counted, err));
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
    return cc_resident_load(in->data, tape, in->spec.labeled, in->spec.image_size, window_of(in), in->placed[LABELED], dst, row0, err);
}

camcl_status cc_inputs_load_weak(const cc_inputs *in, cc_tape *tape, cc_tensor dst, size_t row0, camcl_error *err)
{
    return cc_resident_load(in->data, tape, in->spec.unlabeled, in->spec.image_size, window_of(in), in->placed[WEAK], dst, row0, err);
}

camcl_status cc_inputs_load_strong(const cc_inputs *in, cc_tape *tape, cc_tensor weak, size_t weak_row0, cc_tensor dst, size_t row0,
                                   camcl_error *err)
{
    const size_t u = in->spec.unlabeled, size = in->spec.image_size, operations = cc_view_operations(&in->spec.views);
    const cc_warp_desc warp = { u, size, cc_resident_channels(in->data), weak_row0, row0 };
    if (operations)
        return cc_resident_load_augmented(in->data, tape, u, size, in->placed[STRONG], operations, in->operations, dst, row0, err);
    if (cc_strong_is_own(&in->spec.views))
        return cc_resident_load(in->data, tape, u, size, window_of(in), in->placed[STRONG], dst, row0, err);
    return cc_warp_forward(tape, &warp, weak, in->transforms[STRONG], dst, err);
}

camcl_status cc_inputs_labels(const cc_inputs *in, cc_tape *tape, cc_tensor labels, camcl_error *err)
{
    return cc_resident_labels(in->data, tape, in->spec.labeled, in->transforms[LABELED], labels, err);
}

camcl_status cc_inputs_hidden_labels(const cc_inputs *in, cc_tape *tape, cc_tensor truth, camcl_error *err)
{
    return cc_resident_labels(in->data, tape, in->spec.unlabeled, in->transforms[WEAK], truth, err);
}
