/* What is kept beside scaled pixels (dataset/loading.h): notes that were written are read; any others are refused, whatever they say, since
 * the images are taken out of the pixels by them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "dataset/loading.h"
#include "support/scratch.h"

enum { PICTURES = 4, SIDE = 8, BYTES = SIDE * SIDE * 3 };

/* What the notes begin with; behind it come the places of pictures that cannot be read, and a text. */
typedef struct notes {
    uint32_t width, height, failed, unused;
    cc_format_counts formats;
    uint32_t places[3];
    char why[8];
} notes;

static const notes good = { .width = SIDE, .height = SIDE, .failed = 2, .formats.rows[0] = { "PNG", 2 }, .places = { 1, 3 } };

/* Keeps `images` images of pixels with the notes, and reads them for PICTURES pictures; gives back which of them are taken to be good. */
static bool reads(const char *cache, const notes *n, size_t images, uint32_t side, bool skip, bool taken[PICTURES])
{
    static const uint8_t pixels[PICTURES * BYTES];
    static cc_picture picture = { .path = (char *)"a.png", .relative = "a.png" };
    const cc_pixel_key key = { { 1, 2 } };
    const camcl_dataset_spec spec = { .image_size = side, .skip_corrupt = skip };
    cc_loading_picture pictures[PICTURES] = { { .picture = NULL } };
    cc_picture_set set = CC_PICTURE_SET_INIT;
    cc_loading loading = { .spec = &spec, .set = &set, .pictures = pictures, .count = PICTURES };
    for (size_t i = 0; i < PICTURES; i++)
        pictures[i].picture = &picture;
    assert_int_equal(cc_pixel_store_new(cache, key, images * BYTES, &loading.store, NULL), CAMCL_OK);
    assert_true(cc_pixel_store_put(loading.store, 0, pixels, images * BYTES));
    assert_true(cc_pixel_store_finish(loading.store, images * BYTES, n, sizeof *n, true));
    cc_pixel_store_free(loading.store);
    loading.store = cc_pixel_store_find(cache, key);
    assert_non_null(loading.store);
    const bool read = cc_loading_read_notes(&loading, loading.store);
    for (size_t i = 0; i < PICTURES; i++) {
        taken[i] = pictures[i].status == CAMCL_OK;
        free(pictures[i].reason);
    }
    cc_pixel_store_free(loading.store);
    return read;
}

static void right_notes_are_taken(void **state)
{
    bool taken[PICTURES];
    assert_true(reads(*state, &good, 2, SIDE, true, taken));
    assert_memory_equal(taken, ((bool[]){ true, false, true, false }), sizeof taken);
    assert_true(reads(*state, &good, 2, 0, true, taken));
}

static void assert_refused(const char *cache, notes n, size_t images)
{
    bool taken[PICTURES];
    assert_false(reads(cache, &n, images, SIDE, true, taken));
    for (size_t i = 0; i < PICTURES; i++)
        assert_true(taken[i]);
}

static void wrong_notes_are_refused(void **state)
{
    bool taken[PICTURES];
    notes n = good;
    assert_false(reads(*state, &good, 2, SIDE, false, taken)); /* bad pictures are to be named, not left out */
    assert_refused(*state, good, 3);
    n.places[1] = 1; /* twice the same: three pictures, and pixels of two */
    assert_refused(*state, n, 2);
    n.places[1] = PICTURES;
    assert_refused(*state, n, 2);
    n = good;
    n.failed = PICTURES;
    assert_refused(*state, n, 0);
    n.failed = UINT32_MAX;
    assert_refused(*state, n, 0);
    n = good;
    n.width = SIDE / 2; /* as many pixels in another shape */
    n.height = SIDE * 2;
    assert_refused(*state, n, 2);
    n = good;
    memset(n.formats.rows[0].name, 'x', sizeof n.formats.rows[0].name);
    assert_refused(*state, n, 2);
    n = good;
    memset(n.why, 'x', sizeof n.why);
    assert_refused(*state, n, 2);
}

/* Where pictures keep their size, the notes alone say which. */
static void absurd_sizes_are_refused(void **state)
{
    bool taken[PICTURES];
    notes n = good;
    n.width = n.height = 0;
    assert_false(reads(*state, &n, 0, 0, true, taken));
    n.width = n.height = (uint32_t)1 << 31; /* 2^62 * 3 bytes, four times: 0 in 64 bits */
    n.failed = 0;
    assert_false(reads(*state, &n, 0, 0, true, taken));
}

int main(void)
{
#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(right_notes_are_taken),
        IN_SCRATCH(wrong_notes_are_refused),
        IN_SCRATCH(absurd_sizes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
