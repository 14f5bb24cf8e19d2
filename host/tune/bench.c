/* Timing the device, and whole steps on random inputs. */
#include "tune/bench.h"

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
#include "model/arch.h"
#include "model/fit.h"
#include "ops/peak.h"

enum { CLASSES = 10, CHANNELS = 3, IMAGES = 256 };

static camcl_status random_images(cc_bench *b, camcl_device *device, size_t size, camcl_error *err)
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
    cc_resident_spec spec = { .pixels = pixels,
                              .labels = labels,
                              .count = IMAGES,
                              .height = size,
                              .width = size,
                              .channels = CHANNELS,
                              .mean = b->settings.mean,
                              .std = b->settings.std,
                              .name = "images" };
    CC_TRY(cc_resident_create(device, &spec, &b->images, err));
cleanup:
    free(pixels);
    return status;
}

/* Every step gets the same views: what is timed is the device's work, and training draws views while the device works. */
static camcl_status make_draws(cc_bench *b, camcl_error *err)
{
    const cc_step_spec *step = &b->settings.step;
    const size_t n = cc_max_size(step->batch_labeled, step->batch_unlabeled),
                 unlabeled = cc_objective_learns_unlabeled(step->objective.kind);
    CC_RETURN_IF_FAILED(CC_NEW(n, &b->sources, err));
    for (size_t i = 0; i < n; i++)
        b->sources[i] = (uint32_t)(i % IMAGES);
    CC_RETURN_IF_FAILED(cc_draws_create(&b->settings.augment, step->batch_labeled, unlabeled ? step->batch_unlabeled : 0,
                                        cc_objective_has_cams(&step->objective), &b->draws, err));
    cc_draw_labeled(&b->settings.augment, 0, b->sources, &b->draws);
    cc_draw_unlabeled(&b->settings.augment, 0, b->sources, &b->draws);
    return CAMCL_OK;
}

void cc_bench_close(cc_bench *b)
{
    cc_session_destroy(&b->infer);
    cc_arena_destroy(&b->arena);
    cc_step_destroy(&b->step);
    cc_model_destroy(&b->model);
    cc_resident_destroy(&b->images);
    cc_draws_free(&b->draws);
    free(b->sources);
}

bool cc_bench_is_infer(const char *name) { return strcmp(name, CAMCL_BENCH_INFER) == 0; }

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
    cc_bench *b = context;
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

camcl_status cc_bench_open(cc_bench *b, camcl_device *device, const camcl_config *config, const char *name, const cc_part *own,
                           size_t align, camcl_error *err)
{
    cc_graph *graph;
    const cc_objective_kind *kind = cc_objective_find(cc_bench_is_infer(name) ? camcl_config_string(config, "ssl.mode") : name);
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
    if (own) b->settings.step.own = *own;
    CC_RETURN_IF_FAILED(random_images(b, device, b->settings.step.image_size, err));
    CC_RETURN_IF_FAILED(make_draws(b, err));
    CC_RETURN_IF_FAILED(cc_graph_build(&b->settings.graph, align / sizeof(float), &graph, err));
    CC_RETURN_IF_FAILED(cc_model_create_from(device, &graph, &b->model, err));
    CC_RETURN_IF_FAILED(cc_model_init(b->model, 1, err));
    const cc_session_spec infer = { .kind = CC_SESSION_FORWARD, .batch = IMAGES, .image_size = b->settings.step.image_size };
    if (cc_bench_is_infer(name)) return cc_session_create(b->model, &infer, b->images, NULL, &b->infer, err);
    CC_RETURN_IF_FAILED(cc_arena_create(device, &b->arena, err));
    return cc_model_commit(b->model, b->arena, &(cc_recording){ record_step, NULL, b }, err);
}

cc_step_input cc_bench_input(const cc_bench *b)
{
    cc_step_input input = cc_step_input_of(&b->draws, 0.01f, -FLT_MAX);
    input.ramp = 1;
    return input;
}

camcl_status cc_bench_run(cc_bench *b, camcl_device *device, camcl_error *err)
{
    cc_readback *sums = NULL;
    cc_step_sums read;
    if (b->infer) {
        const cc_session_input images = { .n = IMAGES };
        return cc_session_run(b->infer, &images, &(cc_session_output){ .logits = NULL }, err);
    }
    const cc_step_input input = cc_bench_input(b);
    CC_RETURN_IF_FAILED(cc_step_run(b->step, &input, &sums, err));
    CC_RETURN_IF_FAILED(cc_step_read(&sums, &read, err));
    return cc_device_finish(device, err);
}

size_t cc_bench_images(const cc_bench *b, const char *name)
{
    const cc_step_spec *step = &b->settings.step;
    return cc_bench_is_infer(name)
               ? IMAGES
               : step->batch_labeled + (cc_objective_learns_unlabeled(step->objective.kind) ? step->batch_unlabeled : 0);
}

camcl_status camcl_bench_step(camcl_device *device, const camcl_config *config, const char *name, unsigned repeat, camcl_step_time *out,
                              camcl_error *err)
{
    CC_CHECK_GIVEN(device, err);
    CC_CHECK_GIVEN(config, err);
    CC_CHECK_GIVEN(name, err);
    CC_CHECK_GIVEN(out, err);
    camcl_status status = CAMCL_OK;
    cc_bench b;
    double best = DBL_MAX;
    if (repeat == 0) return cc_fail(err, CAMCL_BAD_CONFIG, "bench: 0 steps to time (give at least one)");
    cc_device_reset_peak(device);
    CC_TRY(cc_bench_open(&b, device, config, name, NULL, camcl_device_get_info(device)->base_align, err));
    for (unsigned i = 0; i < CC_BENCH_WARM_UP + repeat; i++) {
        double start = cc_seconds();
        CC_TRY(cc_bench_run(&b, device, err));
        double seconds = cc_seconds() - start;
        if (i >= CC_BENCH_WARM_UP && seconds < best) best = seconds;
    }
    *out = (camcl_step_time){ best * 1e3, (double)cc_bench_images(&b, name) / best, cc_device_peak_bytes(device), 0, 0, 0 };
cleanup:
    cc_bench_close(&b);
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
