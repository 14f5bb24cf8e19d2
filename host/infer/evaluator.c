#include "infer/evaluator.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "infer/metric.h"

struct cc_evaluator {
    cc_model *model;
    cc_tape *tape;
    size_t batch, image_size;
    cc_tensor transforms, logits, sums; /* [batch,8] i32, [batch,classes], [8] */
    cc_transform *host;                 /* [batch] */
    cc_tally *tally;
};

size_t cc_evaluator_batch(size_t n, size_t image_size)
{
    enum { MOST = 250, PIXELS = MOST * 64 * 64 };
    return cc_max_size(1, cc_min_size(cc_min_size(n, MOST), PIXELS / (image_size * image_size)));
}

static camcl_status record(cc_evaluator *e, const cc_resident *data, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_model *model = e->model;
    cc_pass *pass = NULL;
    cc_tensor images, labels;
    size_t classes = model->graph->spec.classes, s = e->image_size;
    cc_pass_spec spec = { e->batch, s, s, false, 1 };
    cc_rows_desc rows = { 0, e->batch, classes };
    CC_TRY(cc_tensor_create(model->device, "transforms", CC_I32, CC_DIMS(e->batch, 8), &e->transforms, err));
    CC_TRY(cc_tensor_create(model->device, "sums", CC_F32, CC_DIMS(8), &e->sums, err));
    CC_TRY(cc_tensor_on_tape(e->tape, "images", CC_F32, CC_DIMS(e->batch, s, s, cc_resident_channels(data)), &images, err));
    CC_TRY(cc_tensor_on_tape(e->tape, "labels", CC_I32, CC_DIMS(e->batch), &labels, err));
    /* The last batch of a set may be partial. Its remaining rows are not loaded, but they must hold finite numbers, so the batch starts
     * as zeros. */
    CC_TRY(cc_tape_zero(e->tape, images.buffer, err));
    CC_TRY(cc_resident_load(data, e->tape, e->batch, s, e->transforms, images, 0, err));
    CC_TRY(cc_resident_labels(data, e->tape, e->batch, e->transforms, labels, err));
    CC_TRY(cc_pass_create(model->main, e->tape, &spec, &pass, err));
    CC_TRY(cc_pass_forward(pass, images, err));
    e->logits = cc_pass_output(pass, cc_pass_last(pass));
    cc_tape_keep(e->tape, e->logits.buffer);
    CC_TRY(cc_evaluate_rows(e->tape, &rows, e->logits, labels, e->sums, err));
cleanup:
    cc_pass_destroy(&pass);
    return status;
}

camcl_status cc_evaluator_create(cc_model *model, const cc_resident *data, size_t image_size, size_t batch, cc_arena *arena,
                                 cc_evaluator **out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_evaluator *e = NULL;
    *out = NULL;
    CC_TRY(CC_NEW(1, &e, err));
    e->model = model;
    e->batch = batch;
    e->image_size = image_size;
    CC_TRY(CC_NEW(batch, &e->host, err));
    CC_TRY(cc_tally_create(model->graph->spec.classes, &e->tally, err));
    CC_TRY(cc_tape_create(arena, "evaluation", &e->tape, err));
    CC_TRY(record(e, data, err));
    *out = e;
    e = NULL;
cleanup:
    cc_evaluator_destroy(&e);
    return status;
}

void cc_evaluator_destroy(cc_evaluator **handle)
{
    cc_evaluator *e = *handle;
    if (e == NULL) return;
    cc_buffer_destroy(&e->transforms.buffer);
    cc_buffer_destroy(&e->sums.buffer);
    cc_tally_destroy(&e->tally);
    free(e->host);
    free(e);
    *handle = NULL;
}

camcl_status cc_evaluator_run(cc_evaluator *e, const uint32_t *indices, size_t n, camcl_evaluation *out, float *logits, camcl_error *err)
{
    const float zero[CC_DEVICE_SUMS] = { 0 };
    float sums[CC_DEVICE_SUMS];
    size_t classes = e->model->graph->spec.classes;
    cc_tally_reset(e->tally);
    for (size_t first = 0; first < n; first += e->batch) {
        for (size_t i = 0; i < e->batch; i++) {
            size_t at = first + i;
            e->host[i] = (cc_transform){
                at >= n ? -1 : indices ? (int32_t)indices[at] : (int32_t)at, 0, 0, 0, 0, (int32_t)e->image_size, (int32_t)e->image_size, 0
            };
        }
        CC_RETURN_IF_FAILED(cc_buffer_upload(e->transforms.buffer, 0, e->host, e->batch * sizeof *e->host, err));
        CC_RETURN_IF_FAILED(cc_buffer_upload(e->sums.buffer, 0, zero, sizeof zero, err));
        CC_RETURN_IF_FAILED(cc_tape_run(e->tape, err));
        CC_RETURN_IF_FAILED(cc_buffer_read(e->sums.buffer, 0, sums, sizeof sums, err));
        cc_tally_add_sums(e->tally, sums);
        size_t rows = cc_min_size(e->batch, n - first);
        if (logits) CC_RETURN_IF_FAILED(cc_buffer_read(e->logits.buffer, 0, logits + first * classes, rows * classes * sizeof(float), err));
    }
    cc_tally_evaluate(e->tally, out);
    return CAMCL_OK;
}
