#include "support/operands.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "support/devices.h"
#include "support/shares.h"

#define GUARD_WORDS 16
static const uint32_t guard_word = 0x7fa5a5a5u, poison_word = 0x7fc00000u;

/* A checking simulator sees overruns itself, and better without guards. */
static size_t guard_words(const op_test *test)
{
    return strstr(camcl_device_get_info(test->device)->platform, "Oclgrind") ? 0 : GUARD_WORDS;
}

void op_check(op_test *test, camcl_status status, const char *call)
{
    if (status != CAMCL_OK) fail_msg("%s: %s\n%s", call, test->err.message, test->err.detail);
}

void op_begin(op_test *test, camcl_device *device)
{
    memset(test, 0, sizeof *test);
    test->device = device;
    OK(test, cc_arena_create(device, &test->arena, &test->err));
    OK(test, cc_tape_create(test->arena, "test", &test->tape, &test->err));
}

static cc_tensor operand(op_test *test, cc_dtype dtype, const void *data, size_t count)
{
    const size_t bytes = count * cc_dtype_bytes(dtype), guards = guard_words(test), total = bytes + guards * sizeof guard_word;
    cc_tensor tensor = { .dtype = dtype, .rank = 1, .dim = { count } };
    unsigned char *content = malloc(total);
    assert_non_null(content);
    assert_true(test->count < CC_COUNT(test->operands));
    if (data)
        memcpy(content, data, bytes);
    else
        for (size_t i = 0; i < bytes; i += sizeof poison_word)
            memcpy(content + i, &poison_word, sizeof poison_word);
    for (size_t i = 0; i < guards; i++)
        memcpy(content + bytes + i * sizeof guard_word, &guard_word, sizeof guard_word);
    OK(test, cc_buffer_create(test->device, total, "operand", &tensor.buffer, &test->err));
    OK(test, cc_buffer_write(tensor.buffer, 0, content, total, &test->err));
    free(content);
    test->operands[test->count++] = tensor;
    return tensor;
}

cc_tensor op_input(op_test *test, cc_dtype dtype, const void *data, size_t count)
{
    assert_non_null(data);
    return operand(test, dtype, data, count);
}

cc_tensor op_output(op_test *test, cc_dtype dtype, size_t count)
{
    assert_true(dtype != CC_U8);
    return operand(test, dtype, NULL, count);
}

void op_run(op_test *test)
{
    OK(test, cc_arena_commit(test->arena, &test->err));
    OK(test, cc_tape_run(test->tape, &test->err));
    OK(test, cc_device_finish(test->device, &test->err));
    for (size_t i = 0; i < test->count; i++) {
        uint32_t guards[GUARD_WORDS];
        const size_t n = guard_words(test);
        if (n == 0) continue;
        OK(test, cc_buffer_read(test->operands[i].buffer, cc_tensor_bytes(&test->operands[i]), guards, sizeof guards, &test->err));
        for (size_t g = 0; g < n; g++)
            if (guards[g] != guard_word) fail_msg("operand %zu: word %zu behind its end was overwritten", i, g);
    }
}

void op_read(op_test *test, cc_tensor tensor, void *out)
{
    OK(test, cc_buffer_read(tensor.buffer, 0, out, cc_tensor_bytes(&tensor), &test->err));
}

float *op_read_floats(op_test *test, cc_tensor tensor)
{
    float *values = malloc(cc_tensor_bytes(&tensor));
    assert_non_null(values);
    op_read(test, tensor, values);
    return values;
}

void op_end(op_test *test)
{
    cc_arena_destroy(&test->arena);
    for (size_t i = 0; i < test->count; i++)
        cc_buffer_destroy(&test->operands[i].buffer);
    test->count = 0;
}

void check_close(const float *got, const double *want, size_t count, double absolute, double relative, const char *what, ...)
{
    for (size_t i = 0; i < count; i++) {
        const double distance = (double)got[i] > want[i] ? (double)got[i] - want[i] : want[i] - (double)got[i];
        const double size = want[i] < 0 ? -want[i] : want[i];
        note_share(what, distance, absolute + relative * size);
        if (distance <= absolute + relative * size) continue;
        char name[128];
        va_list args;
        va_start(args, what);
        vsnprintf(name, sizeof name, what, args);
        va_end(args);
        fail_msg("%s: element %zu of %zu is %.9g, should be %.9g (off by %.3g)", name, i, count, (double)got[i], want[i], distance);
    }
}

void check_same(const float *got, const float *want, size_t count, const char *what, ...)
{
    for (size_t i = 0; i < count; i++) {
        if (memcmp(&got[i], &want[i], sizeof *got) == 0) continue;
        char name[128];
        va_list args;
        va_start(args, what);
        vsnprintf(name, sizeof name, what, args);
        va_end(args);
        fail_msg("%s: element %zu of %zu is %.9g, should be %.9g to the bit", name, i, count, (double)got[i], (double)want[i]);
    }
}

float *random_floats(size_t count, unsigned seed)
{
    float *values = malloc((count ? count : 1) * sizeof *values);
    assert_non_null(values);
    uint64_t state = 0x9e3779b97f4a7c15u * ((uint64_t)test_seed() * 1000003 + seed + 1);
    for (size_t i = 0; i < count; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        values[i] = (float)((double)(state >> 40) / (1 << 23) - 1.0);
    }
    return values;
}

double *to_doubles(const float *values, size_t count)
{
    double *out = malloc((count ? count : 1) * sizeof *out);
    assert_non_null(out);
    for (size_t i = 0; i < count; i++)
        out[i] = values[i];
    return out;
}

double dot(const float *x, const float *y, size_t count)
{
    double sum = 0.0;
    for (size_t i = 0; i < count; i++)
        sum += (double)x[i] * y[i];
    return sum;
}
