/* camcl bench: timing. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "camcl/bench.h"
#include "cli.h"

enum { REPEAT = 5 };

/* The devices of the list. Only steps are timed on all of them, together; the rest is of the first. */
typedef struct bench_devices {
    camcl_device **all;
    size_t count;
} bench_devices;

/* Among all benchmarks, what fails leaves a member without a value, so that the document is whole. */
static camcl_status without_value(const cli_bench_args *args, camcl_status status)
{
    if (args->json && args->what == NULL) printf("null");
    return status;
}

static camcl_status bench_peak(const cli_bench_args *args, const bench_devices *devices, const camcl_config *config, camcl_error *err)
{
    (void)config;
    camcl_device *const device = devices->all[0];
    camcl_peak p;
    if (!args->json) printf("%s\n", camcl_device_reason(device));
    fflush(stdout);
    camcl_status status = camcl_bench_peak(device, &p, err);
    if (status != CAMCL_OK) return without_value(args, status);
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

/* several: with what the devices exchange. */
static void print_json(const char *name, const camcl_step_time *t, bool several)
{
    printf(", \"%s\": {\"ms_per_step\": %.6g, \"images_per_s\": %.6g, \"peak_bytes\": %zu", name, t->ms_per_step, t->images_per_s,
           t->peak_bytes);
    if (several)
        printf(", \"blocking_allreduces\": %zu, \"overlapped_allreduces\": %zu, \"exchanged_bytes\": %zu", t->blocking_allreduces,
               t->overlapped_allreduces, t->exchanged_bytes);
    printf("}");
}

static void print_row(const char *name, const camcl_step_time *t, bool several)
{
    printf("%-13s %12.1f %12.1f %14zu", name, t->ms_per_step, t->images_per_s, t->peak_bytes);
    if (several) printf(" %12zu %11zu %16zu", t->blocking_allreduces, t->overlapped_allreduces, t->exchanged_bytes);
    printf("\n");
}

static camcl_status bench_step(const cli_bench_args *args, const bench_devices *d, const camcl_config *config, camcl_error *err)
{
    camcl_device *const *devices = d->all;
    const size_t count = d->count;
    if (args->json) {
        printf("{\"device\": ");
        cli_json_string(camcl_device_get_info(devices[0])->name);
        if (count > 1) printf(", \"devices\": %zu", count);
    } else {
        for (size_t i = 0; i < count; i++)
            printf("%s\n", camcl_device_reason(devices[i]));
        printf("%-13s %12s %12s %14s", "step", "ms/step", "images/s", "peak bytes");
        printf(count > 1 ? " %12s %11s %16s\n" : "\n", "all-reduces", "overlapped", "exchanged bytes");
    }
    for (size_t i = 0; camcl_bench_name(config, i); i++) {
        const char *name = camcl_bench_name(config, i);
        camcl_step_time t;
        camcl_status status = camcl_bench_step_together(devices, count, config, name, REPEAT, &t, err);
        if (status != CAMCL_OK) {
            if (args->json) printf("}\n"); /* what was timed is whole */
            return status;
        }
        if (args->json)
            print_json(name, &t, count > 1);
        else
            print_row(name, &t, count > 1);
        fflush(stdout);
    }
    if (args->json) printf("}\n");
    return CAMCL_OK;
}

/* Prints ", "NAME": NUMBER". */
static void json_member(const char *name, double value)
{
    printf(", \"%s\": ", name);
    cli_json_number(value);
}

static void ops_as_json(const camcl_step_profile *p, const char *device)
{
    printf("{\"device\": ");
    cli_json_string(device);
    json_member("peak_gflops", p->peak.gflops);
    json_member("peak_gbytes_per_s", p->peak.gbytes_per_s);
    json_member("ms", p->ms);
    json_member("other_percent", p->other_percent);
    printf(",\n \"ops\": [");
    for (size_t i = 0; i < p->op_count; i++) {
        const camcl_op_time *o = &p->ops[i];
        const char *const texts[][2] = { { "op", o->op }, { "direction", o->direction }, { "shape", o->shape }, { "variant", o->variant } };
        printf("%s{", i ? ",\n  " : "\n  ");
        for (int t = 0; t < 4; t++) {
            printf("%s\"%s\": ", t ? ", " : "", texts[t][0]);
            cli_json_string(*texts[t][1] ? texts[t][1] : NULL);
        }
        printf(", \"uses\": %zu", o->uses);
        json_member("ms", o->ms);
        json_member("gflops", o->gflops);
        json_member("gbytes_per_s", o->gbytes_per_s);
        json_member("percent_of_peak", o->percent);
        printf("}");
    }
    printf("],\n \"kernels\": [");
    for (size_t i = 0; i < p->kernel_count; i++) {
        printf("%s{\"kernel\": ", i ? ",\n  " : "\n  ");
        cli_json_string(p->kernels[i].name);
        printf(", \"launches\": %zu", p->kernels[i].launches);
        json_member("ms", p->kernels[i].ms);
        json_member("gflops", p->kernels[i].gflops);
        json_member("gbytes_per_s", p->kernels[i].gbytes_per_s);
        printf("}");
    }
    printf("]}\n");
}

static void ops_as_text(const camcl_step_profile *p, const char *reason)
{
    printf(
        "%s\npeak: %.1f GFLOP/s, %.1f GB/s; %% of peak: of min(peak, operations per byte x bandwidth)\n"
        "more than 100 %%: Winograd multiplies less than a convolution's definition, by which it is counted; what stays in a cache is not\n"
        "bound by the memory's bandwidth\n\n",
        reason, p->peak.gflops, p->peak.gbytes_per_s);
    printf("%9s %6s %5s %9s %8s %7s  %s\n", "ms", "%", "uses", "GFLOP/s", "GB/s", "% peak", "operation, direction, shape = variant");
    for (size_t i = 0; i < p->op_count; i++) {
        const camcl_op_time *o = &p->ops[i];
        printf("%9.2f %6.1f %5zu", o->ms, 100 * o->ms / p->ms, o->uses);
        if (isnan(o->gflops))
            printf(" %9s", "");
        else
            printf(" %9.1f", o->gflops);
        if (isnan(o->gbytes_per_s))
            printf(" %8s", "");
        else
            printf(" %8.1f", o->gbytes_per_s);
        if (isnan(o->percent))
            printf(" %7s", "");
        else
            printf(" %7.1f", o->percent);
        printf("  %s%s%s%s%s%s%s\n", o->op, *o->direction ? " " : "", o->direction, *o->shape ? " " : "", o->shape,
               *o->variant ? " = " : "", o->variant);
    }
    printf("%9.2f  in all; %.1f %% of it is not convolution\n\n", p->ms, p->other_percent);
    printf("%9s %6s %8s %9s %8s  %s\n", "ms", "%", "launches", "GFLOP/s", "GB/s", "kernel");
    for (size_t i = 0; i < p->kernel_count; i++) {
        const camcl_kernel_time *k = &p->kernels[i];
        printf("%9.2f %6.1f %8zu %9.1f %8.1f  %s\n", k->ms, 100 * k->ms / p->ms, k->launches, k->gflops, k->gbytes_per_s, k->name);
    }
}

/* Where the time of a step goes, in the mode that ssl.mode names. */
static camcl_status bench_ops(const cli_bench_args *args, const bench_devices *devices, const camcl_config *config, camcl_error *err)
{
    camcl_device *const device = devices->all[0];
    camcl_step_profile profile;
    camcl_status status = camcl_bench_ops(device, config, camcl_config_string(config, "ssl.mode"), &profile, err);
    if (status != CAMCL_OK) return without_value(args, status);
    if (args->json)
        ops_as_json(&profile, camcl_device_get_info(device)->name);
    else
        ops_as_text(&profile, camcl_device_reason(device));
    camcl_step_profile_free(&profile);
    return CAMCL_OK;
}

typedef camcl_status (*benchmark)(const cli_bench_args *args, const bench_devices *devices, const camcl_config *config, camcl_error *err);
static const struct {
    const char *name;
    benchmark run;
} benchmarks[] = { { "peak", bench_peak }, { "ops", bench_ops }, { "step", bench_step } };

/* Runs the named benchmark, or all of them. With JSON the output is one object with one member per benchmark. */
static camcl_status run_benchmarks(const cli_bench_args *args, const bench_devices *devices, const camcl_config *config, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const bool all = args->what == NULL;
    for (size_t i = 0; status == CAMCL_OK && i < sizeof benchmarks / sizeof benchmarks[0]; i++) {
        if (!all && strcmp(args->what, benchmarks[i].name) != 0) continue;
        if (all && args->json)
            printf("%s\"%s\": ", i ? ", " : "{", benchmarks[i].name);
        else if (all && i)
            printf("\n");
        status = benchmarks[i].run(args, devices, config, err);
    }
    if (all && args->json) printf("}\n");
    return status;
}

int cmd_bench(int argc, char **argv)
{
    cli_bench_args args = { .what = NULL };
    camcl_error err = { 0 };
    camcl_config *config = NULL;
    bench_devices devices = { NULL, 0 };
    camcl_status status = cli_parse_bench(argc, argv, &args, &err);
    if (status == CAMCL_OK) status = cli_configure(NULL, &args.overrides, &config, &err);
    if (status == CAMCL_OK) status = cli_open_devices(config, &devices.all, &devices.count, &err);
    if (status == CAMCL_OK) status = run_benchmarks(&args, &devices, config, &err);
    camcl_device_close_all(&devices.all, devices.count);
    camcl_config_destroy(&config);
    cli_list_free(&args.overrides);
    return status == CAMCL_OK ? 0 : cli_fail(&err);
}
