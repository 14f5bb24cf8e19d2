/* Which of the listed devices a selector picks. The devices are made up: no OpenCL is needed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "device/class.h"
#include "device/list.h"

static camcl_device_info made_up(const char *selector, camcl_device_type type, unsigned units, unsigned clock, const char *platform,
                                 const char *name)
{
    camcl_device_info info = { .type = type, .compute_units = units, .clock_mhz = clock, .usable = true };
    snprintf(info.selector, sizeof info.selector, "%s", selector);
    snprintf(info.platform, sizeof info.platform, "%s", platform);
    snprintf(info.name, sizeof info.name, "%s", name);
    return info;
}

enum { POCL, SMALL, LARGE, BOARD, BROKEN, DEVICES };

/* A CPU, two GPUs, an accelerator, and the largest GPU of all without a compiler. */
static void machine(camcl_device_info infos[DEVICES])
{
    infos[POCL] = made_up("0:0", CAMCL_CPU, 64, 4000, "Portable Computing Language", "pthread-Example CPU");
    infos[SMALL] = made_up("1:0", CAMCL_GPU, 10, 1000, "Vendor A OpenCL", "Radial 100");
    infos[LARGE] = made_up("1:1", CAMCL_GPU, 20, 900, "Vendor A OpenCL", "Radial 200");
    infos[BOARD] = made_up("2:0", CAMCL_ACCELERATOR, 1, 200, "Board SDK", "Gate Array");
    infos[BROKEN] = made_up("10:3", CAMCL_GPU, 200, 2000, "Old Driver", "Titanic");
    infos[BROKEN].usable = false;
    snprintf(infos[BROKEN].unusable, sizeof infos[BROKEN].unusable, "has no OpenCL compiler");
}

static void picks(const camcl_device_info *infos, size_t count, const char *selector, size_t want)
{
    camcl_error err = { 0 };
    size_t index = 99;
    camcl_status status = camcl_device_select(infos, count, selector, &index, &err);
    if (status != CAMCL_OK) fail_msg("%s: %s\n%s", selector, err.message, err.detail);
    if (index != want) fail_msg("%s picks device %zu, should pick %zu", selector, index, want);
}

static camcl_error refuses(const camcl_device_info *infos, size_t count, const char *selector, camcl_status want)
{
    camcl_error err = { 0 };
    size_t index = 99;
    assert_int_equal(camcl_device_select(infos, count, selector, &index, &err), want);
    assert_int_equal(err.status, want);
    assert_true(strlen(err.message) > 0 && strchr(err.message, '\n') == NULL && strchr(err.message, '(') != NULL);
    assert_int_equal(camcl_device_select(infos, count, selector, &index, NULL), want);
    return err;
}

static void lists_all(const camcl_error *err, const camcl_device_info *infos, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!strstr(err->detail, infos[i].selector) || !strstr(err->detail, infos[i].name) || !strstr(err->detail, infos[i].platform))
            fail_msg("\"%s\" does not list %s in:\n%s", err->message, infos[i].selector, err->detail);
    }
}

static void automatic_prefers_a_gpu_then_the_most_compute(void **state)
{
    (void)state;
    camcl_device_info infos[DEVICES];
    machine(infos);
    picks(infos, DEVICES, "auto", LARGE); /* 20 x 900 > 10 x 1000, though the CPU has 64 x 4000 */
    infos[SMALL].clock_mhz = 2000;
    picks(infos, DEVICES, "auto", SMALL);
    infos[SMALL].clock_mhz = 1800; /* a tie: the first */
    picks(infos, DEVICES, "auto", SMALL);
    infos[SMALL].clock_mhz = 1799;
    picks(infos, DEVICES, "auto", LARGE);
    infos[LARGE].clock_mhz = 0; /* unknown: counts as little */
    picks(infos, DEVICES, "auto", SMALL);
    picks(infos, DEVICES, "AUTO", SMALL);
    picks(infos, 1, "auto", POCL); /* no GPU at all */
    infos[SMALL].usable = infos[LARGE].usable = false;
    picks(infos, DEVICES, "auto", POCL);
    infos[BOARD].compute_units = 4096; /* without a GPU, compute alone decides */
    picks(infos, DEVICES, "auto", BOARD);
}

static void types(void **state)
{
    (void)state;
    camcl_device_info infos[DEVICES];
    machine(infos);
    picks(infos, DEVICES, "gpu", LARGE);
    picks(infos, DEVICES, "GPU", LARGE);
    picks(infos, DEVICES, "cpu", POCL);
    picks(infos, DEVICES, "accelerator", BOARD);
    infos[SMALL].compute_units = 100;
    picks(infos, DEVICES, "gpu", SMALL);
    camcl_error err = refuses(infos, 1, "gpu", CAMCL_NO_DEVICE);
    lists_all(&err, infos, 1);
    infos[BOARD].usable = false;
    err = refuses(infos, DEVICES, "accelerator", CAMCL_NO_DEVICE);
    lists_all(&err, infos, DEVICES);
}

static void numbers(void **state)
{
    (void)state;
    camcl_device_info infos[DEVICES];
    machine(infos);
    for (size_t i = 0; i < BROKEN; i++)
        picks(infos, DEVICES, infos[i].selector, i);
    const char *const wrong[] = { "0:1", "3:0", "1:2", "99:99" };
    for (size_t i = 0; i < CC_COUNT(wrong); i++) {
        camcl_error err = refuses(infos, DEVICES, wrong[i], CAMCL_NO_DEVICE);
        assert_non_null(strstr(err.message, wrong[i]));
        lists_all(&err, infos, DEVICES);
    }
    refuses(infos, DEVICES, "1:1x", CAMCL_NO_DEVICE);
    refuses(infos, DEVICES, "1:", CAMCL_NO_DEVICE);
    refuses(infos, DEVICES, ":1", CAMCL_NO_DEVICE);
}

static void names(void **state)
{
    (void)state;
    camcl_device_info infos[DEVICES];
    machine(infos);
    picks(infos, DEVICES, "Radial 200", LARGE);
    picks(infos, DEVICES, "radIAL 1", SMALL);
    picks(infos, DEVICES, "200", LARGE);
    picks(infos, DEVICES, "portable", POCL); /* by platform */
    picks(infos, DEVICES, "sdk", BOARD);
    picks(infos, DEVICES, "Example CPU", POCL); /* contains, but is not, the word cpu */
    const char *const several[] = { "radial", "Vendor A", "a" };
    for (size_t i = 0; i < CC_COUNT(several); i++) {
        camcl_error err = refuses(infos, DEVICES, several[i], CAMCL_NO_DEVICE);
        assert_non_null(strstr(err.message, "several"));
        assert_non_null(strstr(err.message, several[i]));
        lists_all(&err, infos, DEVICES);
    }
    camcl_error err = refuses(infos, DEVICES, "radial 300", CAMCL_NO_DEVICE);
    assert_non_null(strstr(err.message, "no device"));
    lists_all(&err, infos, DEVICES);
}

static void unusable_devices_are_never_picked(void **state)
{
    (void)state;
    camcl_device_info infos[DEVICES];
    machine(infos);
    const char *const ways[] = { "10:3", "titanic", "Old" };
    for (size_t i = 0; i < CC_COUNT(ways); i++) {
        camcl_error err = refuses(infos, DEVICES, ways[i], CAMCL_NO_DEVICE);
        assert_non_null(strstr(err.message, "Titanic"));
        assert_non_null(strstr(err.message, "cannot be used"));
        lists_all(&err, infos, DEVICES);
        assert_non_null(strstr(err.detail, "not usable"));
    }
    camcl_error err = refuses(infos + BROKEN, 1, "auto", CAMCL_NO_DEVICE);
    lists_all(&err, infos + BROKEN, 1);
    refuses(infos + BROKEN, 1, "gpu", CAMCL_NO_DEVICE);
}

static void lists_and_nothing(void **state)
{
    (void)state;
    camcl_device_info infos[DEVICES];
    machine(infos);
    picks(infos, DEVICES, "0:0,1:0", 0);
    picks(infos, DEVICES, " 0:0/1/2 , 1:0", 0);
    const char *const empty[] = { ",", " ,0:0" };
    for (size_t i = 0; i < CC_COUNT(empty); i++)
        refuses(infos, DEVICES, empty[i], CAMCL_BAD_CONFIG);
    const char *const any[] = { "auto", "gpu", "0:0", "radial" };
    for (size_t i = 0; i < CC_COUNT(any); i++) {
        camcl_error err = refuses(NULL, 0, any[i], CAMCL_NO_DEVICE);
        assert_non_null(strstr(err.message, "OpenCL"));
    }
    assert_int_equal(camcl_exit_status(CAMCL_NO_DEVICE), 3);
    assert_int_equal(camcl_exit_status(CAMCL_UNSUPPORTED), 2);
}

static void reasons(void **state)
{
    (void)state;
    camcl_device_info infos[DEVICES];
    char text[384];
    machine(infos);
    cc_device_explain(infos, DEVICES, "auto", LARGE, text, sizeof text);
    assert_string_equal(text, "Radial 200 (1:1, Vendor A OpenCL): the GPU with the most compute (20 units x 900 MHz)");
    infos[SMALL].usable = false;
    cc_device_explain(infos, DEVICES, "auto", LARGE, text, sizeof text);
    assert_string_equal(text, "Radial 200 (1:1, Vendor A OpenCL): the only GPU");
    cc_device_explain(infos, DEVICES, "radial 2", LARGE, text, sizeof text);
    assert_string_equal(text, "Radial 200 (1:1, Vendor A OpenCL): selected by \"radial 2\"");
    cc_device_explain(infos, 1, "auto", POCL, text, sizeof text);
    assert_string_equal(text, "pthread-Example CPU (0:0, Portable Computing Language): the only device");
    infos[LARGE].usable = false;
    cc_device_explain(infos, DEVICES, "auto", POCL, text, sizeof text);
    assert_string_equal(
        text, "pthread-Example CPU (0:0, Portable Computing Language): no usable GPU; the most compute of 2 devices (64 units x 4000 MHz)");
}

/* Of a GPU with few lanes beside a processor that can be used instead; whoever asked for it is told nothing. */
static void a_small_gpu_may_be_slower_than_the_processor(void **state)
{
    (void)state;
    camcl_device_info infos[] = { made_up("0:0", CAMCL_CPU, 16, 4000, "Portable Computing Language", "CPU"),
                                  made_up("1:0", CAMCL_GPU, 32, 1500, "Vendor I OpenCL", "UHD") };
    char text[384];
    snprintf(infos[1].vendor, sizeof infos[1].vendor, "Intel(R) Corporation");
    cc_device_explain(infos, 2, "auto", 1, text, sizeof text);
    assert_string_equal(text,
                        "UHD (1:0, Vendor I OpenCL): the only GPU; it is small, and the processor, 0:0, may be faster: camcl bench peak "
                        "device.select=0:0");
    cc_device_explain(infos, 2, "gpu", 1, text, sizeof text);
    assert_null(strstr(text, "small"));
    infos[0].usable = false;
    cc_device_explain(infos, 2, "auto", 1, text, sizeof text);
    assert_null(strstr(text, "small"));
    infos[0].usable = true;
    infos[1].compute_units = 33;
    cc_device_explain(infos, 2, "auto", 1, text, sizeof text);
    assert_null(strstr(text, "small"));
}

static void registers_can_be_those_of_another_processor(void **state)
{
    (void)state;
    camcl_device_info info = { .vector_width = 16, .vector_registers = 32 };
    assert_true(cc_device_override_registers(NULL, &info));
    assert_true(cc_device_override_registers("", &info));
    assert_int_equal(info.vector_width, 16);
    assert_true(cc_device_override_registers("8x16", &info));
    assert_int_equal(info.vector_width, 8);
    assert_int_equal(info.vector_registers, 16);
    static const char *const wrong[] = { "8", "8x", "x16", "5x16", "8x17", "8x16x", "8x160", "32x32", "-8x16", "a" };
    for (size_t i = 0; i < CC_COUNT(wrong); i++)
        if (cc_device_override_registers(wrong[i], &info)) fail_msg("%s was taken", wrong[i]);
    assert_int_equal(info.vector_width, 8);
    assert_int_equal(info.vector_registers, 16);
}

static void fma_is_slow_in_mesa_before_26_2(void **state)
{
    (void)state;
    static const struct {
        const char *platform, *driver;
        bool slow;
    } cases[] = { { "rusticl", "22.3.6", true },
                  { "rusticl", "26.1.9", true },
                  { "rusticl", "26.2.0", false },
                  { "rusticl", "26.10.0-devel", false },
                  { "rusticl", "27.0", false },
                  { "rusticl", "?", true },
                  { "rusticl", "", true },
                  { "Clover", "22.3.6", false },
                  { "Intel(R) OpenCL Graphics", "25.0", false } };
    for (size_t i = 0; i < CC_COUNT(cases); i++) {
        camcl_device_info info = made_up("0:0", CAMCL_GPU, 20, 2000, cases[i].platform, "GPU");
        snprintf(info.driver, sizeof info.driver, "%s", cases[i].driver);
        if (cc_device_has_slow_fma(&info) != cases[i].slow) fail_msg("%s %s", cases[i].platform, cases[i].driver);
    }
    bool slow = true;
    assert_true(cc_device_override_fma(NULL, &slow) && slow);
    assert_true(cc_device_override_fma("", &slow) && slow);
    assert_true(cc_device_override_fma("fast", &slow) && !slow);
    assert_false(cc_device_override_fma("slower", &slow));
    assert_true(cc_device_override_fma("slow", &slow) && slow);
}

/* An integrated GPU of many small units beside a card of few large ones. */
static void units_of_vendors_differ(void **state)
{
    (void)state;
    camcl_device_info infos[] = { made_up("0:0", CAMCL_GPU, 96, 1400, "Vendor I OpenCL", "Integrated"),
                                  made_up("1:0", CAMCL_GPU, 16, 1500, "Vendor N OpenCL", "Card") };
    snprintf(infos[0].vendor, sizeof infos[0].vendor, "Intel(R) Corporation");
    snprintf(infos[1].vendor, sizeof infos[1].vendor, "NVIDIA Corporation");
    picks(infos, CC_COUNT(infos), "auto", 1);
    picks(infos, CC_COUNT(infos), "gpu", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_of_vendors_differ),
        cmocka_unit_test(automatic_prefers_a_gpu_then_the_most_compute),
        cmocka_unit_test(types),
        cmocka_unit_test(numbers),
        cmocka_unit_test(names),
        cmocka_unit_test(unusable_devices_are_never_picked),
        cmocka_unit_test(lists_and_nothing),
        cmocka_unit_test(reasons),
        cmocka_unit_test(a_small_gpu_may_be_slower_than_the_processor),
        cmocka_unit_test(fma_is_slow_in_mesa_before_26_2),
        cmocka_unit_test(registers_can_be_those_of_another_processor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
