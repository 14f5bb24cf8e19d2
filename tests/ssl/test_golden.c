/* Whole passes and whole training steps against PyTorch's float64 (tests/golden/README.md has the files and the rule for errors). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "run/snapshot.h"
#include "objective/step.h"
#include "support/devices.h"
#include "support/golden.h"
#include "support/golden_views.h"
#include "support/ok.h"

static camcl_device *device;
static camcl_error err;

static cc_safetensors *open_golden(const char *prefix, const char *name, const char *suffix)
{
    char path[256];
    snprintf(path, sizeof path, "tests/golden/%s%s%s.safetensors", prefix, name, suffix);
    return golden_open(path);
}

/* Sums for ||a - b|| / ||b - start||. */
typedef struct distance {
    double error, size;
} distance;

static void add_distance(distance *d, const float *a, const float *b, const float *start, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double e = (double)a[i] - b[i], s = (double)b[i] - (start ? start[i] : 0);
        d->error += e * e;
        d->size += s * s;
    }
}

static void check(const cc_safetensors *golden, const char *quantity, const char *what, distance d)
{
    char key[64];
    snprintf(key, sizeof key, "torch32.%s", quantity);
    double bound = fmax(10 * golden_number(golden, key), 1e-5), error = d.size > 0 ? sqrt(d.error / d.size) : sqrt(d.error);
    /* Written so that NaN fails. */
    if (!(error <= bound)) fail_msg("%s: error %.3g, bound %.3g", what, error, bound);
}

static void check_values(const cc_safetensors *golden, const char *quantity, const char *name, const float *got)
{
    float *want = golden_data(golden, name);
    distance d = { 0, 0 };
    add_distance(&d, got, want, NULL, cc_st_elements(golden_tensor(golden, name)));
    check(golden, quantity, name, d);
    free(want);
}

/* ---- the network and its images */

typedef struct base {
    cc_safetensors *weights, *data;
    cc_model *model;
    cc_resident *images;
    size_t count, image_size;
} base;

static void open_base(base *b, const char *name)
{
    cc_graph_spec spec = { .width = 0 };
    cc_snapshot start = { NULL, NULL, 0 };
    b->weights = open_golden("", name, "_weights");
    b->data = open_golden("", name, "_data");
    snprintf(spec.arch, sizeof spec.arch, "%s", golden_text(b->weights, "arch"));
    snprintf(spec.stem, sizeof spec.stem, "%s", golden_text(b->weights, "stem"));
    spec.width = (size_t)golden_number(b->weights, "width");
    spec.classes = (size_t)golden_number(b->weights, "classes");
    spec.channels = (size_t)golden_number(b->weights, "channels");
    OK(cc_model_create(device, &spec, &b->model, &err));
    OK(cc_snapshot_from_file(b->weights, "", b->model->graph, &start, &err));
    assert_int_equal(start.batches, 7);
    OK(cc_snapshot_apply(&start, b->model, &err));
    cc_snapshot_free(&start);
    const cc_st_tensor *pixels = golden_tensor(b->data, "pixels");
    void *bytes = golden_data(b->data, "pixels"), *labels = golden_data(b->data, "labels"), *mean = golden_data(b->data, "mean"),
         *std = golden_data(b->data, "std");
    b->count = pixels->shape[0];
    b->image_size = (size_t)golden_number(b->data, "image_size");
    cc_resident_spec images = { bytes, labels, b->count, pixels->shape[1], pixels->shape[2], pixels->shape[3], mean, std, "images" };
    OK(cc_resident_create(device, &images, &b->images, &err));
    free(bytes);
    free(labels);
    free(mean);
    free(std);
}

static void close_base(base *b)
{
    cc_resident_destroy(&b->images);
    cc_model_destroy(&b->model);
    cc_safetensors_free(&b->weights);
    cc_safetensors_free(&b->data);
}

static void check_gradients(const base *b, const cc_safetensors *golden, const char *prefix, const char *quantity)
{
    distance d = { 0, 0 };
    for (size_t i = 0; i < b->model->graph->param_count; i++) {
        const cc_param *p = &b->model->graph->params[i];
        char name[160];
        if (cc_param_is_statistic(p)) continue;
        snprintf(name, sizeof name, "%s%s", prefix, p->name);
        float *want = golden_data(golden, name), *got = malloc(p->count * sizeof *got);
        OK(cc_model_get_gradient(b->model, i, got, &err));
        add_distance(&d, got, want, NULL, p->count);
        free(want);
        free(got);
    }
    check(golden, quantity, prefix, d);
}

/* Statistics or trained parameters after the steps, relative to how far they moved. */
static void check_after(const base *b, const cc_safetensors *golden, bool statistics)
{
    distance d = { 0, 0 };
    for (size_t i = 0; i < b->model->graph->param_count; i++) {
        const cc_param *p = &b->model->graph->params[i];
        char name[160];
        if (cc_param_is_statistic(p) != statistics) continue;
        snprintf(name, sizeof name, "after.%s", p->name);
        float *want = golden_data(golden, name), *start = golden_data(b->weights, p->name), *got = malloc(p->count * sizeof *got);
        OK(cc_model_get(b->model, i, got, &err));
        add_distance(&d, got, want, start, p->count);
        free(want);
        free(start);
        free(got);
    }
    check(golden, statistics ? "statistics" : "update", statistics ? "statistics" : "update", d);
}

/* ---- one pass over all images */

static void run_pass(base *b, const cc_safetensors *golden, bool train)
{
    const char *mode = train ? "train" : "eval";
    size_t n = b->count, s = b->image_size, classes = b->model->graph->spec.classes;
    cc_arena *arena;
    cc_tape *tape;
    cc_pass *pass;
    cc_tensor transforms, images, labels, sums, dlogits;
    cc_rows_desc rows = { 0, n, classes };
    cc_pass_spec spec = { n, s, s, train, 0, 0 };
    bool *written = calloc(b->model->graph->param_count, sizeof *written);
    cc_transform *host = calloc(n, sizeof *host);
    char name[64], quantity[64];
    for (size_t i = 0; i < n; i++)
        host[i] = (cc_transform){ .source = (int32_t)i, .y1 = (int32_t)s, .x1 = (int32_t)s };
    OK(cc_tensor_create(device, "transforms", CC_I32, CC_DIMS(n, 8), &transforms, &err));
    OK(cc_buffer_write(transforms.buffer, 0, host, n * sizeof *host, &err));
    OK(cc_tensor_create(device, "sums", CC_F32, CC_DIMS(4), &sums, &err));
    OK(cc_arena_create(device, &arena, &err));
    OK(cc_tape_create(arena, mode, &tape, &err));
    OK(cc_tensor_on_tape(tape, "images", CC_F32, CC_DIMS(n, s, s, b->model->graph->spec.channels), &images, &err));
    OK(cc_tensor_on_tape(tape, "labels", CC_I32, CC_DIMS(n), &labels, &err));
    OK(cc_resident_load(b->images, tape, n, s, CC_WINDOW_WHOLE, transforms, images, 0, &err));
    OK(cc_resident_labels(b->images, tape, n, transforms, labels, &err));
    OK(cc_pass_create(b->model->main, tape, &spec, &pass, &err));
    OK(cc_pass_forward(pass, images, &err));
    cc_tensor logits = cc_pass_output(pass, cc_pass_last(pass));
    cc_tape_keep(tape, logits.buffer);
    OK(cc_tensor_on_tape(tape, "dlogits", CC_F32, CC_DIMS(n, classes), &dlogits, &err));
    OK(cc_cross_entropy_forward(tape, &rows, logits, labels, CC_NO_TENSOR, sums, &err));
    OK(cc_cross_entropy_backward(tape, &rows, logits, labels, CC_NO_TENSOR, 1, (cc_device_scalar){ sums.buffer, 1 }, dlogits, &err));
    cc_pass_set_gradient(pass, cc_pass_last(pass), dlogits);
    OK(cc_pass_backward(pass, cc_pass_last(pass), 0, written, &err));
    OK(cc_arena_commit(arena, &err));
    OK(cc_model_refresh(b->model, &err));
    OK(cc_tape_run(tape, &err));
    float *got = malloc(n * classes * sizeof *got), total[4];
    OK(cc_buffer_read(logits.buffer, 0, got, n * classes * sizeof *got, &err));
    snprintf(name, sizeof name, "%s.logits", mode);
    check_values(golden, "logits", name, got);
    OK(cc_buffer_read(sums.buffer, 0, total, sizeof total, &err));
    snprintf(name, sizeof name, "%s.loss", mode);
    check_values(golden, "loss", name, &(float){ total[0] / total[1] });
    snprintf(name, sizeof name, "%s.grad.", mode);
    snprintf(quantity, sizeof quantity, "%s.grad", mode);
    check_gradients(b, golden, name, quantity);
    free(got);
    free(host);
    free(written);
    cc_pass_destroy(&pass);
    cc_arena_destroy(&arena);
    cc_buffer_destroy(&transforms.buffer);
    cc_buffer_destroy(&sums.buffer);
}

static void forward_and_backward(void **state)
{
    const char *name = *state;
    cc_safetensors *golden = open_golden("forward_", name, "");
    base b;
    open_base(&b, name);
    run_pass(&b, golden, false);
    run_pass(&b, golden, true);
    check_after(&b, golden, true);
    close_base(&b);
    cc_safetensors_free(&golden);
}

/* ---- whole steps */

/* An entry that files of the first modes do not have. */
static double number_or_0(const cc_safetensors *g, const char *key) { return cc_safetensors_metadata(g, key) ? golden_number(g, key) : 0; }

static cc_step_spec spec_of(const cc_safetensors *g)
{
    const cc_objective_kind *kind = cc_objective_find(golden_text(g, "ssl.mode"));
    assert_non_null(kind);
    return (cc_step_spec){
        .objective = {
            .kind = kind,
            .confidence = golden_is(g, "ssl.confidence", "logit") ? CC_CONFIDENCE_LOGIT : CC_CONFIDENCE_SOFTMAX,
            .joint = golden_is(g, "ssl.batch_norm", "joint"),
            .shared_class = golden_is(g, "ssl.cam_class", "shared"),
            .attached = golden_is(g, "ssl.cam_target", "attached"),
            .exact = golden_is(g, "ssl.cam_gradient", "exact"),
            .whole_batch = golden_is(g, "ssl.reduction", "batch"),
            .cam_relu = golden_is(g, "ssl.cam_relu", "yes"),
            .cam_layer = (size_t)golden_number(g, "ssl.cam_layer"),
            .alpha = (float)golden_number(g, "ssl.alpha"),
            .beta = (float)golden_number(g, "ssl.beta"),
            .temperature = (float)number_or_0(g, "ssl.temperature"),
            .fairness = (float)number_or_0(g, "ssl.fairness"),
        },
        .views = golden_view_spec(g),
        .batch_labeled = (size_t)golden_number(g, "train.batch_labeled"),
        .batch_unlabeled = (size_t)golden_number(g, "train.batch_unlabeled"),
        .image_size = (size_t)golden_number(g, "image_size"),
        .momentum = (float)golden_number(g, "optim.momentum"),
        .weight_decay = (float)golden_number(g, "optim.weight_decay"),
        .nesterov = golden_is(g, "optim.nesterov", "yes"),
        .ema = (float)number_or_0(g, "optim.ema"),
        .inspect = true,
    };
}

static const char *at(int k, const char *name)
{
    static char text[96];
    snprintf(text, sizeof text, "step%d.%s", k, name);
    return text;
}

static bool has(const cc_safetensors *g, const char *name) { return cc_safetensors_find(g, name) != NULL; }

/* The share of alpha in force. */
static float ramp_of(const cc_safetensors *g, int k)
{
    if (!has(g, at(k, "ramp"))) return 1;
    float *ramp = golden_data(g, at(k, "ramp")), share = *ramp;
    free(ramp);
    return share;
}

/* Rows row0 .. of a tensor [*,row values] against the golden. */
static void check_rows(const cc_safetensors *g, const char *quantity, const char *name, cc_tensor tensor, size_t row0)
{
    const cc_st_tensor *want = golden_tensor(g, name);
    size_t n = cc_st_elements(want), row = n / want->shape[0];
    float *got = malloc(n * sizeof *got);
    OK(cc_buffer_read(tensor.buffer, row0 * row * sizeof *got, got, n * sizeof *got, &err));
    check_values(g, quantity, name, got);
    free(got);
}

static void check_equal(const cc_safetensors *g, const char *name, cc_tensor tensor)
{
    const cc_st_tensor *want = golden_tensor(g, name);
    size_t bytes = cc_st_elements(want) * 4;
    void *got = malloc(bytes);
    OK(cc_buffer_read(tensor.buffer, 0, got, bytes, &err));
    if (memcmp(got, want->data, bytes) != 0) fail_msg("%s differs", name);
    free(got);
}

/* What the objective keeps, after the step: counts to the number, averages within rounding. */
static void check_state(const cc_safetensors *g, int k, const cc_step *step, const cc_objective_kind *kind)
{
    for (size_t i = 0; i < kind->state_count; i++) {
        char name[64];
        snprintf(name, sizeof name, "state.%s", kind->states[i].name);
        if (kind->states[i].dtype == CC_I32)
            check_equal(g, at(k, name), cc_step_state(step)[i]);
        else
            check_rows(g, "state", at(k, name), cc_step_state(step)[i], 0);
    }
}

/* T of the weak view's map. Of views of their own, pixels that do not count are 0 in the file. */
static void check_target(const cc_safetensors *g, int k, cc_tensor target)
{
    const size_t count = cc_tensor_count(&target), size = target.dim[1];
    cc_draws draws = { .counted = NULL };
    if (has(g, at(k, "weak.transforms"))) draws = golden_draws(g, k, size);
    float *got = malloc(count * sizeof *got);
    OK(cc_buffer_read(target.buffer, 0, got, count * sizeof *got, &err));
    for (size_t i = 0; draws.counted && i < count; i++) {
        const cc_counted_row *row = &draws.counted[i / size];
        const int32_t b = (int32_t)(i % size);
        if (b < row->begin || b >= row->end || (b >= row->hole_begin && b < row->hole_end)) got[i] = 0;
    }
    check_values(g, "cam", at(k, "cam_target"), got);
    free(got);
    cc_draws_free(&draws);
}

static void check_step(const cc_safetensors *g, int k, const cc_step *step, const cc_step_spec *spec, const cc_step_sums *sums)
{
    const cc_step_views *v = cc_step_look(step);
    const cc_objective *o = &spec->objective;
    size_t b = spec->batch_labeled, u = spec->batch_unlabeled;
    const size_t weak = cc_objective_has_teacher(o->kind) || !o->joint ? 0 : b,
                 strong = o->joint ? weak + (cc_objective_has_teacher(o->kind) ? b : u) : 0;
    const double further = cc_step_further(o, sums), alpha = (double)cc_step_alpha(o, ramp_of(g, k));
    double s, lu, lc;
    cc_step_losses(o, sums, &s, &lu, &lc);
    const float losses[4] = { (float)(s + alpha * lu + (double)o->beta * lc + further), (float)s, (float)lu, (float)lc };
    check_rows(g, "logits", at(k, "logits_labeled"), v->logits[CC_VIEW_LABELED], 0);
    check_values(g, "loss", at(k, "losses"), losses);
    if (!cc_objective_learns_unlabeled(o->kind)) return;
    check_rows(g, "logits", at(k, "logits_weak"), v->logits[CC_VIEW_WEAK], weak);
    check_rows(g, "logits", at(k, "logits_strong"), v->logits[CC_VIEW_STRONG], strong);
    check_equal(g, at(k, "pseudo"), v->pseudo);
    if (has(g, at(k, "mask"))) check_equal(g, at(k, "mask"), v->mask);
    if (has(g, at(k, "weight"))) check_rows(g, "weight", at(k, "weight"), v->mask, 0);
    if (has(g, at(k, "loss_further"))) check_values(g, "loss", at(k, "loss_further"), &(float){ (float)further });
    check_state(g, k, step, o->kind);
    if (!(o->beta > 0) || k > 0) return;
    check_rows(g, "cam", at(k, "cam_weak"), v->cam_weak, 0);
    check_target(g, k, v->cam_target);
    check_rows(g, "cam", at(k, "cam_strong"), v->cam_strong, 0);
}

static void run_step(const cc_safetensors *g, int k, cc_step *step, cc_step_sums *sums)
{
    bool unlabeled = !golden_is(g, "ssl.mode", "supervised");
    const bool own = has(g, at(k, "weak.transforms"));
    cc_draws draws = own ? golden_draws(g, k, (size_t)golden_number(g, "image_size")) : (cc_draws){ .labeled = NULL };
    if (!own) draws.labeled = golden_data(g, at(k, "labeled.transforms"));
    if (!own && unlabeled) draws.weak = golden_data(g, at(k, "unlabeled.transforms"));
    float *threshold = unlabeled ? golden_data(g, at(k, "threshold")) : NULL;
    cc_readback *readback;
    cc_step_input input = cc_step_input_of(&draws, (float)golden_number(g, "optim.lr"), threshold ? *threshold : 0);
    if (!own) input.strong = input.weak;
    input.ramp = ramp_of(g, k);
    OK(cc_step_run(step, &input, &readback, &err));
    OK(cc_step_read(&readback, sums, &err));
    cc_draws_free(&draws);
    free(threshold);
}

/* The objective's state as the file has it, and the average at the weights. */
static void begin_steps(const cc_safetensors *g, const base *b, cc_step *step, const cc_objective_kind *kind)
{
    cc_snapshot start = { NULL, NULL, 0 };
    for (size_t i = 0; i < kind->state_count; i++) {
        char name[64];
        const cc_tensor *tensor = &cc_step_state(step)[i];
        snprintf(name, sizeof name, "start.state.%s", kind->states[i].name);
        assert_int_equal(cc_st_elements(golden_tensor(g, name)), cc_tensor_count(tensor));
        void *values = golden_data(g, name);
        OK(cc_buffer_write(tensor->buffer, 0, values, cc_tensor_bytes(tensor), &err));
        free(values);
    }
    if (cc_step_average(step) == NULL) return;
    OK(cc_snapshot_take(&start, b->model, 0, &err));
    OK(cc_buffer_write(cc_step_average(step), 0, start.weights, b->model->graph->trained * sizeof(float), &err));
    cc_snapshot_free(&start);
}

static void whole_step(void **state)
{
    cc_safetensors *g = open_golden("step_", *state, "");
    base b;
    cc_arena *arena;
    cc_step *step;
    cc_step_sums sums;
    cc_step_spec spec = spec_of(g);
    int steps = (int)golden_number(g, "steps");
    open_base(&b, golden_text(g, "base"));
    OK(cc_arena_create(device, &arena, &err));
    OK(cc_step_create(b.model, b.images, &spec, arena, &step, &err));
    OK(cc_arena_commit(arena, &err));
    OK(cc_model_refresh(b.model, &err));
    begin_steps(g, &b, step, spec.objective.kind);
    for (int k = 0; k < steps; k++) {
        run_step(g, k, step, &sums);
        check_step(g, k, step, &spec, &sums);
        if (k == 0) check_gradients(&b, g, "step0.grad.", "grad");
    }
    check_after(&b, g, true);
    if (steps > 1) check_after(&b, g, false);
    cc_arena_destroy(&arena);
    cc_step_destroy(&step);
    close_base(&b);
    cc_safetensors_free(&g);
}

/* A CAM loss whose gradient is cut everywhere trains nothing and looks fine: it has to move parameters, also those of the stem. */
static void consistency_loss_moves_the_stem(void **state)
{
    (void)state;
    float gradients[2][128];
    for (int with = 0; with < 2; with++) {
        cc_safetensors *g = open_golden("step_", "gradcam_corrected", "");
        base b;
        cc_arena *arena;
        cc_step *step;
        cc_step_sums sums;
        cc_step_spec spec = spec_of(g);
        if (!with) spec.objective.beta = 0;
        open_base(&b, golden_text(g, "base"));
        assert_true(b.model->graph->params[0].count <= 128);
        OK(cc_arena_create(device, &arena, &err));
        OK(cc_step_create(b.model, b.images, &spec, arena, &step, &err));
        OK(cc_arena_commit(arena, &err));
        OK(cc_model_refresh(b.model, &err));
        run_step(g, 0, step, &sums);
        assert_true(sums.confident > 0);
        OK(cc_model_get_gradient(b.model, 0, gradients[with], &err));
        cc_arena_destroy(&arena);
        cc_step_destroy(&step);
        close_base(&b);
        cc_safetensors_free(&g);
    }
    double difference = 0, size = 0;
    for (int i = 0; i < 108; i++) {
        difference += fabs((double)gradients[1][i] - gradients[0][i]);
        size += fabs((double)gradients[0][i]);
    }
    assert_true(difference > 0.01 * size);
}

/* cmocka hands on a void *; the names are only read. */
#define PASS(name)                                                                                                                         \
    {                                                                                                                                      \
        "forward_" name, forward_and_backward, NULL, NULL, (void *)(uintptr_t)name                                                         \
    }
#define STEP(name)                                                                                                                         \
    {                                                                                                                                      \
        "step_" name, whole_step, NULL, NULL, (void *)(uintptr_t)name                                                                      \
    }

int main(void)
{
    camcl_device *devices[16];
    size_t count = test_devices(devices, 16);
    int failed = count == 0;
    for (size_t i = 0; i < count; i++) {
        const struct CMUnitTest tests[] = {
            PASS("resnet34_cifar"),
            PASS("resnet34_imagenet"),
            PASS("resnet50_cifar"),
            PASS("resnet50_imagenet"),
            PASS("wrn28-2"),
            STEP("supervised_corrected"),
            STEP("supervised_paper-code"),
            STEP("pseudo-label_corrected"),
            STEP("pseudo-label_paper-code"),
            STEP("gradcam_corrected"),
            STEP("gradcam_paper-code"),
            STEP("gradcam_attached"),
            STEP("gradcam_own"),
            STEP("gradcam_separate"),
            STEP("gradcam_batch"),
            STEP("gradcam_relu"),
            STEP("gradcam_layer1"),
            STEP("gradcam_layer2"),
            STEP("gradcam_layer4"),
            STEP("gradcam_nobody-confident"),
            STEP("gradcam_resized"),
            STEP("gradcam_exact"),
            STEP("gradcam_exact-layer1"),
            STEP("gradcam_exact-layer4"),
            STEP("gradcam_exact-attached-own"),
            STEP("gradcam_resnet50"),
            STEP("gradcam_wrn"),
            STEP("views_flip-shift_crop-rotate"),
            STEP("views_flip-shift_randaugment"),
            STEP("views_resized-crop_randaugment"),
            STEP("views_resized-crop_weak"),
            STEP("pi-model"),
            STEP("pi-model_cam"),
            STEP("mean-teacher"),
            STEP("mean-teacher_cam"),
            STEP("uda"),
            STEP("uda_cam"),
            STEP("fixmatch"),
            STEP("fixmatch_cam"),
            STEP("flexmatch"),
            STEP("freematch"),
            STEP("freematch_cam"),
            STEP("softmatch"),
            STEP("softmatch_cam"),
            cmocka_unit_test(consistency_loss_moves_the_stem),
        };
        device = devices[i];
        failed += cmocka_run_group_tests_name(camcl_device_get_info(device)->name, tests, NULL, NULL);
        camcl_device_close(&devices[i]);
    }
    return failed != 0;
}
