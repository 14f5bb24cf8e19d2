/* Timings in memory and on disk, and the choice by them: nothing that happens to the file may do harm. */
#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/memory.h"
#include "device/opencl.h"
#include "model/model.h"
#include "model/tune.h"
#include "ops/record.h"
#include "support/devices.h"
#include "support/scratch.h"

static camcl_error err;

/* A device that nothing needs to be run on. */
static camcl_device device_with(const char *cache)
{
    return (camcl_device){ .info = { .platform = "P",
                                     .vendor = "V",
                                     .name = "N",
                                     .driver = "1.0",
                                     .opencl_c = "OpenCL C 1.2",
                                     .type = CAMCL_CPU,
                                     .compute_units = 2,
                                     .global_mem = 1u << 30,
                                     .max_alloc = 1u << 28,
                                     .local_mem = 32768,
                                     .max_work_group = 256 },
                           .conv = "auto",
                           .tune = CC_TUNE_CACHE,
                           .cache_dir = (char *)(uintptr_t)cache };
}

static void add(camcl_device *device, const char *key, const char *choice, double ms)
{
    if (cc_timings_add(device, key, choice, ms, &err) != CAMCL_OK) fail_msg("%s", err.message);
}

static size_t known(const char *cache, const char *driver)
{
    camcl_device device = device_with(cache);
    snprintf(device.info.driver, sizeof device.info.driver, "%s", driver);
    cc_timings_load(&device);
    free(device.timings);
    return device.timing_count;
}

static const char *only_file(const char *cache)
{
    const char *folder = scratch_path(cache, "tuned"), *path = NULL;
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        if (entry->d_name[0] == '.') continue;
        assert_null(path);
        path = scratch_path(folder, entry->d_name);
    }
    closedir(entries);
    assert_non_null(path);
    return path;
}

static void store_two(const char *cache)
{
    camcl_device device = device_with(cache);
    add(&device, "key one", "tile", 1.5);
    add(&device, "key one", "gemm", 1e9);
    cc_timings_store(&device);
    free(device.timings);
}

static void what_is_stored_is_known_again(void **state)
{
    store_two(*state);
    camcl_device device = device_with(*state);
    cc_timings_load(&device);
    assert_int_equal(device.timing_count, 2);
    assert_true(fabs(cc_timings_find(&device, "key one", "tile") - 1.5) < 1e-9);
    assert_true(fabs(cc_timings_find(&device, "key one", "gemm") - 1e9) < 1);
    assert_true(isnan(cc_timings_find(&device, "key one", "local")));
    assert_true(isnan(cc_timings_find(&device, "key", "tile")));
    free(device.timings);
}

static void storing_keeps_what_others_stored(void **state)
{
    store_two(*state);
    camcl_device device = device_with(*state);
    add(&device, "key two", "tile", 2);
    add(&device, "key one", "tile", 3); /* newer than the file's */
    cc_timings_store(&device);
    free(device.timings);
    device = device_with(*state);
    cc_timings_load(&device);
    assert_int_equal(device.timing_count, 3);
    assert_true(fabs(cc_timings_find(&device, "key one", "tile") - 3) < 1e-9);
    free(device.timings);
}

static void another_driver_or_device_knows_nothing(void **state)
{
    store_two(*state);
    assert_int_equal(known(*state, "1.0"), 2);
    assert_int_equal(known(*state, "1.1"), 0);
    /* Even where both have one file name. */
    size_t size;
    const char *path = only_file(*state);
    char *whole = scratch_read(path, &size);
    char *driver = strstr(whole, "| 1.0 |");
    assert_non_null(driver);
    driver[4] = '1';
    scratch_write(path, whole, size);
    assert_int_equal(known(*state, "1.0"), 0);
    free(whole);
}

static void damage_makes_it_forget(void **state)
{
    size_t size;
    store_two(*state);
    const char *path = only_file(*state);
    char *whole = scratch_read(path, &size);
    for (size_t at = 0; at < size; at++) {
        whole[at] = (char)(whole[at] ^ 4);
        scratch_write(path, whole, size);
        if (known(*state, "1.0")) fail_msg("byte %zu was changed and the file taken", at);
        whole[at] = (char)(whole[at] ^ 4);
    }
    for (size_t length = 0; length < size; length++) {
        scratch_write(path, whole, length);
        if (known(*state, "1.0")) fail_msg("the first %zu of %zu bytes were taken", length, size);
    }
    scratch_write(path, whole, size);
    assert_int_equal(known(*state, "1.0"), 2);
    /* The next store makes it whole again. */
    scratch_write(path, "rubbish", 7);
    store_two(*state);
    assert_int_equal(known(*state, "1.0"), 2);
    free(whole);
}

static void a_folder_that_cannot_be_written_is_no_error(void **state)
{
    const char *file = scratch_path(*state, "file"), *below = scratch_path(file, "cache");
    scratch_write(file, "x", 1);
    store_two(below);
    assert_int_equal(known(below, "1.0"), 0);
    store_two(NULL); /* no cache folder at all */
    assert_int_equal(known(NULL, "1.0"), 0);
}

static void long_names_are_refused(void **state)
{
    (void)state;
    char name[200];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    camcl_device device = device_with(NULL);
    assert_int_equal(cc_timings_add(&device, name, "tile", 1, &err), CAMCL_FAILED);
    assert_int_equal(cc_timings_add(&device, "key", name, 1, &err), CAMCL_FAILED);
    assert_int_equal(device.timing_count, 0);
}

/* ---- choosing */

static const cc_conv2d_desc desc = { 2, 8, 8, 16, 16, 3, 3, 1, 1 };

/* Gives every variant but "general" a time, `winner` the least. */
static void time_all(camcl_device *device, const cc_conv2d_desc *d, const char *winner, const char *left_out)
{
    char key[160];
    cc_tune_key(&(cc_problem){ .direction = CC_FORWARD, .conv = *d }, key, sizeof key);
    for (size_t i = 0; i < cc_registry_count(); i++) {
        const cc_variant *v = cc_registry_at(i);
        if (strcmp(v->op, "conv2d") != 0 || v->direction != CC_FORWARD || (left_out && strcmp(v->name, left_out) == 0)) continue;
        add(device, key, v->name, strcmp(v->name, winner) == 0 ? 1 : 2);
    }
}

static const char *chosen(camcl_device *device, const cc_conv2d_desc *d)
{
    const cc_variant *got = NULL;
    cc_model model = { .device = device };
    assert_int_equal(cc_model_choose(&model, CC_FORWARD, d, &got, &err), CAMCL_OK);
    cc_plan_clear(&model.plan);
    return got->name;
}

static void the_fastest_is_chosen(void **state)
{
    (void)state;
    camcl_device device = device_with(NULL);
    const char *builtin = cc_conv2d_choose(&device.info, "auto", CC_FORWARD, &desc)->name;
    assert_string_not_equal(builtin, "gemm");
    assert_string_equal(chosen(&device, &desc), builtin);
    time_all(&device, &desc, "gemm", "tile"); /* not all are timed yet */
    assert_string_equal(chosen(&device, &desc), builtin);
    assert_false(cc_tune_knows(&device, &(cc_problem){ .direction = CC_FORWARD, .conv = desc }));
    time_all(&device, &desc, "gemm", NULL);
    assert_true(cc_tune_knows(&device, &(cc_problem){ .direction = CC_FORWARD, .conv = desc }));
    assert_string_equal(chosen(&device, &desc), "gemm");
    device.tune = CC_TUNE_OFF;
    assert_string_equal(chosen(&device, &desc), builtin);
    device.tune = CC_TUNE_CACHE;
    snprintf(device.conv, sizeof device.conv, "direct");
    assert_string_equal(cc_tune_find(&device, &(cc_problem){ .direction = CC_FORWARD, .conv = desc })->family, "direct");
    free(device.timings);
}

static void large_batches_share_timings(void **state)
{
    (void)state;
    camcl_device device = device_with(NULL);
    cc_conv2d_desc large = desc, larger = desc, small = desc;
    large.n = 200;
    larger.n = 1000;
    small.n = 127;
    time_all(&device, &large, "gemm", NULL);
    assert_string_equal(chosen(&device, &large), "gemm");
    assert_string_equal(chosen(&device, &larger), "gemm");
    assert_false(cc_tune_knows(&device, &(cc_problem){ .direction = CC_FORWARD, .conv = small }));
    free(device.timings);
}

static void failures_never_win(void **state)
{
    (void)state;
    camcl_device device = device_with(NULL);
    char key[160];
    cc_tune_key(&(cc_problem){ .direction = CC_FORWARD, .conv = desc }, key, sizeof key);
    time_all(&device, &desc, "gemm", NULL);
    for (size_t i = 0; i < device.timing_count; i++)
        device.timings[i].ms = 1e12;
    assert_true(cc_tune_knows(&device, &(cc_problem){ .direction = CC_FORWARD, .conv = desc }));
    assert_null(cc_tune_find(&device, &(cc_problem){ .direction = CC_FORWARD, .conv = desc }));
    assert_string_equal(chosen(&device, &desc), cc_conv2d_choose(&device.info, "auto", CC_FORWARD, &desc)->name);
    free(device.timings);
}

/* ---- timing */

static void times_every_variant(camcl_device *device, void *context)
{
    (void)context;
    for (int i = CC_FORWARD; i <= CC_BACKWARD_WEIGHT; i++) {
        const cc_direction direction = (cc_direction)i;
        const cc_problem p = { .direction = direction, .conv = desc };
        if (cc_tune_time(device, &p, &err) != CAMCL_OK) fail_msg("%s", err.message);
        assert_true(cc_tune_knows(device, &p));
        const cc_variant *fastest = cc_tune_find(device, &p);
        assert_non_null(fastest);
        assert_int_equal(fastest->direction, direction);
    }
    size_t count;
    const cc_timing *timings = cc_timings(device, &count);
    for (size_t i = 0; i < count; i++)
        if (!(timings[i].ms > 0 && timings[i].ms < 60e3)) fail_msg("%s = %s: %g ms", timings[i].key, timings[i].choice, timings[i].ms);
    /* A stop leaves the table as it was. */
    volatile sig_atomic_t stop = 1;
    const cc_conv2d_desc other = { 3, 8, 8, 16, 16, 3, 3, 1, 1 };
    cc_device_set_stop(device, &stop);
    assert_int_equal(cc_tune_time(device, &(cc_problem){ .direction = CC_FORWARD, .conv = other }, &err), CAMCL_STOPPED);
    cc_device_set_stop(device, NULL);
    size_t after;
    cc_timings(device, &after);
    assert_int_equal(after, count);
}

static void timing_covers_all(void **state)
{
    (void)state;
    for_each_device(times_every_variant, NULL);
}

static void keys_are_read_back(void **state)
{
    (void)state;
    cc_problem p;
    const cc_conv2d_desc conv = { 32, 30, 31, 16, 24, 3, 5, 2, 1 };
    const cc_linear_desc linear = { 96, 512, 10 };
    for (int i = CC_FORWARD; i <= CC_BACKWARD_WEIGHT; i++) {
        char key[160];
        cc_op_key("conv2d", (cc_direction)i, &conv, key, sizeof key);
        assert_true(cc_plan_read_key(key, &p));
        assert_int_equal(p.direction, i);
        assert_false(p.linear);
        assert_memory_equal(&p.conv, &conv, sizeof conv);
        cc_op_key("linear", (cc_direction)i, &linear, key, sizeof key);
        assert_true(cc_plan_read_key(key, &p));
        assert_int_equal(p.direction, i);
        assert_true(p.linear);
        assert_memory_equal(&p.fc, &linear, sizeof linear);
    }
    assert_false(cc_plan_read_key("clblast Xgemm", &p));
    assert_false(cc_plan_read_key("linear forward n0 in2 out3", &p));
    assert_false(cc_plan_read_key("conv2d sideways n32 h30 w31 c16 k24 r3 s5 stride2 pad1", &p));
    assert_false(cc_plan_read_key("conv2d forward n32 h1 w1 c16 k24 r3 s5 stride2 pad0", &p));
    assert_false(cc_plan_read_key("", &p));
}

/* ---- linear layers and CLBlast's parameters */

static void times_linear_layers(camcl_device *device, void *context)
{
    (void)context;
    for (int i = CC_FORWARD; i <= CC_BACKWARD_WEIGHT; i++) {
        const cc_problem p = { .direction = (cc_direction)i, .linear = true, .fc = { 33, 130, 17 } };
        assert_false(cc_tune_knows(device, &p));
        if (cc_tune_time(device, &p, &err) != CAMCL_OK) fail_msg("%s", err.message);
        const cc_variant *fastest = cc_tune_find(device, &p);
        assert_non_null(fastest);
        assert_string_equal(fastest->op, "linear");
        assert_int_equal(fastest->direction, i);
    }
}

static void linear_layers_are_timed(void **state)
{
    (void)state;
    for_each_device(times_linear_layers, NULL);
}

static void the_fastest_parameters_are_found(void **state)
{
    (void)state;
    camcl_device device = device_with(NULL);
    assert_false(cc_tune_knows_gemm(&device));
    assert_int_equal(cc_tune_find_gemm(&device), 0);
    assert_string_equal(cc_gemm_set_name(0), "default");
    for (size_t i = 0; cc_gemm_set_name(i); i++)
        add(&device, CC_TUNE_GEMM_KEY, cc_gemm_set_name(i), i == 2 ? 9.4 : 10);
    assert_true(cc_tune_knows_gemm(&device));
    assert_int_equal(cc_tune_find_gemm(&device), 2);
    add(&device, CC_TUNE_GEMM_KEY, cc_gemm_set_name(2), 9.6); /* not worth a change */
    assert_int_equal(cc_tune_find_gemm(&device), 0);
    free(device.timings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_stored_is_known_again, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(storing_keeps_what_others_stored, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(another_driver_or_device_knows_nothing, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(damage_makes_it_forget, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(a_folder_that_cannot_be_written_is_no_error, scratch_setup, scratch_teardown),
        cmocka_unit_test(long_names_are_refused),
        cmocka_unit_test(the_fastest_is_chosen),
        cmocka_unit_test(large_batches_share_timings),
        cmocka_unit_test(failures_never_win),
        cmocka_unit_test(keys_are_read_back),
        cmocka_unit_test(timing_covers_all),
        cmocka_unit_test(linear_layers_are_timed),
        cmocka_unit_test(the_fastest_parameters_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
