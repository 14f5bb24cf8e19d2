/* Weights that PyTorch wrote, in camcl: logits of real CIFAR-10 test images are PyTorch's, and what is written back has exactly PyTorch's
 * names, shapes, dtypes and bytes (tests/golden/README.md, round_trip). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "camcl/model.h"
#include "run/snapshot.h"
#include "support/devices.h"
#include "support/golden.h"
#include "support/ok.h"
#include "support/scratch.h"
#include "run/checkpoint.h"

static camcl_error err;

typedef struct job {
    const char *arch, *folder;
} job;

static const char *weights_of(const char *arch)
{
    static char path[128];
    snprintf(path, sizeof path, "tests/golden/round_trip_%s.safetensors", arch);
    return path;
}

/* camcl_model_evaluate's logits of a checkpoint, against the float64 ones. */
static void check_logits(camcl_device *device, const char *checkpoint, const char *arch)
{
    cc_safetensors *file = golden_open("tests/golden/round_trip_images.safetensors");
    const cc_st_tensor *pixels = golden_tensor(file, "pixels");
    char name[64];
    snprintf(name, sizeof name, "logits.%s", arch);
    const size_t count = pixels->shape[0], n = cc_st_elements(golden_tensor(file, name));
    uint8_t *bytes = golden_data(file, "pixels");
    int32_t *labels = golden_data(file, "labels");
    float *want = golden_data(file, name), *got = calloc(n, sizeof *got);
    const camcl_images images = { bytes, labels, count, pixels->shape[1], pixels->shape[2], pixels->shape[3] };
    camcl_model *model = NULL;
    camcl_evaluation e;
    double error = 0, size = 0;
    assert_non_null(got);
    OK(camcl_model_open(checkpoint, device, &model, &err));
    OK(camcl_model_evaluate(model, &images, NULL, 0, &e, got, &err));
    assert_int_equal(e.n, count);
    for (size_t i = 0; i < n; i++) {
        error += pow((double)got[i] - want[i], 2);
        size += pow(want[i], 2);
    }
    if (!(sqrt(error / size) < 1e-5)) fail_msg("%s: logits differ by %.3g", checkpoint, sqrt(error / size));
    camcl_model_close(&model);
    cc_safetensors_free(&file);
    free(bytes);
    free(labels);
    free(want);
    free(got);
}

static void check_same_tensors(const cc_safetensors *ours, const cc_safetensors *theirs)
{
    assert_int_equal(cc_safetensors_count(ours), cc_safetensors_count(theirs));
    for (size_t i = 0; i < cc_safetensors_count(theirs); i++) {
        const cc_st_tensor *want = cc_safetensors_at(theirs, i), *got = golden_tensor(ours, want->name);
        assert_string_equal(cc_st_dtype_name(got->dtype), cc_st_dtype_name(want->dtype));
        assert_int_equal(got->dims, want->dims);
        for (unsigned d = 0; d < want->dims; d++)
            assert_int_equal(got->shape[d], want->shape[d]);
        if (memcmp(got->data, want->data, cc_st_elements(want) * cc_st_dtype_size(want->dtype)) != 0) fail_msg("%s differs", want->name);
    }
}

/* Onto the device and off again, as training does when it saves. */
static void write_back(camcl_device *device, const char *arch, const char *path)
{
    cc_safetensors *theirs = NULL, *ours = NULL;
    cc_model_card card;
    cc_model *model = NULL;
    cc_snapshot snapshot = { NULL, NULL, 0 }, back = { NULL, NULL, 0 };
    OK(cc_checkpoint_read(weights_of(arch), &theirs, &card, &err));
    OK(cc_model_create(device, &card.graph, &model, &err));
    OK(cc_snapshot_from_file(theirs, "", model->graph, &snapshot, &err));
    OK(cc_snapshot_apply(&snapshot, model, &err));
    OK(cc_snapshot_take(&back, model, snapshot.batches, &err));
    OK(cc_checkpoint_write(path, model->graph, &card, &back, &err));
    ours = golden_open(path);
    check_same_tensors(ours, theirs);
    cc_safetensors_free(&ours);
    cc_safetensors_free(&theirs);
    cc_snapshot_free(&snapshot);
    cc_snapshot_free(&back);
    cc_model_card_free(&card);
    cc_model_destroy(&model);
}

/* The same file as model.init: every weight and statistic arrives. */
static void start_from(camcl_device *device, const char *arch)
{
    cc_safetensors *file = NULL;
    cc_model_card card;
    cc_model *model = NULL;
    cc_init_report report;
    cc_snapshot want = { NULL, NULL, 0 }, got = { NULL, NULL, 0 };
    OK(cc_checkpoint_read(weights_of(arch), &file, &card, &err));
    OK(cc_model_create(device, &card.graph, &model, &err));
    OK(cc_checkpoint_init(weights_of(arch), model, 1, &report, &err));
    assert_false(report.redrawn);
    assert_int_equal(report.taken + report.counters, cc_safetensors_count(file));
    OK(cc_snapshot_from_file(file, "", model->graph, &want, &err));
    OK(cc_snapshot_take(&got, model, 0, &err));
    for (size_t i = 0; i < model->graph->param_count; i++) {
        const cc_param *p = &model->graph->params[i];
        const bool statistic = cc_param_is_statistic(p);
        const float *a = statistic ? want.statistics : want.weights, *b = statistic ? got.statistics : got.weights;
        if (memcmp(a + p->offset, b + p->offset, p->count * sizeof *a) != 0) fail_msg("%s differs", p->name);
    }
    cc_safetensors_free(&file);
    cc_snapshot_free(&want);
    cc_snapshot_free(&got);
    cc_model_card_free(&card);
    cc_model_destroy(&model);
}

static void on_device(camcl_device *device, void *context)
{
    const job *j = context;
    char path[512];
    snprintf(path, sizeof path, "%s", scratch_path(j->folder, "back.safetensors"));
    check_logits(device, weights_of(j->arch), j->arch);
    write_back(device, j->arch, path);
    check_logits(device, path, j->arch);
    start_from(device, j->arch);
}

static void resnet18(void **state)
{
    job j = { "resnet18", *state };
    for_each_device(on_device, &j);
}

static void wide_resnet(void **state)
{
    job j = { "wrn28-2", *state };
    for_each_device(on_device, &j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(resnet18, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(wide_resnet, scratch_setup, scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
