/* Measuring the device's peak rates with cl/peak.cl. */
#include "ops/peak.h"

#include <float.h>
#include <stdio.h>

#include "base/file.h"
#include "base/memory.h"
#include "device/kernel_bindings.h"
#include "ops/record.h"

/* A launch of this length shows the rate, and is far from what drivers of screens allow. */
#define LONG_ENOUGH 0.03
enum { RUNS = 5, UNROLLED = 8, MOST_TURNS = 32768 /* llvmpipe ends a work-item's loops after 65535 */ };

/* One tape with a single launch; *seconds: the best of `runs` after one for warming up. */
static camcl_status time_launch(camcl_device *device, const cc_kernel *kernel, const cc_arg *args, const cc_launch *launch, unsigned runs,
                                double *seconds, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_arena *arena = NULL;
    cc_tape *tape;
    const cc_buffer *out = NULL;
    float first;
    for (size_t i = 0; i < kernel->count; i++)
        if (args[i].kind == CC_ARG_WRITE) out = args[i].buffer;
    *seconds = DBL_MAX;
    CC_TRY(cc_arena_create(device, &arena, err));
    CC_TRY(cc_tape_create(arena, "peak", &tape, err));
    CC_TRY(cc_tape_launch(tape, kernel, args, launch, err));
    CC_TRY(cc_arena_commit(arena, err));
    for (unsigned i = 0; i <= runs; i++) {
        CC_TRY(cc_device_finish(device, err));
        const double start = cc_seconds();
        CC_TRY(cc_tape_run(tape, err));
        /* Reading waits on every driver; some return from clFinish before kernels ran. */
        CC_TRY(cc_buffer_read(out, 0, &first, sizeof first, err));
        const double took = cc_seconds() - start;
        if (i > 0 && took < *seconds) *seconds = took;
    }
cleanup:
    cc_arena_destroy(&arena);
    return status;
}

#define FMA(buffer, count) CC_BIND(peak_fma, .out = CC_OUT(buffer), .a = CC_FLOAT(0.999f), .b = CC_FLOAT(0.001f), .turns = CC_INT(count))

/* The rate with `accumulators` independent sums: more of them hide more latency, until registers run out. */
static camcl_status fma_rate(camcl_device *device, unsigned accumulators, double *gflops, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const camcl_device_info *info = camcl_device_get_info(device);
    const bool cpu = cc_likes_long_items(info);
    const size_t width = cpu ? info->vector_width : 1, units = cc_max_size(info->compute_units, 1),
                 local = cc_min_size(64, info->max_work_group);
    const size_t items = cpu ? units * 4 : units * local * 32;
    char options[64];
    cc_buffer *out = NULL;
    double seconds = 0;
    snprintf(options, sizeof options, "%s -DACCUMULATORS=%u", cpu ? cc_vector_options(info) : "-DWIDTH=1", accumulators);
    CC_TRY(cc_buffer_create(device, items * width * sizeof(float), "peak", &out, err));
    const cc_launch launch = { .options = options, .dims = 1, .global = { items }, .local = { cpu ? 1 : local } };
    size_t turns = 256;
    for (;;) {
        CC_TRY(time_launch(device, FMA(out, turns), &launch, 1, &seconds, err));
        const bool enough = seconds >= LONG_ENOUGH || turns >= MOST_TURNS;
        if (enough) CC_TRY(time_launch(device, FMA(out, turns), &launch, RUNS, &seconds, err));
        *gflops = 2.0 * (double)(items * width * turns * UNROLLED * accumulators) / seconds * 1e-9;
        if (enough) break;
        turns = cc_min_size(turns * (seconds < LONG_ENOUGH / 16 ? 8 : 2), MOST_TURNS);
    }
cleanup:
    cc_buffer_destroy(&out);
    return status;
}

/* y = x and y = x + f z over `bytes` each. */
static camcl_status stream(camcl_device *device, size_t bytes, unsigned runs, double *copy, double *triad, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const camcl_device_info *info = camcl_device_get_info(device);
    const bool cpu = cc_likes_long_items(info);
    const size_t width = cpu ? info->vector_width : 4, vectors = bytes / (width * sizeof(float));
    const cc_work_split split = cc_split_work(info, vectors, 64);
    const cc_launch launch = { .options = cpu ? cc_vector_options(info) : "-DWIDTH=4", .dims = 1, .global = { split.items } };
    cc_buffer *x = NULL, *y = NULL, *z = NULL;
    CC_TRY(cc_buffer_create(device, bytes, "peak", &x, err));
    CC_TRY(cc_buffer_create(device, bytes, "peak", &y, err));
    CC_TRY(cc_buffer_create(device, bytes, "peak", &z, err));
    CC_TRY(time_launch(device, CC_BIND(peak_copy, .x = CC_IN(x), .y = CC_OUT(y), .vectors = CC_INT(vectors), .each = CC_INT(split.each)),
                       &launch, runs, copy, err));
    CC_TRY(time_launch(device,
                       CC_BIND(peak_triad, .x = CC_IN(x), .z = CC_IN(z), .y = CC_OUT(y), .factor = CC_FLOAT(0.5f),
                               .vectors = CC_INT(vectors), .each = CC_INT(split.each)),
                       &launch, runs, triad, err));
cleanup:
    cc_buffer_destroy(&x);
    cc_buffer_destroy(&y);
    cc_buffer_destroy(&z);
    return status;
}

/* Buffers grow until caches are out of the question, unless the device is so slow that the first size takes long enough. */
static camcl_status bandwidth(camcl_device *device, cc_peak *out, camcl_error *err)
{
    const camcl_device_info *info = camcl_device_get_info(device);
    const size_t most = cc_max_size(cc_min_size((size_t)256 << 20, cc_min_size(info->max_alloc / 2, info->global_mem / 16)) / 64 * 64, 64);
    size_t bytes = cc_min_size((size_t)8 << 20, most);
    double copy, triad;
    CC_RETURN_IF_FAILED(stream(device, bytes, 1, &copy, &triad, err));
    if (copy < LONG_ENOUGH && bytes < most) bytes = most;
    CC_RETURN_IF_FAILED(stream(device, bytes, RUNS, &copy, &triad, err));
    out->copy_gbytes_per_s = 2.0 * (double)bytes / copy * 1e-9;
    out->triad_gbytes_per_s = 3.0 * (double)bytes / triad * 1e-9;
    return CAMCL_OK;
}

camcl_status cc_peak_measure(camcl_device *device, cc_peak *out, camcl_error *err)
{
    static const unsigned accumulators[] = { 6, 12 };
    out->gflops = 0;
    for (size_t i = 0; i < CC_COUNT(accumulators); i++) {
        double gflops;
        CC_RETURN_IF_FAILED(fma_rate(device, accumulators[i], &gflops, err));
        if (gflops > out->gflops) out->gflops = gflops;
    }
    return bandwidth(device, out, err);
}
