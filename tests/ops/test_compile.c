/* Helpers that compile: they leave what is missing in the cache, and where they cannot, nothing is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "device/device.h"
#include "device/opencl.h"
#include "ops/ops.h"
#include "support/devices.h"
#include "support/operands.h"
#include "support/program.h"
#include "support/scratch.h"

enum { N = 3, CLASSES = 4, COUNT = N * CLASSES };

/* Two programs, one launch of each: a sum, and its softmax, whose rows sum up to one. */
typedef struct work {
    op_test test;
    camcl_device *device;
    cc_tensor probability;
} work;

static void record(work *w, const char *selector, const char *cache, camcl_kernel_compiler compiler)
{
    float a[COUNT], b[COUNT];
    camcl_error err;
    const camcl_device_options options = { .select = selector, .cache_dir = cache, .compiler = compiler };
    const cc_pointwise_desc sum = { COUNT, CC_NO_ACTIVATION };
    const cc_rows_desc rows = { 0, N, CLASSES };
    for (int i = 0; i < COUNT; i++) {
        a[i] = (float)i / COUNT;
        b[i] = (float)(i % 3);
    }
    if (camcl_device_open(&options, &w->device, &err) != CAMCL_OK) fail_msg("%s: %s", selector, err.message);
    op_begin(&w->test, w->device);
    cc_tensor x = op_input(&w->test, CC_F32, a, COUNT), y = op_input(&w->test, CC_F32, b, COUNT);
    cc_tensor z = op_output(&w->test, CC_F32, COUNT);
    w->probability = op_output(&w->test, CC_F32, COUNT);
    OK(&w->test, cc_add_forward(w->test.tape, &sum, x, y, z, &w->test.err));
    z.rank = w->probability.rank = 2;
    z.dim[0] = w->probability.dim[0] = N;
    z.dim[1] = w->probability.dim[1] = CLASSES;
    OK(&w->test, cc_softmax_forward(w->test.tape, &rows, z, w->probability, &w->test.err));
}

static void run_and_close(work *w)
{
    op_run(&w->test);
    float *got = op_read_floats(&w->test, w->probability);
    for (int n = 0; n < N; n++) {
        float total = 0;
        for (int k = 0; k < CLASSES; k++)
            total += got[n * CLASSES + k];
        if (!(total > 0.99999f && total < 1.00001f)) fail_msg("row %d sums up to %g", n, (double)total);
    }
    free(got);
    op_end(&w->test);
    camcl_device_close(&w->device);
}

typedef struct progress {
    size_t done, total;
} progress;

static void note_progress(void *context, size_t done, size_t total) { *(progress *)context = (progress){ done, total }; }

static void compile_in_helpers(camcl_device *device, void *context)
{
    work w;
    progress last = { 0, 0 };
    const char *selector = camcl_device_get_info(device)->selector, *cache = scratch_path(context, selector);
    record(&w, selector, cache, (camcl_kernel_compiler){ getenv("CAMCL_PROGRAM"), &last, note_progress });
    assert_int_equal(cc_device_count_uncompiled(w.device), 2);
    cc_device_compile_ahead(w.device);
    /* This process has built nothing: they come from the helpers, if a machine has the processors for them. */
    assert_int_equal(cc_device_count_uncompiled(w.device), sysconf(_SC_NPROCESSORS_ONLN) < 2 ? 2 : 0);
    assert_int_equal(last.done, last.total);
    assert_int_equal(last.total, sysconf(_SC_NPROCESSORS_ONLN) < 2 ? 0 : 2);
    run_and_close(&w);
}

static void helpers_fill_the_cache(void **state) { for_each_device(compile_in_helpers, *state); }

/* One that ends at once, one that there is not, and one that says what nobody understands. */
static void compile_without_help(camcl_device *device, void *context)
{
    static const char *const useless[] = { "true", "no such program anywhere", "echo" };
    const char *selector = camcl_device_get_info(device)->selector;
    for (size_t i = 0; i < CC_COUNT(useless); i++) {
        work w;
        char name[64];
        snprintf(name, sizeof name, "%s.%zu", selector, i);
        record(&w, selector, scratch_path(context, name), (camcl_kernel_compiler){ .program = useless[i] });
        cc_device_compile_ahead(w.device);
        assert_int_equal(cc_device_count_uncompiled(w.device), 2);
        run_and_close(&w);
    }
}

static void useless_helpers_do_no_harm(void **state) { for_each_device(compile_without_help, *state); }

/* Whoever calls the command by hand, or from another version, gets an error and no hang. */
static void nonsense_is_refused(void **state)
{
    const char *file = scratch_path(*state, "message");
    const unsigned char huge[] = { 0xff, 0xff, 0xff, 0x7f, 'x' }, other[] = { 3, 0, 0, 0, '0', '.', '0', 0, 0, 0, 0, 0, 0, 0, 0 };
    program_fails(*state, 1, "kernel compiler", "compile-kernels </dev/null");
    scratch_write(file, huge, sizeof huge);
    program_fails(*state, 1, "kernel compiler", "compile-kernels <%s", file);
    scratch_write(file, other, sizeof other);
    program_fails(*state, 1, "kernel compiler", "compile-kernels <%s", file);
}

/* Who reports a driver that refuses a kernel finds in the message what is needed to look into it. */
static void build_what_is_wrong(camcl_device *device, void *context)
{
    const char *options = "-DWIDTH=4 -D__kernel=there_is_no_such_word";
    cl_program program = NULL;
    camcl_error err;
    (void)context;
    assert_int_equal(cc_program_get(device, "pointwise", options, &program, &err), CAMCL_OPENCL);
    assert_null(program);
    if (!strstr(err.message, "kernel pointwise: does not build on") || !strstr(err.message, camcl_device_get_info(device)->name))
        fail_msg("%s", err.message);
    const char *after = strstr(err.detail, options);
    if (!after || !strstr(after + strlen(options), "there_is_no_such_word")) fail_msg("no options and log in: %s", err.detail);
}

static void a_program_that_does_not_build_leaves_its_log(void **state) { for_each_device(build_what_is_wrong, *state); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(helpers_fill_the_cache, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(useless_helpers_do_no_harm, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(nonsense_is_refused, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(a_program_that_does_not_build_leaves_its_log, scratch_setup, scratch_teardown),
    };
    return program_is_named() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
