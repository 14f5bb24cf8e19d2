#include "check/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define GUARD_WORDS 16
static const uint32_t guard_word = 0x7fa5a5a5u, poison_word = 0x7fc00000u;

/* A checking simulator sees overruns itself, and better without guards. */
static size_t guard_words(const cc_check *c) { return strstr(camcl_device_get_info(c->device)->platform, "Oclgrind") ? 0 : GUARD_WORDS; }

static void keep(cc_check *c, camcl_status status)
{
    if (c->status == CAMCL_OK) c->status = status;
}

static void wrong(cc_check *c, const char *what)
{
    if (c->ok) snprintf(c->what, sizeof c->what, "%s", what);
    c->ok = false;
}

bool cc_check_ready(const cc_check *c) { return c->status == CAMCL_OK; }

bool cc_check_begin(cc_check *c, const void *desc)
{
    if (c->status != CAMCL_OK || !c->variant->supports(camcl_device_get_info(c->device), desc)) return false;
    if (c->most && c->shapes >= c->most) return false;
    if (c->taken++ % cc_max_size(c->every, 1) != 0) return false;
    keep(c, cc_arena_create(c->device, &c->arena, c->err));
    if (c->status == CAMCL_OK) keep(c, cc_tape_create(c->arena, "check", &c->tape, c->err));
    return true;
}

void cc_check_end(cc_check *c)
{
    cc_arena_destroy(&c->arena);
    c->tape = NULL;
    for (size_t i = 0; i < c->operand_count; i++)
        cc_buffer_destroy(&c->operands[i].buffer);
    for (size_t i = 0; i < c->block_count; i++)
        free(c->blocks[i]);
    c->operand_count = c->block_count = 0;
    c->shapes++;
}

cc_activation cc_check_activation(size_t i)
{
    return (cc_activation){ .kind = (cc_activation_kind)(i % CC_ACTIVATION_COUNT), .slope = 0.1f };
}

ref_activation cc_check_reference(cc_activation activation)
{
    return (ref_activation){ cc_activation_get(activation)->name, activation.slope };
}

/* ---- memory */

void *cc_check_memory(cc_check *c, size_t count, size_t size)
{
    void *block = NULL;
    if (c->status != CAMCL_OK) return NULL;
    if (c->block_count == CC_CHECK_BLOCKS) {
        keep(c, cc_fail(c->err, CAMCL_FAILED, "selftest: a case has more arrays than planned (report this as a defect)"));
        return NULL;
    }
    keep(c, cc_calloc(count ? count : 1, size, &block, c->err));
    if (block) c->blocks[c->block_count++] = block;
    return block;
}

float *cc_check_random(cc_check *c, size_t count, unsigned seed)
{
    float *values = cc_check_memory(c, count, sizeof *values);
    uint64_t state = 0x9e3779b97f4a7c15u * ((uint64_t)c->seed * 1000003 + seed + 1);
    for (size_t i = 0; values && i < count; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        values[i] = (float)((double)(state >> 40) / (1 << 23) - 1.0);
    }
    return values;
}

double *cc_check_doubles(cc_check *c, const float *values, size_t count)
{
    double *out = cc_check_memory(c, count, sizeof *out);
    for (size_t i = 0; out && values && i < count; i++)
        out[i] = values[i];
    return out;
}

static cc_tensor operand(cc_check *c, cc_dtype dtype, const void *data, size_t count)
{
    const size_t bytes = count * cc_dtype_bytes(dtype), guards = guard_words(c), total = bytes + guards * sizeof guard_word;
    cc_tensor tensor = { .dtype = dtype, .rank = 1, .dim = { count } };
    unsigned char *content = cc_check_memory(c, total, 1);
    if (content == NULL) return tensor;
    if (data)
        memcpy(content, data, bytes);
    else
        for (size_t i = 0; i < bytes; i += sizeof poison_word)
            memcpy(content + i, &poison_word, cc_min_size(sizeof poison_word, bytes - i));
    for (size_t i = 0; i < guards; i++)
        memcpy(content + bytes + i * sizeof guard_word, &guard_word, sizeof guard_word);
    if (c->operand_count == CC_CHECK_OPERANDS) {
        keep(c, cc_fail(c->err, CAMCL_FAILED, "selftest: a case has more operands than planned (report this as a defect)"));
        return tensor;
    }
    keep(c, cc_buffer_create(c->device, total, "operand", &tensor.buffer, c->err));
    if (tensor.buffer == NULL) return tensor;
    c->operands[c->operand_count++] = tensor;
    keep(c, cc_buffer_write(tensor.buffer, 0, content, total, c->err));
    return tensor;
}

cc_tensor cc_check_input(cc_check *c, cc_dtype dtype, const void *data, size_t count)
{
    if (data == NULL) return CC_NO_TENSOR;
    return operand(c, dtype, data, count);
}

cc_tensor cc_check_output(cc_check *c, cc_dtype dtype, size_t count) { return operand(c, dtype, NULL, count); }
cc_tensor cc_check_sum(cc_check *c, bool add, const float *old, size_t count) { return operand(c, CC_F32, add ? old : NULL, count); }

/* ---- running */

static void check_guards(cc_check *c)
{
    uint32_t guards[GUARD_WORDS];
    for (size_t i = 0; i < c->operand_count && guard_words(c) && c->status == CAMCL_OK; i++) {
        keep(c, cc_buffer_read(c->operands[i].buffer, cc_tensor_bytes(&c->operands[i]), guards, sizeof guards, c->err));
        for (size_t g = 0; g < GUARD_WORDS && c->status == CAMCL_OK; g++) {
            if (guards[g] == guard_word) continue;
            c->error = INFINITY;
            wrong(c, "writes behind the end of a buffer");
        }
    }
}

void cc_check_run(cc_check *c, const void *desc, cc_tensor *io, size_t count, bool add)
{
    const cc_variant *v = c->variant;
    if (c->status != CAMCL_OK) return;
    if (v->pack) {
        const size_t floats = v->packed_bytes(camcl_device_get_info(c->device), desc) / sizeof(float);
        const cc_tensor packed = cc_check_output(c, CC_F32, floats);
        if (c->status == CAMCL_OK) keep(c, v->pack(c->tape, desc, io[1].buffer, packed.buffer, c->err));
        io[1] = packed;
    }
    if (c->status == CAMCL_OK) keep(c, v->record(c->tape, desc, io, count, add, c->err));
    if (c->status == CAMCL_OK) keep(c, cc_arena_commit(c->arena, c->err));
    if (c->status == CAMCL_OK) keep(c, cc_tape_run(c->tape, c->err));
    if (c->status == CAMCL_OK) keep(c, cc_device_finish(c->device, c->err));
    check_guards(c);
}

/* ---- comparing */

/* Of a bound; a bound of 0 is none that could be used in part. */
static double share_of(double distance, double bound) { return distance > 0 || isnan(distance) ? distance / bound : 0.0; }

void cc_check_compare_bounds(cc_check *c, cc_tensor got, const double *want, const double *bounds, const char *name)
{
    const size_t count = cc_tensor_count(&got);
    float *values = cc_check_memory(c, count, sizeof *values);
    double share = 0;
    if (values == NULL) return;
    keep(c, cc_buffer_read(got.buffer, 0, values, count * sizeof *values, c->err));
    for (size_t i = 0; i < count && c->status == CAMCL_OK; i++) {
        const double distance = fabs((double)values[i] - want[i]);
        if (!(distance <= c->error)) c->error = isnan(distance) ? INFINITY : distance;
        share = fmax(share, share_of(distance, bounds[i]));
        if (distance <= bounds[i]) continue;
        char text[sizeof c->what];
        snprintf(text, sizeof text, "%s, shape %zu: element %zu of %zu is %.9g, should be %.9g within %.2g", name, c->shapes + 1, i, count,
                 (double)values[i], want[i], bounds[i]);
        wrong(c, text);
    }
    if (c->compared && c->status == CAMCL_OK) c->compared(c->context, name, share);
}

void cc_check_compare(cc_check *c, cc_tensor got, const double *want, double absolute, double relative, const char *name)
{
    const size_t count = cc_tensor_count(&got);
    double *bounds = cc_check_memory(c, count, sizeof *bounds);
    for (size_t i = 0; bounds && i < count; i++)
        bounds[i] = absolute + relative * fabs(want[i]);
    if (bounds) cc_check_compare_bounds(c, got, want, bounds, name);
}

void cc_check_compare_integers(cc_check *c, cc_tensor got, const int32_t *want, const char *name)
{
    const size_t count = cc_tensor_count(&got);
    int32_t *values = cc_check_memory(c, count, sizeof *values);
    if (values == NULL) return;
    keep(c, cc_buffer_read(got.buffer, 0, values, count * sizeof *values, c->err));
    for (size_t i = 0; i < count && c->status == CAMCL_OK; i++) {
        if (values[i] == want[i]) continue;
        char text[sizeof c->what];
        snprintf(text, sizeof text, "%s, shape %zu: element %zu of %zu is %ld, should be %ld", name, c->shapes + 1, i, count,
                 (long)values[i], (long)want[i]);
        c->error = INFINITY;
        wrong(c, text);
    }
}

void cc_check_compare_bytes(cc_check *c, cc_tensor got, const double *want, double bound, const char *name)
{
    const size_t count = cc_tensor_count(&got);
    unsigned char *values = cc_check_memory(c, count, 1);
    if (values == NULL) return;
    keep(c, cc_buffer_read(got.buffer, 0, values, count, c->err));
    for (size_t i = 0; i < count && c->status == CAMCL_OK; i++) {
        const double distance = fabs(values[i] - want[i]);
        if (!(distance <= c->error)) c->error = distance;
        if (distance <= bound) continue;
        char text[sizeof c->what];
        snprintf(text, sizeof text, "%s, shape %zu: byte %zu of %zu is %d, should be %.9g within %.2g", name, c->shapes + 1, i, count,
                 values[i], want[i], bound);
        wrong(c, text);
    }
}

void cc_check_add(bool add, double *want, const float *old, size_t count)
{
    for (size_t i = 0; add && i < count; i++)
        want[i] += old[i];
}
