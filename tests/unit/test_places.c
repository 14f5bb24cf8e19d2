/* The map from images to places on the device: whatever a batch asks for is at its place by then. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/rng.h"
#include "feed/places.h"

enum { MOST_IMAGES = 60, MOST_ORDER = 80, MOST_BATCH = 24, NOTHING = -1 };

static camcl_error err;

static uint32_t below(cc_rng *rng, uint32_t n) { return cc_rng_below(rng, n); }

/* A data set, what of it will be asked for, and the memory of a device: the image in each slot. */
typedef struct device {
    uint32_t order[MOST_ORDER];
    size_t count, ordered, room, landing, slots;
    cc_places places;
    int32_t memory[MOST_IMAGES + MOST_BATCH];
} device;

static void draw(device *d, cc_rng *rng)
{
    d->count = 1 + below(rng, MOST_IMAGES);
    d->ordered = 1 + below(rng, MOST_ORDER);
    d->room = below(rng, MOST_IMAGES + 5);
    d->landing = 1 + below(rng, MOST_BATCH);
    for (size_t i = 0; i < d->ordered; i++)
        d->order[i] = below(rng, (uint32_t)d->count);
    assert_int_equal(cc_places_create(d->count, d->order, d->ordered, d->room, d->landing, &d->places, &err), CAMCL_OK);
    d->slots = d->places.staying_count + d->places.landing;
    for (size_t i = 0; i < MOST_IMAGES + MOST_BATCH; i++)
        d->memory[i] = NOTHING;
    for (size_t i = 0; i < d->places.staying_count; i++)
        d->memory[i] = (int32_t)d->places.staying[i];
}

/* How many different images the first n of the order are. */
static size_t different(const device *d, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        size_t before = 0;
        while (d->order[before] != d->order[i])
            before++;
        count += before == i;
    }
    return count;
}

static void check_staying(const device *d)
{
    const size_t used = different(d, d->ordered), staying = cc_min_size(used, d->room);
    assert_int_equal(d->places.used, used);
    assert_int_equal(d->places.staying_count, staying);
    assert_int_equal(d->places.landing, staying < used ? d->landing : 0);
    /* Those that come first in the order stay, each in one slot. */
    size_t first = 0;
    while (different(d, first) < staying)
        first++;
    for (size_t i = 0; i < first; i++) {
        size_t found = 0;
        for (size_t s = 0; s < staying; s++)
            found += d->places.staying[s] == d->order[i];
        assert_int_equal(found, 1);
    }
}

static void check_batch(device *d, cc_rng *rng)
{
    cc_transform batch[MOST_BATCH], asked[MOST_BATCH];
    uint32_t brought[MOST_BATCH];
    const size_t n = below(rng, MOST_BATCH + 1);
    memset(asked, 0, sizeof asked);
    for (size_t i = 0; i < n; i++)
        asked[i] = (cc_transform){ .source = below(rng, 8) ? (int32_t)d->order[below(rng, (uint32_t)d->ordered)] : NOTHING,
                                   .flip_h = (int32_t)i,
                                   .turns = 3 };
    memcpy(batch, asked, sizeof batch);
    const size_t count = cc_places_assign(&d->places, n, batch, brought);
    if (count > d->places.landing) return; /* the caller refuses it */
    for (size_t j = 0; j < count; j++)
        d->memory[d->places.staying_count + j] = (int32_t)brought[j];
    for (size_t i = 0; i < n; i++) {
        const int32_t place = batch[i].source;
        if (asked[i].source < 0) {
            assert_int_equal(place, asked[i].source);
        } else {
            assert_in_range(place, 0, d->slots - 1);
            assert_int_equal(d->memory[place], asked[i].source);
        }
        batch[i].source = asked[i].source;
    }
    assert_memory_equal(batch, asked, sizeof batch);
}

static void every_image_is_at_its_place(void **state)
{
    (void)state;
    for (uint64_t round = 0; round < 2000; round++) {
        device d;
        cc_rng rng = cc_rng_at(7, CC_RNG_BENCH, round);
        draw(&d, &rng);
        check_staying(&d);
        for (int k = 0; k < 5; k++)
            check_batch(&d, &rng);
        cc_places_free(&d.places);
    }
}

/* A batch that is as large as the room for it, and one image more. */
static void too_large_a_batch_is_counted(void **state)
{
    (void)state;
    const uint32_t order[] = { 4, 2, 0, 1, 3 };
    cc_places places;
    cc_transform batch[] = { { .source = 0 }, { .source = 4 }, { .source = 1 }, { .source = 3 } };
    uint32_t brought[3] = { 99, 99, 99 };
    assert_int_equal(cc_places_create(5, order, 5, 2, 2, &places, &err), CAMCL_OK);
    assert_int_equal(cc_places_assign(&places, 3, batch, brought), 2);
    assert_int_equal(batch[0].source, 2);
    assert_int_equal(batch[1].source, 0);
    assert_int_equal(batch[2].source, 3);
    assert_true(brought[0] == 0 && brought[1] == 1);
    for (int i = 0; i < 4; i++)
        batch[i].source = i == 1 ? 4 : i;
    assert_int_equal(cc_places_assign(&places, 4, batch, brought), 2);
    batch[0].source = batch[1].source = batch[2].source = 3;
    assert_int_equal(cc_places_assign(&places, 3, batch, brought), 3);
    assert_int_equal(brought[2], 99); /* nothing is written beyond the room */
    cc_places_free(&places);
}

static void where_all_stay_nothing_changes(void **state)
{
    (void)state;
    const cc_places places = cc_places_whole(9);
    cc_transform batch[] = { { .source = 8 }, { .source = -1 }, { .source = 0 } };
    assert_int_equal(cc_places_assign(&places, 3, batch, NULL), 0);
    assert_true(batch[0].source == 8 && batch[1].source == -1 && batch[2].source == 0);
    assert_true(places.used == 9 && places.staying_count == 9 && places.landing == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_image_is_at_its_place), cmocka_unit_test(too_large_a_batch_is_counted),
                                        cmocka_unit_test(where_all_stay_nothing_changes) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
