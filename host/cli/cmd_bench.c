/* camcl bench: timing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "camcl/bench.h"
#include "cli.h"

enum { REPEAT = 5 };

static const char *const names[] = { "supervised", "pseudo-label", "gradcam", "infer" };

static camcl_status bench_peak(const cli_bench_args *args, camcl_device *device, const camcl_config *config, camcl_error *err)
{
    (void)config;
    camcl_peak p;
    if (!args->json) printf("%s\n", camcl_device_reason(device));
    fflush(stdout);
    camcl_status status = camcl_bench_peak(device, &p, err);
    if (status != CAMCL_OK) return status;
    if (args->json) {
        printf("{\"device\": ");
        cli_json_string(camcl_device_get_info(device)->name);
        printf(", \"gflops\": %.6g, \"gbytes_per_s\": %.6g, \"copy_gbytes_per_s\": %.6g, \"triad_gbytes_per_s\": %.6g}\n", p.gflops,
               p.gbytes_per_s, p.copy_gbytes_per_s, p.triad_gbytes_per_s);
    } else {
        printf("%10.1f  GFLOP/s of float32 multiply-adds\n%10.1f  GB/s copying\n%10.1f  GB/s in y = x + f z\n", p.gflops,
               p.copy_gbytes_per_s, p.triad_gbytes_per_s);
    }
    return CAMCL_OK;
}

static camcl_status bench_step(const cli_bench_args *args, camcl_device *device, const camcl_config *config, camcl_error *err)
{
    if (args->json) {
        printf("{\"device\": ");
        cli_json_string(camcl_device_get_info(device)->name);
    } else {
        printf("%s\n%-13s %12s %12s %14s\n", camcl_device_reason(device), "step", "ms/step", "images/s", "peak bytes");
    }
    for (int mode = CAMCL_BENCH_SUPERVISED; mode <= CAMCL_BENCH_INFER; mode++) {
        camcl_step_time t;
        camcl_status status = camcl_bench_step(device, config, (camcl_bench_mode)mode, REPEAT, &t, err);
        if (status != CAMCL_OK) return status;
        if (args->json)
            printf(", \"%s\": {\"ms_per_step\": %.6g, \"images_per_s\": %.6g, \"peak_bytes\": %zu}", names[mode], t.ms_per_step,
                   t.images_per_s, t.peak_bytes);
        else printf("%-13s %12.1f %12.1f %14zu\n", names[mode], t.ms_per_step, t.images_per_s, t.peak_bytes);
        fflush(stdout);
    }
    if (args->json) printf("}\n");
    return CAMCL_OK;
}

/* Where a gradcam step's time goes. */
static camcl_status bench_ops(const cli_bench_args *args, camcl_device *device, const camcl_config *config, camcl_error *err)
{
    camcl_kernel_time *rows = NULL;
    size_t count = 0;
    double total = 0;
    camcl_status status = camcl_bench_kernels(device, config, CAMCL_BENCH_GRADCAM, &rows, &count, err);
    if (status != CAMCL_OK) return status;
    for (size_t i = 0; i < count; i++) total += rows[i].ms;
    if (args->json) printf("[");
    else printf("%s\n%10s %6s %8s %9s %9s  %s\n", camcl_device_reason(device), "ms", "%", "launches", "GFLOP/s", "GB/s", "kernel");
    for (size_t i = 0; i < count; i++) {
        if (!args->json) {
            printf("%10.2f %6.1f %8zu %9.1f %9.1f  %s\n", rows[i].ms, 100 * rows[i].ms / total, rows[i].launches, rows[i].gflops,
                   rows[i].gbytes_per_s, rows[i].name);
            continue;
        }
        printf("%s{\"kernel\": ", i ? ",\n " : "\n ");
        cli_json_string(rows[i].name);
        printf(", \"launches\": %zu, \"ms\": %.6g, \"gflops\": %.6g, \"gbytes_per_s\": %.6g}", rows[i].launches, rows[i].ms, rows[i].gflops,
               rows[i].gbytes_per_s);
    }
    if (args->json) printf("\n]\n");
    else printf("%10.2f  in all\n", total);
    free(rows);
    return CAMCL_OK;
}

typedef camcl_status (*benchmark)(const cli_bench_args *args, camcl_device *device, const camcl_config *config, camcl_error *err);
static const struct { const char *name; benchmark run; } benchmarks[] = { { "peak", bench_peak }, { "ops", bench_ops },
                                                                          { "step", bench_step } };

/* The one that was named, or all of them: as JSON one object with a member each. */
static camcl_status run_benchmarks(const cli_bench_args *args, camcl_device *device, const camcl_config *config, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const bool all = args->what == NULL;
    for (size_t i = 0; status == CAMCL_OK && i < sizeof benchmarks / sizeof benchmarks[0]; i++) {
        if (!all && strcmp(args->what, benchmarks[i].name) != 0) continue;
        if (all && args->json) printf("%s\"%s\": ", i ? ", " : "{", benchmarks[i].name);
        else if (all && i) printf("\n");
        status = benchmarks[i].run(args, device, config, err);
    }
    if (all && args->json && status == CAMCL_OK) printf("}\n");
    return status;
}

int cmd_bench(int argc, char **argv)
{
    cli_bench_args args = { .what = NULL };
    camcl_error err = { 0 };
    camcl_config *config = NULL;
    camcl_device *device = NULL;
    camcl_status status = cli_parse_bench(argc, argv, &args, &err);
    if (status == CAMCL_OK) status = cli_configure(NULL, &args.overrides, &config, &err);
    if (status == CAMCL_OK) status = cli_open_device(config, &device, &err);
    if (status == CAMCL_OK) status = run_benchmarks(&args, device, config, &err);
    camcl_device_close(&device);
    camcl_config_destroy(&config);
    cli_list_free(&args.overrides);
    return status == CAMCL_OK ? 0 : cli_fail(&err);
}
