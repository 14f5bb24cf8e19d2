/* CLBlast's parameters are one per device and process: products recorded with different sets, through two handles of one device, by turns
 * and from two threads, give each the bits that they give alone. */
#include <clblast_c.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "ops/ops.h"
#include "support/devices.h"

enum { M = 20, N = 10, K = 70, TURNS = 5 };

static void must(camcl_status status, const camcl_error *err)
{
    if (status != CAMCL_OK) fail_msg("%s\n%s", err->message, err->detail);
}

/* One product, recorded with a set. */
typedef struct product {
    camcl_device *device;
    cc_buffer *a, *b, *c;
    cc_arena *arena;
    cc_tape *tape;
    float alone[M * N];
    size_t different; /* runs that gave other bits than the first */
    camcl_error err;
    camcl_status status;
} product;

static cc_tensor matrix(cc_buffer *buffer, size_t rows, size_t columns)
{
    return (cc_tensor){ .buffer = buffer, .dtype = CC_F32, .rank = 2, .dim = { rows, columns } };
}

static cc_buffer *filled(camcl_device *device, size_t count, uint32_t seed)
{
    camcl_error err;
    cc_buffer *buffer = NULL;
    float *data = malloc(count * sizeof *data);
    assert_non_null(data);
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        data[i] = (float)((int32_t)seed >> 8) / 8388608.0f;
    }
    must(cc_buffer_create(device, count * sizeof *data, "test", &buffer, &err), &err);
    must(cc_buffer_write(buffer, 0, data, count * sizeof *data, &err), &err);
    free(data);
    return buffer;
}

static void record(product *p, camcl_device *device, size_t set)
{
    const cc_gemm_desc desc = { M, N, K, false, false };
    camcl_error err;
    memset(p, 0, sizeof *p);
    p->device = device;
    p->a = filled(device, M * K, 1);
    p->b = filled(device, K * N, 2);
    p->c = filled(device, M * N, 3);
    must(cc_arena_create(device, &p->arena, &err), &err);
    must(cc_tape_create(p->arena, "product", &p->tape, &err), &err);
    must(cc_gemm_use(device, set, &err), &err);
    must(cc_gemm(p->tape, &desc, matrix(p->a, M, K), matrix(p->b, K, N), matrix(p->c, M, N), false, &err), &err);
    must(cc_arena_commit(p->arena, &err), &err);
}

static void run(product *p, float out[M * N])
{
    p->status = cc_tape_run(p->tape, &p->err);
    if (p->status == CAMCL_OK) p->status = cc_buffer_read(p->c, 0, out, M * N * sizeof *out, &p->err);
}

static void *run_again(void *argument)
{
    product *p = argument;
    float got[M * N];
    for (int i = 0; i < TURNS && p->status == CAMCL_OK; i++) {
        memset(got, 0, sizeof got);
        run(p, got);
        p->different += memcmp(got, p->alone, sizeof got) != 0;
    }
    return NULL;
}

static void is_as_alone(const product *p)
{
    must(p->status, &p->err);
    assert_int_equal(p->different, 0);
}

static void destroy(product *p)
{
    cc_arena_destroy(&p->arena);
    cc_buffer_destroy(&p->a);
    cc_buffer_destroy(&p->b);
    cc_buffer_destroy(&p->c);
}

static size_t find_set(const char *name)
{
    size_t set = 0;
    while (cc_gemm_set_name(set) && strcmp(cc_gemm_set_name(set), name) != 0)
        set++;
    assert_non_null(cc_gemm_set_name(set));
    return set;
}

/* From now on products of any size take the kernel that the sets are for. */
static void take_large_kernel(camcl_device *device)
{
    const char *names[] = { "XGEMM_MIN_INDIRECT_SIZE" };
    const size_t values[] = { 0 };
    cl_device_id id;
    assert_int_equal(clGetCommandQueueInfo(cc_device_queue(device), CL_QUEUE_DEVICE, sizeof id, &id, NULL), CL_SUCCESS);
    assert_int_equal(CLBlastOverrideParameters(id, "GemmRoutine", CLBlastPrecisionSingle, 1, names, values), CLBlastSuccess);
}

static void check_device(camcl_device *device, void *context)
{
    (void)context;
    const camcl_device_info *info = camcl_device_get_info(device);
    const camcl_device_options options = { .select = info->selector, .tune = "off" };
    const cc_gemm_desc desc = { M, N, K, false, false };
    camcl_device *other = NULL;
    camcl_error err = { 0 };
    pthread_t threads[2];
    product by_default, small, large, same;
    if (strstr(info->platform, "Oclgrind")) return;
    must(camcl_device_open(&options, &other, &err), &err);
    take_large_kernel(device);
    assert_true(cc_gemm_has_default(device));
    record(&by_default, device, 0);
    record(&small, device, find_set("registers32"));
    run(&small, small.alone);
    must(small.status, &small.err);
    /* Both sets add up in one order and may give the same bits. But tiles of 64 need more workspace than tiles of 32, so that a product
     * that ran with the other's set fails in any case. */
    record(&large, other, find_set("registers64"));
    run(&large, large.alone);
    must(large.status, &large.err);
    record(&same, device, find_set("registers64"));
    memcpy(same.alone, large.alone, sizeof same.alone);
    for (int i = 0; i < TURNS; i++) {
        run_again(&small);
        run_again(&large);
        run_again(&same);
    }
    is_as_alone(&small);
    is_as_alone(&large);
    is_as_alone(&same);
    assert_int_equal(pthread_create(&threads[0], NULL, run_again, &small), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, run_again, &large), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    is_as_alone(&small);
    is_as_alone(&large);
    /* CLBlast's own parameters are gone: refused, rather than other bits. */
    assert_false(cc_gemm_has_default(other));
    assert_int_equal(cc_gemm_use(device, 0, &err), CAMCL_UNSUPPORTED);
    run(&by_default, by_default.alone);
    assert_int_equal(by_default.status, CAMCL_UNSUPPORTED);
    camcl_device *third = NULL;
    must(camcl_device_open(&options, &third, &err), &err);
    product late = { .device = third };
    late.a = filled(third, M * K, 1);
    late.b = filled(third, K * N, 2);
    late.c = filled(third, M * N, 3);
    must(cc_arena_create(third, &late.arena, &err), &err);
    must(cc_tape_create(late.arena, "product", &late.tape, &err), &err);
    assert_int_equal(cc_gemm(late.tape, &desc, matrix(late.a, M, K), matrix(late.b, K, N), matrix(late.c, M, N), false, &err),
                     CAMCL_UNSUPPORTED);
    destroy(&late);
    destroy(&by_default);
    destroy(&small);
    destroy(&large);
    destroy(&same);
    camcl_device_close(&other);
    camcl_device_close(&third);
}

static void sets_leave_each_other_alone(void **state)
{
    (void)state;
    for_each_device(check_device, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(sets_leave_each_other_alone) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
