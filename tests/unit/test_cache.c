/* Compiled kernels on disk: nothing that happens to the files may be seen in results. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "device/opencl.h"
#include "ops/ops.h"
#include "support/devices.h"
#include "support/operands.h"
#include "support/scratch.h"

/* ---- entries */

static const unsigned char content[] = { 1, 0, 2, 0xff, 'x', 0, 0, 9, 200, 13, 10 };
enum { HEADER = 32 }; /* magic, then the lengths of key and binary and a checksum, 8 bytes each */

static cc_cache_key key_of(const char *text) { return (cc_cache_key){ (char *)(uintptr_t)text, strlen(text) }; }

static bool loads(const char *folder, const char *key, const void *want, size_t want_size)
{
    unsigned char *binary = NULL;
    size_t size = 12345;
    cc_cache_key k = key_of(key);
    if (!cc_cache_load(folder, &k, &binary, &size)) {
        assert_null(binary);
        return false;
    }
    assert_int_equal(size, want_size);
    assert_memory_equal(binary, want, size);
    free(binary);
    return true;
}

static void store(const char *folder, const char *key, const void *binary, size_t size)
{
    cc_cache_key k = key_of(key);
    cc_cache_store(folder, &k, binary, size);
}

/* The only file of the cache. */
static const char *only_entry(const char *folder)
{
    const char *kernels = scratch_path(folder, "kernels"), *path = NULL;
    DIR *entries = opendir(kernels);
    assert_non_null(entries);
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        if (entry->d_name[0] == '.') continue;
        assert_null(path);
        path = scratch_path(kernels, entry->d_name);
    }
    closedir(entries);
    assert_non_null(path);
    return path;
}

static void what_is_stored_is_loaded(void **state)
{
    const char *folder = scratch_path(*state, "not/there/yet");
    assert_false(loads(folder, "key one", content, sizeof content));
    store(folder, "key one", content, sizeof content);
    store(folder, "key two", "other", 5);
    assert_true(loads(folder, "key one", content, sizeof content));
    assert_true(loads(folder, "key two", "other", 5));
    assert_false(loads(folder, "key", content, sizeof content));
    assert_false(loads(folder, "key one ", content, sizeof content));
    store(folder, "key one", "newer", 5);
    assert_true(loads(folder, "key one", "newer", 5));
    assert_int_equal(scratch_entries(scratch_path(folder, "kernels")), 2);
}

static void a_deleted_entry_is_not_there(void **state)
{
    store(*state, "key", content, sizeof content);
    assert_int_equal(unlink(only_entry(*state)), 0);
    assert_false(loads(*state, "key", content, sizeof content));
    store(*state, "key", content, sizeof content);
    assert_true(loads(*state, "key", content, sizeof content));
}

static void every_truncation_is_noticed(void **state)
{
    size_t size;
    store(*state, "some key", content, sizeof content);
    const char *path = only_entry(*state);
    char *whole = scratch_read(path, &size);
    assert_int_equal(size, HEADER + strlen("some key") + sizeof content);
    for (size_t length = 0; length < size; length++) {
        scratch_write(path, whole, length);
        if (loads(*state, "some key", content, sizeof content)) fail_msg("%zu bytes of %zu were taken", length, size);
    }
    char *longer = malloc(size + 1);
    assert_non_null(longer);
    memcpy(longer, whole, size);
    longer[size] = 0;
    scratch_write(path, longer, size + 1);
    assert_false(loads(*state, "some key", content, sizeof content));
    scratch_write(path, whole, size);
    assert_true(loads(*state, "some key", content, sizeof content));
    free(longer);
    free(whole);
}

static void every_flipped_bit_is_noticed(void **state)
{
    size_t size;
    store(*state, "some key", content, sizeof content);
    const char *path = only_entry(*state);
    char *whole = scratch_read(path, &size);
    for (size_t at = 0; at < size; at++)
        for (int bit = 0; bit < 8; bit++) {
            whole[at] = (char)(whole[at] ^ (1 << bit));
            scratch_write(path, whole, size);
            if (loads(*state, "some key", content, sizeof content)) fail_msg("bit %d of byte %zu was flipped and taken", bit, at);
            whole[at] = (char)(whole[at] ^ (1 << bit));
        }
    free(whole);
}

/* Two keys of one hash: the second finds the first's file. */
static void another_keys_file_is_not_taken(void **state)
{
    size_t size;
    store(*state, "some key", content, sizeof content);
    const char *path = only_entry(*state);
    char *whole = scratch_read(path, &size);
    memcpy(whole + HEADER, "same len", 8);
    scratch_write(path, whole, size);
    assert_false(loads(*state, "some key", content, sizeof content));
    /* A shorter key whose binary starts with the rest of the one that is looked for. */
    const uint64_t key_length = 4, binary_length = 4 + sizeof content;
    memcpy(whole + HEADER, "some key", 8);
    memcpy(whole + 8, &key_length, 8);
    memcpy(whole + 16, &binary_length, 8);
    scratch_write(path, whole, size);
    assert_false(loads(*state, "some key", content, sizeof content));
    free(whole);
}

static void a_folder_that_cannot_be_written_is_no_error(void **state)
{
    const char *file = scratch_path(*state, "file"), *below = scratch_path(file, "cache");
    scratch_write(file, "x", 1);
    store(below, "key", content, sizeof content);
    assert_false(loads(below, "key", content, sizeof content));
    assert_int_equal(scratch_entries(*state), 1);
    /* Neither is an entry that is a folder. */
    store(*state, "key", content, sizeof content);
    const char *path = only_entry(*state);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0777), 0);
    store(*state, "key", content, sizeof content);
    assert_false(loads(*state, "key", content, sizeof content));
}

/* ---- kernels */

static camcl_device *open_with(const char *selector, const char *cache)
{
    camcl_device *device = NULL;
    camcl_error err = { 0 };
    camcl_device_options options = { .select = selector, .cache_dir = cache };
    if (camcl_device_open(&options, &device, &err) != CAMCL_OK) fail_msg("%s: %s", selector, err.message);
    return device;
}

/* Builds a small program, runs it, checks what it computed. */
static void add_numbers(camcl_device *device)
{
    const float a[] = { 1, -2, 3, 0.5f, 0 }, b[] = { 10, 20, -30, 0.25f, 0 }, want[] = { 11, 18, -27, 0.75f, 0 };
    op_test test;
    op_begin(&test, device);
    cc_pointwise_desc desc = { 5, 1 };
    cc_tensor x = op_input(&test, CC_F32, a, 5), z = op_input(&test, CC_F32, b, 5), y = op_output(&test, CC_F32, 5);
    OK(&test, cc_add_forward(test.tape, &desc, x, z, y, &test.err));
    op_run(&test);
    float *got = op_read_floats(&test, y);
    check_same(got, want, 5, "a + b");
    free(got);
    op_end(&test);
}

static void use(const char *selector, const char *cache)
{
    camcl_device *device = open_with(selector, cache);
    add_numbers(device);
    camcl_device_close(&device);
    assert_null(device);
}

static ino_t identity(const char *path)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    return info.st_ino;
}

/* Storing replaces the file: the same inode means that nothing was compiled and stored anew. A link keeps the old inode
 * from being used again. */
static bool is_rewritten(const char *selector, const char *cache)
{
    const char *path = only_entry(cache), *link_path = scratch_path(cache, "old");
    ino_t before = identity(path);
    assert_int_equal(link(path, link_path), 0);
    use(selector, cache);
    assert_int_equal(unlink(link_path), 0);
    return identity(only_entry(cache)) != before;
}

static void damage_is_repaired(camcl_device *device, void *context)
{
    size_t size;
    const char *selector = camcl_device_get_info(device)->selector, *cache = scratch_path(context, selector), *path;
    use(selector, cache);
    assert_false(is_rewritten(selector, cache)); /* the second time it comes from the cache */
    path = only_entry(cache);
    char *whole = scratch_read(path, &size);
    whole[size / 2] ^= 1;
    scratch_write(path, whole, size);
    assert_true(is_rewritten(selector, cache));
    assert_false(is_rewritten(selector, cache)); /* and is whole again */
    scratch_write(only_entry(cache), whole, size / 3);
    assert_true(is_rewritten(selector, cache));
    free(whole);
}

static void results_survive_a_damaged_cache(void **state) { for_each_device(damage_is_repaired, *state); }

/* An entry that is whole and holds what the driver does not take, as one that another release of it wrote. */
static void refusal_is_repaired(camcl_device *device, void *context)
{
    size_t size;
    const char *selector = camcl_device_get_info(device)->selector, *cache = scratch_path(context, selector);
    use(selector, cache);
    char *whole = scratch_read(only_entry(cache), &size);
    uint64_t key_length;
    memcpy(&key_length, whole + 8, sizeof key_length);
    cc_cache_key key = { whole + HEADER, (size_t)key_length };
    cc_cache_store(cache, &key, content, sizeof content);
    assert_true(is_rewritten(selector, cache));
    assert_false(is_rewritten(selector, cache));
    free(whole);
}

static void a_refused_binary_is_replaced(void **state) { for_each_device(refusal_is_repaired, *state); }

static void works_without_a_cache(camcl_device *device, void *context)
{
    const char *selector = camcl_device_get_info(device)->selector, *file = scratch_path(context, "plain file");
    scratch_write(file, "x", 1);
    use(selector, scratch_path(file, "cache"));
}

static void results_need_no_cache(void **state) { for_each_device(works_without_a_cache, *state); }

static void the_users_folder_is_the_default(void **state)
{
    const char *saved = getenv("XDG_CACHE_HOME");
    char *before = saved ? strdup(saved) : NULL;
    camcl_device *devices[16];
    size_t count = test_devices(devices, 16);
    assert_true(count > 0);
    assert_int_equal(setenv("XDG_CACHE_HOME", *state, 1), 0);
    use(camcl_device_get_info(devices[0])->selector, "");
    assert_true(strlen(only_entry(scratch_path(*state, "camcl"))) > 0);
    if (before)
        setenv("XDG_CACHE_HOME", before, 1);
    else
        unsetenv("XDG_CACHE_HOME");
    free(before);
    for (size_t i = 0; i < count; i++)
        camcl_device_close(&devices[i]);
}

int main(void)
{
#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(what_is_stored_is_loaded),        IN_SCRATCH(a_deleted_entry_is_not_there),
        IN_SCRATCH(every_truncation_is_noticed),     IN_SCRATCH(every_flipped_bit_is_noticed),
        IN_SCRATCH(another_keys_file_is_not_taken),  IN_SCRATCH(a_folder_that_cannot_be_written_is_no_error),
        IN_SCRATCH(results_survive_a_damaged_cache), IN_SCRATCH(results_need_no_cache),
        IN_SCRATCH(a_refused_binary_is_replaced),    IN_SCRATCH(the_users_folder_is_the_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
