#include "objective/inputs.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { LABELED, WEAK, STRONG };

/* Tables with sources: those that images are loaded by. */
static int loaded(const cc_inputs *in) { return in->spec.unlabeled == 0 ? 1 : cc_strong_is_own(&in->spec.views) ? 3 : 2; }

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

camcl_status cc_inputs_create(camcl_device *device, cc_resident *data, const cc_inputs_spec *spec, cc_inputs *out, camcl_error *err)
{
    static const char *const names[] = { "labelled transforms", "weak transforms", "strong transforms" };
    const size_t rows[] = { spec->labeled, spec->unlabeled, spec->unlabeled };
    memset(out, 0, sizeof *out);
    out->spec = *spec;
    out->data = data;
    for (int i = 0; i < (spec->unlabeled ? 3 : 1); i++)
        CC_RETURN_IF_FAILED(cc_tensor_create(device, names[i], CC_I32, CC_DIMS(rows[i], 8), &out->transforms[i], err));
    if (!cc_views_are_affine(&spec->views)) out->between.turns = out->transforms[STRONG];
    return create_places(out, device, err);
}

void cc_inputs_release(cc_inputs *in)
{
    for (int i = 0; i < 3; i++) {
        if (in->placed[i].buffer != in->transforms[i].buffer) cc_buffer_destroy(&in->placed[i].buffer);
        cc_buffer_destroy(&in->transforms[i].buffer);
    }
    free(in->places);
    memset(in, 0, sizeof *in);
}

/* Has the images of this step on the device, and says where they are. */
static camcl_status place_images(cc_inputs *in, const cc_step_input *input, camcl_error *err)
{
    const size_t b = in->spec.labeled, u = in->spec.unlabeled;
    if (cc_resident_is_whole(in->data)) return CAMCL_OK;
    memcpy(in->places, input->labeled, b * sizeof *in->places);
    if (u) memcpy(in->places + b, input->weak, u * sizeof *in->places);
    CC_RETURN_IF_FAILED(cc_resident_place(in->data, b + u, in->places, err));
    CC_RETURN_IF_FAILED(cc_buffer_upload(in->placed[LABELED].buffer, 0, in->places, b * sizeof *in->places, err));
    return u ? cc_buffer_upload(in->placed[WEAK].buffer, 0, in->places + b, u * sizeof *in->places, err) : CAMCL_OK;
}

camcl_status cc_inputs_send(cc_inputs *in, const cc_step_input *input, camcl_error *err)
{
    const cc_transform *transforms[] = { input->labeled, input->weak, input->strong };
    for (int i = 0; i < 3; i++)
        if (in->transforms[i].buffer)
            CC_RETURN_IF_FAILED(cc_buffer_upload(in->transforms[i].buffer, 0, transforms[i], cc_tensor_bytes(&in->transforms[i]), err));
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
    const cc_warp_desc warp = { in->spec.unlabeled, in->spec.image_size, cc_resident_channels(in->data), weak_row0, row0 };
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
