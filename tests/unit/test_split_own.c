/* Splits of one's own pictures: classes of any size, unlabelled pictures, a validation set that came along, a test set that is held out. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "base/text.h"
#include "dataset/apportion.h"
#include "dataset/dataset.h"
#include "dataset/split.h"
#include "dataset/test_images.h"

static const char *const names[] = { "cat", "dog", "emu" };
enum { CLASSES = 3, MOST = 400 };

/* Labelled images class by class, then unlabelled ones, then a validation set; held out is every `hold`-th labelled one. */
typedef struct made {
    int32_t labels[MOST];
    uint32_t held_out[MOST];
    cc_split_data data;
} made;

static made *make_data(const size_t counts[CLASSES], size_t unlabeled, size_t validation, size_t hold)
{
    made *m = calloc(1, sizeof *m);
    assert_non_null(m);
    size_t n = 0;
    for (int32_t c = 0; c < CLASSES; c++)
        for (size_t i = 0; i < counts[c]; i++)
            m->labels[n++] = c;
    for (size_t i = 0; hold && i < n; i += hold)
        m->held_out[m->data.held_out_count++] = (uint32_t)i;
    for (size_t i = 0; i < unlabeled; i++)
        m->labels[n++] = -1;
    for (size_t i = 0; i < validation; i++)
        m->labels[n++] = (int32_t)(i % CLASSES);
    assert_true(n <= MOST);
    m->data.labels = m->labels;
    m->data.images = n;
    m->data.unlabeled = unlabeled;
    m->data.validation = validation;
    m->data.classes = CLASSES;
    m->data.class_names = names;
    m->data.held_out = hold ? m->held_out : NULL;
    return m;
}

static const cc_split_spec automatic = {
    .labeled = CC_LABELED_ALL, .validation = CC_VALIDATION_AUTO, .unlabeled = CC_UNLABELED_ALL, .ratio = 1, .seed = 1
};

/* Draws, holds it against cc_split_count, and checks that pools are sorted and that no image is in two of them but by `reuse`. */
static cc_split draw(const made *m, const cc_split_spec *spec)
{
    camcl_error err = { 0 };
    cc_split split;
    cc_split_counts counts;
    if (cc_split_make(&m->data, spec, &split, &err) != CAMCL_OK) fail_msg("%s", err.message);
    assert_int_equal(cc_split_count(&m->data, spec, &counts, &err), CAMCL_OK);
    const struct {
        const uint32_t *images;
        size_t count, wanted;
    } pools[] = { { split.labeled, split.labeled_count, counts.labeled },
                  { split.unlabeled, split.unlabeled_count, counts.unlabeled },
                  { split.validation, split.validation_count, counts.validation },
                  { split.test, split.test_count, counts.test } };
    uint8_t seen[MOST] = { 0 };
    for (size_t p = 0; p < CC_COUNT(pools); p++) {
        assert_int_equal(pools[p].count, pools[p].wanted);
        for (size_t i = 0; i < pools[p].count; i++) {
            const uint32_t image = pools[p].images[i];
            assert_in_range(image, 0, m->data.images - 1);
            if (i) assert_true(image > pools[p].images[i - 1]);
            assert_true(!seen[image] || (spec->reuse_labeled && p == 1 && seen[image] == 1));
            seen[image] = (uint8_t)(p + 1);
        }
    }
    return split;
}

/* Fails unless a pool has these numbers of each class. */
static void assert_classes(const made *m, const uint32_t *pool, size_t count, size_t cat, size_t dog, size_t emu)
{
    size_t found[CLASSES] = { 0 };
    for (size_t i = 0; i < count; i++) {
        assert_true(m->labels[pool[i]] >= 0);
        found[m->labels[pool[i]]]++;
    }
    if (found[0] != cat || found[1] != dog || found[2] != emu)
        fail_msg("%zu, %zu and %zu of a class, not %zu, %zu and %zu", found[0], found[1], found[2], cat, dog, emu);
}

static void assert_refused(const made *m, const cc_split_spec *spec, const char *message)
{
    camcl_error err = { 0 };
    cc_split split;
    assert_int_equal(cc_split_make(&m->data, spec, &split, &err), CAMCL_BAD_CONFIG);
    if (strcmp(err.message, message) != 0) fail_msg("\"%s\", not \"%s\"", err.message, message);
    assert_null(split.labeled);
}

/* labeled = all, validation = auto: a tenth of 40 + 20 + 3 is 6, by share 4, 2 and none, but each class that has two gives one. */
static void everything_is_used(void **state)
{
    (void)state;
    made *m = make_data((size_t[]){ 40, 20, 3 }, 30, 0, 0);
    cc_split split = draw(m, &automatic);
    assert_classes(m, split.validation, split.validation_count, 3, 2, 1);
    assert_classes(m, split.labeled, split.labeled_count, 37, 18, 2);
    assert_int_equal(split.unlabeled_count, 30);
    for (size_t i = 0; i < 30; i++)
        assert_int_equal(split.unlabeled[i], 63 + i);
    assert_null(split.test);
    cc_split_free(&split);
    free(m);
}

/* A class of one image keeps it for training; a class of none has none. */
static void classes_of_few(void **state)
{
    (void)state;
    made *m = make_data((size_t[]){ 40, 1, 0 }, 0, 0, 0);
    cc_split split = draw(m, &automatic);
    assert_classes(m, split.validation, split.validation_count, 4, 0, 0);
    assert_classes(m, split.labeled, split.labeled_count, 36, 1, 0);
    cc_split_free(&split);
    free(m);
}

static void a_tenth_is_balanced_where_it_can_be(void **state)
{
    (void)state;
    made *m = make_data((size_t[]){ 50, 30, 10 }, 0, 0, 0); /* a tenth: 9 */
    cc_split_spec spec = automatic;
    spec.labeled = 21;
    spec.balanced = true;
    cc_split split = draw(m, &spec);
    assert_classes(m, split.validation, split.validation_count, 3, 3, 3);
    assert_classes(m, split.labeled, split.labeled_count, 7, 7, 7);
    assert_int_equal(split.unlabeled_count, 60);
    cc_split_free(&split);
    free(m);
    m = make_data((size_t[]){ 60, 30, 10 }, 0, 0, 0); /* 10 divides by no 3: by share 6, 3, 1 */
    split = draw(m, &spec);
    assert_classes(m, split.validation, split.validation_count, 6, 3, 1);
    assert_classes(m, split.labeled, split.labeled_count, 7, 7, 7);
    cc_split_free(&split);
    free(m);
}

static void by_share(void **state)
{
    (void)state;
    made *m = make_data((size_t[]){ 60, 30, 10 }, 0, 0, 0);
    cc_split_spec spec = { .labeled = 20, .validation = 10, .unlabeled = CC_UNLABELED_COUNT, .unlabeled_count = 7, .seed = 5 };
    cc_split split = draw(m, &spec);
    assert_classes(m, split.validation, split.validation_count, 6, 3, 1);
    assert_classes(m, split.labeled, split.labeled_count, 12, 6, 2);
    assert_int_equal(split.unlabeled_count, 7);
    cc_split_free(&split);
    spec.labeled = 3; /* 1.8, 0.9 and 0.3: each class has one all the same */
    split = draw(m, &spec);
    assert_classes(m, split.labeled, split.labeled_count, 1, 1, 1);
    cc_split_free(&split);
    spec.labeled = 2; /* too few for that: by largest remainder of 1.2, 0.6 and 0.2 */
    split = draw(m, &spec);
    assert_classes(m, split.labeled, split.labeled_count, 1, 1, 0);
    cc_split_free(&split);
    free(m);
}

/* Each pool of labels is part of every larger one, and the validation set is the same. */
static void smaller_pools_are_part_of_larger_ones(void **state)
{
    (void)state;
    made *m = make_data((size_t[]){ 50, 50, 50 }, 20, 0, 5);
    for (int balanced = 0; balanced < 2; balanced++) {
        uint8_t before[MOST] = { 0 };
        cc_split first = { 0 };
        for (size_t labeled = 3; labeled <= 90; labeled += 3) {
            cc_split_spec spec = automatic;
            spec.labeled = labeled;
            spec.balanced = balanced != 0;
            cc_split split = draw(m, &spec);
            uint8_t now[MOST] = { 0 };
            for (size_t i = 0; i < split.labeled_count; i++)
                now[split.labeled[i]] = 1;
            for (size_t i = 0; i < MOST; i++)
                assert_true(now[i] >= before[i]);
            memcpy(before, now, sizeof now);
            if (first.validation) assert_memory_equal(first.validation, split.validation, split.validation_count * sizeof(uint32_t));
            cc_split_free(&first);
            first = split;
        }
        cc_split_free(&first);
    }
    free(m);
}

static void a_validation_set_that_came_along(void **state)
{
    (void)state;
    made *m = make_data((size_t[]){ 20, 20, 20 }, 10, 12, 0);
    cc_split split = draw(m, &automatic);
    assert_int_equal(split.labeled_count, 60);
    assert_int_equal(split.unlabeled_count, 10);
    assert_int_equal(split.validation_count, 12);
    assert_int_equal(split.validation[0], 70);
    cc_split_free(&split);
    cc_split_spec spec = automatic;
    spec.validation = 0; /* not used, for nothing else either */
    split = draw(m, &spec);
    assert_int_equal(split.validation_count, 0);
    assert_int_equal(split.unlabeled_count, 10);
    assert_int_equal(split.labeled_count, 60);
    cc_split_free(&split);
    spec.validation = 5000;
    assert_refused(m, &spec,
                   "data.validation = 5000: the data come with a validation set of 12 images (set data.validation = auto to use it, or 0)");
    free(m);
}

/* The held-out test set is in no other pool, and is written and read. */
static void a_test_set_that_is_held_out(void **state)
{
    (void)state;
    made *m = make_data((size_t[]){ 40, 20, 12 }, 8, 0, 4);
    cc_split split = draw(m, &automatic), back;
    assert_int_equal(split.test_count, 18);
    assert_memory_equal(split.test, m->held_out, 18 * sizeof(uint32_t));
    assert_int_equal(split.labeled_count + split.validation_count, 54);
    cc_text text = CC_TEXT_INIT;
    cc_split_write(&split, &text);
    assert_non_null(strstr(text.data, "],\n \"test\": [0, 4, 8, "));
    assert_int_equal(cc_split_read("s", text.data, text.length, m->data.images, false, &back, NULL), CAMCL_OK);
    assert_int_equal(back.test_count, 18);
    assert_memory_equal(back.test, split.test, 18 * sizeof(uint32_t));
    cc_text_free(&text);
    cc_split_free(&back);
    /* A split out of a state has no test set until the data add it. */
    free(split.test);
    split.test = NULL;
    split.test_count = 0;
    assert_int_equal(cc_split_set_test(&split, &m->data, NULL), CAMCL_OK);
    assert_int_equal(split.test_count, 18);
    cc_split_free(&split);
    free(m);
}

static bool contains(const uint32_t *pool, size_t count, uint32_t image)
{
    for (size_t i = 0; i < count; i++)
        if (pool[i] == image) return true;
    return false;
}

/* Labelled images are in the unlabelled pool as well, beside what is drawn without them, which stays the same. */
static void labelled_images_are_reused(void **state)
{
    (void)state;
    made *m = make_data((size_t[]){ 30, 30, 30 }, 10, 0, 0);
    cc_split_spec spec = { .labeled = 9, .unlabeled = CC_UNLABELED_AUTO, .ratio = 2, .seed = 1, .balanced = true };
    cc_split without = draw(m, &spec);
    spec.reuse_labeled = true;
    cc_split with = draw(m, &spec), back;
    assert_int_equal(without.unlabeled_count, 18);
    assert_int_equal(with.unlabeled_count, 27);
    for (size_t i = 0; i < 18; i++)
        assert_true(contains(with.unlabeled, 27, without.unlabeled[i]));
    for (size_t i = 0; i < 9; i++)
        assert_true(contains(with.unlabeled, 27, with.labeled[i]));
    cc_text text = CC_TEXT_INIT;
    cc_split_write(&with, &text);
    camcl_error err = { 0 };
    assert_int_equal(cc_split_read("s", text.data, text.length, m->data.images, true, &back, &err), CAMCL_OK);
    assert_memory_equal(back.unlabeled, with.unlabeled, 27 * sizeof(uint32_t));
    cc_split_free(&back);
    assert_int_equal(cc_split_read("s", text.data, text.length, m->data.images, false, &back, &err), CAMCL_BAD_DATA);
    assert_non_null(strstr(err.message, "both in \"labeled\" and in \"unlabeled\""));
    cc_text_free(&text);
    const char *const wrong = "{\"labeled\": [1], \"unlabeled\": [1, 2], \"validation\": [2]}";
    assert_int_equal(cc_split_read("s", wrong, strlen(wrong), 10, true, &back, &err), CAMCL_BAD_DATA);
    cc_split_free(&without);
    cc_split_free(&with);
    /* With every label in use, they make up for what is missing. */
    spec.labeled = CC_LABELED_ALL;
    spec.ratio = 1;
    with = draw(m, &spec);
    assert_int_equal(with.labeled_count, 90);
    assert_int_equal(with.unlabeled_count, 100);
    cc_split_free(&with);
    free(m);
}

/* Nobody asked for a number, so none is refused: of classes with one image each, none is taken. */
static void a_tenth_that_no_class_can_spare(void **state)
{
    enum { MANY = 20 };
    (void)state;
    int32_t labels[MANY + 1];
    const char *many[MANY];
    for (int32_t i = 0; i < MANY; i++) {
        labels[i] = i;
        many[i] = "x";
    }
    labels[MANY] = 3;
    made *m = make_data((size_t[]){ 0, 0, 0 }, 0, 0, 0);
    m->data.classes = MANY;
    m->data.class_names = many;
    for (size_t images = MANY; images <= MANY + 1; images++) {
        memcpy(m->labels, labels, images * sizeof *labels);
        m->data.images = images;
        cc_split split = draw(m, &automatic);
        assert_int_equal(split.labeled_count, MANY);
        assert_int_equal(split.validation_count, images - MANY);
        cc_split_free(&split);
    }
    free(m);
}

static void what_is_short_is_named(void **state)
{
    (void)state;
    made *m = make_data((size_t[]){ 40, 3, 20 }, 0, 0, 0);
    cc_split_spec spec = { .labeled = 12, .unlabeled = CC_UNLABELED_ALL, .balanced = true, .seed = 1 };
    assert_refused(m, &spec,
                   "data.labeled = 12: it takes 4 images of each class: dog has 3 (at most 9 is possible; or set data.balanced = no)");
    spec.validation = 3;
    spec.labeled = 60;
    assert_refused(m, &spec,
                   "data.labeled = 60: it takes 20 images of each class: dog has 2 beside 1 for validation, emu has 19 beside 1 for "
                   "validation (at most 6 is possible; or set data.balanced = no)");
    spec.validation = 12;
    spec.labeled = 3;
    assert_refused(m, &spec,
                   "data.validation = 12: it takes 4 images of each class: dog has 3 (at most 9 is possible; or set data.balanced = no)");
    spec.validation = 9; /* all dogs */
    assert_refused(m, &spec,
                   "data.labeled = 3: it takes 1 image of each class: dog has 0 beside 3 for validation (lower data.validation, or set "
                   "data.balanced = no)");
    spec.validation = 0;
    spec.labeled = 43;
    assert_refused(m, &spec, "data.labeled = 43: it must divide by the 3 classes (the nearest are 42 and 45; or set data.balanced = no)");
    spec.balanced = false; /* 27.3, 2.05 and 13.65 */
    cc_split split = draw(m, &spec);
    assert_classes(m, split.labeled, split.labeled_count, 27, 2, 14);
    cc_split_free(&split);
    spec.labeled = 64;
    assert_refused(m, &spec, "data.labeled = 64: only 63 images with a label are left for it (lower it, or say all)");
    spec.labeled = 1;
    spec.validation = 61;
    assert_refused(m, &spec, "data.validation = 61: only 60 images with a label are left for it (lower it)");
    free(m);
    m = make_data((size_t[]){ 0, 0, 0 }, 9, 0, 0);
    assert_refused(m, &automatic, "data.labeled: there is no labelled image to learn from (raise it, or add pictures)");
    free(m);
}

/* By largest remainder within bounds; equal remainders go to the first. */
static void shares_add_up(void **state)
{
    (void)state;
    static const struct {
        size_t total, weights[CLASSES], least[CLASSES], most[CLASSES], shares[CLASSES];
    } cases[] = {
        { 10, { 1, 1, 1 }, { 0, 0, 0 }, { 9, 9, 9 }, { 4, 3, 3 } },   { 10, { 5, 3, 2 }, { 0, 0, 0 }, { 9, 9, 9 }, { 5, 3, 2 } },
        { 10, { 98, 1, 1 }, { 1, 1, 1 }, { 99, 9, 9 }, { 8, 1, 1 } }, { 10, { 98, 1, 1 }, { 0, 0, 0 }, { 6, 9, 9 }, { 6, 2, 2 } },
        { 0, { 5, 3, 2 }, { 0, 0, 0 }, { 9, 9, 9 }, { 0, 0, 0 } },    { 7, { 0, 4, 4 }, { 0, 0, 0 }, { 0, 4, 4 }, { 0, 4, 3 } },
    };
    for (size_t k = 0; k < CC_COUNT(cases); k++) {
        size_t shares[CLASSES];
        cc_apportion(cases[k].total, cases[k].weights, cases[k].least, cases[k].most, CLASSES, shares);
        for (size_t c = 0; c < CLASSES; c++)
            if (shares[c] != cases[k].shares[c]) fail_msg("case %zu: share %zu is %zu, not %zu", k, c, shares[c], cases[k].shares[c]);
    }
}

static void what_is_said(void **state)
{
    (void)state;
    made *m = make_data((size_t[]){ 40, 20, 3 }, 30, 0, 0);
    cc_split split = draw(m, &automatic);
    cc_text line = CC_TEXT_INIT, missing = CC_TEXT_INIT;
    cc_split_describe(&split, &m->data, 5, &line);
    assert_string_equal(line.data, "labelled 57 (2 to 37 per class), unlabelled 30, validation 6, test 5");
    assert_int_equal(cc_missing_classes(m->labels, split.labeled, split.labeled_count, CLASSES, names, &missing, NULL), CAMCL_OK);
    assert_int_equal(missing.length, 0);
    const uint32_t emus[] = { 60, 61, 70 }; /* the last has no label */
    assert_int_equal(cc_missing_classes(m->labels, emus, 3, CLASSES, names, &missing, NULL), CAMCL_OK);
    assert_string_equal(missing.data, "cat, dog");
    cc_text_free(&missing);
    const char *many[14];
    for (size_t c = 0; c < CC_COUNT(many); c++)
        many[c] = "\x1bx";
    assert_int_equal(cc_missing_classes(m->labels, NULL, 1, CC_COUNT(many), many, &missing, NULL), CAMCL_OK);
    assert_string_equal(missing.data, "\\x1bx, \\x1bx, \\x1bx, \\x1bx, \\x1bx, \\x1bx, \\x1bx, \\x1bx, \\x1bx, \\x1bx and 3 more");
    cc_text_free(&missing);
    cc_text_free(&line);
    cc_split_free(&split);
    free(m);
}

/* A test set of its own is all of its part; one that is held out is some of the training images. */
static void where_the_test_set_is(void **state)
{
    (void)state;
    uint32_t held_out[] = { 2, 3, 7 };
    camcl_dataset own = { .info = { .train_count = 9, .test_count = 4, .classes = CLASSES } };
    camcl_dataset held = { .info = { .train_count = 9, .held_out_count = 3, .classes = CLASSES }, .held_out = held_out };
    cc_test_images test = cc_dataset_test_images(&own);
    assert_int_equal(test.part, CAMCL_TEST_IMAGES);
    assert_int_equal(test.count, 4);
    assert_int_equal(cc_test_image_at(&test, 3), 3);
    test = cc_dataset_test_images(&held);
    assert_int_equal(test.part, CAMCL_TRAIN_IMAGES);
    assert_int_equal(test.count, 3);
    assert_int_equal(cc_test_image_at(&test, 2), 7);
}

/* The first of each class, then the second of each: not the first class alone. */
static void a_choice_is_spread_over_classes(void **state)
{
    (void)state;
    const int32_t labels[] = { 0, 0, 0, 0, 0, 1, 1, 1, 2, -1 };
    const uint32_t backwards[] = { 0, 4, 5, 8 };
    uint32_t chosen[10];
    const cc_test_images all = { CAMCL_TEST_IMAGES, NULL, 10 }, some = { CAMCL_TRAIN_IMAGES, backwards, 4 };
    static const uint32_t six[] = { 0, 1, 5, 6, 8, 9 }, three[] = { 0, 2, 3 };
    assert_int_equal(cc_test_images_spread(&all, labels, CLASSES, 6, chosen, NULL), CAMCL_OK);
    assert_memory_equal(chosen, six, sizeof six);
    assert_int_equal(cc_test_images_spread(&all, labels, CLASSES, 10, chosen, NULL), CAMCL_OK);
    for (uint32_t i = 0; i < 10; i++)
        assert_int_equal(chosen[i], i);
    assert_int_equal(cc_test_images_spread(&some, labels, CLASSES, 3, chosen, NULL), CAMCL_OK);
    assert_memory_equal(chosen, three, sizeof three);
}

/* Any keys on any data: what is not refused keeps the pools apart, has the numbers that were counted, and reads back as it was written. */
static void any_configuration(void **state)
{
    (void)state;
    cc_rng rng = cc_rng_at(7, CC_RNG_SPLIT, 0);
    size_t made_splits = 0, refused = 0;
    for (int i = 0; i < 2000; i++) {
        const size_t sizes[CLASSES] = { 1 + cc_rng_below(&rng, 3), cc_rng_below(&rng, 40), cc_rng_below(&rng, 80) };
        made *m = make_data(sizes, cc_rng_below(&rng, 3) * 17, cc_rng_below(&rng, 3) * 9, cc_rng_below(&rng, 3) * 4);
        const cc_split_spec spec = { .labeled = cc_rng_below(&rng, 2) ? CC_LABELED_ALL : 1 + cc_rng_below(&rng, 60),
                                     .validation = cc_rng_below(&rng, 2) ? CC_VALIDATION_AUTO : cc_rng_below(&rng, 30),
                                     .unlabeled = (cc_unlabeled_kind)cc_rng_below(&rng, 3),
                                     .ratio = cc_rng_below(&rng, 8) * 0.37,
                                     .unlabeled_count = cc_rng_below(&rng, 90),
                                     .seed = (uint64_t)i,
                                     .balanced = cc_rng_below(&rng, 2),
                                     .reuse_labeled = cc_rng_below(&rng, 2) };
        cc_split_counts counts;
        cc_split split, again;
        camcl_error err = { 0 };
        cc_text json = CC_TEXT_INIT;
        if (cc_split_count(&m->data, &spec, &counts, &err) != CAMCL_OK) {
            assert_int_equal(cc_split_make(&m->data, &spec, &split, &err), CAMCL_BAD_CONFIG);
            assert_non_null(strstr(err.message, "("));
            refused++;
            free(m);
            continue;
        }
        made_splits++;
        split = draw(m, &spec);
        for (size_t k = 0; k < split.labeled_count; k++)
            assert_true(m->labels[split.labeled[k]] >= 0);
        if (spec.labeled != CC_LABELED_ALL) assert_int_equal(split.labeled_count, spec.labeled);
        cc_split_write(&split, &json);
        if (cc_split_read("splits.json", json.data, json.length, m->data.images, spec.reuse_labeled, &again, &err) != CAMCL_OK)
            fail_msg("%s", err.message);
        assert_int_equal(again.labeled_count, split.labeled_count);
        assert_int_equal(again.unlabeled_count, split.unlabeled_count);
        assert_int_equal(again.validation_count, split.validation_count);
        assert_int_equal(again.test_count, split.test_count);
        cc_text_free(&json);
        cc_split_free(&again);
        cc_split_free(&split);
        free(m);
    }
    assert_true(made_splits > 200 && refused > 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_used),
        cmocka_unit_test(classes_of_few),
        cmocka_unit_test(a_tenth_is_balanced_where_it_can_be),
        cmocka_unit_test(by_share),
        cmocka_unit_test(smaller_pools_are_part_of_larger_ones),
        cmocka_unit_test(a_validation_set_that_came_along),
        cmocka_unit_test(a_test_set_that_is_held_out),
        cmocka_unit_test(labelled_images_are_reused),
        cmocka_unit_test(a_tenth_that_no_class_can_spare),
        cmocka_unit_test(what_is_short_is_named),
        cmocka_unit_test(shares_add_up),
        cmocka_unit_test(what_is_said),
        cmocka_unit_test(where_the_test_set_is),
        cmocka_unit_test(a_choice_is_spread_over_classes),
        cmocka_unit_test(any_configuration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
