/* Splits: disjoint, balanced, seeded, refused when they do not fit; their JSON text. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"
#include "dataset/split.h"

enum { classes = 10, images = 3000 };

/* Always the same order. */
static void shuffle(int32_t *labels, size_t count)
{
    uint32_t state = 12345;
    for (size_t i = count - 1; i > 0; i--) {
        state = state * 1664525u + 1013904223u;
        size_t j = (state >> 8) % (i + 1);
        int32_t kept = labels[i];
        labels[i] = labels[j];
        labels[j] = kept;
    }
}

/* Unbalanced: class c has 210 + 20 c images, in no order. */
static int32_t *make_labels(void)
{
    int32_t *labels = malloc(images * sizeof *labels);
    size_t at = 0;
    assert_non_null(labels);
    for (int32_t c = 0; c < classes; c++)
        for (int32_t i = 0; i < 210 + 20 * c; i++)
            labels[at++] = c;
    assert_int_equal(at, images);
    shuffle(labels, images);
    return labels;
}

static const char *const digits[] = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9" };

/* All images with a label, none held out. */
static cc_split_data all_of(const int32_t *labels, size_t count)
{
    return (cc_split_data){ .labels = labels, .images = count, .classes = classes, .class_names = digits };
}

static cc_split make(const int32_t *labels, size_t labeled, size_t validation, cc_unlabeled_kind kind, double ratio, size_t unlabeled,
                     uint64_t seed)
{
    const cc_split_spec spec = { labeled, validation, kind, ratio, unlabeled, seed, true, false };
    const cc_split_data data = all_of(labels, images);
    camcl_error err = { 0 };
    cc_split split;
    camcl_status status = cc_split_make(&data, &spec, &split, &err);
    if (status != CAMCL_OK) print_error("%s\n", err.message);
    assert_int_equal(status, CAMCL_OK);
    cc_split_counts counts;
    assert_int_equal(cc_split_count(&data, &spec, &counts, &err), CAMCL_OK);
    assert_int_equal(counts.labeled, split.labeled_count);
    assert_int_equal(counts.unlabeled, split.unlabeled_count);
    assert_int_equal(counts.validation, split.validation_count);
    return split;
}

static void count_pool(const uint32_t *pool, size_t count, const int32_t *labels, uint8_t *used, size_t *per_class)
{
    memset(per_class, 0, classes * sizeof *per_class);
    for (size_t i = 0; i < count; i++) {
        assert_in_range(pool[i], 0, images - 1);
        if (i) assert_true(pool[i - 1] < pool[i]);
        assert_int_equal(used[pool[i]], 0);
        used[pool[i]] = 1;
        per_class[labels[pool[i]]]++;
    }
}

static void pools_are_disjoint_sorted_and_balanced(void **state)
{
    int32_t *labels = make_labels();
    cc_split split = make(labels, 500, 1000, CC_UNLABELED_AUTO, 1.5, 0, 1);
    uint8_t used[images] = { 0 };
    size_t per_class[classes], uneven = 0;
    (void)state;
    assert_int_equal(split.labeled_count, 500);
    assert_int_equal(split.unlabeled_count, 750);
    assert_int_equal(split.validation_count, 1000);
    count_pool(split.labeled, 500, labels, used, per_class);
    for (int c = 0; c < classes; c++)
        assert_int_equal(per_class[c], 50);
    count_pool(split.validation, 1000, labels, used, per_class);
    for (int c = 0; c < classes; c++)
        assert_int_equal(per_class[c], 100);
    /* The unlabelled pool follows what is left (60 + 20 c of a class), and no quota. */
    count_pool(split.unlabeled, 750, labels, used, per_class);
    for (int c = 0; c < classes; c++) {
        double expected = 750.0 * (60 + 20 * c) / 1500.0;
        assert_true((double)per_class[c] > expected - 40 && (double)per_class[c] < expected + 40);
        uneven += per_class[c] != (size_t)expected;
    }
    assert_true(uneven > 0);
    cc_split_free(&split);
    free(labels);
}

static void kinds_of_unlabeled_pools(void **state)
{
    int32_t *labels = make_labels();
    (void)state;
    cc_split split = make(labels, 30, 0, CC_UNLABELED_ALL, 9, 9, 1);
    assert_int_equal(split.unlabeled_count, images - 30);
    assert_int_equal(split.validation_count, 0);
    cc_split_free(&split);
    split = make(labels, 30, 20, CC_UNLABELED_COUNT, 9, 17, 1);
    assert_int_equal(split.unlabeled_count, 17);
    cc_split_free(&split);
    split = make(labels, 50, 20, CC_UNLABELED_AUTO, 0.33, 0, 1); /* 16.5 rounds up */
    assert_int_equal(split.unlabeled_count, 17);
    cc_split_free(&split);
    split = make(labels, 2000, 100, CC_UNLABELED_AUTO, 0.45, 0, 1); /* exactly what is left */
    assert_int_equal(split.unlabeled_count, 900);
    cc_split_free(&split);
    split = make(labels, 500, 100, CC_UNLABELED_COUNT, 1, 0, 1);
    assert_int_equal(split.unlabeled_count, 0);
    cc_split_free(&split);
    assert_null(split.labeled);
    free(labels);
}

/* The draws of the official data sets are part of what a seed means: these are the hashes of what the first version drew. */
static void draws_stay_what_they_were(void **state)
{
    static const struct {
        size_t images, classes, labeled, validation;
        cc_unlabeled_kind kind;
        double ratio;
        uint64_t seed, hashes[3];
    } cases[] = {
        { 50000, 10, 500, 5000, CC_UNLABELED_AUTO, 1, 1, { 0xca249fe601ced3f1, 0x25a5d95ee7dc7e23, 0x5533a490816987e0 } },
        { 10000, 10, 40, 100, CC_UNLABELED_ALL, 1, 7, { 0xe031f971a32554f4, 0x24f4414a6805de72, 0xe7c6066854982bef } },
        { 50000, 100, 10000, 5000, CC_UNLABELED_AUTO, 2.5, 3, { 0x7b2311067f36a285, 0x3b06140d9b39b16a, 0xc17b8addf429c830 } },
    };
    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const char *names[100];
        int32_t *labels = malloc(cases[k].images * sizeof *labels);
        assert_non_null(labels);
        for (size_t c = 0; c < 100; c++)
            names[c] = "a class";
        for (size_t i = 0; i < cases[k].images; i++)
            labels[i] = (int32_t)(i % cases[k].classes);
        shuffle(labels, cases[k].images);
        const cc_split_data data = { labels, cases[k].images, 0, 0, cases[k].classes, names, NULL, 0 };
        const cc_split_spec spec = { cases[k].labeled, cases[k].validation, cases[k].kind, cases[k].ratio, 0, cases[k].seed, true, false };
        cc_split split;
        assert_int_equal(cc_split_make(&data, &spec, &split, NULL), CAMCL_OK);
        assert_int_equal(cc_hash(CC_HASH_START, split.labeled, split.labeled_count * sizeof(uint32_t)), cases[k].hashes[0]);
        assert_int_equal(cc_hash(CC_HASH_START, split.unlabeled, split.unlabeled_count * sizeof(uint32_t)), cases[k].hashes[1]);
        assert_int_equal(cc_hash(CC_HASH_START, split.validation, split.validation_count * sizeof(uint32_t)), cases[k].hashes[2]);
        assert_null(split.test);
        cc_split_free(&split);
        free(labels);
    }
}

static int contains(const uint32_t *pool, size_t count, uint32_t index)
{
    for (size_t i = 0; i < count; i++)
        if (pool[i] == index) return 1;
    return 0;
}

static void the_seed_decides(void **state)
{
    int32_t *labels = make_labels();
    (void)state;
    cc_split one = make(labels, 100, 200, CC_UNLABELED_AUTO, 1, 0, 7), again = make(labels, 100, 200, CC_UNLABELED_AUTO, 1, 0, 7);
    cc_split other = make(labels, 100, 200, CC_UNLABELED_AUTO, 1, 0, 8), larger = make(labels, 300, 200, CC_UNLABELED_AUTO, 1, 0, 7);
    assert_memory_equal(one.labeled, again.labeled, 100 * sizeof(uint32_t));
    assert_memory_equal(one.unlabeled, again.unlabeled, 100 * sizeof(uint32_t));
    assert_memory_equal(one.validation, again.validation, 200 * sizeof(uint32_t));
    assert_memory_not_equal(one.labeled, other.labeled, 100 * sizeof(uint32_t));
    assert_memory_not_equal(one.unlabeled, other.unlabeled, 100 * sizeof(uint32_t));
    assert_memory_not_equal(one.validation, other.validation, 200 * sizeof(uint32_t));
    assert_memory_equal(one.validation, larger.validation, 200 * sizeof(uint32_t));
    size_t shared = 0;
    for (size_t i = 0; i < 100; i++) {
        assert_true(contains(larger.labeled, 300, one.labeled[i]));
        shared += (size_t)contains(other.unlabeled, 100, one.unlabeled[i]);
    }
    assert_true(shared < 20); /* 3 or 4 by chance */
    cc_split_free(&one);
    cc_split_free(&again);
    cc_split_free(&other);
    cc_split_free(&larger);
    free(labels);
}

static void assert_refused(const int32_t *labels, cc_split_spec spec, const char *part, const char *other)
{
    camcl_error err = { 0 };
    cc_split split;
    const cc_split_data data = all_of(labels, images);
    assert_int_equal(cc_split_make(&data, &spec, &split, &err), CAMCL_BAD_CONFIG);
    camcl_error same = { 0 };
    cc_split_counts counts;
    assert_int_equal(cc_split_count(&data, &spec, &counts, &same), CAMCL_BAD_CONFIG);
    assert_string_equal(same.message, err.message);
    assert_null(split.labeled);
    if (!strstr(err.message, part) || !strstr(err.message, other)) print_error("%s\n", err.message);
    assert_non_null(strstr(err.message, part));
    assert_non_null(strstr(err.message, other));
}

static void what_does_not_fit_is_refused(void **state)
{
    int32_t *labels = make_labels();
    (void)state;
    assert_refused(labels, (cc_split_spec){ 505, 0, CC_UNLABELED_ALL, 1, 0, 1, true, false }, "data.labeled = 505", "500 and 510");
    assert_refused(labels, (cc_split_spec){ 3, 0, CC_UNLABELED_ALL, 1, 0, 1, true, false }, "data.labeled = 3", "the nearest is 10");
    assert_refused(labels, (cc_split_spec){ 0, 0, CC_UNLABELED_ALL, 1, 0, 1, true, false }, "data.labeled = 0", "the nearest is 10");
    assert_refused(labels, (cc_split_spec){ 500, 7, CC_UNLABELED_ALL, 1, 0, 1, true, false }, "data.validation = 7", "0 and 10");
    /* The smallest class, 0, has 210. */
    assert_refused(labels, (cc_split_spec){ 1100, 1010, CC_UNLABELED_ALL, 1, 0, 1, true, false },
                   "data.labeled = 1100: it takes 110 images", ": 0 has 109 beside 101 for validation (at most 1090 is possible;");
    assert_refused(labels, (cc_split_spec){ 10, 2300, CC_UNLABELED_ALL, 1, 0, 1, true, false },
                   "data.validation = 2300: it takes 230 images", ": 0 has 210 (at most 2100 is possible;");
    assert_refused(labels, (cc_split_spec){ 500, 1000, CC_UNLABELED_COUNT, 1, 1501, 1, true, false }, "data.unlabeled = 1501",
                   "1500 images are left");
    assert_refused(labels, (cc_split_spec){ 500, 1000, CC_UNLABELED_AUTO, 3.002, 0, 1, true, false }, "data.ratio = 3.002",
                   "1500 are left");
    assert_refused(labels, (cc_split_spec){ 500, 1000, CC_UNLABELED_AUTO, -1, 0, 1, true, false }, "data.ratio = -1", "1500 are left");
    assert_refused(labels, (cc_split_spec){ 500, 1000, CC_UNLABELED_AUTO, 1e300, 0, 1, true, false }, "data.ratio", "1500 are left");
    free(labels);
}

static void the_text_comes_back(void **state)
{
    int32_t *labels = make_labels();
    cc_split split = make(labels, 100, 200, CC_UNLABELED_AUTO, 2, 0, 3), back;
    cc_text text = CC_TEXT_INIT, line = CC_TEXT_INIT;
    (void)state;
    cc_split_write(&split, &text);
    assert_false(text.failed);
    assert_int_equal(strncmp(text.data, "{\"labeled\": [", 13), 0);
    assert_int_equal(text.data[text.length - 1], '\n');
    assert_int_equal(cc_split_read("splits.json", text.data, text.length, images, false, &back, NULL), CAMCL_OK);
    assert_int_equal(back.labeled_count, 100);
    assert_int_equal(back.unlabeled_count, 200);
    assert_int_equal(back.validation_count, 200);
    assert_memory_equal(back.labeled, split.labeled, 100 * sizeof(uint32_t));
    assert_memory_equal(back.unlabeled, split.unlabeled, 200 * sizeof(uint32_t));
    assert_memory_equal(back.validation, split.validation, 200 * sizeof(uint32_t));
    const cc_split_data data = all_of(labels, images);
    cc_split_describe(&split, &data, 10000, &line);
    assert_string_equal(line.data, "labelled 100 (10 per class), unlabelled 200, validation 200, test 10000");
    cc_text_free(&text);
    cc_text_free(&line);
    cc_split_free(&split);
    cc_split_free(&back);
    free(labels);
}

static void wrong_texts_are_refused(void **state)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        { "{\"labeled\": [1, 2], \"unlabeled\": [3]}", "no list \"validation\"" },
        { "{\"labeled\": [1, 2], \"unlabeled\": 3, \"validation\": []}", "no list \"unlabeled\"" },
        { "{\"labeled\": [2, 1], \"unlabeled\": [3], \"validation\": []}", "\"labeled\" is not sorted: 1 follows 2" },
        { "{\"labeled\": [1, 1], \"unlabeled\": [3], \"validation\": []}", "\"labeled\" is not sorted: 1 follows 1" },
        { "{\"labeled\": [1, 2], \"unlabeled\": [2], \"validation\": []}", "image 2 is both in \"labeled\" and in \"unlabeled\"" },
        { "{\"labeled\": [1, 2], \"unlabeled\": [3], \"validation\": [10]}", "entry 0 of \"validation\"" },
        { "{\"labeled\": [1, -2], \"unlabeled\": [3], \"validation\": [4]}", "entry 1 of \"labeled\"" },
        { "{\"labeled\": [1.5], \"unlabeled\": [3], \"validation\": [4]}", "entry 0 of \"labeled\"" },
        { "{\"labeled\": [\"1\"], \"unlabeled\": [3], \"validation\": [4]}", "entry 0 of \"labeled\"" },
        { "{\"labeled\": [1, 2", "splits.json" },
        { "", "splits.json" },
        { "[]", "no list \"labeled\"" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        camcl_error err = { 0 };
        cc_split split;
        assert_int_equal(cc_split_read("splits.json", cases[i].text, strlen(cases[i].text), 10, false, &split, &err), CAMCL_BAD_DATA);
        assert_null(split.labeled);
        if (!strstr(err.message, cases[i].part)) print_error("%s\n", err.message);
        assert_non_null(strstr(err.message, cases[i].part));
        assert_non_null(strstr(err.message, "splits.json"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pools_are_disjoint_sorted_and_balanced),
        cmocka_unit_test(kinds_of_unlabeled_pools),
        cmocka_unit_test(the_seed_decides),
        cmocka_unit_test(draws_stay_what_they_were),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(the_text_comes_back),
        cmocka_unit_test(wrong_texts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
