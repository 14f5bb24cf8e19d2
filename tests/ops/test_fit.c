/* Local sizes that the device cannot run are found when tapes are committed, and other kernels take the place of those that have them. The
 * devices under test run everything, so these tests lower the limits that the device layer compares with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "check/ref/conv2d_ref.h"
#include "device/kernel_bindings.h"
#include "device/tape_internal.h"
#include "ops/choice/state.h"
#include "model/fit.h"
#include "model/pass.h"
#include "ops/record.h"
#include "support/devices.h"
#include "support/operands.h"

static camcl_error err;

#define GOOD(call)                                                                                                                         \
    do {                                                                                                                                   \
        if ((call) != CAMCL_OK) fail_msg("%s: %s\n%s", #call, err.message, err.detail);                                                    \
    } while (0)

/* ---- launches */

enum { COUNT = 64 };

/* One launch of ema_update, whose decay of 0 copies w to average. */
typedef struct launch_test {
    op_test test;
    cc_tensor w, average;
} launch_test;

static void begin_launch(launch_test *t, camcl_device *device, const char *label, const size_t local[3])
{
    float *numbers = random_floats(COUNT, 1);
    const cc_launch launch = { .options = "-DWIDTH=1", .dims = 3, .global = { COUNT, 4, 1 }, .local = { local[0], local[1], local[2] } };
    op_begin(&t->test, device);
    t->w = op_input(&t->test, CC_F32, numbers, COUNT);
    t->average = op_input(&t->test, CC_F32, numbers, COUNT);
    GOOD(cc_tape_zero(t->test.tape, t->average.buffer, &err));
    GOOD(cc_tape_label(t->test.tape, label, &err));
    GOOD(CC_LAUNCH(t->test.tape, ema_update, &launch, &err, .w = CC_IN(t->w.buffer), .average = CC_INOUT(t->average.buffer),
                   .count = CC_INT(COUNT), .each = CC_INT(1), .decay = CC_FLOAT(0)));
    free(numbers);
}

static void end_launch(launch_test *t)
{
    float w[COUNT], average[COUNT];
    GOOD(cc_arena_commit(t->test.arena, &err));
    GOOD(cc_tape_run(t->test.tape, &err));
    GOOD(cc_buffer_read(t->w.buffer, 0, w, sizeof w, &err));
    GOOD(cc_buffer_read(t->average.buffer, 0, average, sizeof average, &err));
    check_same(average, w, COUNT, "average");
    op_end(&t->test);
}

static void expect_misfit(const launch_test *t, const char *label, const char *why)
{
    size_t count;
    assert_int_equal(cc_arena_commit(t->test.arena, &err), CAMCL_UNSUPPORTED);
    assert_false(cc_arena_is_committed(t->test.arena));
    assert_non_null(strstr(err.message, label));
    assert_non_null(strstr(err.message, why));
    assert_non_null(strstr(err.detail, "ema_update"));
    const cc_misfit *misfits = cc_arena_misfits(t->test.arena, &count);
    assert_int_equal(count, 1);
    assert_string_equal(misfits[0].label, label);
    assert_string_equal(misfits[0].why, why);
    assert_string_equal(misfits[0].kernel, "ema_update -DWIDTH=1");
}

static void given_sizes(camcl_device *device, void *context)
{
    const cc_group_limits limits = device->group;
    launch_test t;
    size_t count;
    (void)context;
    begin_launch(&t, device, "ema = wide", (const size_t[]){ 8, 2, 1 });
    assert_false(cc_device_is_unfit(device, "ema = wide"));
    device->group.items = 15;
    expect_misfit(&t, "ema = wide", "needs 16 work-items, the device has 15");
    assert_false(cc_arena_misfits(t.test.arena, &count)->known);
    assert_true(cc_device_is_unfit(device, "ema = wide"));
    assert_false(cc_device_is_unfit(device, "ema"));
    /* It is asked again at each commit, and known from then on. */
    device->group = limits;
    device->group.along[1] = 1;
    expect_misfit(&t, "ema = wide", "needs 2 work-items along dimension 1, the device has 1");
    assert_true(cc_arena_misfits(t.test.arena, &count)->known);
    device->group = limits;
    end_launch(&t);
    /* Exactly as many are enough. Some drivers keep a byte of local memory for themselves. */
    begin_launch(&t, device, "ema = wide", (const size_t[]){ 8, 2, 1 });
    device->group = (cc_group_limits){ 16, { 8, 2, 1 }, limits.local_bytes };
    end_launch(&t);
    device->group = limits;
}

static void given_sizes_are_checked(void **state)
{
    (void)state;
    for_each_device(given_sizes, NULL);
}

/* What the device layer made of a launch without a local size. */
static void expect_chosen(camcl_device *device, size_t x, size_t y)
{
    launch_test t;
    begin_launch(&t, device, "", (const size_t[]){ 0, 0, 0 });
    GOOD(cc_arena_commit(t.test.arena, &err));
    const tape_step *step = &t.test.tape->steps[1];
    if (step->local[0] != x || step->local[1] != y || step->local[2] != 1)
        fail_msg("%zu x %zu x %zu instead of %zu x %zu x 1", step->local[0], step->local[1], step->local[2], x, y);
    end_launch(&t);
}

static void chosen_sizes(camcl_device *device, void *context)
{
    const cc_group_limits limits = device->group;
    (void)context;
    device->info.type = CAMCL_GPU;
    expect_chosen(device, 64, 1);
    device->group.items = 63;
    expect_chosen(device, 32, 1);
    device->group.items = 1;
    expect_chosen(device, 1, 1);
    device->group = limits;
    device->group.along[0] = 31;
    expect_chosen(device, 16, 4);
    device->group.along[1] = 3;
    expect_chosen(device, 16, 2);
    device->group = limits;
}

static void chosen_sizes_are_lowered(void **state)
{
    (void)state;
    for_each_device(chosen_sizes, NULL);
}

/* min_max_forward has LANES floats of local memory and requires LANES work-items. */
static void local_memory_and_required_size(camcl_device *device, void *context)
{
    enum { IMAGES = 2, SIZE = 50 };
    const cc_group_limits limits = device->group;
    op_test test;
    size_t count;
    float *numbers = random_floats(IMAGES * SIZE, 1);
    cc_launch launch = { .options = "-DWIDTH=1 -DLANES=8", .dims = 1, .global = { 8 * IMAGES } };
    (void)context;
    for (size_t local = 0; local <= 8; local += 4) {
        op_begin(&test, device);
        cc_tensor x = op_input(&test, CC_F32, numbers, IMAGES * SIZE), y = op_output(&test, CC_F32, IMAGES * SIZE),
                  range = op_output(&test, CC_F32, 4 * IMAGES);
        launch.local[0] = local;
        GOOD(CC_LAUNCH(test.tape, min_max_forward, &launch, &err, .x = CC_IN(x.buffer), .y = CC_OUT(y.buffer),
                       .range = CC_OUT(range.buffer), .size = CC_INT(SIZE)));
        if (local == 4) {
            assert_int_equal(cc_arena_commit(test.arena, &err), CAMCL_UNSUPPORTED);
            assert_string_equal(cc_arena_misfits(test.arena, &count)->why,
                                "is compiled for 8 x 1 x 1 work-items and launched with 4 x 1 x 1");
            op_end(&test);
            continue;
        }
        device->group.local_bytes = 8 * sizeof(float) - 1;
        assert_int_equal(cc_arena_commit(test.arena, &err), CAMCL_UNSUPPORTED);
        assert_non_null(strstr(cc_arena_misfits(test.arena, &count)->why, " bytes of local memory, the device has 31"));
        device->group = limits;
        op_run(&test); /* a size that was left open is the required one */
        op_end(&test);
    }
    free(numbers);
}

static void local_memory_and_required_sizes_are_checked(void **state)
{
    (void)state;
    for_each_device(local_memory_and_required_size, NULL);
}

static void incomplete(camcl_device *device, void *context)
{
    launch_test t;
    const cc_launch launch = { .options = "-DWIDTH=1", .dims = 2, .global = { COUNT, 4 }, .local = { 8 } };
    (void)context;
    begin_launch(&t, device, "", (const size_t[]){ 1, 1, 1 });
    assert_int_equal(CC_LAUNCH(t.test.tape, ema_update, &launch, &err, .w = CC_IN(t.w.buffer), .average = CC_INOUT(t.average.buffer),
                               .count = CC_INT(COUNT), .each = CC_INT(1), .decay = CC_FLOAT(0)),
                     CAMCL_FAILED);
    end_launch(&t);
}

static void incomplete_sizes_are_refused(void **state)
{
    (void)state;
    for_each_device(incomplete, NULL);
}

/* ---- models */

static const cc_conv2d_desc desc = { 2, 9, 7, 8, 40, 3, 3, 1, 1, 1 };
static const cc_min_max_desc images = { 2, 63 };
#define KEY "conv2d forward n2 h9 w7 c8 k40 r3 s3 stride1 pad1"

/* A convolution whose variant the plan chooses, and a min-max normalisation, which is chosen by what the device supports. */
typedef struct fit_test {
    camcl_device *device;
    cc_model model; /* no network: a plan alone */
    cc_arena *arena;
    cc_tape *tape;
    cc_tensor x, w, y, z, range;
    size_t recorded, said;
    char lines[4][512];
    const char *extra; /* label of one more launch, which has a local size of 64 and no alternative */
} fit_test;

static camcl_status record(void *context, cc_arena *arena, camcl_error *e)
{
    fit_test *t = context;
    const cc_variant *variant;
    const cc_launch wide = { .options = "-DWIDTH=1", .dims = 1, .global = { 64 }, .local = { 64 } };
    t->recorded++;
    CC_RETURN_IF_FAILED(cc_tape_create(arena, "test", &t->tape, e));
    CC_RETURN_IF_FAILED(cc_model_choose(&t->model, CC_FORWARD, &desc, &variant, e));
    CC_RETURN_IF_FAILED(cc_variant_record(variant, t->tape, &desc, (cc_tensor[]){ t->x, t->w, t->y }, 3, false, e));
    CC_RETURN_IF_FAILED(
        cc_min_max_forward(t->tape, &images, (cc_tensor){ t->x.buffer, CC_F32, 1, { images.n * images.size } }, t->z, t->range, e));
    if (t->extra == NULL) return CAMCL_OK;
    CC_RETURN_IF_FAILED(cc_tape_label(t->tape, t->extra, e));
    return CC_LAUNCH(t->tape, ema_update, &wide, e, .w = CC_IN(t->w.buffer), .average = CC_INOUT(t->z.buffer), .count = CC_INT(1),
                     .each = CC_INT(1), .decay = CC_FLOAT(1));
}

static camcl_status note_line(void *context, const char *line, camcl_error *e)
{
    fit_test *t = context;
    (void)e;
    assert_true(t->said < CC_COUNT(t->lines));
    snprintf(t->lines[t->said++], sizeof t->lines[0], "%s", line);
    return CAMCL_OK;
}

static cc_tensor tensor(fit_test *t, const char *name, unsigned rank, const size_t *dim, bool filled)
{
    cc_tensor out;
    GOOD(cc_tensor_create(t->device, name, CC_F32, rank, dim, &out, &err));
    float *numbers = random_floats(cc_tensor_count(&out), 7);
    if (filled) GOOD(cc_buffer_write(out.buffer, 0, numbers, cc_tensor_bytes(&out), &err));
    free(numbers);
    return out;
}

/* Poses as a GPU whose kernels get `items` work-items. */
static void begin_fit(fit_test *t, const char *selector, size_t items)
{
    const camcl_device_options options = { .select = selector, .conv = "direct", .tune = "off" };
    memset(t, 0, sizeof *t);
    if (camcl_device_open(&options, &t->device, &err) != CAMCL_OK) fail_msg("%s: %s", selector, err.message);
    t->device->info.type = CAMCL_GPU;
    t->device->group.items = items;
    t->model.device = t->device;
    t->x = tensor(t, "x", CC_DIMS(desc.n, desc.h, desc.w, desc.c), true);
    t->w = tensor(t, "w", CC_DIMS(desc.r, desc.s, desc.c, desc.k), true);
    t->y = tensor(t, "y", CC_DIMS(desc.n, desc.h, desc.w, desc.k), false);
    t->z = tensor(t, "z", CC_DIMS(images.n * images.size), false);
    t->range = tensor(t, "range", CC_DIMS(4 * images.n), false);
    GOOD(cc_arena_create(t->device, &t->arena, &err));
}

static void end_fit(fit_test *t)
{
    cc_tensor *const tensors[] = { &t->x, &t->w, &t->y, &t->z, &t->range };
    for (size_t i = 0; i < CC_COUNT(tensors); i++)
        cc_buffer_destroy(&tensors[i]->buffer);
    cc_arena_destroy(&t->arena);
    cc_plan_clear(&t->model.plan);
    camcl_device_close(&t->device);
}

static camcl_status commit(fit_test *t)
{
    t->recorded = t->said = 0;
    return cc_model_commit(&t->model, t->arena, &(cc_recording){ record, note_line, t }, &err);
}

static void check_convolution(fit_test *t)
{
    const ref_conv2d ref = { desc.n, desc.h, desc.w, desc.c, desc.k, desc.r, desc.s, desc.stride, desc.pad, desc.groups };
    const size_t count = cc_tensor_count(&t->y);
    float *x = random_floats(cc_tensor_count(&t->x), 7), *w = random_floats(cc_tensor_count(&t->w), 7), *y = malloc(count * sizeof *y);
    double *want = malloc(count * sizeof *want), *magnitude = malloc(count * sizeof *magnitude);
    assert_true(y && want && magnitude);
    GOOD(cc_tape_run(t->tape, &err));
    GOOD(cc_buffer_read(t->y.buffer, 0, y, count * sizeof *y, &err));
    ref_conv2d_forward(&ref, x, w, want, magnitude);
    check_close(y, want, count, 1e-5, 1e-5, "y");
    free(x);
    free(w);
    free(y);
    free(want);
    free(magnitude);
}

static bool is_said(const fit_test *t, const char *line)
{
    for (size_t i = 0; i < t->said; i++)
        if (strcmp(t->lines[i], line) == 0) return true;
    return false;
}

static void print_lines(const fit_test *t)
{
    for (size_t i = 0; i < t->said; i++)
        printf("%s\n", t->lines[i]);
}

static void replace(camcl_device *device, void *context)
{
    fit_test t;
    (void)context;
    begin_fit(&t, camcl_device_get_info(device)->selector, 64);
    const cc_variant *first = cc_conv2d_choose(&t.device->info, "direct", CC_FORWARD, &desc);
    assert_non_null(strstr(first->name, "local")); /* which has groups of 128 or 256 work-items */
    GOOD(commit(&t));
    print_lines(&t);
    /* Both sizes of tiles, one after the other, and the 128 work-items of a min-max group. */
    assert_int_equal(t.recorded, 3);
    assert_int_equal(t.said, 3);
    char line[512];
    snprintf(line, sizeof line, "kernels: " KEY ": %s needs ", first->name);
    assert_memory_equal(t.lines[0], line, strlen(line));
    assert_true(is_said(&t, "kernels: min_max forward: group needs 128 work-items, the device has 64: using another kernel"));
    assert_non_null(strstr(t.lines[2], " work-items, the device has 64: using general"));
    assert_int_equal(t.model.plan.count, 1);
    assert_string_equal(t.model.plan.entries[0].key, KEY);
    assert_string_equal(t.model.plan.entries[0].variant, "general");
    check_convolution(&t);
    /* Afterwards the device knows. */
    cc_plan_clear(&t.model.plan);
    GOOD(commit(&t));
    assert_int_equal(t.recorded, 1);
    assert_int_equal(t.said, 0);
    assert_string_equal(t.model.plan.entries[0].variant, "general");
    end_fit(&t);
}

static void variants_that_do_not_fit_are_replaced(void **state)
{
    (void)state;
    for_each_device(replace, NULL);
}

static void replace_saved(camcl_device *device, void *context)
{
    fit_test t;
    (void)context;
    begin_fit(&t, camcl_device_get_info(device)->selector, 64);
    GOOD(cc_plan_parse(&t.model.plan, KEY " = local_small\nanother = general\n", &err));
    GOOD(commit(&t));
    print_lines(&t);
    assert_non_null(strstr(t.lines[0], KEY ": local_small needs "));
    assert_non_null(strstr(t.lines[0], "its last bits may differ"));
    assert_int_equal(t.model.plan.count, 2);
    assert_string_equal(t.model.plan.entries[0].key, KEY);
    assert_string_equal(t.model.plan.entries[0].variant, "general");
    check_convolution(&t);
    end_fit(&t);
    /* Where it fits it stays, and nobody says anything. */
    begin_fit(&t, camcl_device_get_info(device)->selector, 256);
    GOOD(cc_plan_parse(&t.model.plan, KEY " = local_small\n", &err));
    GOOD(commit(&t));
    assert_int_equal(t.recorded, 1);
    assert_int_equal(t.said, 0);
    assert_string_equal(t.model.plan.entries[0].variant, "local_small");
    end_fit(&t);
}

static void saved_plans_are_replaced_with_a_warning(void **state)
{
    (void)state;
    for_each_device(replace_saved, NULL);
}

static void give_up(camcl_device *device, void *context)
{
    fit_test t;
    const char *const labels[] = { "made up = only", "" };
    (void)context;
    for (size_t i = 0; i < CC_COUNT(labels); i++) {
        begin_fit(&t, camcl_device_get_info(device)->selector, 32);
        t.extra = labels[i];
        assert_int_equal(commit(&t), CAMCL_UNSUPPORTED);
        assert_true(t.recorded <= 3);
        assert_non_null(strstr(err.detail, "ema_update -DWIDTH=1 needs 64 work-items, the device has 32"));
        assert_false(cc_arena_is_committed(t.arena));
        end_fit(&t);
    }
}

static void without_an_alternative_the_error_stays(void **state)
{
    (void)state;
    for_each_device(give_up, NULL);
}

/* Timings decide only among variants that fit. */
static void timed(camcl_device *device, void *context)
{
    cc_choice *choice;
    const cc_variant *got;
    fit_test t;
    (void)context;
    begin_fit(&t, camcl_device_get_info(device)->selector, 128);
    GOOD(cc_choice_of(t.device, &choice, &err));
    GOOD(cc_timings_add(&choice->timings, KEY, "local_small", 1, &err));
    GOOD(cc_timings_add(&choice->timings, KEY, "local", 2, &err));
    choice->mode = CC_TUNE_CACHE;
    GOOD(cc_model_choose(&t.model, CC_FORWARD, &desc, &got, &err));
    assert_string_equal(got->name, "local_small");
    GOOD(commit(&t));
    assert_string_equal(t.model.plan.entries[0].variant, "local");
    end_fit(&t);
}

static void timings_decide_among_those_that_fit(void **state)
{
    (void)state;
    for_each_device(timed, NULL);
}

/* Counts the launches of convolutions that apply a batch norm, and with `mark` sees to it that the device takes them for unfit. */
static size_t count_fused(cc_model *model, bool mark)
{
    enum { BATCH = 2, SIDE = 16 };
    cc_arena *arena;
    cc_tape *tape;
    cc_pass *pass;
    cc_tensor input;
    launch_test t;
    size_t fused = 0;
    const cc_pass_spec spec = { BATCH, SIDE, SIDE, .frozen_from = 1 };
    GOOD(cc_arena_create(model->device, &arena, &err));
    GOOD(cc_tape_create(arena, "evaluation", &tape, &err));
    GOOD(cc_tensor_on_tape(tape, "input", CC_F32, CC_DIMS(BATCH, SIDE, SIDE, 3), &input, &err));
    GOOD(cc_pass_create(model->main, tape, &spec, &pass, &err));
    GOOD(cc_pass_forward(pass, input, &err));
    for (size_t s = 0; s < tape->count; s++) {
        const char *label = tape->steps[s].scope ? tape->labels[tape->steps[s].scope - 1] : "";
        if (strncmp(label, "conv2d_affine ", 14) != 0) continue;
        fused++;
        if (!mark) continue;
        begin_launch(&t, model->device, label, (const size_t[]){ 2, 1, 1 });
        model->device->group.items = 1;
        assert_int_equal(cc_arena_commit(t.test.arena, &err), CAMCL_UNSUPPORTED);
        model->device->group.items = 2;
        end_launch(&t);
    }
    cc_pass_destroy(&pass);
    cc_arena_destroy(&arena);
    return fused;
}

static void fuse(camcl_device *device, void *context)
{
    const cc_graph_spec spec = { "resnet18", "cifar", 8, 10, 3 };
    cc_model *model;
    (void)context;
    GOOD(cc_model_create(device, &spec, &model, &err));
    const size_t fused = count_fused(model, true);
    if (cc_likes_long_items(camcl_device_get_info(device))) assert_true(fused > 0);
    assert_int_equal(count_fused(model, false), 0);
    cc_model_destroy(&model);
}

static void batch_norm_is_computed_apart_where_the_fused_kernel_does_not_fit(void **state)
{
    (void)state;
    for_each_device(fuse, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_sizes_are_checked),
        cmocka_unit_test(chosen_sizes_are_lowered),
        cmocka_unit_test(local_memory_and_required_sizes_are_checked),
        cmocka_unit_test(incomplete_sizes_are_refused),
        cmocka_unit_test(variants_that_do_not_fit_are_replaced),
        cmocka_unit_test(saved_plans_are_replaced_with_a_warning),
        cmocka_unit_test(without_an_alternative_the_error_stays),
        cmocka_unit_test(timings_decide_among_those_that_fit),
        cmocka_unit_test(batch_norm_is_computed_apart_where_the_fused_kernel_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
