#include "objective/cam.h"

#include <string.h>

static camcl_status f32(cc_tape *tape, const char *name, unsigned rank, const size_t *dim, cc_tensor *out, camcl_error *err)
{
    return cc_tensor_on_tape(tape, name, CC_F32, rank, dim, out, err);
}

/* Records the backward pass from the explained logits down to the stage. */
static camcl_status explain(cc_cam *cam, cc_model *model, cc_tape *tape, camcl_error *err)
{
    size_t n = cam->spec.batch, classes = model->graph->spec.classes, last = cc_pass_last(cam->pass);
    cc_rows_desc rows = { 0, n, classes };
    cc_tensor dlogits;
    if (cam->classes.buffer == NULL) {
        CC_RETURN_IF_FAILED(cc_tensor_on_tape(tape, "explained classes", CC_I32, CC_DIMS(n), &cam->classes, err));
        CC_RETURN_IF_FAILED(cc_argmax_rows(tape, &rows, cc_pass_output(cam->pass, last), cam->classes, err));
    }
    CC_RETURN_IF_FAILED(f32(tape, "explained logits", CC_DIMS(n, classes), &dlogits, err));
    CC_RETURN_IF_FAILED(cc_grad_cam_seed(tape, &rows, cam->classes, dlogits, err));
    cc_pass_set_gradient(cam->pass, last, dlogits);
    return cc_pass_backward(cam->pass, last, cam->stage, NULL, err);
}

static cc_grad_cam_desc cam_desc(const cc_cam *cam)
{
    cc_tensor a = cc_pass_output(cam->pass, cam->stage);
    return (cc_grad_cam_desc){ a.dim[0], a.dim[1], a.dim[2], a.dim[3], cam->spec.relu };
}

static cc_resize_desc resize_desc(const cc_cam *cam)
{
    return (cc_resize_desc){ cam->spec.batch, cam->raw.dim[1], cam->raw.dim[2], 1, cam->spec.image_size, cam->spec.image_size };
}

camcl_status cc_cam_record(cc_cam *cam, cc_model *model, cc_tape *tape, const cc_cam_spec *spec, cc_tensor images, cc_tensor classes,
                           camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    size_t n = spec->batch, s = spec->image_size;
    memset(cam, 0, sizeof *cam);
    if (spec->layer < 1 || spec->layer > model->graph->stages)
        return cc_fail(err, CAMCL_BAD_CONFIG, "ssl.cam_layer = %zu: %s has stages 1..%zu (choose one of them)", spec->layer,
                       model->graph->spec.arch, model->graph->stages);
    cam->spec = *spec;
    cam->stage = model->graph->stage_end[spec->layer - 1];
    cam->classes = classes;
    cc_pass_spec pass = { .batch = n, .height = s, .width = s, .frozen_from = spec->forward_only ? 1 : cam->stage + 1 };
    CC_TRY(cc_pass_create(spec->weights ? spec->weights : model->main, tape, &pass, &cam->pass, err));
    CC_TRY(cc_pass_forward(cam->pass, images, err));
    CC_TRY(explain(cam, model, tape, err));
    cc_tensor a = cc_pass_output(cam->pass, cam->stage);
    cc_grad_cam_desc desc = cam_desc(cam);
    CC_TRY(f32(tape, "CAM weights", CC_DIMS(n, desc.c), &cam->weights, err));
    CC_TRY(f32(tape, "CAM", CC_DIMS(n, desc.h, desc.w), &cam->raw, err));
    CC_TRY(f32(tape, "CAM, resized", CC_DIMS(n, s, s), &cam->resized, err));
    CC_TRY(f32(tape, "CAM range", CC_DIMS(n, 4), &cam->range, err));
    CC_TRY(f32(tape, "CAM, normalised", CC_DIMS(n, s, s), &cam->map, err));
    CC_TRY(cc_grad_cam_forward(tape, &desc, a, cc_pass_gradient(cam->pass, cam->stage), cam->weights, cam->raw, err));
    cc_resize_desc resize = resize_desc(cam);
    CC_TRY(cc_resize_forward(tape, &resize, cam->raw, cam->resized, err));
    cc_min_max_desc min_max = { n, s * s };
    CC_TRY(cc_min_max_forward(tape, &min_max, cam->resized, cam->map, cam->range, err));
    return CAMCL_OK;
cleanup:
    cc_cam_release(cam);
    return status;
}

camcl_status cc_cam_record_backward(cc_cam *cam, cc_tape *tape, cc_tensor dmap, bool *written, camcl_error *err)
{
    size_t n = cam->spec.batch, s = cam->spec.image_size;
    cc_tensor dresized, u, da, a = cc_pass_output(cam->pass, cam->stage);
    cc_min_max_desc min_max = { n, s * s };
    cc_resize_desc resize = resize_desc(cam);
    cc_grad_cam_desc desc = cam_desc(cam);
    CC_RETURN_IF_FAILED(f32(tape, "gradient of the resized CAM", CC_DIMS(n, s, s), &dresized, err));
    CC_RETURN_IF_FAILED(f32(tape, "gradient of the CAM", CC_DIMS(n, desc.h, desc.w), &u, err));
    CC_RETURN_IF_FAILED(f32(tape, "gradient of the stage from the CAM", a.rank, a.dim, &da, err));
    CC_RETURN_IF_FAILED(cc_min_max_backward(tape, &min_max, cam->resized, cam->map, cam->range, dmap, dresized, err));
    CC_RETURN_IF_FAILED(cc_resize_backward(tape, &resize, dresized, u, false, err));
    if (cam->spec.exact) {
        cc_tensor direction;
        CC_RETURN_IF_FAILED(f32(tape, "direction of the exact gradient", a.rank, a.dim, &direction, err));
        CC_RETURN_IF_FAILED(cc_grad_cam_tangent(tape, &desc, a, cam->raw, u, direction, err));
        CC_RETURN_IF_FAILED(cc_pass_tangent(cam->pass, cam->stage, direction, written, err));
    }
    CC_RETURN_IF_FAILED(cc_grad_cam_backward(tape, &desc, cam->weights, cam->raw, u, da, false, err));
    cc_pass_set_gradient(cam->pass, cam->stage, da);
    return cc_pass_backward(cam->pass, cam->stage, 0, written, err);
}

void cc_cam_release(cc_cam *cam) { cc_pass_destroy(&cam->pass); }
