/* Which images of a run are on the device, and which are streamed. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "train/run.h"

/* The bytes that images may take on the device. Weights, optimizer and activations get the larger part of its memory. */
static size_t image_budget(const cc_run *run, const camcl_device *device)
{
    enum { SHARE = 4 };
    if (camcl_config_is(run->config, "data.resident", "auto")) return camcl_device_get_info(device)->global_mem / SHARE;
    return (size_t)camcl_config_int(run->config, "data.resident") << 20;
}

/* The images that the run uses, those that are used most often first. The caller frees *order. */
static camcl_status order_images(const cc_run *run, uint32_t **order, size_t *count, camcl_error *err)
{
    const cc_split *s = &run->split;
    const size_t unlabeled = cc_objective_learns_unlabeled(run->settings.step.objective.kind) ? s->unlabeled_count : 0;
    *count = s->labeled_count + s->validation_count + unlabeled;
    CC_RETURN_IF_FAILED(CC_NEW(*count, order, err));
    memcpy(*order, s->labeled, s->labeled_count * sizeof **order);
    if (s->validation_count) memcpy(*order + s->labeled_count, s->validation, s->validation_count * sizeof **order);
    if (unlabeled) memcpy(*order + s->labeled_count + s->validation_count, s->unlabeled, unlabeled * sizeof **order);
    return CAMCL_OK;
}

/* image: bytes of one. */
static camcl_status say_images(cc_run *run, const camcl_device *device, const cc_resident *images, size_t image, camcl_error *err)
{
    const size_t used = cc_resident_used(images), kept = cc_resident_kept(images);
    cc_text line = CC_TEXT_INIT;
    cc_text_add(&line, "images");
    if (run->team.count) cc_text_add(&line, " of device %s", camcl_device_get_info(device)->selector);
    cc_text_add(&line, ": ");
    cc_text_add_mebibytes(&line, used * image);
    if (kept == used) {
        cc_text_add(&line, ", all of them on the device");
    } else if (kept == 0) {
        cc_text_add(&line, ", all of them streamed");
    } else {
        cc_text_add(&line, ", ");
        cc_text_add_mebibytes(&line, kept * image);
        cc_text_add(&line, " of them on the device, the rest streamed");
    }
    const camcl_status status = line.failed ? cc_fail(err, CAMCL_NO_MEMORY, "memory: no room for a line of text (close other programs)")
                                            : cc_run_say(run, err, "%s", line.data);
    cc_text_free(&line);
    return status;
}

camcl_status cc_run_place_images(cc_run *run, camcl_device *device, cc_resident **out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const camcl_dataset_info *info = camcl_dataset_get_info(run->dataset);
    const cc_step_spec *step = &run->settings.step;
    const size_t image = (size_t)info->height * info->width * info->channels, room = image_budget(run, device) / image;
    uint32_t *order = NULL;
    const cc_resident_spec images = { .pixels = camcl_dataset_pixels(run->dataset, CAMCL_TRAIN_IMAGES),
                                      .labels = camcl_dataset_labels(run->dataset, CAMCL_TRAIN_IMAGES),
                                      .count = info->train_count,
                                      .height = info->height,
                                      .width = info->width,
                                      .channels = info->channels,
                                      .mean = run->settings.mean,
                                      .std = run->settings.std,
                                      .name = "training images" };
    cc_streaming streaming = { .room = room };
    if (room < images.count) CC_TRY(order_images(run, &order, &streaming.count, err));
    streaming.order = order;
    streaming.batch = cc_max_size(step->batch_labeled + step->batch_unlabeled,
                                  cc_session_batch(CC_SESSION_EVALUATION, run->split.validation_count, step->image_size));
    CC_TRY(cc_resident_create_streaming(device, &images, order ? &streaming : NULL, out, err));
    CC_TRY(say_images(run, device, *out, image, err));
cleanup:
    free(order);
    return status;
}
