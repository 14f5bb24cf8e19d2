/* Timing the device, and whole steps on random inputs. */
#include "camcl/bench.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arguments.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/rng.h"
#include "config/use_mode.h"
#include "model/fit.h"
#include "ops/peak.h"
#include "infer/session.h"
#include "ops/problem.h"
#include "run/settings.h"

enum { CLASSES = 10, CHANNELS = 3, IMAGES = 256, WARM_UP = 2 };

typedef struct bench {
    cc_settings settings;
    cc_resident *images;
    cc_model *model;
    cc_arena *arena;
    cc_step *step;
    cc_draws draws;
    uint32_t *sources; /* image i mod IMAGES; enough for any of the batches */
    cc_session *infer;
} bench;

static camcl_status random_images(bench *b, camcl_device *device, size_t size, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    uint8_t *pixels = NULL;
    int32_t labels[IMAGES];
    size_t bytes = IMAGES * size * size * CHANNELS;
    cc_rng rng = cc_rng_at(0, CC_RNG_BENCH, 0);
    CC_TRY(CC_NEW(bytes, &pixels, err));
    for (size_t i = 0; i < bytes; i++)
        pixels[i] = (uint8_t)cc_rng_u32(&rng);
    for (size_t i = 0; i < IMAGES; i++)
        labels[i] = (int32_t)cc_rng_below(&rng, CLASSES);
    cc_resident_spec spec = { pixels, labels, IMAGES, size, size, CHANNELS, b->settings.mean, b->settings.std, "images" };
    CC_TRY(cc_resident_create(device, &spec, &b->images, err));
cleanup:
    free(pixels);
    return status;
}

/* Every step gets the same views: what is timed is the device's work, and training draws views while the device works. */
static camcl_status make_draws(bench *b, camcl_error *err)
{
    const cc_step_spec *step = &b->settings.step;
    const size_t n = cc_max_size(step->batch_labeled, step->batch_unlabeled), unlabeled = step->objective.kind->unlabeled;
    CC_RETURN_IF_FAILED(CC_NEW(n, &b->sources, err));
    for (size_t i = 0; i < n; i++)
        b->sources[i] = (uint32_t)(i % IMAGES);
    CC_RETURN_IF_FAILED(cc_draws_create(&b->settings.augment, step->batch_labeled, unlabeled ? step->batch_unlabeled : 0,
                                        cc_objective_has_cams(&step->objective), &b->draws, err));
    cc_draw_labeled(&b->settings.augment, 0, b->sources, &b->draws);
    cc_draw_unlabeled(&b->settings.augment, 0, b->sources, &b->draws);
    return CAMCL_OK;
}

static void bench_close(bench *b)
{
    cc_session_destroy(&b->infer);
    cc_arena_destroy(&b->arena);
    cc_step_destroy(&b->step);
    cc_model_destroy(&b->model);
    cc_resident_destroy(&b->images);
    cc_draws_free(&b->draws);
    free(b->sources);
}

static bool is_infer(const char *name) { return strcmp(name, CAMCL_BENCH_INFER) == 0; }

const char *camcl_bench_name(const camcl_config *config, size_t index)
{
    size_t left = index;
    for (size_t i = 0; i < cc_objective_count(); i++) {
        const cc_objective_kind *kind = cc_objective_at(i);
        if (!kind->benchmarked && !camcl_config_is(config, "ssl.mode", kind->name)) continue;
        if (left-- == 0) return kind->name;
    }
    return left == 0 ? CAMCL_BENCH_INFER : NULL;
}

static camcl_status record_step(void *context, cc_arena *arena, camcl_error *err)
{
    bench *b = context;
    cc_step_destroy(&b->step);
    return cc_step_create(b->model, b->images, &b->settings.step, arena, &b->step, err);
}

/* The settings of a mode: the configuration's, with the defaults that this mode has. */
static camcl_status settings_of(const camcl_config *config, const char *mode, const camcl_dataset_info *data, cc_settings *out,
                                camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    camcl_config *own = NULL;
    CC_TRY(camcl_config_copy(config, &own, err));
    CC_TRY(cc_config_use_mode(own, mode, err));
    CC_TRY(cc_settings_from(own, data, out, err));
cleanup:
    camcl_config_destroy(&own);
    return status;
}

static camcl_status bench_open(bench *b, camcl_device *device, const camcl_config *config, const char *name, camcl_error *err)
{
    const cc_objective_kind *kind = cc_objective_find(is_infer(name) ? camcl_config_string(config, "ssl.mode") : name);
    const camcl_dataset_info data = { .name = "random",
                                      .height = 32,
                                      .width = 32,
                                      .channels = CHANNELS,
                                      .classes = CLASSES,
                                      .mean = { 0.5f, 0.5f, 0.5f },
                                      .std = { 0.25f, 0.25f, 0.25f } };
    memset(b, 0, sizeof *b);
    if (kind == NULL)
        return cc_fail(err, CAMCL_BAD_CONFIG, "benchmark %s: unknown (choose a word of ssl.mode, or %s)", name, CAMCL_BENCH_INFER);
    CC_RETURN_IF_FAILED(settings_of(config, kind->name, &data, &b->settings, err));
    CC_RETURN_IF_FAILED(random_images(b, device, b->settings.step.image_size, err));
    CC_RETURN_IF_FAILED(make_draws(b, err));
    CC_RETURN_IF_FAILED(cc_model_create(device, &b->settings.graph, &b->model, err));
    CC_RETURN_IF_FAILED(cc_model_init(b->model, 1, err));
    const cc_session_spec infer = { .kind = CC_SESSION_FORWARD, .batch = IMAGES, .image_size = b->settings.step.image_size };
    if (is_infer(name)) return cc_session_create(b->model, &infer, b->images, NULL, &b->infer, err);
    CC_RETURN_IF_FAILED(cc_arena_create(device, &b->arena, err));
    return cc_model_commit(b->model, b->arena, &(cc_recording){ record_step, NULL, b }, err);
}

static camcl_status run_once(bench *b, camcl_device *device, camcl_error *err)
{
    cc_readback *sums = NULL;
    cc_step_sums read;
    if (b->infer) {
        const cc_session_input images = { .n = IMAGES };
        return cc_session_run(b->infer, &images, &(cc_session_output){ .logits = NULL }, err);
    }
    cc_step_input input = cc_step_input_of(&b->draws, 0.01f, -FLT_MAX);
    input.ramp = 1;
    CC_RETURN_IF_FAILED(cc_step_run(b->step, &input, &sums, err));
    CC_RETURN_IF_FAILED(cc_step_read(&sums, &read, err));
    return cc_device_finish(device, err);
}

camcl_status camcl_bench_step(camcl_device *device, const camcl_config *config, const char *name, unsigned repeat, camcl_step_time *out,
                              camcl_error *err)
{
    CC_CHECK_GIVEN(device, err);
    CC_CHECK_GIVEN(config, err);
    CC_CHECK_GIVEN(name, err);
    CC_CHECK_GIVEN(out, err);
    camcl_status status = CAMCL_OK;
    bench b;
    double best = DBL_MAX;
    cc_device_reset_peak(device);
    CC_TRY(bench_open(&b, device, config, name, err));
    for (unsigned i = 0; i < WARM_UP + repeat; i++) {
        double start = cc_seconds();
        CC_TRY(run_once(&b, device, err));
        double seconds = cc_seconds() - start;
        if (i >= WARM_UP && seconds < best) best = seconds;
    }
    size_t images = is_infer(name)
                        ? IMAGES
                        : b.settings.step.batch_labeled + (b.settings.step.objective.kind->unlabeled ? b.settings.step.batch_unlabeled : 0);
    *out = (camcl_step_time){ best * 1e3, (double)images / best, cc_device_peak_bytes(device) };
cleanup:
    bench_close(&b);
    return status;
}

camcl_status camcl_bench_peak(camcl_device *device, camcl_peak *out, camcl_error *err)
{
    CC_CHECK_GIVEN(device, err);
    CC_CHECK_GIVEN(out, err);
    cc_peak peak;
    CC_RETURN_IF_FAILED(cc_peak_measure(device, &peak, err));
    const double copy = peak.copy_gbytes_per_s, triad = peak.triad_gbytes_per_s;
    *out = (camcl_peak){ peak.gflops, copy > triad ? copy : triad, copy, triad };
    return CAMCL_OK;
}

/* ---- one step by operation and by kernel */

static int op_by_time(const void *a, const void *b)
{
    const camcl_op_time *x = a, *y = b;
    return x->ms < y->ms ? 1 : x->ms > y->ms ? -1 : strcmp(x->shape, y->shape);
}

static int kernel_by_time(const void *a, const void *b)
{
    const camcl_kernel_time *x = a, *y = b;
    return x->ms < y->ms ? 1 : x->ms > y->ms ? -1 : strcmp(x->name, y->name);
}

/* Profiles `tape` and adds its rows to *rows; a `label` replaces theirs. */
static camcl_status add_profile(cc_tape *tape, const char *label, cc_profile_row **rows, size_t *count, size_t *capacity, camcl_error *err)
{
    enum { RUNS = 3 };
    cc_profile_row *more = NULL;
    size_t added = 0;
    CC_RETURN_IF_FAILED(cc_tape_profile(tape, RUNS, &more, &added, err));
    camcl_status status = cc_grow((void **)rows, capacity, *count + added, sizeof **rows, err);
    for (size_t i = 0; status == CAMCL_OK && i < added; i++) {
        (*rows)[*count] = more[i];
        if (label) snprintf((*rows)[*count].label, sizeof more[i].label, "%s", label);
        ++*count;
    }
    free(more);
    return status;
}

/* The rows of the step's tapes, and of the tape that refreshes weight layouts. The caller frees *rows, also after a failure. */
static camcl_status profile(bench *b, cc_profile_row **rows, size_t *count, camcl_error *err)
{
    size_t capacity = 0;
    if (b->infer) return add_profile(cc_session_tape(b->infer), NULL, rows, count, &capacity, err);
    for (size_t i = 0; i < CC_STEP_TAPES; i++)
        CC_RETURN_IF_FAILED(add_profile(cc_step_tape(b->step, i), NULL, rows, count, &capacity, err));
    if (b->model->main->pack_arena == NULL) return CAMCL_OK;
    return add_profile(b->model->main->pack_tape, "conv2d weight-layouts", rows, count, &capacity, err);
}

/* Splits a label "OP DIRECTION SHAPE = VARIANT". A launch without a label gets its kernel's name. */
static void split_label(const cc_profile_row *row, camcl_op_time *op)
{
    char text[sizeof row->label];
    snprintf(text, sizeof text, "%s", row->label);
    char *variant = strstr(text, " = "), *rest = text;
    if (*text == '\0') {
        snprintf(op->op, sizeof op->op, "%s", row->name);
        return;
    }
    if (variant) {
        *variant = '\0';
        snprintf(op->variant, sizeof op->variant, "%s", variant + 3);
    }
    rest += strcspn(rest, " ");
    snprintf(op->op, sizeof op->op, "%.*s", (int)(rest - text), text);
    rest += *rest != '\0';
    const size_t length = strcspn(rest, " ");
    snprintf(op->direction, sizeof op->direction, "%.*s", (int)length, rest);
    snprintf(op->shape, sizeof op->shape, "%s", rest[length] ? rest + length + 1 : "");
}

/* Computes the operation's rates, and the percentage of what the device could reach. flops and bytes: those of its launches, unless the
 * operation knows what it takes. */
static void rate(camcl_op_time *op, double flops, double bytes, const char *label, const camcl_peak *peak)
{
    cc_problem p;
    if (cc_problem_read(label, &p) && p.op->cost) {
        const cc_cost cost = p.op->cost(&p.desc);
        flops = (double)op->uses * cost.flops;
        bytes = (double)op->uses * cost.bytes;
    }
    const double seconds = op->ms * 1e-3, compute = flops / (peak->gflops * 1e9), memory = bytes / (peak->gbytes_per_s * 1e9);
    op->gflops = flops > 0 ? flops / seconds * 1e-9 : NAN;
    op->gbytes_per_s = bytes > 0 ? bytes / seconds * 1e-9 : NAN;
    op->percent = bytes > 0 ? 100 * (compute > memory ? compute : memory) / seconds : flops > 0 ? 100 * compute / seconds : NAN;
}

static camcl_status by_operation(const cc_profile_row *rows, size_t count, camcl_step_profile *out, camcl_error *err)
{
    double other = 0;
    CC_RETURN_IF_FAILED(CC_NEW(cc_max_size(count, 1), &out->ops, err));
    for (size_t i = 0; i < count; i++) {
        size_t before = 0;
        while (strcmp(rows[before].label, rows[i].label) != 0 || (*rows[i].label == '\0' && strcmp(rows[before].name, rows[i].name) != 0))
            before++;
        if (before < i) continue; /* the label's first kernel made this row and gathered all of its kernels */
        camcl_op_time *op = &out->ops[out->op_count++];
        double flops = 0, bytes = 0;
        split_label(&rows[i], op);
        for (size_t j = i; j < count; j++) {
            if (strcmp(rows[j].label, rows[i].label) != 0 || (*rows[i].label == '\0' && strcmp(rows[j].name, rows[i].name) != 0)) continue;
            op->uses = cc_max_size(op->uses, *rows[i].label ? rows[j].uses : rows[j].launches);
            op->ms += rows[j].seconds * 1e3;
            flops += rows[j].flops;
            bytes += rows[j].bytes;
        }
        rate(op, flops, bytes, rows[i].label, &out->peak);
        out->ms += op->ms;
        if (strncmp(op->op, "conv2d", 6) != 0) other += op->ms;
    }
    out->other_percent = 100 * other / out->ms;
    qsort(out->ops, out->op_count, sizeof *out->ops, op_by_time);
    return CAMCL_OK;
}

static camcl_status by_kernel(const cc_profile_row *rows, size_t count, camcl_step_profile *out, camcl_error *err)
{
    CC_RETURN_IF_FAILED(CC_NEW(cc_max_size(count, 1), &out->kernels, err));
    for (size_t i = 0; i < count; i++) {
        size_t k = 0;
        while (k < out->kernel_count && strcmp(out->kernels[k].name, rows[i].name) != 0)
            k++;
        out->kernel_count = cc_max_size(out->kernel_count, k + 1);
        camcl_kernel_time *kernel = &out->kernels[k];
        memcpy(kernel->name, rows[i].name, sizeof kernel->name);
        kernel->launches += rows[i].launches;
        kernel->ms += rows[i].seconds * 1e3;
        kernel->gflops += rows[i].flops;
        kernel->gbytes_per_s += rows[i].bytes;
    }
    for (size_t k = 0; k < out->kernel_count; k++) {
        out->kernels[k].gflops /= out->kernels[k].ms * 1e6;
        out->kernels[k].gbytes_per_s /= out->kernels[k].ms * 1e6;
    }
    qsort(out->kernels, out->kernel_count, sizeof *out->kernels, kernel_by_time);
    return CAMCL_OK;
}

/* Measures the peak again, after the operations, and keeps the higher figures. If other work slowed one measurement of the peak down,
 * every operation would look better than it is. */
static camcl_status peak_again(camcl_device *device, camcl_peak *peak, camcl_error *err)
{
    camcl_peak again;
    CC_RETURN_IF_FAILED(camcl_bench_peak(device, &again, err));
    peak->gflops = fmax(peak->gflops, again.gflops);
    peak->gbytes_per_s = fmax(peak->gbytes_per_s, again.gbytes_per_s);
    peak->copy_gbytes_per_s = fmax(peak->copy_gbytes_per_s, again.copy_gbytes_per_s);
    peak->triad_gbytes_per_s = fmax(peak->triad_gbytes_per_s, again.triad_gbytes_per_s);
    return CAMCL_OK;
}

camcl_status camcl_bench_ops(camcl_device *device, const camcl_config *config, const char *name, camcl_step_profile *out, camcl_error *err)
{
    CC_CHECK_GIVEN(device, err);
    CC_CHECK_GIVEN(config, err);
    CC_CHECK_GIVEN(name, err);
    CC_CHECK_GIVEN(out, err);
    camcl_status status = CAMCL_OK;
    bench b;
    cc_profile_row *rows = NULL;
    size_t count = 0;
    memset(out, 0, sizeof *out);
    memset(&b, 0, sizeof b);
    CC_TRY(camcl_bench_peak(device, &out->peak, err));
    CC_TRY(bench_open(&b, device, config, name, err));
    for (unsigned i = 0; i < WARM_UP; i++)
        CC_TRY(run_once(&b, device, err));
    CC_TRY(profile(&b, &rows, &count, err));
    bench_close(&b); /* frees its memory, which measuring the peak needs */
    memset(&b, 0, sizeof b);
    CC_TRY(peak_again(device, &out->peak, err));
    CC_TRY(by_operation(rows, count, out, err));
    CC_TRY(by_kernel(rows, count, out, err));
cleanup:
    if (status != CAMCL_OK) camcl_step_profile_free(out);
    free(rows);
    bench_close(&b);
    return status;
}

void camcl_step_profile_free(camcl_step_profile *profile)
{
    free(profile->ops);
    free(profile->kernels);
    memset(profile, 0, sizeof *profile);
}
