/* Tapes and arenas: launches run in order, buffers share memory by lifetime, content that is needed survives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "device/kernel_bindings.h"
#include "device/opencl.h"
#include "support/devices.h"
#include "support/ok.h"
#include "support/original.h"

static camcl_device *device;
static camcl_error err;

/* A tape that is to bring `data` from `in` to `out`. */
typedef struct transport {
    cc_arena *arena;
    cc_tape *tape;
    cc_buffer *in, *out;
    float *data, *back;
    size_t bytes;
} transport;

static void transport_open(transport *t, const char *name, size_t count)
{
    t->bytes = count * sizeof(float);
    t->data = malloc(t->bytes);
    t->back = malloc(t->bytes);
    assert_true(t->data && t->back);
    for (size_t i = 0; i < count; i++)
        t->data[i] = (float)i;
    OK(cc_buffer_create(device, t->bytes, "in", &t->in, &err));
    OK(cc_buffer_create(device, t->bytes, "out", &t->out, &err));
    OK(cc_buffer_write(t->in, 0, t->data, t->bytes, &err));
    OK(cc_arena_create(device, &t->arena, &err));
    OK(cc_tape_create(t->arena, name, &t->tape, &err));
}

static void transport_run(transport *t)
{
    OK(cc_tape_run(t->tape, &err));
    OK(cc_buffer_read(t->out, 0, t->back, t->bytes, &err));
    assert_memory_equal(t->data, t->back, t->bytes);
}

static void transport_close(transport *t)
{
    cc_arena_destroy(&t->arena);
    cc_buffer_destroy(&t->in);
    cc_buffer_destroy(&t->out);
    free(t->data);
    free(t->back);
}

/* x -> y -> z -> ...: a chain of copies whose middle buffers die at once: two slots suffice for any length. */
enum { LINKS = 7 };
static void record_chain(transport *t)
{
    cc_buffer *links[LINKS];
    for (int i = 0; i < LINKS; i++) {
        OK(cc_tape_buffer(t->tape, t->bytes, "link", &links[i], &err));
        OK(cc_tape_copy(t->tape, i ? links[i - 1] : t->in, 0, links[i], 0, t->bytes, &err));
    }
    OK(cc_tape_copy(t->tape, links[LINKS - 1], 0, t->out, 0, t->bytes, &err));
    OK(cc_arena_commit(t->arena, &err));
}

static void a_chain_of_copies_needs_two_buffers(void **state)
{
    (void)state;
    transport t;
    transport_open(&t, "chain", 1 << 16);
    record_chain(&t);
    assert_true(cc_arena_bytes(t.arena) <= 2 * (t.bytes + 4096));
    transport_run(&t);
    transport_close(&t);
}

/* On a device that is opened for checking tools each buffer of the chain is one of its own. */
static void a_chain_with_separate_memory_needs_all_of_its_buffers(void **state)
{
    (void)state;
    camcl_device *const usual = device;
    size_t bytes = 0, grown[2];
    for (int separate = 0; separate < 2; separate++) {
        transport t;
        camcl_device_options options;
        camcl_device_options_init(&options);
        options.select = camcl_device_get_info(usual)->selector;
        options.separate_memory = separate;
        OK(camcl_device_open(&options, &device, &err));
        transport_open(&t, "chain", 1 << 16);
        bytes = t.bytes;
        const size_t before = cc_device_bytes(device);
        record_chain(&t);
        grown[separate] = cc_device_bytes(device) - before;
        transport_run(&t);
        transport_close(&t);
        camcl_device_close(&device);
    }
    device = usual;
    assert_true(grown[0] <= 2 * (bytes + 4096));
    assert_true(grown[1] >= LINKS * bytes);
}

/* On a queue of its own, with a clock; the tape runs as ever afterwards. */
static void a_profile_has_a_time_for_each_kind_of_launch(void **state)
{
    (void)state;
    enum { TURNS = 3 };
    transport t;
    cc_profile_row *rows = NULL;
    size_t count = 0;
    transport_open(&t, "profiled", 1 << 18);
    for (int i = 0; i < TURNS; i++) {
        OK(cc_tape_zero(t.tape, t.out, &err));
        OK(cc_tape_copy(t.tape, t.in, 0, t.out, 0, t.bytes, &err));
    }
    OK(cc_arena_commit(t.arena, &err));
    OK(cc_tape_profile(t.tape, 2, &rows, &count, &err));
    assert_int_equal(count, 2);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(rows[i].launches, TURNS);
        assert_true(rows[i].seconds > 0 && rows[i].seconds < 10);
    }
    OK(cc_tape_zero(t.tape, t.in, &err));
    OK(cc_arena_commit(t.arena, &err));
    transport_run(&t);
    free(rows);
    transport_close(&t);
}

/* Buffers of many sizes, all read at the end: none may overlap another. */
static void buffers_alive_together_do_not_overlap(void **state)
{
    (void)state;
    enum { COUNT = 24 };
    cc_arena *arena;
    cc_tape *tape;
    cc_buffer *in[COUNT], *mid[COUNT], *out[COUNT];
    OK(cc_arena_create(device, &arena, &err));
    OK(cc_tape_create(arena, "fan", &tape, &err));
    for (size_t i = 0; i < COUNT; i++) {
        size_t bytes = (i * 37 % COUNT + 1) * 52;
        OK(cc_buffer_create(device, bytes, "in", &in[i], &err));
        OK(cc_buffer_create(device, bytes, "out", &out[i], &err));
        OK(cc_tape_buffer(tape, bytes, "mid", &mid[i], &err));
        unsigned char fill[COUNT * 52 + 52];
        memset(fill, (int)i + 1, sizeof fill);
        OK(cc_buffer_write(in[i], 0, fill, bytes, &err));
        OK(cc_tape_copy(tape, in[i], 0, mid[i], 0, bytes, &err));
    }
    for (size_t i = 0; i < COUNT; i++)
        OK(cc_tape_copy(tape, mid[i], 0, out[i], 0, cc_buffer_bytes(mid[i]), &err));
    OK(cc_arena_commit(arena, &err));
    OK(cc_tape_run(tape, &err));
    for (size_t i = 0; i < COUNT; i++) {
        unsigned char back[COUNT * 52 + 52];
        OK(cc_buffer_read(out[i], 0, back, cc_buffer_bytes(out[i]), &err));
        for (size_t b = 0; b < cc_buffer_bytes(out[i]); b++)
            assert_int_equal(back[b], i + 1);
    }
    cc_arena_destroy(&arena);
    for (size_t i = 0; i < COUNT; i++) {
        cc_buffer_destroy(&in[i]);
        cc_buffer_destroy(&out[i]);
    }
}

static void running_before_commit_is_refused(void **state)
{
    (void)state;
    cc_arena *arena;
    cc_tape *tape;
    OK(cc_arena_create(device, &arena, &err));
    OK(cc_tape_create(arena, "early", &tape, &err));
    assert_int_equal(cc_tape_run(tape, &err), CAMCL_FAILED);
    cc_arena_destroy(&arena);
}

static void more_than_the_device_has_is_out_of_memory(void **state)
{
    (void)state;
    cc_arena *arena;
    cc_tape *tape;
    cc_buffer *huge, *small;
    size_t before = cc_device_bytes(device);
    OK(cc_arena_create(device, &arena, &err));
    OK(cc_tape_create(arena, "greedy", &tape, &err));
    OK(cc_tape_buffer(tape, SIZE_MAX / 4 * 2, "activation of layer9", &huge, &err));
    OK(cc_tape_buffer(tape, 64, "small", &small, &err));
    OK(cc_tape_copy(tape, small, 0, huge, 0, 64, &err));
    assert_int_equal(cc_arena_commit(arena, &err), CAMCL_NO_MEMORY);
    assert_non_null(strstr(err.detail, "activation of layer9"));
    assert_non_null(strstr(err.message, "train.batch_labeled"));
    cc_arena_destroy(&arena);
    assert_int_equal(cc_device_bytes(device), before);
}

/* Takes the place of the library's function in this program. */
static cl_int fill_fails;
static size_t filled; /* bytes */
cl_int clEnqueueFillBuffer(cl_command_queue queue, cl_mem mem, const void *pattern, size_t pattern_bytes, size_t offset, size_t bytes,
                           cl_uint count, const cl_event *after, cl_event *event)
{
    cl_int (*original)(cl_command_queue, cl_mem, const void *, size_t, size_t, size_t, cl_uint, const cl_event *, cl_event *);
    original_function("clEnqueueFillBuffer", &original, sizeof original);
    filled += bytes;
    return fill_fails ? fill_fails : original(queue, mem, pattern, pattern_bytes, offset, bytes, count, after, event);
}

/* A driver that takes memory when it is first used finds that there is none when the arena is committed, not in the middle of a run. CPUs
 * are spared, until it is said how much memory is needed. */
static void memory_that_is_not_there_is_missed_at_the_commit(void **state)
{
    enum { BYTES = 1 << 20 };
    (void)state;
    camcl_device_info *info = (camcl_device_info *)camcl_device_get_info(device);
    const camcl_device_type type = info->type;
    cc_arena *arena;
    cc_tape *tape;
    cc_buffer *buffer, *out;
    OK(cc_buffer_create(device, 64, "out", &out, &err));
    OK(cc_arena_create(device, &arena, &err));
    OK(cc_tape_create(arena, "lazy", &tape, &err));
    OK(cc_tape_buffer(tape, BYTES, "activation of layer9", &buffer, &err));
    OK(cc_tape_copy(tape, buffer, 0, out, 0, 64, &err));
    const size_t before = cc_device_bytes(device);
    for (int on_gpu = 0; on_gpu < 2; on_gpu++) {
        info->type = on_gpu ? CAMCL_GPU : CAMCL_CPU;
        filled = 0;
        OK(cc_arena_commit(arena, &err));
        assert_int_equal(filled, on_gpu ? BYTES : 0);
        OK(cc_arena_touch(arena, &err));
        assert_int_equal(filled, BYTES);
    }
    for (int i = 0; i < 2; i++) {
        fill_fails = i ? CL_MEM_OBJECT_ALLOCATION_FAILURE : CL_OUT_OF_RESOURCES;
        assert_int_equal(cc_arena_commit(arena, &err), CAMCL_NO_MEMORY);
        assert_non_null(strstr(err.message, "train.batch_labeled"));
        assert_non_null(strstr(err.detail, i ? "CL_MEM_OBJECT_ALLOCATION_FAILURE" : "CL_OUT_OF_RESOURCES"));
        assert_non_null(strstr(err.detail, "activation of layer9"));
        assert_int_equal(cc_device_bytes(device), before);
        assert_int_equal(cc_buffer_create(device, 64, "weights", &buffer, &err), CAMCL_NO_MEMORY);
    }
    fill_fails = CL_INVALID_COMMAND_QUEUE;
    assert_int_equal(cc_arena_commit(arena, &err), CAMCL_OPENCL);
    assert_int_equal(cc_buffer_create(device, 64, "weights", &buffer, &err), CAMCL_OPENCL);
    fill_fails = CL_SUCCESS;
    info->type = type;
    cc_arena_destroy(&arena);
    cc_buffer_destroy(&out);
}

static cl_int create_fails;
cl_mem clCreateBuffer(cl_context context, cl_mem_flags flags, size_t bytes, void *host, cl_int *code)
{
    cl_mem (*original)(cl_context, cl_mem_flags, size_t, void *, cl_int *);
    original_function("clCreateBuffer", &original, sizeof original);
    if (create_fails == CL_SUCCESS) return original(context, flags, bytes, host, code);
    *code = create_fails;
    return NULL;
}

static void a_buffer_fails_for_want_of_memory_or_otherwise(void **state)
{
    (void)state;
    static const struct {
        cl_int code;
        camcl_status status;
    } cases[] = { { CL_MEM_OBJECT_ALLOCATION_FAILURE, CAMCL_NO_MEMORY },
                  { CL_OUT_OF_HOST_MEMORY, CAMCL_NO_MEMORY },
                  { CL_OUT_OF_RESOURCES, CAMCL_NO_MEMORY },
                  { CL_INVALID_CONTEXT, CAMCL_OPENCL } };
    for (size_t i = 0; i < CC_COUNT(cases); i++) {
        cc_buffer *buffer;
        create_fails = cases[i].code;
        assert_int_equal(cc_buffer_create(device, 64, "weights", &buffer, &err), cases[i].status);
        assert_int_equal(strstr(err.message, "device memory: weights needs 64 bytes") != NULL, cases[i].status == CAMCL_NO_MEMORY);
        assert_null(buffer);
    }
    create_fails = CL_SUCCESS;
}

static void readback_and_upload_arrive(void **state)
{
    (void)state;
    cc_buffer *buffer;
    cc_readback *readback;
    const void *data;
    const int32_t values[4] = { 1, -2, 3, -4 };
    OK(cc_buffer_create(device, sizeof values, "values", &buffer, &err));
    OK(cc_buffer_upload(buffer, 0, values, sizeof values, &err));
    OK(cc_readback_start(buffer, 4, 8, &readback, &err));
    OK(cc_readback_wait(readback, &data, &err));
    assert_memory_equal(data, values + 1, 8);
    cc_readback_destroy(&readback);
    cc_buffer_destroy(&buffer);
}

/* Takes the place of the library's function in this program. */
static bool states_fail;
cl_int clGetEventInfo(cl_event event, cl_event_info what, size_t size, void *value, size_t *size_ret)
{
    cl_int (*original)(cl_event, cl_event_info, size_t, void *, size_t *);
    original_function("clGetEventInfo", &original, sizeof original);
    return states_fail ? CL_OUT_OF_HOST_MEMORY : original(event, what, size, value, size_ret);
}

/* The transfers of one step: a large and a small upload, and a read-back that is picked up a step later. */
static void transfer(cc_buffer *buffer, int32_t step, cc_readback **before)
{
    enum { LARGE = 1000 };
    int32_t large[LARGE], small[2] = { step, -step };
    const void *data;
    cc_readback *now;
    for (int32_t i = 0; i < LARGE; i++)
        large[i] = step + i;
    OK(cc_buffer_upload(buffer, 0, large, sizeof large, &err));
    OK(cc_buffer_upload(buffer, sizeof large, small, sizeof small, &err));
    OK(cc_readback_start(buffer, 0, sizeof large + sizeof small, &now, &err));
    if (*before) {
        const int32_t *got;
        OK(cc_readback_wait(*before, &data, &err));
        got = data;
        for (int32_t i = 0; i < LARGE; i++)
            assert_int_equal(got[i], step - 1 + i);
        assert_int_equal(got[LARGE], step - 1);
        assert_int_equal(got[LARGE + 1], 1 - step);
    }
    cc_readback_destroy(before);
    *before = now;
}

/* How many blocks are needed depends on how soon a driver says that a transfer is done, but not on the number of steps: 1200 transfers are
 * to get by with the few that are under way at a time. */
static void transfers_need_no_allocation_once_warm(void **state)
{
    enum { STEPS = 400, UNDER_WAY = 16 };
    (void)state;
    cc_buffer *buffer;
    cc_readback *before = NULL;
    OK(cc_buffer_create(device, 8192, "values", &buffer, &err));
    const size_t allocations = device->staging_allocations, blocks = device->staging_count;
    for (int32_t step = 0; step < STEPS; step++)
        transfer(buffer, step, &before);
    assert_true(device->staging_allocations > allocations);
    assert_true(device->staging_allocations <= allocations + UNDER_WAY);
    assert_true(device->staging_count <= blocks + UNDER_WAY);
    cc_readback_destroy(&before);
    cc_buffer_destroy(&buffer);
}

static void uploads_are_not_kept_where_the_driver_does_not_say_that_they_are_done(void **state)
{
    (void)state;
    cc_buffer *buffer;
    cc_readback *before = NULL;
    OK(cc_buffer_create(device, 8192, "values", &buffer, &err));
    const size_t blocks = device->staging_count;
    states_fail = true;
    for (int32_t step = 0; step < 300; step++)
        transfer(buffer, step, &before);
    states_fail = false;
    assert_true(device->staging_count <= blocks + 4);
    cc_readback_destroy(&before);
    cc_buffer_destroy(&buffer);
}

/* Records ema_update with the arguments given, and expects that it is refused with this status and a message with both words in it. */
#define REFUSED(status, first, second, ...)                                                                                                \
    do {                                                                                                                                   \
        const cc_launch launch = { .options = "-DWIDTH=1", .dims = 1, .global = { 1 } };                                                   \
        const size_t before = cc_tape_length(t.tape);                                                                                      \
        assert_int_equal(CC_LAUNCH(t.tape, ema_update, &launch, &err, __VA_ARGS__), status);                                               \
        if (!strstr(err.message, "ema_update") || !strstr(err.message, first) || !strstr(err.message, second))                             \
            fail_msg("message without ema_update, %s or %s: %s", first, second, err.message);                                              \
        assert_int_equal(cc_tape_length(t.tape), before);                                                                                  \
    } while (0)

static void arguments_unlike_their_declaration_are_refused_when_recorded(void **state)
{
    (void)state;
    transport t;
    transport_open(&t, "arguments", 16);
    cc_buffer *w = t.in, *average = t.out;
    const cc_arg in = CC_IN(w), inout = CC_INOUT(average), n = CC_INT(16), decay = CC_FLOAT(0.5);
    REFUSED(CAMCL_FAILED, "each", "nothing", .w = in, .average = inout, .count = n, .decay = decay);
    REFUSED(CAMCL_FAILED, "average", "nothing", .w = in, .count = n, .each = n, .decay = decay);
    REFUSED(CAMCL_FAILED, "decay", "CC_INT", .w = in, .average = inout, .count = n, .each = n, .decay = CC_INT(1));
    REFUSED(CAMCL_FAILED, "count", "CC_FLOAT", .w = in, .average = inout, .count = decay, .each = n, .decay = decay);
    REFUSED(CAMCL_FAILED, "count", "CC_IN", .w = in, .average = inout, .count = in, .each = n, .decay = decay);
    REFUSED(CAMCL_FAILED, "argument w ", "CC_INT", .w = n, .average = inout, .count = n, .each = n, .decay = decay);
    REFUSED(CAMCL_FAILED, "argument w ", "CC_OUT", .w = CC_OUT(w), .average = inout, .count = n, .each = n, .decay = decay);
    REFUSED(CAMCL_FAILED, "argument w ", "CC_INOUT", .w = CC_INOUT(w), .average = inout, .count = n, .each = n, .decay = decay);
    REFUSED(CAMCL_FAILED, "average", "CC_IN ", .w = in, .average = CC_IN(average), .count = n, .each = n, .decay = decay);
    REFUSED(CAMCL_FAILED, "argument w ", "no buffer", .w = CC_IN(NULL), .average = inout, .count = n, .each = n, .decay = decay);
    const cc_launch empty = { .options = "-DWIDTH=1", .dims = 2, .global = { 1, 0 } };
    assert_int_equal(CC_LAUNCH(t.tape, ema_update, &empty, &err, .w = in, .average = inout, .count = n, .each = n, .decay = decay),
                     CAMCL_FAILED);
    assert_non_null(strstr(err.message, "ema_update: empty range"));
    transport_close(&t);
}

/* Whatever type the host counts in. */
static void integers_beyond_a_kernels_32_bits_are_refused_when_recorded(void **state)
{
    (void)state;
    transport t;
    transport_open(&t, "integers", 16);
    const cc_arg in = CC_IN(t.in), inout = CC_INOUT(t.out), n = CC_INT(16), decay = CC_FLOAT(0.5);
#define COUNT_REFUSED(value, text)                                                                                                         \
    REFUSED(CAMCL_UNSUPPORTED, "argument count ", text, .w = in, .average = inout, .count = CC_INT(value), .each = n, .decay = decay)
    COUNT_REFUSED((size_t)INT32_MAX + 1, "2147483648");
    COUNT_REFUSED((int64_t)INT32_MIN - 1, "-2147483649");
    COUNT_REFUSED((unsigned)INT32_MAX + 1, "2147483648");
    COUNT_REFUSED(SIZE_MAX, "9223372036854775807"); /* a size below 0, most likely; -1 as an int */
    COUNT_REFUSED((uint64_t)1 << 32, "4294967296"); /* 0 as an int */
    transport_close(&t);
}

static void every_integer_of_32_bits_and_every_truth_value_is_passed(void **state)
{
    (void)state;
    transport t;
    transport_open(&t, "integers", 16);
    const int64_t values[] = { INT32_MIN, -1, 0, 1, INT32_MAX };
    const cc_launch launch = { .options = "-DWIDTH=1", .dims = 1, .global = { 1 }, .local = { 1, 1, 1 } };
    OK(cc_tape_zero(t.tape, t.out, &err));
    for (size_t i = 0; i < CC_COUNT(values); i++)
        OK(CC_LAUNCH(t.tape, ema_update, &launch, &err, .w = CC_IN(t.in), .average = CC_INOUT(t.out), .count = CC_INT(values[i]),
                     .each = CC_INT(i > 0), .decay = CC_FLOAT(0)));
    /* Counts above 0 take w's first number into average. */
    OK(cc_tape_copy(t.tape, t.in, 4, t.out, 4, t.bytes - 4, &err));
    t.data[0] = 7;
    OK(cc_buffer_write(t.in, 0, t.data, t.bytes, &err));
    OK(cc_arena_commit(t.arena, &err));
    transport_run(&t);
    transport_close(&t);
}

static void a_binding_with_other_parameters_than_the_kernel_is_refused_when_built(void **state)
{
    (void)state;
    const cc_kernel shorter = { "sgd", "ema_update", cc_kernel_ema_update.params, cc_kernel_ema_update.count - 1 };
    const cc_launch launch = { .options = "-DWIDTH=1", .dims = 1, .global = { 1 } };
    transport t;
    transport_open(&t, "binding", 16);
    const cc_arg args[] = { CC_IN(t.in), CC_INOUT(t.out), CC_INT(16), CC_INT(16) };
    OK(cc_tape_launch(t.tape, &shorter, args, &launch, &err));
    assert_int_equal(cc_arena_commit(t.arena, &err), CAMCL_OPENCL);
    assert_non_null(strstr(err.message, "has 5 parameters and is passed 4"));
    transport_close(&t);
}

int main(void)
{
    camcl_device *devices[16];
    size_t count = test_devices(devices, 16);
    int failed = count == 0;
    for (size_t i = 0; i < count; i++) {
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_chain_of_copies_needs_two_buffers),
            cmocka_unit_test(a_chain_with_separate_memory_needs_all_of_its_buffers),
            cmocka_unit_test(a_profile_has_a_time_for_each_kind_of_launch),
            cmocka_unit_test(buffers_alive_together_do_not_overlap),
            cmocka_unit_test(running_before_commit_is_refused),
            cmocka_unit_test(more_than_the_device_has_is_out_of_memory),
            cmocka_unit_test(memory_that_is_not_there_is_missed_at_the_commit),
            cmocka_unit_test(a_buffer_fails_for_want_of_memory_or_otherwise),
            cmocka_unit_test(readback_and_upload_arrive),
            cmocka_unit_test(transfers_need_no_allocation_once_warm),
            cmocka_unit_test(uploads_are_not_kept_where_the_driver_does_not_say_that_they_are_done),
            cmocka_unit_test(arguments_unlike_their_declaration_are_refused_when_recorded),
            cmocka_unit_test(integers_beyond_a_kernels_32_bits_are_refused_when_recorded),
            cmocka_unit_test(every_integer_of_32_bits_and_every_truth_value_is_passed),
            cmocka_unit_test(a_binding_with_other_parameters_than_the_kernel_is_refused_when_built),
        };
        device = devices[i];
        failed += cmocka_run_group_tests_name(camcl_device_get_info(device)->name, tests, NULL, NULL);
        camcl_device_close(&devices[i]);
    }
    return failed != 0;
}
