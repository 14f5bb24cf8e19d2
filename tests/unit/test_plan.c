/* The kernel plan as text, and how it decides which kernel serves a convolution. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "device/opencl.h"
#include "model/model.h"
#include "ops/registry.h"
#include "support/devices.h"

static camcl_error err;

/* ---- text */

static void format_and_parse_round_trip(void **state)
{
    (void)state;
    const char text[] = "conv2d forward n32 h32 w32 c16 k16 r3 s3 stride1 pad1 = tile\nanother key = general\n = \n";
    cc_plan plan = { .count = 0 };
    char *back = NULL;
    assert_int_equal(cc_plan_parse(&plan, text, &err), CAMCL_OK);
    assert_int_equal(plan.count, 3);
    assert_string_equal(plan.entries[0].key, "conv2d forward n32 h32 w32 c16 k16 r3 s3 stride1 pad1");
    assert_string_equal(plan.entries[0].variant, "tile");
    assert_string_equal(plan.entries[1].key, "another key");
    assert_int_equal(cc_plan_format(&plan, &back, &err), CAMCL_OK);
    assert_string_equal(back, text);
    free(back);
    /* Parsing replaces; the last line may lack its end. */
    assert_int_equal(cc_plan_parse(&plan, "a = b", &err), CAMCL_OK);
    assert_int_equal(plan.count, 1);
    assert_int_equal(cc_plan_format(&plan, &back, &err), CAMCL_OK);
    assert_string_equal(back, "a = b\n");
    free(back);
    cc_plan_clear(&plan);
    assert_int_equal(plan.count, 0);
    assert_null(plan.entries);
}

static void the_empty_plan_is_empty_text(void **state)
{
    (void)state;
    cc_plan plan = { .count = 0 };
    char *text = NULL;
    assert_int_equal(cc_plan_format(&plan, &text, &err), CAMCL_OK);
    assert_string_equal(text, "");
    assert_int_equal(cc_plan_parse(&plan, text, &err), CAMCL_OK);
    assert_int_equal(plan.count, 0);
    free(text);
    cc_plan_clear(&plan);
}

static void malformed_text_is_refused(void **state)
{
    (void)state;
    char long_key[400], long_variant[400];
    snprintf(long_key, sizeof long_key, "%0300d = tile\n", 1);
    snprintf(long_variant, sizeof long_variant, "key = %0300d\n", 1);
    const char *const texts[] = { "key",    "key=variant\n", "good = general\nbad\n", "key =variant", "\n", "bad\nkey = x\n",
                                  long_key, long_variant };
    for (size_t i = 0; i < CC_COUNT(texts); i++) {
        cc_plan plan = { .count = 0 };
        if (cc_plan_parse(&plan, texts[i], &err) != CAMCL_BAD_DATA) fail_msg("\"%s\" was taken", texts[i]);
        assert_non_null(strstr(err.message, "kernel plan"));
        assert_null(strchr(err.message, '\n'));
        cc_plan_clear(&plan);
    }
}

static void names_at_the_limit_fit(void **state)
{
    (void)state;
    cc_plan plan = { .count = 0 };
    char text[256], key[sizeof plan.entries->key], variant[sizeof plan.entries->variant];
    memset(key, 'k', sizeof key - 1);
    memset(variant, 'v', sizeof variant - 1);
    key[sizeof key - 1] = variant[sizeof variant - 1] = '\0';
    snprintf(text, sizeof text, "%s = %s\n", key, variant);
    assert_int_equal(cc_plan_parse(&plan, text, &err), CAMCL_OK);
    assert_string_equal(plan.entries[0].key, key);
    assert_string_equal(plan.entries[0].variant, variant);
    snprintf(text, sizeof text, "%sk = %s\n", key, variant);
    assert_int_equal(cc_plan_parse(&plan, text, &err), CAMCL_BAD_DATA);
    snprintf(text, sizeof text, "%s = %sv\n", key, variant);
    assert_int_equal(cc_plan_parse(&plan, text, &err), CAMCL_BAD_DATA);
    cc_plan_clear(&plan);
}

/* ---- choosing */

static const cc_conv2d_desc desc = { 2, 8, 8, 4, 4, 3, 3, 1, 1, 1 };
static const cc_direction directions[] = { CC_FORWARD, CC_BACKWARD_DATA, CC_BACKWARD_WEIGHT };

static void choices_obey_the_plan(camcl_device *device, void *context)
{
    (void)context;
    const camcl_device_info *info = camcl_device_get_info(device);
    size_t obeyed = 0;
    for (size_t i = 0; i < cc_registry_count(); i++) {
        const cc_variant *want = cc_registry_at(i), *got = NULL;
        if (strcmp(want->op->name, "conv2d") != 0 || !want->supports(info, &desc)) continue;
        cc_model model = { .device = device };
        char key[112], text[160];
        cc_conv2d_key(&desc, want->direction, key, sizeof key);
        snprintf(text, sizeof text, "%s = %s\n", key, want->name);
        assert_int_equal(cc_plan_parse(&model.plan, text, &err), CAMCL_OK);
        if (cc_model_choose(&model, want->direction, &desc, &got, &err) != CAMCL_OK) fail_msg("%s", err.message);
        assert_ptr_equal(got, want);
        /* What CLBlast serves notes its parameters, too. */
        assert_int_equal(model.plan.count, strcmp(want->name, "gemm") == 0 ? 2 : 1);
        cc_plan_clear(&model.plan);
        obeyed++;
    }
    assert_true(obeyed >= 3);
}

/* The plan's variant for the key, "" where it has none. */
static const char *noted(const cc_plan *plan, const char *key)
{
    for (size_t i = 0; i < plan->count; i++)
        if (strcmp(plan->entries[i].key, key) == 0) return plan->entries[i].variant;
    return "";
}

static void defaults_are_noted(camcl_device *device, void *context)
{
    (void)context;
    bool gemm = false;
    const camcl_device_info *info = camcl_device_get_info(device);
    cc_model model = { .device = device };
    for (size_t twice = 0; twice < 2; twice++)
        for (size_t d = 0; d < CC_COUNT(directions); d++) {
            const cc_variant *got = NULL;
            char key[112];
            assert_int_equal(cc_model_choose(&model, directions[d], &desc, &got, &err), CAMCL_OK);
            assert_ptr_equal(got, cc_conv2d_choose(info, "auto", directions[d], &desc));
            assert_int_equal(got->direction, directions[d]);
            assert_true(got->supports(info, &desc));
            cc_conv2d_key(&desc, directions[d], key, sizeof key);
            assert_string_equal(noted(&model.plan, key), got->name);
            gemm = gemm || strcmp(got->name, "gemm") == 0;
        }
    assert_int_equal(model.plan.count, CC_COUNT(directions) + gemm); /* once each */
    if (gemm) assert_string_equal(noted(&model.plan, "clblast Xgemm"), "default");
    cc_plan_clear(&model.plan);
}

static void what_cannot_run_is_refused(camcl_device *device, void *context)
{
    (void)context;
    const char *const unknown[] = { "imaginary", "", "Tile", "tile " };
    char key[112], text[160];
    cc_conv2d_key(&desc, CC_FORWARD, key, sizeof key);
    for (size_t i = 0; i < CC_COUNT(unknown); i++) {
        cc_model model = { .device = device };
        const cc_variant *got = NULL;
        snprintf(text, sizeof text, "%s = %s\n", key, unknown[i]);
        assert_int_equal(cc_plan_parse(&model.plan, text, &err), CAMCL_OK);
        assert_int_equal(cc_model_choose(&model, CC_FORWARD, &desc, &got, &err), CAMCL_UNSUPPORTED);
        assert_non_null(strstr(err.message, key));
        /* The other directions are not named: theirs are the defaults. */
        assert_int_equal(cc_model_choose(&model, CC_BACKWARD_DATA, &desc, &got, &err), CAMCL_OK);
        cc_plan_clear(&model.plan);
    }
}

static void policies_limit_the_default(void **state)
{
    (void)state;
    camcl_device_info cpu = { .type = CAMCL_CPU,
                              .max_work_group = 4096,
                              .local_mem = 1 << 15,
                              .max_alloc = 1 << 30,
                              .global_mem = 1 << 30,
                              .compute_units = 2,
                              .vector_width = 16,
                              .vector_registers = 32 };
    camcl_device_info gpu = { .type = CAMCL_GPU,
                              .vendor = "NVIDIA Corporation",
                              .max_work_group = 1024,
                              .local_mem = 1 << 15,
                              .max_alloc = 1 << 30,
                              .global_mem = 1 << 30,
                              .compute_units = 40 };
    const camcl_device_info *const infos[] = { &cpu, &gpu };
    for (size_t i = 0; i < CC_COUNT(infos); i++)
        for (size_t d = 0; d < CC_COUNT(directions); d++) {
            assert_string_equal(cc_conv2d_choose(infos[i], "gemm", directions[d], &desc)->family, "gemm");
            assert_string_equal(cc_conv2d_choose(infos[i], "direct", directions[d], &desc)->family, "direct");
            const cc_variant *any = cc_conv2d_choose(infos[i], "auto", directions[d], &desc);
            assert_non_null(any);
            assert_true(any->supports(infos[i], &desc));
            /* A family without a variant for the shape falls back to the general one. */
            assert_non_null(cc_conv2d_choose(infos[i], "winograd", directions[d], &desc));
        }
}

/* In the first version "tile" was also what 1x1 convolutions and those of few input channels were served by. */
static void plans_of_the_first_version_mean_what_they_did(void **state)
{
    (void)state;
    const camcl_device_info cpu = { .type = CAMCL_CPU, .compute_units = 2, .vector_width = 16, .vector_registers = 32 };
    camcl_device device = { .info = cpu };
    const char before[] = "conv2d forward n2 h8 w8 c4 k4 r1 s1 stride2 pad0 = tile\n"
                          "conv2d backward-data n2 h8 w8 c4 k4 r1 s1 stride1 pad0 = tile\n"
                          "conv2d backward-weight n2 h8 w8 c4 k4 r1 s1 stride1 pad0 = tile\n"
                          "conv2d backward-weight n2 h8 w8 c8 k16 r1 s1 stride1 pad0 = tile\n"
                          "conv2d forward n2 h8 w8 c4 k4 r1 s1 stride2 pad0 = gemm\n"
                          "conv2d forward n2 h8 w8 c4 k4 r1 s1 stride1 pad1 = tile\n"
                          "conv2d forward n2 h32 w32 c3 k16 r3 s3 stride1 pad1 = tile\n"
                          "conv2d backward-data n2 h32 w32 c3 k16 r3 s3 stride1 pad1 = tile\n"
                          "conv2d backward-weight n2 h32 w32 c3 k16 r3 s3 stride1 pad1 = tile\n"
                          "conv2d forward n2 h32 w32 c3 k4 r3 s3 stride1 pad1 = tile\n"
                          "linear forward n2 in8 out3 = direct\n"
                          "clblast Xgemm = default\n";
    const char after[] = "conv2d forward n2 h8 w8 c4 k4 r1 s1 stride2 pad0 = point\n"
                         "conv2d backward-data n2 h8 w8 c4 k4 r1 s1 stride1 pad0 = point\n"
                         "conv2d backward-weight n2 h8 w8 c4 k4 r1 s1 stride1 pad0 = tile\n" /* channels in no whole register tiles */
                         "conv2d backward-weight n2 h8 w8 c8 k16 r1 s1 stride1 pad0 = point\n"
                         "conv2d forward n2 h8 w8 c4 k4 r1 s1 stride2 pad0 = gemm\n"
                         "conv2d forward n2 h8 w8 c4 k4 r1 s1 stride1 pad1 = tile\n"
                         "conv2d forward n2 h32 w32 c3 k16 r3 s3 stride1 pad1 = narrow\n"
                         "conv2d backward-data n2 h32 w32 c3 k16 r3 s3 stride1 pad1 = tile\n"
                         "conv2d backward-weight n2 h32 w32 c3 k16 r3 s3 stride1 pad1 = narrow\n"
                         "conv2d forward n2 h32 w32 c3 k4 r3 s3 stride1 pad1 = tile\n"
                         "linear forward n2 in8 out3 = direct\n"
                         "clblast Xgemm = default\n";
    cc_plan plan = { .count = 0 };
    char *text = NULL;
    assert_int_equal(cc_plan_parse(&plan, before, &err), CAMCL_OK);
    cc_plan_update(&plan, &device);
    assert_int_equal(cc_plan_format(&plan, &text, &err), CAMCL_OK);
    assert_string_equal(text, after);
    free(text);
    cc_plan_clear(&plan);
}

static void choices(void **state)
{
    (void)state;
    for_each_device(choices_obey_the_plan, NULL);
}

static void notes(void **state)
{
    (void)state;
    for_each_device(defaults_are_noted, NULL);
}

static void refusals(void **state)
{
    (void)state;
    for_each_device(what_cannot_run_is_refused, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(format_and_parse_round_trip),
        cmocka_unit_test(the_empty_plan_is_empty_text),
        cmocka_unit_test(malformed_text_is_refused),
        cmocka_unit_test(names_at_the_limit_fit),
        cmocka_unit_test(policies_limit_the_default),
        cmocka_unit_test(plans_of_the_first_version_mean_what_they_did),
        cmocka_unit_test(choices),
        cmocka_unit_test(notes),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
