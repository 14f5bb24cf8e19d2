/* The checks behind selftest: they see what is wrong, whatever it is, and every operation has one. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "camcl/selftest.h"
#include "check/check.h"
#include "ops/registry.h"
#include "ops/variants.h"
#include "support/devices.h"

static camcl_device *device;

typedef camcl_status (*recorder)(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err);

/* The average's variant with another way of recording. */
static cc_check check_with(recorder record)
{
    static camcl_error err;
    static cc_variant variant;
    variant = *cc_registry_find("ema", CC_FORWARD, "flat");
    variant.record = record;
    cc_check c = { .device = device, .variant = &variant, .err = &err, .ok = true };
    cc_check_ema(&c);
    return c;
}

static camcl_status as_it_is(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    return cc_registry_find("ema", CC_FORWARD, "flat")->record(tape, desc, io, count, add, err);
}

static camcl_status with_another_decay(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    cc_ema_op op = *(const cc_ema_op *)desc;
    op.decay *= 1.0001f;
    return as_it_is(tape, &op, io, count, add, err);
}

static camcl_status behind_the_end(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const camcl_status status = as_it_is(tape, desc, io, count, add, err);
    cc_tensor first = io[0];
    return status == CAMCL_OK ? cc_tape_copy(tape, first.buffer, 0, io[1].buffer, cc_tensor_bytes(&io[1]), 4, err) : status;
}

static camcl_status with_a_nan(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const float nan_value = NAN;
    const camcl_status status = as_it_is(tape, desc, io, count, add, err);
    if (status == CAMCL_OK) return cc_buffer_write(io[1].buffer, 0, &nan_value, sizeof nan_value, err);
    return status;
}

static camcl_status not_at_all(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    (void)tape, (void)desc, (void)io, (void)count, (void)add;
    return cc_fail(err, CAMCL_OPENCL, "kernel: does not build");
}

static void wrong_results_are_seen(void **state)
{
    (void)state;
    cc_check c = check_with(as_it_is);
    assert_true(c.ok && c.status == CAMCL_OK && c.shapes == 6 && c.error < 1e-6);
    c = check_with(with_another_decay);
    assert_true(!c.ok && c.status == CAMCL_OK && c.error > 1e-6);
    assert_non_null(strstr(c.what, "should be"));
    c = check_with(with_a_nan);
    assert_true(!c.ok && isinf(c.error));
    c = check_with(not_at_all);
    assert_int_equal(c.status, CAMCL_OPENCL);
    if (strstr(camcl_device_get_info(device)->platform, "Oclgrind")) return; /* sees overruns itself */
    c = check_with(behind_the_end);
    assert_true(!c.ok && isinf(c.error));
    assert_non_null(strstr(c.what, "behind the end"));
}

typedef struct seen {
    size_t reports, ok, unknown;
} seen;

static void count(void *context, const camcl_check *check)
{
    seen *s = context;
    s->reports++;
    s->ok += check->ok;
    s->unknown += strstr(check->what, "no check of this operation") != NULL;
    if (!check->ok) printf("  %s %s %s: %s\n", check->op, check->direction, check->variant, check->what);
}

static void the_registry_passes(void **state)
{
    (void)state;
    camcl_error err;
    camcl_selftest_result result;
    seen s = { 0, 0, 0 };
    if (camcl_selftest(device, NULL, count, &s, &result, &err) != CAMCL_OK) fail_msg("%s", err.message);
    assert_int_equal(s.reports, cc_registry_count());
    assert_int_equal(s.unknown, 0);
    assert_int_equal(s.ok, s.reports);
    assert_int_equal(result.failed, 0);
    assert_true(result.checked > 40);
    camcl_stop *stop = NULL;
    assert_int_equal(camcl_stop_create(&stop, &err), CAMCL_OK);
    camcl_stop_request(stop);
    assert_int_equal(camcl_selftest(device, stop, NULL, NULL, &result, &err), CAMCL_STOPPED);
    camcl_stop_destroy(&stop);
}

static const struct CMUnitTest operation_tests[] = {
    cmocka_unit_test(wrong_results_are_seen),
    cmocka_unit_test(the_registry_passes),
};
#include "support/op_main.h"
