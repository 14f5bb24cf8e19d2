/* Every variant of the registry by the checks behind selftest, with inputs that CAMCL_TEST_SEED chooses, on every device: as what the
 * device is, and posing as the other kind, since kernels for CPUs and for GPUs are shaped otherwise and some variants are for one kind
 * only. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "check/check.h"
#include "device/embedded.h"
#include "ops/ops.h"
#include "ops/record.h"
#include "ops/registry.h"
#include "support/devices.h"
#include "support/operands.h"
#include "support/shares.h"

enum { MOST = 200 };

static camcl_device *device;

/* Makes a CPU a GPU to the host, anything else a CPU with vectors of 8. */
static void pose(camcl_device_info *info)
{
    if (cc_likes_long_items(info)) {
        info->type = CAMCL_GPU;
        return;
    }
    info->type = CAMCL_CPU;
    strcpy(info->name, "posing as a processor");
    if (getenv("CAMCL_VECTOR") == NULL) info->vector_width = 8, info->vector_registers = 16;
}

static bool wants_all(void) { return getenv("CAMCL_TEST_ALL") != NULL && !test_few_sizes(); }
/* The simulator interprets kernels: two small cases take long enough, and CLBlast's are not ours to look at. */
static bool interprets(void) { return strstr(camcl_device_get_info(device)->platform, "Oclgrind") != NULL; }

/* Mesa 22.3 warns that it takes kernels' arguments for uniform where they are not, and makes wrong code of kernels for processors. The host
 * uses none of them on llvmpipe. */
static bool compiles_own_kernels_only(const camcl_device_info *info)
{
    return strcmp(info->platform, "rusticl") == 0 && strncmp(info->driver, "22.", 3) == 0;
}

static bool is_left_out(const cc_variant *v) { return interprets() && (strcmp(v->name, "gemm") == 0 || strcmp(v->name, "clblast") == 0); }

static void note(void *context, const char *name, double share)
{
    const cc_variant *v = context;
    char what[96];
    snprintf(what, sizeof what, "%s | %s | %s | %s", v->op->name, cc_direction_name(v->direction), v->name, name);
    note_share(what, share, 1.0);
}

/* most: cases at most; 0: no limit. */
static bool is_right(cc_variant *v, size_t most, size_t *ran)
{
    camcl_error err = { 0 };
    cc_check c = { .device = device, .variant = v, .seed = test_seed(), .compared = note, .context = v, .err = &err, .ok = true };
    c.every = interprets() ? 3 : wants_all() ? 1 : 5;
    c.most = interprets() ? 2 : most;
    cc_check_find(v->op->name)(&c);
    *ran += c.shapes;
    if (c.ok && c.status == CAMCL_OK) return true;
    printf("  %s, %s, %s: %s\n%s", v->op->name, cc_direction_name(v->direction), v->name, c.status == CAMCL_OK ? c.what : err.message,
           c.status == CAMCL_OK ? "" : err.detail);
    fflush(stdout);
    return false;
}

/* Adds to ran[] the cases of each variant, or of those that have not run yet; returns how many variants are wrong. */
static size_t check_all(size_t *ran, bool again)
{
    size_t wrong = 0;
    for (size_t i = 0; i < cc_registry_count(); i++) {
        cc_variant v = *cc_registry_at(i);
        if (is_left_out(&v)) continue;
        if (again || ran[i] == 0) wrong += !is_right(&v, 0, &ran[i]);
    }
    return wrong;
}

static void every_variant_is_right(void **state)
{
    (void)state;
    camcl_device_info *info = (camcl_device_info *)camcl_device_get_info(device);
    const camcl_device_info was = *info;
    size_t ran[MOST] = { 0 };
    assert_true(cc_registry_count() <= MOST);
    size_t wrong = check_all(ran, false);
    if (compiles_own_kernels_only(info)) {
        printf("kernels for processors are not tested: Mesa %s compiles them wrongly\n", info->driver);
        assert_int_equal(wrong, 0);
        return;
    }
    pose(info);
    printf("posing as a %s\n", info->type == CAMCL_GPU ? "GPU" : "processor");
    wrong += check_all(ran, wants_all() && !interprets());
    *info = was;
    for (size_t i = 0; i < cc_registry_count(); i++) {
        const cc_variant *v = cc_registry_at(i);
        if (ran[i] > 0 || is_left_out(v)) continue;
        wrong++;
        printf("  %s, %s, %s: no case of its check is for it\n", v->op->name, cc_direction_name(v->direction), v->name);
    }
    assert_int_equal(wrong, 0);
}

/* ---- where fma() is slow (device/class.h), whatever it is on this device */

static camcl_device *open_with_slow_fma(void)
{
    camcl_device *slow = NULL;
    camcl_error err = { 0 };
    const camcl_device_options options = { .select = camcl_device_get_info(device)->selector, .tune = "off" };
    setenv("CAMCL_FMA", "slow", 1);
    if (camcl_device_open(&options, &slow, &err) != CAMCL_OK) fail_msg("%s", err.message);
    unsetenv("CAMCL_FMA");
    return slow;
}

static bool multiplies_and_adds(const cc_variant *v)
{
    return strncmp(v->op->name, "conv2d", 6) == 0 || strncmp(v->op->name, "batch_norm", 10) == 0;
}

/* Kernels for GPUs: processors have fma, or a form of their own. */
static void variants_are_right_with_slow_fma(void **state)
{
    (void)state;
    camcl_device *const fast = device;
    size_t wrong = 0, ran = 0;
    if (interprets()) return;
    device = open_with_slow_fma();
    if (cc_likes_long_items(camcl_device_get_info(device))) pose((camcl_device_info *)camcl_device_get_info(device));
    for (size_t i = 0; i < cc_registry_count(); i++) {
        cc_variant v = *cc_registry_at(i);
        if (multiplies_and_adds(&v)) wrong += !is_right(&v, wants_all() ? 0 : 2, &ran);
    }
    camcl_device_close(&device);
    device = fast;
    assert_int_equal(wrong, 0);
    assert_true(ran > 0);
}

/* The first row's operands of the activation are a product and minus that product as it is rounded: 0 where the sum is not fused with the
 * product, and in the backward pass as well. */
static void batch_norm_rounds_alike_with_slow_fma(void **state)
{
    enum { M = 3, C = 64 };
    (void)state;
    camcl_device *slow = open_with_slow_fma();
    cc_batch_norm_desc d = { M, C, 1e-5f, 0.1f, CC_NO_ACTIVATION, 0 };
    float *x = random_floats(M * C, 1), *gamma = random_floats(C, 2), *mean = random_floats(C, 3), beta[C] = { 0 }, var[C], dy[M * C];
    for (int i = 0; i < C; i++)
        var[i] = 1.5f + (float)i / C;
    for (int i = 0; i < M * C; i++)
        dy[i] = 1.0f;
    for (int kind = 0; kind < 2; kind++, pose((camcl_device_info *)camcl_device_get_info(slow))) {
        memset(beta, 0, sizeof beta);
        for (int pass = 0; pass < 2; pass++) {
            op_test t;
            op_begin(&t, slow);
            d.activation = pass ? CC_RELU : CC_NO_ACTIVATION;
            cc_tensor tx = op_input(&t, CC_F32, x, M * C), tg = op_input(&t, CC_F32, gamma, C), tb = op_input(&t, CC_F32, beta, C),
                      tm = op_input(&t, CC_F32, mean, C), tv = op_input(&t, CC_F32, var, C), td = op_input(&t, CC_F32, dy, M * C),
                      used = op_output(&t, CC_F32, C), invstd = op_output(&t, CC_F32, C), y = op_output(&t, CC_F32, M * C),
                      dx = op_output(&t, CC_F32, M * C), dx_without_y = op_output(&t, CC_F32, M * C);
            const cc_batch_norm_add add = { 0 };
            OK(&t, cc_batch_norm_forward_eval(t.tape, &d, tx, CC_NO_TENSOR, tg, tb, tm, tv, used, invstd, y, &t.err));
            OK(&t, cc_batch_norm_backward_eval(t.tape, &d, tx, y, td, tg, tb, used, invstd, dx, CC_NO_TENSOR, CC_NO_TENSOR, CC_NO_TENSOR,
                                               add, &t.err));
            OK(&t, cc_batch_norm_backward_eval(t.tape, &d, tx, CC_NO_TENSOR, td, tg, tb, used, invstd, dx_without_y, CC_NO_TENSOR,
                                               CC_NO_TENSOR, CC_NO_TENSOR, add, &t.err));
            op_run(&t);
            float *got = op_read_floats(&t, y), *want = op_read_floats(&t, dx), *without = op_read_floats(&t, dx_without_y);
            for (int i = 0; i < C && pass == 0; i++)
                beta[i] = -got[i];
            for (int i = 0; i < C && pass == 1; i++)
                if (got[i] != 0.0f || beta[i] == 0.0f)
                    fail_msg("channel %d: %g - %g is %g", i, (double)-beta[i], (double)-beta[i], (double)got[i]);
            check_same(without, want, M * C, "dx with y and without");
            free(got), free(want), free(without);
            op_end(&t);
        }
    }
    free(x), free(gamma), free(mean);
    camcl_device_close(&slow);
}

/* Whoever calls fma() itself is slow there. */
static void only_multiply_add_calls_fma(void **state)
{
    (void)state;
    size_t calls = 0;
    for (const cc_embedded_file *file = cc_embedded_files; file->name; file++)
        for (const char *at = strstr(file->text, "fma("); at; at = strstr(at + 1, "fma(")) {
            if (at > file->text && (isalnum((unsigned char)at[-1]) || at[-1] == '_')) continue;
            calls++;
            if (strcmp(file->name, "multiply_add.clh") != 0) fail_msg("%s calls fma", file->name);
        }
    assert_true(calls > 0);
}

static const struct CMUnitTest operation_tests[] = {
    cmocka_unit_test(every_variant_is_right),
    cmocka_unit_test(variants_are_right_with_slow_fma),
    cmocka_unit_test(batch_norm_rounds_alike_with_slow_fma),
    cmocka_unit_test(only_multiply_add_calls_fma),
};
#include "support/op_main.h"
