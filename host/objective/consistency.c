#include "objective/consistency.h"

#include "objective/cam.h"

/* Both CAMs, T of the weak one, the loss, and its gradient into the strong CAM and, if it is attached, into the weak one. */
static camcl_status record(cc_model *model, cc_tape *tape, const cc_consistency_spec *s, cc_cam *weak, cc_cam *strong, bool *written,
                           cc_consistency_maps *maps, camcl_error *err)
{
    const cc_objective *o = s->options;
    const cc_cam_spec spec = {
        .batch = s->batch, .image_size = s->image_size, .layer = o->cam_layer, .relu = o->cam_relu, .exact = o->exact
    };
    cc_cam_spec target_spec = spec;
    cc_tensor classes = o->shared_class ? s->pseudo : CC_NO_TENSOR, target, dstrong, dtarget = CC_NO_TENSOR, dweak;
    const bool attached = o->attached && s->target_weights == model->main;
    target_spec.forward_only = !attached;
    target_spec.weights = s->target_weights;
    CC_RETURN_IF_FAILED(cc_cam_record(weak, model, tape, &target_spec, s->weak, classes, err));
    CC_RETURN_IF_FAILED(cc_tensor_on_tape(tape, "target CAM", CC_F32, 3, weak->map.dim, &target, err));
    CC_RETURN_IF_FAILED(cc_view_transform_forward(tape, &s->between, weak->map, target, err));
    CC_RETURN_IF_FAILED(cc_cam_record(strong, model, tape, &spec, s->strong, classes, err));
    CC_RETURN_IF_FAILED(cc_view_error_forward(tape, &s->between, strong->map, target, s->weight, s->sums, err));
    CC_RETURN_IF_FAILED(cc_tensor_on_tape(tape, "gradient of the strong CAM", CC_F32, 3, target.dim, &dstrong, err));
    if (attached) CC_RETURN_IF_FAILED(cc_tensor_on_tape(tape, "gradient of the target CAM", CC_F32, 3, target.dim, &dtarget, err));
    CC_RETURN_IF_FAILED(
        cc_view_error_backward(tape, &s->between, strong->map, target, s->weight, o->beta, s->denominator, dstrong, dtarget, err));
    CC_RETURN_IF_FAILED(cc_cam_record_backward(strong, tape, dstrong, written, err));
    *maps = (cc_consistency_maps){ weak->map, target, strong->map };
    if (!attached) return CAMCL_OK;
    CC_RETURN_IF_FAILED(cc_tensor_on_tape(tape, "gradient of the weak CAM", CC_F32, 3, target.dim, &dweak, err));
    CC_RETURN_IF_FAILED(cc_view_transform_backward(tape, &s->between, dtarget, dweak, err));
    return cc_cam_record_backward(weak, tape, dweak, written, err);
}

camcl_status cc_consistency_record(cc_model *model, cc_tape *tape, const cc_consistency_spec *spec, bool *written,
                                   cc_consistency_maps *maps, camcl_error *err)
{
    cc_cam weak = { .pass = NULL }, strong = { .pass = NULL };
    const camcl_status status = record(model, tape, spec, &weak, &strong, written, maps, err);
    cc_cam_release(&weak);
    cc_cam_release(&strong);
    return status;
}
