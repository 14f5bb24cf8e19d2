/* dataset/pixel_store.h: what was put is read, now and by a later start, unless it is damaged; a disk that is full or must not be written
 * to costs nothing but memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cache_folder.h"
#include "base/memory.h"
#include "dataset/pixel_folder.h"
#include "dataset/pixel_store.h"
#include "support/scratch.h"

enum { SIZE = 300, HEADER = 4096, USED = 56 /* bytes of the header */ };

static const cc_pixel_key one = { { 0x0123456789abcdefu, 42 } }, two = { { 0x0123456789abcdefu, 43 } };
static const char notes[] = "some notes";

static uint8_t byte_at(size_t i) { return (uint8_t)(i * 37 + 11); }

static void fill(uint8_t *bytes)
{
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = byte_at(i);
}

static cc_pixel_store *create(const char *cache, cc_pixel_key key, size_t size)
{
    cc_pixel_store *store = NULL;
    camcl_error err = { 0 };
    const camcl_status status = cc_pixel_store_new(cache, key, size, &store, &err);
    if (status != CAMCL_OK) print_error("%s\n", err.message);
    assert_int_equal(status, CAMCL_OK);
    return store;
}

/* A store of SIZE bytes that were put in two pieces, the later one first. */
static cc_pixel_store *create_full(const char *cache, cc_pixel_key key, bool keep)
{
    uint8_t bytes[SIZE];
    cc_pixel_store *store = create(cache, key, SIZE);
    fill(bytes);
    assert_true(cc_pixel_store_put(store, 100, bytes + 100, SIZE - 100));
    assert_true(cc_pixel_store_put(store, 0, bytes, 100));
    assert_true(cc_pixel_store_finish(store, SIZE, notes, sizeof notes, keep));
    return store;
}

static void assert_pixels(const cc_pixel_store *store)
{
    uint8_t bytes[SIZE];
    size_t size;
    const uint8_t *pixels = cc_pixel_store_pixels(store, &size);
    fill(bytes);
    assert_int_equal(size, SIZE);
    assert_memory_equal(pixels, bytes, SIZE);
}

static void keep_one(const char *cache)
{
    cc_pixel_store *store = create_full(cache, one, true);
    assert_pixels(store);
    cc_pixel_store_free(store);
}

static bool is_found(const char *cache, cc_pixel_key key)
{
    size_t size;
    cc_pixel_store *store = cc_pixel_store_find(cache, key);
    if (!store) return false;
    assert_pixels(store);
    assert_memory_equal(cc_pixel_store_notes(store, &size), notes, sizeof notes);
    assert_int_equal(size, sizeof notes);
    cc_pixel_store_free(store);
    return true;
}

static void assert_described(const cc_pixel_store *store, const char *first, const char *second)
{
    cc_text text = CC_TEXT_INIT;
    cc_pixel_store_describe(store, &text);
    if (!strstr(text.data, first) || !strstr(text.data, second)) print_error("%s\n", text.data);
    assert_non_null(strstr(text.data, first));
    assert_non_null(strstr(text.data, second));
    cc_text_free(&text);
}

static const char *file_of_one(const char *cache) { return scratch_path(cache, "pictures/0123456789abcdef000000000000002a.pixels"); }

static void a_kept_store_is_found_again(void **state)
{
    const char *cache = scratch_path(*state, "deep/cache");
    struct stat info;
    assert_false(is_found(cache, one));
    keep_one(cache);
    assert_int_equal(scratch_entries(scratch_path(cache, "pictures")), 1); /* no temporary file is left */
    assert_int_equal(stat(scratch_path(cache, "pictures"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    assert_true(is_found(cache, one));
    assert_false(is_found(cache, two));
    assert_false(is_found("", one));
    assert_false(is_found(NULL, one));
    cc_pixel_store *store = cc_pixel_store_find(cache, one);
    assert_described(store, "0.0 MiB of pixels of an earlier start in", "000000000000002a.pixels, mapped");
    /* Another process may remove the file. */
    assert_int_equal(unlink(file_of_one(cache)), 0);
    assert_pixels(store);
    cc_pixel_store_free(store);
}

static void damage_is_noticed(void **state)
{
    size_t size;
    keep_one(*state);
    char *whole = scratch_read(file_of_one(*state), &size);
    assert_int_equal(size, HEADER + SIZE + sizeof notes);
    for (size_t cut = 0; cut < size; cut += cut < USED + 2 || cut > HEADER - 2 ? 1 : 500) {
        scratch_write(file_of_one(*state), whole, cut);
        assert_false(is_found(*state, one));
    }
    for (size_t at = 0; at < size; at = at == USED - 1 ? HEADER + SIZE : at + 1) { /* header and notes */
        whole[at] ^= 4;
        scratch_write(file_of_one(*state), whole, size);
        assert_false(is_found(*state, one));
        whole[at] ^= 4;
    }
    scratch_write(file_of_one(*state), whole, size);
    assert_true(is_found(*state, one));
    /* A damaged file is written anew. */
    scratch_write(file_of_one(*state), whole, size - 1);
    keep_one(*state);
    assert_true(is_found(*state, one));
    free(whole);
    /* Neither a folder nor a pipe in its place does harm. */
    assert_int_equal(unlink(file_of_one(*state)), 0);
    assert_int_equal(mkfifo(file_of_one(*state), 0600), 0);
    assert_false(is_found(*state, one));
    assert_int_equal(unlink(file_of_one(*state)), 0);
    assert_int_equal(mkdir(file_of_one(*state), 0700), 0);
    assert_false(is_found(*state, one));
    keep_one(*state);
    assert_int_equal(scratch_entries(scratch_path(*state, "pictures")), 1);
}

static void gaps_are_closed(void **state)
{
    for (int in_memory = 0; in_memory < 2; in_memory++) {
        const char *cache = in_memory ? NULL : (const char *)*state;
        uint8_t bytes[SIZE];
        cc_pixel_store *store = create(cache, one, SIZE + 50);
        fill(bytes);
        assert_true(cc_pixel_store_put(store, 0, bytes, 100));
        assert_true(cc_pixel_store_put(store, 150, bytes + 100, SIZE - 100)); /* overlaps its new place */
        assert_true(cc_pixel_store_move(store, 100, 150, SIZE - 100));
        assert_true(cc_pixel_store_finish(store, SIZE, notes, sizeof notes, true));
        assert_pixels(store);
        cc_pixel_store_free(store);
    }
    assert_true(is_found(*state, one));
}

static void what_must_not_be_kept_leaves_no_file(void **state)
{
    cc_pixel_store *store = create_full(*state, one, false);
    assert_int_equal(scratch_entries(scratch_path(*state, "pictures")), 0);
    assert_pixels(store);
    assert_described(store, "unnamed", "mapped");
    cc_pixel_store_free(store);
    cc_pixel_store_free(create(*state, one, SIZE)); /* given up before it was finished */
    assert_int_equal(scratch_entries(scratch_path(*state, "pictures")), 0);
}

static void two_at_once_do_no_harm(void **state)
{
    cc_pixel_store *first = create(*state, one, SIZE), *second = create_full(*state, one, true);
    uint8_t bytes[SIZE];
    fill(bytes);
    assert_true(cc_pixel_store_put(first, 0, bytes, SIZE));
    assert_true(cc_pixel_store_finish(first, SIZE, notes, sizeof notes, true));
    assert_pixels(first);
    assert_pixels(second);
    cc_pixel_store_free(first);
    assert_pixels(second);
    cc_pixel_store_free(second);
    assert_int_equal(scratch_entries(scratch_path(*state, "pictures")), 1);
    assert_true(is_found(*state, one));
}

static void a_full_disk_costs_memory(void **state)
{
    uint8_t bytes[SIZE];
    cc_pixel_store *store = create(*state, one, SIZE);
    fill(bytes);
    scratch_limit_files(HEADER + 100);
    assert_true(cc_pixel_store_put(store, 0, bytes, 100));
    assert_false(cc_pixel_store_put(store, 100, bytes + 100, SIZE - 100));
    assert_int_equal(cc_pixel_store_use_memory(store, NULL), CAMCL_OK);
    scratch_unlimit_files();
    assert_int_equal(scratch_entries(scratch_path(*state, "pictures")), 0);
    assert_true(cc_pixel_store_put(store, 0, bytes, SIZE));
    assert_true(cc_pixel_store_finish(store, SIZE, notes, sizeof notes, true));
    assert_pixels(store);
    assert_described(store, "in memory: cannot write", "0123456789abcdef000000000000002a.pixels");
    cc_pixel_store_free(store);
    assert_false(is_found(*state, one));
}

static void a_folder_that_must_not_be_used_costs_memory(void **state)
{
    const char *file = scratch_path(*state, "file"), *open = scratch_path(*state, "open");
    scratch_write(file, "x", 1);
    cc_pixel_store *store = create_full(file, one, true);
    assert_pixels(store);
    assert_described(store, "in memory: cannot write into", "file");
    cc_pixel_store_free(store);
    assert_int_equal(mkdir(open, 0700), 0);
    assert_int_equal(chmod(open, 0777), 0);
    store = create_full(open, one, true);
    assert_pixels(store);
    assert_described(store, "in memory: other users can write into", "open");
    cc_pixel_store_free(store);
    store = create_full(NULL, one, true);
    assert_described(store, "0.0 MiB of pixels in memory", "");
    cc_pixel_store_free(store);
}

static void what_fits_nowhere_is_refused(void **state)
{
    cc_pixel_store *store = NULL;
    camcl_error err = { 0 };
    assert_int_equal(cc_pixel_store_new(*state, one, (size_t)1 << 60, &store, &err), CAMCL_NO_MEMORY);
    assert_null(store);
    assert_non_null(strstr(err.message, "1099511627776 MiB are needed"));
    assert_non_null(strstr(err.message, "pictures/' has"));
    assert_non_null(strstr(err.message, "data.image_size"));
    assert_non_null(strstr(err.message, "device.cache_dir"));
    assert_int_equal(scratch_entries(scratch_path(*state, "pictures")), 0);
}

/* A file of `size` bytes, nearly all of them a hole, that was last used so many seconds ago. */
static const char *put_file(const char *cache, const char *name, off_t size, time_t age)
{
    const char *path = scratch_path(scratch_path(cache, "pictures"), name);
    const time_t then = time(NULL) - age;
    const struct timespec times[] = { { then, 0 }, { then - 7200, 0 } };
    scratch_write(path, "", 0);
    if (truncate(path, size) != 0) skip(); /* the file system has a lower limit */
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    return path;
}

static bool is_there(const char *path) { return access(path, F_OK) == 0; }

static void kept_files_are_bounded(void **state)
{
    const off_t gib = (off_t)1 << 30;
    keep_one(*state);
    const char *large = put_file(*state, "large.pixels", 9 * gib, 100), *small = put_file(*state, "small.pixels", 10, 50),
               *left = put_file(*state, ".camcl-1-1.tmp", 10, 0), *other = put_file(*state, "other.txt", 9 * gib, 200);
    assert_true(is_found(*state, one));
    assert_false(is_there(large)); /* the one that was not used for longest */
    assert_false(is_there(left));  /* of a process that was killed two hours ago */
    assert_true(is_there(small) && is_there(other));
    large = put_file(*state, "large.pixels", 9 * gib, 100);
    keep_one(*state); /* makes room first */
    assert_false(is_there(large));
    assert_true(is_there(small) && is_there(other));
}

static void the_one_in_use_stays(void **state)
{
    keep_one(*state);
    const char *path = scratch_path(*state, "pictures"), *other = put_file(*state, "b.pixels", 10, 0);
    cc_cache_bounds bounds = { ".pixels", strrchr(file_of_one(*state), '/') + 1, 0, SIZE_MAX };
    put_file(*state, strrchr(file_of_one(*state), '/') + 1, 500, 1000);
    assert_int_equal(cc_cache_folder_trim(path, &bounds), 500);
    assert_true(is_there(file_of_one(*state)));
    assert_false(is_there(other));
    bounds.keep = NULL;
    assert_int_equal(cc_cache_folder_trim(path, &bounds), 0);
    assert_false(is_there(file_of_one(*state)));
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(a_kept_store_is_found_again),
        IN_SCRATCH(damage_is_noticed),
        IN_SCRATCH(gaps_are_closed),
        IN_SCRATCH(what_must_not_be_kept_leaves_no_file),
        IN_SCRATCH(two_at_once_do_no_harm),
        IN_SCRATCH(a_full_disk_costs_memory),
        IN_SCRATCH(a_folder_that_must_not_be_used_costs_memory),
        IN_SCRATCH(what_fits_nowhere_is_refused),
        IN_SCRATCH(kept_files_are_bounded),
        IN_SCRATCH(the_one_in_use_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
