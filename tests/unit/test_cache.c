/* Compiled kernels on disk: nothing that happens to the files may be seen in results. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "device/opencl.h"
#include "ops/ops.h"
#include "support/devices.h"
#include "support/operands.h"
#include "support/original.h"
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

/* ---- who may write there */

static bool trusted(const char *folder, const char *reason)
{
    char why[256] = "";
    const bool yes = cc_cache_is_trusted(folder, why, sizeof why);
    if (!yes && !strstr(why, reason)) fail_msg("\"%s\" without \"%s\"", why, reason);
    return yes;
}

static void folders_that_others_can_write_are_not_used(void **state)
{
    const char *const folders[] = { *state, scratch_path(*state, "kernels") };
    store(*state, "key", content, sizeof content);
    for (size_t i = 0; i < CC_COUNT(folders); i++) {
        assert_int_equal(chmod(folders[i], 0755), 0);
        assert_true(loads(*state, "key", content, sizeof content));
        const mode_t open_modes[] = { 0777, 0702, 01777 };
        for (size_t m = 0; m < CC_COUNT(open_modes); m++) {
            assert_int_equal(chmod(folders[i], open_modes[m]), 0);
            assert_false(trusted(*state, "other users can write into"));
            assert_false(loads(*state, "key", content, sizeof content));
            store(*state, "another", content, sizeof content);
        }
        assert_int_equal(chmod(folders[i], 0700), 0);
        assert_true(trusted(*state, ""));
        assert_false(loads(*state, "another", content, sizeof content));
    }
    assert_int_equal(scratch_entries(folders[1]), 1);
}

/* Other groups than the owner's own. */
static void a_folder_that_a_group_can_write_is_not_used(void **state)
{
    struct stat info;
    assert_int_equal(stat(*state, &info), 0);
    assert_int_equal(chmod(*state, 0770), 0);
    assert_int_equal(trusted(*state, "other users can write into"), (unsigned long)info.st_gid == (unsigned long)info.st_uid);
    if (geteuid() == 0) { /* nobody else can give a folder to another group, or to another user below */
        assert_int_equal(chown(*state, 0, 12345), 0);
        assert_false(trusted(*state, "other users can write into"));
        assert_int_equal(chmod(*state, 0750), 0);
        assert_true(trusted(*state, ""));
    }
}

static void a_folder_of_another_user_is_not_used(void **state)
{
    const char *programs = scratch_path(*state, "kernels");
    if (geteuid() != 0) skip();
    store(*state, "key", content, sizeof content);
    assert_int_equal(chown(programs, 12345, 0), 0);
    assert_false(trusted(*state, "belongs to another user"));
    assert_false(loads(*state, "key", content, sizeof content));
    assert_int_equal(chown(programs, 0, 0), 0);
    assert_int_equal(chown(*state, 12345, 12345), 0);
    assert_false(trusted(*state, "belongs to another user"));
    assert_false(loads(*state, "key", content, sizeof content));
    assert_int_equal(chown(*state, 0, 0), 0);
    assert_true(loads(*state, "key", content, sizeof content));
}

static mode_t mode_of(const char *path)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    return info.st_mode & 07777;
}

static void new_folders_are_the_users_alone(void **state)
{
    const char *folder = scratch_path(*state, "above/cache");
    const mode_t before = umask(0);
    store(folder, "key", content, sizeof content);
    umask(before);
    assert_int_equal(mode_of(folder), 0700);
    assert_int_equal(mode_of(scratch_path(folder, "kernels")), 0700);
    assert_true(loads(folder, "key", content, sizeof content));
}

/* ---- how much */

/* Last used so many seconds ago, and written an hour before that, so that a file system mounted with relatime does not note that it is
 * read. */
static void set_age(const char *path, time_t seconds)
{
    const time_t then = time(NULL) - seconds;
    const struct timespec times[] = { { then, 0 }, { then - 3600, 0 } };
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* folder/name with `size` bytes, last used so many seconds ago. */
static const char *put(const char *folder, const char *name, size_t size, time_t age)
{
    char data[256] = "";
    const char *path = scratch_path(folder, name);
    scratch_write(path, data, size);
    set_age(path, age);
    return path;
}

static bool is_there(const char *path) { return access(path, F_OK) == 0; }

static void the_longest_unused_go_first(void **state)
{
    const char *folder = scratch_path(*state, "kernels");
    assert_int_equal(mkdir(folder, 0700), 0);
    const char *old = put(folder, "c.bin", 100, 30), *older = put(folder, "a.bin", 100, 50), *oldest = put(folder, "b.bin", 100, 70),
               *other = put(folder, "notes.txt", 100, 90);
    cc_cache_trim(*state, 300, 3);
    assert_int_equal(scratch_entries(folder), 4); /* within both limits */
    cc_cache_trim(*state, 299, 3);
    assert_false(is_there(oldest));
    assert_true(is_there(older) && is_there(old) && is_there(other));
    cc_cache_trim(*state, 1000, 1);
    assert_false(is_there(older));
    assert_true(is_there(old) && is_there(other));
    cc_cache_trim(*state, 0, 1);
    assert_false(is_there(old));
    assert_true(is_there(other)); /* which is no entry */
    cc_cache_trim(scratch_path(*state, "nowhere"), 0, 0);
}

static void what_is_loaded_stays(void **state)
{
    store(*state, "key one", content, sizeof content);
    const char *one = only_entry(*state);
    const char *unused = put(scratch_path(*state, "kernels"), "x.bin", 10, 100);
    set_age(one, 1000);
    cc_cache_trim(*state, 1000, 2);
    assert_true(loads(*state, "key one", content, sizeof content));
    cc_cache_trim(*state, 1000, 1);
    assert_true(is_there(one));
    assert_false(is_there(unused));
}

static void storing_keeps_within_the_limits(void **state)
{
    enum { TOO_MANY = 3 };
    char folder[512]; /* scratch_path would take its place for another */
    snprintf(folder, sizeof folder, "%s/kernels", (const char *)*state);
    assert_int_equal(mkdir(folder, 0700), 0);
    for (int i = 0; i < CC_CACHE_FILES + TOO_MANY; i++) {
        char name[32];
        snprintf(name, sizeof name, "%04d.bin", i);
        (void)put(folder, name, 1, 100000 - i);
    }
    store(*state, "key", content, sizeof content);
    assert_int_equal(scratch_entries(folder), CC_CACHE_FILES);
    assert_true(loads(*state, "key", content, sizeof content));
    assert_false(is_there(scratch_path(folder, "0003.bin")));
    assert_true(is_there(scratch_path(folder, "0004.bin")));
}

static void temporary_files_of_killed_processes_are_removed(void **state)
{
    const char *const folders[] = { scratch_path(*state, "kernels"), scratch_path(*state, "tuned") };
    const char *kept[4];
    for (size_t i = 0; i < CC_COUNT(folders); i++) {
        assert_int_equal(mkdir(folders[i], 0700), 0);
        (void)put(folders[i], ".camcl-123-0.tmp", 1, 100);          /* written an hour before */
        kept[2 * i] = put(folders[i], ".camcl-124-0.tmp", 1, -100); /* somebody may be writing it */
        kept[2 * i + 1] = put(folders[i], "mine.tmp", 1, 100);
    }
    store(*state, "key", content, sizeof content);
    for (size_t i = 0; i < CC_COUNT(folders); i++)
        assert_false(is_there(scratch_path(folders[i], ".camcl-123-0.tmp")));
    for (size_t i = 0; i < CC_COUNT(kept); i++)
        assert_true(is_there(kept[i]));
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
    cc_pointwise_desc desc = { 5, CC_NO_ACTIVATION };
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
    camcl_device *opened = open_with(selector, scratch_path(file, "cache"));
    assert_non_null(strstr(camcl_device_reason(opened), "plain file/cache cannot be written, so every start compiles kernels"));
    camcl_device_close(&opened);
}

static void results_need_no_cache(void **state) { for_each_device(works_without_a_cache, *state); }

static void open_to_all(camcl_device *device, void *context)
{
    const char *selector = camcl_device_get_info(device)->selector, *cache = scratch_path(context, selector);
    use(selector, cache);
    assert_int_equal(chmod(cache, 0777), 0);
    const char *path = only_entry(cache);
    set_age(path, 1000);
    camcl_device *opened = open_with(selector, cache);
    assert_non_null(strstr(camcl_device_reason(opened), "; nothing is cached: other users can write into"));
    assert_non_null(strstr(camcl_device_reason(opened), cache));
    add_numbers(opened);
    camcl_device_close(&opened);
    assert_int_equal(chmod(cache, 0700), 0);
    opened = open_with(selector, cache);
    assert_null(strstr(camcl_device_reason(opened), "cached"));
    camcl_device_close(&opened);
}

static void results_need_no_cache_that_others_can_write(void **state) { for_each_device(open_to_all, *state); }

/* ---- PoCL's modules. These take the place of the library's functions in this program. */

static bool refuse_modules;
static size_t compiled, built;

cl_program clCreateProgramWithBinary(cl_context context, cl_uint count, const cl_device_id *devices, const size_t *lengths,
                                     const unsigned char **binaries, cl_int *states, cl_int *code)
{
    cl_program (*original)(cl_context, cl_uint, const cl_device_id *, const size_t *, const unsigned char **, cl_int *, cl_int *);
    original_function("clCreateProgramWithBinary", &original, sizeof original);
    if (refuse_modules && lengths[0] > 4 && memcmp(binaries[0], "BC\xc0\xde", 4) == 0) {
        *code = CL_INVALID_BINARY;
        return NULL;
    }
    return original(context, count, devices, lengths, binaries, states, code);
}

cl_int clCompileProgram(cl_program program, cl_uint count, const cl_device_id *devices, const char *options, cl_uint headers,
                        const cl_program *header_programs, const char **names, void(CL_CALLBACK *notify)(cl_program, void *), void *data)
{
    cl_int (*original)(cl_program, cl_uint, const cl_device_id *, const char *, cl_uint, const cl_program *, const char **,
                       void(CL_CALLBACK *)(cl_program, void *), void *);
    original_function("clCompileProgram", &original, sizeof original);
    compiled++;
    return original(program, count, devices, options, headers, header_programs, names, notify, data);
}

cl_program clCreateProgramWithSource(cl_context context, cl_uint count, const char **texts, const size_t *lengths, cl_int *code)
{
    cl_program (*original)(cl_context, cl_uint, const char **, const size_t *, cl_int *);
    original_function("clCreateProgramWithSource", &original, sizeof original);
    built++;
    return original(context, count, texts, lengths, code);
}

/* Modules are refused; with `earlier`, from a moment on when one is in the cache. */
static void refuse(const char *selector, const char *cache, bool earlier)
{
    refuse_modules = false;
    if (earlier) use(selector, cache);
    refuse_modules = true;
    compiled = built = 0;
    camcl_device *device = open_with(selector, cache);
    add_numbers(device);
    assert_int_equal(compiled, 1);
    assert_int_equal(built, 2); /* for the module, in vain, and for the program */
    assert_true(device->modules_refused);
    /* From here on programs are built once each ... */
    assert_int_equal(cc_program_get(device, "softmax", "-DWIDTH=1", &(cl_program){ NULL }, &(camcl_error){ .message = "" }), CAMCL_OK);
    assert_int_equal(compiled, 1);
    assert_int_equal(built, 3);
    camcl_device_close(&device);
    /* ... and other processes know, and find them. */
    device = open_with(selector, cache);
    assert_true(device->modules_refused);
    add_numbers(device);
    assert_true(cc_program_find(device, "softmax", "-DWIDTH=1"));
    assert_int_equal(compiled, 1);
    assert_int_equal(built, 3);
    camcl_device_close(&device);
    refuse_modules = false;
}

static void refused_module(camcl_device *device, void *context)
{
    const camcl_device_info *info = camcl_device_get_info(device);
    if (strcmp(info->platform, "Portable Computing Language") != 0) return;
    refuse(info->selector, scratch_path(context, "empty"), false);
    refuse(info->selector, scratch_path(context, "filled"), true);
    /* Without a cache, too: the device remembers. */
    const char *file = scratch_path(context, "plain");
    scratch_write(file, "x", 1);
    refuse_modules = true;
    compiled = 0;
    camcl_device *opened = open_with(info->selector, scratch_path(file, "cache"));
    add_numbers(opened);
    assert_int_equal(cc_program_get(opened, "softmax", "-DWIDTH=1", &(cl_program){ NULL }, &(camcl_error){ .message = "" }), CAMCL_OK);
    assert_int_equal(compiled, 1);
    camcl_device_close(&opened);
    refuse_modules = false;
}

static void where_modules_are_refused_programs_are_stored(void **state) { for_each_device(refused_module, *state); }

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
        IN_SCRATCH(what_is_stored_is_loaded),
        IN_SCRATCH(a_deleted_entry_is_not_there),
        IN_SCRATCH(every_truncation_is_noticed),
        IN_SCRATCH(every_flipped_bit_is_noticed),
        IN_SCRATCH(another_keys_file_is_not_taken),
        IN_SCRATCH(a_folder_that_cannot_be_written_is_no_error),
        IN_SCRATCH(results_survive_a_damaged_cache),
        IN_SCRATCH(results_need_no_cache),
        IN_SCRATCH(a_refused_binary_is_replaced),
        IN_SCRATCH(the_users_folder_is_the_default),
        IN_SCRATCH(folders_that_others_can_write_are_not_used),
        IN_SCRATCH(a_folder_that_a_group_can_write_is_not_used),
        IN_SCRATCH(a_folder_of_another_user_is_not_used),
        IN_SCRATCH(new_folders_are_the_users_alone),
        IN_SCRATCH(the_longest_unused_go_first),
        IN_SCRATCH(what_is_loaded_stays),
        IN_SCRATCH(storing_keeps_within_the_limits),
        IN_SCRATCH(temporary_files_of_killed_processes_are_removed),
        IN_SCRATCH(results_need_no_cache_that_others_can_write),
        IN_SCRATCH(where_modules_are_refused_programs_are_stored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
