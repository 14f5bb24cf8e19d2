/* Where there is no device, the reason given is the one that holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/program.h"
#include "support/runs.h"
#include "support/scratch.h"

/* Only the drivers in folder/vendors are there; an icd file names the library. */
static void install(const char *folder, const char *library)
{
    const char *vendors = scratch_path(folder, "vendors");
    mkdir(vendors, 0777);
    if (library) scratch_write(scratch_path(vendors, "a.icd"), library, strlen(library));
    assert_int_equal(setenv("OCL_ICD_VENDORS", vendors, 1), 0);
}

static int restore(void **state)
{
    (void)state;
    static const char *const set[] = { "OCL_ICD_VENDORS", "FAKE_PLATFORM", "FAKE_DEVICE", "RUSTICL_ENABLE" };
    for (size_t i = 0; i < sizeof set / sizeof set[0]; i++)
        assert_int_equal(unsetenv(set[i]), 0);
    return 0;
}

/* train and devices say the same. */
static void says(const char *folder, const char *parts)
{
    program_fails(folder, 3, parts, "train '%s/small.ini' 'output.dir=%s/none' --quiet", folder, folder);
    program_fails(folder, 3, parts, "devices");
}

static void test_no_driver(void **state)
{
    install(*state, NULL);
    says(*state, "device: OCL_ICD_VENDORS = |leads to no OpenCL driver");
    install(*state, "libno-such-driver-at-all.so\n");
    says(*state, "none of the OpenCL drivers in|could be loaded, of which there are 1");
}

static void test_empty_platforms(void **state)
{
    install(*state, getenv("CAMCL_FAKE_PLATFORM"));
    setenv("FAKE_PLATFORM", "rusticl", 1);
    says(*state, "the platform rusticl has no device|RUSTICL_ENABLE names, which is not set|RUSTICL_ENABLE=radeonsi");
    setenv("RUSTICL_ENABLE", "radeonsi", 1);
    says(*state, "the platform rusticl has no device: its driver finds no hardware|/dev/dri");
    setenv("FAKE_PLATFORM", "Some \033[2Jvendor", 1);
    says(*state, "the platform Some \\x1b[2Jvendor has no device: its driver finds no hardware");
}

/* A GPU is asked for: the platform that could have one is told of beside the devices that there are. */
static void test_beside_devices(void **state)
{
    const char *folder = *state, *vendors = scratch_path(folder, "vendors");
    static const char system[] = "/etc/OpenCL/vendors/pocl.icd";
    size_t size;
    char *pocl = scratch_read(system, &size);
    if (pocl == NULL) skip();
    install(folder, getenv("CAMCL_FAKE_PLATFORM"));
    scratch_write(scratch_path(vendors, "b.icd"), pocl, size);
    free(pocl);
    setenv("FAKE_PLATFORM", "rusticl", 1);
    program_fails(folder, 3, "there is no such device|Portable Computing Language|the platform rusticl has no device|RUSTICL_ENABLE",
                  "train '%s/small.ini' 'output.dir=%s/none' device.select=gpu --quiet", folder, folder);
    assert_int_equal(remove(scratch_path(vendors, "b.icd")), 0);
}

/* A device is listed with what is wrong with it, is never picked, and is an error where it is asked for, alone or in a list, before
 * anything is written. */
static void test_unusable_devices(void **state)
{
    static const char *const cases[][2] = { { "big-endian", "it is big-endian" },
                                            { "no-compiler", "it has no OpenCL compiler" },
                                            { "not-available", "it is not available" },
                                            { "silent", "it does not say what it is" } };
    const char *folder = *state, *vendors = scratch_path(folder, "vendors");
    size_t size;
    char *pocl = scratch_read("/etc/OpenCL/vendors/pocl.icd", &size);
    if (pocl == NULL) skip();
    install(folder, getenv("CAMCL_FAKE_PLATFORM"));
    scratch_write(scratch_path(vendors, "b.icd"), pocl, size);
    free(pocl);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char parts[256];
        setenv("FAKE_DEVICE", cases[i][0], 1);
        /* Which of the two the loader lists first is not fixed. */
        char *devices = program_prints(folder, "devices");
        const char *fake = strstr(devices, "not usable: "), *pocl_is_first = strstr(devices, "\n* 0:0");
        if (fake == NULL || strstr(fake, cases[i][1]) == NULL) fail_msg("%s: %s", cases[i][0], devices);
        const char *const list = pocl_is_first ? "0:0, 1:0" : "1:0, 0:0", *const alone = pocl_is_first ? "1:0" : "0:0";
        snprintf(parts, sizeof parts, "device.select = %s: |cannot be used: %s|(pick another one that camcl devices lists)", alone,
                 cases[i][1]);
        program_fails(folder, 3, parts, "train '%s/small.ini' 'output.dir=%s/none' device.select=%s --quiet", folder, folder, alone);
        program_fails(folder, 3, parts, "train '%s/small.ini' 'output.dir=%s/none' 'device.select=%s' --quiet", folder, folder, list);
        assert_int_not_equal(access(scratch_path(folder, "none"), F_OK), 0);
        free(devices);
    }
    assert_int_equal(remove(scratch_path(vendors, "b.icd")), 0);
}

/* PoCL itself prints a line or more, so only its share of stderr is looked at. */
static void test_pocl_cache(void **state)
{
    const char *folder = *state, *set = getenv("POCL_CACHE_DIR");
    char before[512] = "";
    size_t size;
    char *pocl = scratch_read("/etc/OpenCL/vendors/pocl.icd", &size);
    if (pocl == NULL) skip();
    install(folder, NULL);
    scratch_write(scratch_path(scratch_path(folder, "vendors"), "a.icd"), pocl, size);
    free(pocl);
    if (set) snprintf(before, sizeof before, "%s", set);
    setenv("POCL_CACHE_DIR", "/proc/nope", 1);
    outcome result = program_run(folder, "devices");
    if (set)
        setenv("POCL_CACHE_DIR", before, 1);
    else
        unsetenv("POCL_CACHE_DIR");
    assert_int_equal(result.status, 3);
    if (!strstr(result.err, "PoCL cannot write into its cache folder /proc/nope (set POCL_CACHE_DIR to a folder that can be written)"))
        fail_msg("not the reason: %s", result.err);
    outcome_free(&result);
}

int main(void)
{
    if (!program_is_named()) return 1;
    const struct CMUnitTest tests[] = { cmocka_unit_test_teardown(test_no_driver, restore),
                                        cmocka_unit_test_teardown(test_empty_platforms, restore),
                                        cmocka_unit_test_teardown(test_beside_devices, restore),
                                        cmocka_unit_test_teardown(test_unusable_devices, restore),
                                        cmocka_unit_test_teardown(test_pocl_cache, restore) };
    return cmocka_run_group_tests(tests, runs_setup, runs_teardown);
}
