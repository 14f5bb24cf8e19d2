/* Where the time of a step goes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arguments.h"
#include "base/memory.h"
#include "ops/problem.h"
#include "tune/bench.h"

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
static camcl_status profile(cc_bench *b, cc_profile_row **rows, size_t *count, camcl_error *err)
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
    cc_bench b;
    cc_profile_row *rows = NULL;
    size_t count = 0;
    memset(out, 0, sizeof *out);
    memset(&b, 0, sizeof b);
    CC_TRY(camcl_bench_peak(device, &out->peak, err));
    CC_TRY(cc_bench_open(&b, device, config, name, NULL, camcl_device_get_info(device)->base_align, err));
    for (unsigned i = 0; i < CC_BENCH_WARM_UP; i++)
        CC_TRY(cc_bench_run(&b, device, err));
    CC_TRY(profile(&b, &rows, &count, err));
    cc_bench_close(&b); /* frees its memory, which measuring the peak needs */
    memset(&b, 0, sizeof b);
    CC_TRY(peak_again(device, &out->peak, err));
    CC_TRY(by_operation(rows, count, out, err));
    CC_TRY(by_kernel(rows, count, out, err));
cleanup:
    if (status != CAMCL_OK) camcl_step_profile_free(out);
    free(rows);
    cc_bench_close(&b);
    return status;
}

void camcl_step_profile_free(camcl_step_profile *profile)
{
    free(profile->ops);
    free(profile->kernels);
    memset(profile, 0, sizeof *profile);
}
