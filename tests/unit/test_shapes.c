/* The drawn data set: the same bytes everywhere, balanced, with objects where its masks say; and the fixed-point geometry below. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "camcl/dataset.h"
#include "dataset/outline.h"

enum { pixels_per_image = 32 * 32, bytes_per_image = 3 * pixels_per_image };

/* FNV-1a, 64 bits. */
static uint64_t hash(const void *data, size_t size)
{
    const uint8_t *bytes = data;
    uint64_t value = 0xCBF29CE484222325u;
    for (size_t i = 0; i < size; i++)
        value = (value ^ bytes[i]) * 0x100000001B3u;
    return value;
}

static camcl_dataset *draw(uint32_t train, uint32_t test, uint64_t seed)
{
    const camcl_dataset_spec spec = { .dataset = "shapes", .shapes_train = train, .shapes_test = test, .shapes_seed = seed };
    camcl_dataset *dataset = NULL;
    assert_int_equal(camcl_dataset_open(&spec, &dataset, NULL), CAMCL_OK);
    return dataset;
}

static int differs(const char *what, uint64_t found, uint64_t known)
{
    if (found != known) print_error("%s: hash 0x%016" PRIX64 ", known 0x%016" PRIX64 "\n", what, found, known);
    return found != known;
}

/* Whoever changes how images are drawn changes published results: these numbers must then be changed knowingly. */
static void the_bytes_are_known(void **state)
{
    camcl_dataset *dataset = draw(100, 100, 0);
    int differences = 0;
    (void)state;
    differences +=
        differs("training images", hash(camcl_dataset_pixels(dataset, CAMCL_TRAIN_IMAGES), 100 * bytes_per_image), 0xDA26C6ADD03BFDE4);
    differences +=
        differs("training masks", hash(camcl_dataset_masks(dataset, CAMCL_TRAIN_IMAGES), 100 * pixels_per_image), 0x015D48B08F35EF15);
    differences +=
        differs("test images", hash(camcl_dataset_pixels(dataset, CAMCL_TEST_IMAGES), 100 * bytes_per_image), 0xC458A092E6C1B385);
    assert_int_equal(differences, 0);
    camcl_dataset_close(&dataset);
}

static void the_standard_set_is_balanced(void **state)
{
    camcl_dataset *dataset = draw(0, 0, 0);
    const camcl_dataset_info *info = camcl_dataset_get_info(dataset);
    size_t seen[2][10] = { { 0 } };
    (void)state;
    assert_int_equal(info->train_count, 10000);
    assert_int_equal(info->test_count, 2000);
    assert_int_equal(info->classes, 10);
    assert_int_equal(info->channels, 3);
    for (uint32_t i = 0; i < 10000; i++)
        seen[0][camcl_dataset_labels(dataset, CAMCL_TRAIN_IMAGES)[i]]++;
    for (uint32_t i = 0; i < 2000; i++)
        seen[1][camcl_dataset_labels(dataset, CAMCL_TEST_IMAGES)[i]]++;
    for (uint32_t c = 0; c < 10; c++) {
        assert_int_equal(seen[0][c], 1000);
        assert_int_equal(seen[1][c], 200);
        assert_true(strlen(camcl_dataset_class_names(dataset)[c]) > 0);
    }
    for (uint32_t c = 0; c < 3; c++) {
        assert_true(info->mean[c] > 0.2f && info->mean[c] < 0.8f);
        assert_true(info->std[c] > 0.1f && info->std[c] < 0.4f);
    }
    camcl_dataset_close(&dataset);
}

static void an_image_depends_on_seed_part_and_index_only(void **state)
{
    camcl_dataset *few = draw(7, 7, 5), *many = draw(23, 11, 5), *other = draw(7, 7, 6);
    (void)state;
    const uint8_t *pixels = camcl_dataset_pixels(few, CAMCL_TRAIN_IMAGES);
    assert_memory_equal(pixels, camcl_dataset_pixels(many, CAMCL_TRAIN_IMAGES), 7 * bytes_per_image);
    assert_memory_equal(camcl_dataset_masks(few, CAMCL_TEST_IMAGES), camcl_dataset_masks(many, CAMCL_TEST_IMAGES), 7 * pixels_per_image);
    for (size_t i = 0; i < 7; i++) {
        const size_t at = i * bytes_per_image;
        assert_memory_not_equal(pixels + at, camcl_dataset_pixels(few, CAMCL_TEST_IMAGES) + at, bytes_per_image);
        assert_memory_not_equal(pixels + at, camcl_dataset_pixels(other, CAMCL_TRAIN_IMAGES) + at, bytes_per_image);
    }
    camcl_dataset_close(&few);
    camcl_dataset_close(&many);
    camcl_dataset_close(&other);
}

/* Figures are brighter than what is around them on average, and cover a sensible part of the picture. */
static void objects_are_where_the_masks_say(void **state)
{
    enum { count = 500 };
    camcl_dataset *dataset = draw(count, 1, 0);
    const uint8_t *pixels = camcl_dataset_pixels(dataset, CAMCL_TRAIN_IMAGES), *masks = camcl_dataset_masks(dataset, CAMCL_TRAIN_IMAGES);
    size_t brighter = 0;
    (void)state;
    for (size_t i = 0; i < count; i++) {
        double sum[2] = { 0, 0 };
        size_t n[2] = { 0, 0 };
        for (size_t p = 0; p < pixels_per_image; p++, masks++, pixels += 3) {
            assert_true(*masks == 0 || *masks == 255);
            sum[*masks != 0] += 0.299 * pixels[0] + 0.587 * pixels[1] + 0.114 * pixels[2];
            n[*masks != 0]++;
        }
        assert_in_range(n[1], 30, 600);
        brighter += sum[1] / (double)n[1] > sum[0] / (double)n[0] + 10;
    }
    assert_true(brighter > count * 95 / 100);
    camcl_dataset_close(&dataset);
}

static void sines_are_right(void **state)
{
    cc_sines sines;
    (void)state;
    cc_sines_fill(&sines);
    for (int32_t i = -CC_TURN; i < 2 * CC_TURN; i++) {
        double angle = 2 * 3.14159265358979323846 * i / CC_TURN;
        assert_true(fabs(cc_sin(&sines, i) - CC_ONE * sin(angle)) < 0.51);
        assert_true(fabs(cc_cos(&sines, i) - CC_ONE * cos(angle)) < 0.51);
    }
}

static double total(const uint16_t *coverage)
{
    double sum = 0;
    for (int i = 0; i < pixels_per_image; i++) {
        assert_in_range(coverage[i], 0, CC_FULL);
        sum += coverage[i];
    }
    return sum / CC_FULL;
}

static void coverage_is_area(void **state)
{
    uint16_t coverage[pixels_per_image];
    /* 4.25 to 10 across, 3.5 to 9 down. */
    cc_outline box = { { { 1088, 896 }, { 2560, 896 }, { 2560, 2304 }, { 1088, 2304 } }, 4, 4 };
    (void)state;
    cc_outline_cover(&box, coverage);
    assert_int_equal(coverage[5 * 32 + 5], CC_FULL);
    assert_int_equal(coverage[5 * 32 + 4], CC_FULL * 3 / 4);
    assert_int_equal(coverage[3 * 32 + 5], CC_FULL / 2);
    assert_int_equal(coverage[3 * 32 + 4], CC_FULL * 3 / 8);
    assert_int_equal(coverage[5 * 32 + 10], 0);
    assert_int_equal(coverage[9 * 32 + 5], 0);
    assert_true(total(coverage) == 5.75 * 5.5);
    /* A contour inside another is a hole; what lies outside of the picture is cut off. */
    cc_outline frame = { { { -999999, -999999 },
                           { 999999, -999999 },
                           { 999999, 999999 },
                           { -999999, 999999 },
                           { 256, 256 },
                           { 512, 256 },
                           { 512, 512 },
                           { 256, 512 } },
                         8,
                         4 };
    cc_outline_cover(&frame, coverage);
    assert_int_equal(coverage[33], 0);
    assert_true(total(coverage) == 1023);
}

/* Turned and moved, a figure keeps its area, which is close to that of all others. */
static void figures_have_like_areas(void **state)
{
    cc_sines sines;
    uint16_t coverage[pixels_per_image];
    (void)state;
    cc_sines_fill(&sines);
    for (int figure = 0; figure < CC_FIGURES; figure++) {
        double first = 0;
        for (int32_t angle = 0; angle < CC_TURN; angle += 93) {
            cc_outline outline;
            const cc_placement place = { .x = 16 * CC_PIXEL + angle / 8,
                                         .y = 16 * CC_PIXEL - angle / 9,
                                         .radius = 10 * CC_PIXEL,
                                         .sx = CC_ONE,
                                         .sy = CC_ONE,
                                         .angle = angle };
            cc_figure_outline((cc_figure)figure, CC_ONE / 2, &sines, &outline);
            cc_outline_place(&outline, &place, &sines);
            cc_outline_cover(&outline, coverage);
            if (angle == 0) first = total(coverage);
            assert_true(fabs(total(coverage) - first) < 0.01 * first);
        }
        assert_true(first > 0.64 * 314 * 0.75 && first < 0.64 * 314 * 1.25);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bytes_are_known),
        cmocka_unit_test(the_standard_set_is_balanced),
        cmocka_unit_test(an_image_depends_on_seed_part_and_index_only),
        cmocka_unit_test(objects_are_where_the_masks_say),
        cmocka_unit_test(sines_are_right),
        cmocka_unit_test(coverage_is_area),
        cmocka_unit_test(figures_have_like_areas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
