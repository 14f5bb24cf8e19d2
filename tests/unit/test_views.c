/* Views drawn from the picture itself: distributions of windows, operations and cutouts; T and the pixels that count, walked pixel by
 * pixel. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "feed/augment.h"
#include "feed/randaugment.h"

enum { DRAWS = 40000, BATCH = 8 };

static cc_augment_options options_of(cc_weak_view weak, cc_strong_view strong, size_t size)
{
    return (cc_augment_options){ .views = { weak, strong, 2 },
                                 .flip_horizontal = true,
                                 .flip_vertical = true,
                                 .scale_min = 0.08,
                                 .ratio_max = 1.333,
                                 .crop_min = 0.75,
                                 .rotations = { { 0, 1, 2, 3 }, 4 },
                                 .per_image = true,
                                 .size = size,
                                 .seed = 1 };
}

/* Fails where the sum of (counted - expected)^2 / expected is far above its mean, which is about the number of cells: once in some ten
 * thousand seeds. probabilities NULL: all the same. */
static void check_distribution(const char *what, const size_t *counts, const double *probabilities, size_t cells)
{
    size_t n = 0;
    double chi2 = 0;
    for (size_t i = 0; i < cells; i++)
        n += counts[i];
    assert_true(n > 50 * cells);
    for (size_t i = 0; i < cells; i++) {
        const double expected = (double)n * (probabilities ? probabilities[i] : 1 / (double)cells), off = (double)counts[i] - expected;
        if (expected == 0)
            assert_int_equal(counts[i], 0);
        else
            chi2 += off * off / expected;
    }
    const double freedom = (double)cells - 1, bound = freedom + 4.5 * sqrt(2 * freedom) + 6;
    if (!(chi2 < bound)) fail_msg("%s: chi-square %.1f of %zu cells, bound %.1f", what, chi2, cells, bound);
}

static size_t cell_of(double v, double low, double high, size_t cells)
{
    assert_true(v >= low && v <= high);
    const size_t cell = (size_t)((v - low) / (high - low) * (double)cells);
    return cell < cells ? cell : cells - 1;
}

/* Weak views of one stream, one after another. */
static cc_transform view_at(const cc_augment_options *o, size_t i)
{
    static cc_transform batch[BATCH];
    static const uint32_t sources[BATCH] = { 0, 1, 2, 3, 4, 5, 6, 7 };
    if (i % BATCH == 0) cc_augment_weak(o, CC_RNG_FLIP_UNLABELED, i / BATCH, BATCH, sources, batch);
    assert_int_equal(batch[i % BATCH].source, i % BATCH);
    return batch[i % BATCH];
}

/* ---- windows */

static void shifts_are_uniform_and_flips_remain(void **state)
{
    (void)state;
    const cc_augment_options o = options_of(CC_WEAK_FLIP_SHIFT, CC_STRONG_WEAK, 37), plain = options_of(CC_WEAK_FLIP, CC_STRONG_WEAK, 37);
    size_t counts[9 * 9] = { 0 }, flips[4] = { 0 };
    for (size_t i = 0; i < DRAWS; i += BATCH)
        for (size_t k = 0; k < BATCH; k++) {
            const cc_transform t = view_at(&o, i + k);
            assert_true(t.y1 == t.y0 + 37 && t.x1 == t.x0 + 37);
            assert_in_range(t.y0 + 4, 0, 8);
            assert_in_range(t.x0 + 4, 0, 8);
            counts[9 * (t.y0 + 4) + t.x0 + 4]++;
            flips[2 * t.flip_v + t.flip_h]++;
        }
    check_distribution("shifts", counts, NULL, 81);
    check_distribution("flips", flips, NULL, 4);
    for (size_t i = 0; i < 8; i++) {
        const cc_transform a = view_at(&o, i), b = { .flip_h = a.flip_h, .flip_v = a.flip_v };
        cc_transform whole[BATCH];
        cc_augment_weak(&plain, CC_RNG_FLIP_UNLABELED, 0, BATCH, (const uint32_t[BATCH]){ 0 }, whole);
        assert_true(whole[i].flip_h == b.flip_h && whole[i].flip_v == b.flip_v);
    }
}

/* Squares: the side is S sqrt(share), rounded, and the place is uniform. */
static void crops_have_the_area_asked_for(void **state)
{
    (void)state;
    enum { SIZE = 40 };
    cc_augment_options o = options_of(CC_WEAK_RESIZED_CROP, CC_STRONG_WEAK, SIZE);
    double probabilities[SIZE + 1] = { 0 };
    size_t sides[SIZE + 1] = { 0 }, places[11] = { 0 };
    o.ratio_max = 1;
    o.scale_min = 0.1;
    for (int side = 1; side <= SIZE; side++) {
        const double low = fmax(pow((side - 0.5) / SIZE, 2), o.scale_min), high = fmin(pow((side + 0.5) / SIZE, 2), 1);
        probabilities[side] = high > low ? (high - low) / (1 - o.scale_min) : 0;
    }
    for (size_t i = 0; i < DRAWS; i++) {
        const cc_transform t = view_at(&o, i);
        assert_true(t.y0 >= 0 && t.x0 >= 0 && t.y1 <= SIZE && t.x1 <= SIZE && t.y1 - t.y0 == t.x1 - t.x0);
        sides[t.y1 - t.y0]++;
        if (t.y1 - t.y0 == SIZE - 10) places[t.x0]++;
    }
    check_distribution("sides", sides, probabilities, SIZE + 1);
    check_distribution("places", places, NULL, 11);
}

static void crops_have_the_aspect_asked_for(void **state)
{
    (void)state;
    enum { SIZE = 224, CELLS = 10 };
    cc_augment_options o = options_of(CC_WEAK_RESIZED_CROP, CC_STRONG_WEAK, SIZE);
    size_t counts[CELLS] = { 0 };
    o.ratio_max = 2;
    for (size_t i = 0; i < DRAWS; i++) {
        const cc_transform t = view_at(&o, i);
        const double width = t.x1 - t.x0, height = t.y1 - t.y0, rounding = 0.5 / height + 0.5 / width;
        if (width * height > 0.45 * SIZE * SIZE) continue; /* all ratios fit below */
        assert_true(fabs(log(width / height)) <= log(2) + 2 * rounding);
        counts[cell_of(fmin(fmax(log(width / height) / log(2), -1), 1), -1, 1, CELLS)]++;
    }
    check_distribution("aspect ratios", counts, NULL, CELLS);
    /* Where nothing fits, ten times, the picture is taken whole. */
    o.scale_min = 1;
    o.ratio_max = 100;
    size_t whole = 0;
    for (size_t i = 0; i < 400; i++) {
        const cc_transform t = view_at(&o, i);
        whole += t.y0 == 0 && t.x0 == 0 && t.y1 == SIZE && t.x1 == SIZE;
    }
    assert_true(whole > 300);
}

/* The crop is of the picture before the flips: without them it is the mirrored one. */
static void crops_come_before_flips(void **state)
{
    (void)state;
    const cc_augment_options o = options_of(CC_WEAK_RESIZED_CROP, CC_STRONG_WEAK, 32);
    cc_augment_options straight = o;
    cc_transform a[BATCH], b[BATCH];
    const uint32_t sources[BATCH] = { 0 };
    straight.flip_horizontal = straight.flip_vertical = false;
    cc_augment_weak(&o, CC_RNG_FLIP_LABELED, 3, BATCH, sources, a);
    cc_augment_weak(&straight, CC_RNG_FLIP_LABELED, 3, BATCH, sources, b);
    for (size_t i = 0; i < BATCH; i++) {
        assert_int_equal(a[i].y0, a[i].flip_v ? 32 - b[i].y1 : b[i].y0);
        assert_int_equal(a[i].x1, a[i].flip_h ? 32 - b[i].x0 : b[i].x1);
    }
}

/* ---- operations */

static void operations_are_drawn_evenly(void **state)
{
    (void)state;
    enum { SIZE = 32, CELLS = 10 };
    size_t drawn_count, pairs[14 * 14] = { 0 }, factors[CELLS] = { 0 }, masks[4] = { 0 }, thresholds[CELLS] = { 0 };
    const cc_drawn_operation *drawn = cc_drawn_operations(&drawn_count);
    assert_int_equal(drawn_count, 14);
    for (uint64_t i = 0; i < DRAWS; i++) {
        cc_picture_operation out[3];
        size_t which[2];
        cc_rng rng = cc_rng_at(5, CC_RNG_STRONG, i), again = rng;
        cc_randaugment_draw(&rng, 2, SIZE, out);
        for (int k = 0; k < 2; k++) {
            which[k] = cc_rng_below(&again, 14);
            const double unit = cc_rng_unit(&again), magnitude = drawn[which[k]].low + (drawn[which[k]].high - drawn[which[k]].low) * unit;
            const cc_picture_operation want = drawn[which[k]].make(magnitude, SIZE);
            assert_memory_equal(&want, &out[k], sizeof want);
            if (out[k].kind == CC_PICTURE_COLOUR) factors[cell_of((double)out[k].factor, 0.05, 0.95, CELLS)]++;
            if (out[k].kind == CC_PICTURE_SOLARIZE) thresholds[cell_of(out[k].value[0] - 0.5, 0, 256, CELLS)]++;
            for (int m = 0; m < 4 && out[k].kind == CC_PICTURE_POSTERIZE; m++)
                masks[m] += out[k].value[0] == (0xf0 | (0xf0 >> m & 0xf));
        }
        pairs[14 * which[0] + which[1]]++;
    }
    check_distribution("pairs of operations", pairs, NULL, 196);
    check_distribution("factors", factors, NULL, CELLS);
    check_distribution("masks", masks, NULL, 4);
    check_distribution("thresholds", thresholds, NULL, CELLS);
}

static double angle_of(const cc_picture_operation *op) { return atan2(op->value[1], op->value[0]) * 180 / 3.14159265358979323846; }

/* Rotations turn about the centre, shears leave the top left corner where it is, translations are whole pixels. */
static void geometry_has_its_ranges(void **state)
{
    (void)state;
    enum { SIZE = 64, CELLS = 12 };
    size_t count, angles[CELLS] = { 0 }, shears[CELLS] = { 0 }, shifts[39] = { 0 };
    double probabilities[39];
    const cc_drawn_operation *drawn = cc_drawn_operations(&count);
    for (int i = 0; i < 39; i++) {
        const double low = fmax(i - 19.5, -19.2), high = fmin(i - 18.5, 19.2);
        probabilities[i] = (high - low) / 38.4;
    }
    for (uint64_t i = 0; i < DRAWS; i++) {
        cc_rng rng = cc_rng_at(6, CC_RNG_STRONG, i);
        const double unit = cc_rng_unit(&rng);
        for (size_t d = 0; d < count; d++) {
            const cc_picture_operation op = drawn[d].make(drawn[d].low + (drawn[d].high - drawn[d].low) * unit, SIZE);
            const double one = 65536, centre = (SIZE - 1) / 2.0;
            if (strcmp(drawn[d].name, "rotate") == 0) {
                angles[cell_of(angle_of(&op), -30.01, 30.01, CELLS)]++;
                assert_true(fabs((op.value[0] * centre + op.value[1] * centre + op.value[2]) / one - SIZE / 2.0) < 0.01);
                assert_true(fabs((op.value[3] * centre + op.value[4] * centre + op.value[5]) / one - SIZE / 2.0) < 0.01);
            }
            if (strcmp(drawn[d].name, "shear y") == 0) {
                shears[cell_of(op.value[3] / one, -0.30001, 0.30001, CELLS)]++;
                assert_true(fabs((op.value[5] - 0.5 * op.value[3]) / one - 0.5) < 1e-4 && op.value[2] == 32768);
            }
            if (strcmp(drawn[d].name, "translate x") == 0) {
                assert_int_equal((op.value[2] - 32768) % 65536, 0);
                shifts[19 + (op.value[2] - 32768) / 65536]++;
            }
        }
    }
    check_distribution("angles", angles, NULL, CELLS);
    check_distribution("shears", shears, NULL, CELLS);
    check_distribution("shifts", shifts, probabilities, 39);
}

/* Sides are uniform up to half the picture's, both ends of a side belong to it, and centres are uniform. */
static void cutouts_have_their_sides(void **state)
{
    (void)state;
    enum { SIZE = 64, CELLS = 8 };
    size_t heights[34] = { 0 }, centres[CELLS] = { 0 };
    double probabilities[34] = { 0 };
    for (int h = 1; h <= 33; h++)
        probabilities[h] = h == 1 || h == 33 ? 1 / 64.0 : 1 / 32.0;
    for (uint64_t i = 0; i < DRAWS; i++) {
        cc_picture_operation out[1];
        cc_rng rng = cc_rng_at(7, CC_RNG_STRONG, i);
        cc_randaugment_draw(&rng, 0, SIZE, out);
        const int32_t *v = out[0].value;
        assert_int_equal(out[0].kind, CC_PICTURE_CUTOUT);
        assert_true(v[0] >= 0 && v[1] >= 0 && v[2] > v[0] && v[3] > v[1] && v[2] <= SIZE && v[3] <= SIZE);
        const double centre = (v[1] + v[3]) / 2.0;
        if (v[0] > 0 && v[2] < SIZE && v[0] + v[2] > SIZE / 2 + 2 && v[0] + v[2] < 3 * SIZE / 2 - 2) heights[v[2] - v[0]]++;
        if (v[1] > 0 && v[3] < SIZE && centre > 18 && centre < 46) centres[cell_of(centre, 17.75, 46.25, CELLS)]++;
    }
    check_distribution("heights", heights, probabilities, 34);
    assert_true(centres[0] > 0);
    size_t least = DRAWS, most = 0;
    for (size_t i = 1; i + 1 < CELLS; i++) {
        least = centres[i] < least ? centres[i] : least;
        most = centres[i] > most ? centres[i] : most;
    }
    assert_true((double)most < 1.2 * (double)least);
}

/* ---- T */

/* Where the pixel (a,b) of s lies in w; false: it does not count. `sure` is false where its point is too near an edge to tell. */
static bool walk(const cc_view_spec *spec, int size, const cc_transform *weak, const cc_transform *strong, const cc_picture_operation *ops,
                 int a, int b, double *y, double *x, bool *sure)
{
    bool counts = true;
#define MUST_LIE_INSIDE(y, x)                                                                                                              \
    do {                                                                                                                                   \
        counts = counts && (y) >= 0 && (y) < size && (x) >= 0 && (x) < size;                                                               \
        *sure = *sure && fabs(y) > 1e-9 && fabs((y)-size) > 1e-9 && fabs(x) > 1e-9 && fabs((x)-size) > 1e-9;                               \
    } while (0)
    double v = a + 0.5, u = b + 0.5;
    *sure = true;
    if (spec->strong == CC_STRONG_CROP_ROTATE) {
        for (int turn = 0; turn < strong->turns; turn++) {
            const double kept = v;
            v = u;
            u = size - kept;
        }
        v = strong->y0 + v * (strong->y1 - strong->y0) / size;
        u = strong->x0 + u * (strong->x1 - strong->x0) / size;
        *y = v - 0.5, *x = u - 0.5;
        if (spec->weak == CC_WEAK_FLIP_SHIFT) MUST_LIE_INSIDE(v + weak->y0, u + weak->x0);
        return counts;
    }
    const size_t count = spec->strong == CC_STRONG_RANDAUGMENT ? spec->operations + 1 : 0;
    if (count) {
        const int32_t *cut = ops[count - 1].value;
        if (a >= cut[0] && a < cut[2] && b >= cut[1] && b < cut[3]) counts = false;
    }
    for (size_t i = count; i-- > 0;) {
        const int32_t *m = ops[i].value;
        if (ops[i].kind != CC_PICTURE_AFFINE) continue;
        const double column = u - 0.5, row = v - 0.5;
        u = (m[0] * column + m[1] * row + m[2]) / 65536;
        v = (m[3] * column + m[4] * row + m[5]) / 65536;
        MUST_LIE_INSIDE(v, u);
    }
    v = strong->y0 + v * (strong->y1 - strong->y0) / size;
    u = strong->x0 + u * (strong->x1 - strong->x0) / size;
    MUST_LIE_INSIDE(v, u);
    if (strong->flip_v != weak->flip_v) v = size - v;
    if (strong->flip_h != weak->flip_h) u = size - u;
    v = (v - weak->y0) * size / (weak->y1 - weak->y0);
    u = (u - weak->x0) * size / (weak->x1 - weak->x0);
    MUST_LIE_INSIDE(v, u);
    *y = v - 0.5, *x = u - 0.5;
    return counts;
}

static void compare_pixels(const cc_view_spec *spec, int size, const cc_draws *d, size_t i, size_t *counted, size_t *uncounted)
{
    const size_t operations = cc_view_operations(spec);
    const cc_affine *map = &d->maps[i];
    float sum = 0;
    for (int a = 0; a < size; a++)
        for (int b = 0; b < size; b++) {
            const cc_counted_row *row = &d->counted[i * (size_t)size + (size_t)a];
            const bool got = b >= row->begin && b < row->end && !(b >= row->hole_begin && b < row->hole_end);
            double y, x;
            bool sure;
            const bool want = walk(spec, size, &d->weak[i], &d->strong[i], d->operations + i * operations, a, b, &y, &x, &sure);
            sum += got;
            if (sure && got != want)
                fail_msg("views %d, %d, side %d, image %zu, pixel %d,%d: counts %d", (int)spec->weak, (int)spec->strong, size, i, a, b,
                         got);
            if (!want) {
                ++*uncounted;
                continue;
            }
            ++*counted;
            const double my = (double)map->map[0] * a + (double)map->map[1] * b + (double)map->map[2],
                         mx = (double)map->map[3] * a + (double)map->map[4] * b + (double)map->map[5];
            if (fabs(my - y) > 1e-5 * size || fabs(mx - x) > 1e-5 * size)
                fail_msg("views %d, %d, side %d, image %zu, pixel %d,%d: at %g,%g, not %g,%g", (int)spec->weak, (int)spec->strong, size, i,
                         a, b, my, mx, y, x);
        }
    for (int a = 0; a < size; a++) {
        const cc_counted_row *row = &d->counted[i * (size_t)size + (size_t)a];
        assert_true(0 <= row->begin && row->begin <= row->hole_begin && row->hole_begin <= row->hole_end && row->hole_end <= row->end &&
                    row->end <= size);
    }
    assert_true(map->counted == sum);
}

static void between_is_what_a_walk_finds(void **state)
{
    (void)state;
    enum { U = 40 };
    static const int sizes[] = { 1, 7, 28, 32, 65 };
    camcl_error err;
    uint32_t sources[U] = { 0 };
    for (int weak = CC_WEAK_FLIP; weak <= CC_WEAK_RESIZED_CROP; weak++)
        for (int strong = CC_STRONG_CROP_ROTATE; strong <= CC_STRONG_WEAK; strong++)
            for (size_t s = 0; s < CC_COUNT(sizes); s++) {
                const cc_augment_options o = options_of((cc_weak_view)weak, (cc_strong_view)strong, (size_t)sizes[s]);
                size_t counted = 0, uncounted = 0;
                cc_draws d;
                assert_int_equal(cc_draws_create(&o, 1, U, true, &d, &err), CAMCL_OK);
                cc_draw_unlabeled(&o, 11, sources, &d);
                assert_true(cc_views_are_affine(&o.views) == (d.maps != NULL));
                for (size_t i = 0; d.maps && i < U; i++)
                    compare_pixels(&o.views, sizes[s], &d, i, &counted, &uncounted);
                /* A shift loses little, operations and small crops lose more. */
                if (d.maps && sizes[s] >= 28) assert_true(counted > (size_t)(U * sizes[s] * sizes[s]) / 4);
                if (d.maps && sizes[s] >= 28 && (weak || strong == CC_STRONG_RANDAUGMENT)) assert_true(uncounted > 0);
                cc_draws_free(&d);
            }
}

/* Two views with the same draws are one view: T is the identity and everything counts. */
static void equal_views_have_the_identity_between(void **state)
{
    (void)state;
    enum { SIZE = 32 };
    const cc_view_spec spec = { CC_WEAK_RESIZED_CROP, CC_STRONG_WEAK, 0 };
    const cc_transform t = { .flip_h = 1, .y0 = 3, .x0 = 5, .y1 = 20, .x1 = 31 };
    cc_affine map;
    cc_counted_row rows[SIZE];
    cc_view_between(&spec, SIZE, &t, &t, NULL, &map, rows);
    for (int i = 0; i < 6; i++)
        assert_true(fabsf(map.map[i] - (i == 0 || i == 4 ? 1.0f : 0.0f)) < 1e-5f);
    assert_true(map.counted == SIZE * SIZE && map.low[0] == 0 && map.high[1] == SIZE - 1);
}

/* Draws are a function of seed, step and row. */
static void equal_arguments_give_equal_draws(void **state)
{
    (void)state;
    enum { U = 6 };
    cc_augment_options o = options_of(CC_WEAK_FLIP_SHIFT, CC_STRONG_RANDAUGMENT, 32);
    const uint32_t sources[U] = { 5, 4, 3, 2, 1, 0 };
    camcl_error err;
    cc_draws a, b;
    assert_int_equal(cc_draws_create(&o, U, U, true, &a, &err), CAMCL_OK);
    assert_int_equal(cc_draws_create(&o, U, U, true, &b, &err), CAMCL_OK);
    cc_draw_unlabeled(&o, 9, sources, &a);
    cc_draw_unlabeled(&o, 4, sources, &b);
    assert_memory_not_equal(a.operations, b.operations, U * 3 * sizeof *a.operations);
    cc_draw_unlabeled(&o, 9, sources, &b);
    assert_memory_equal(a.weak, b.weak, U * sizeof *a.weak);
    assert_memory_equal(a.strong, b.strong, U * sizeof *a.strong);
    assert_memory_equal(a.operations, b.operations, U * 3 * sizeof *a.operations);
    assert_memory_equal(a.maps, b.maps, U * sizeof *a.maps);
    assert_memory_equal(a.counted, b.counted, U * 32 * sizeof *a.counted);
    assert_int_equal(a.strong[1].source, 4);
    o.seed = 2;
    cc_draw_unlabeled(&o, 9, sources, &b);
    assert_memory_not_equal(a.operations, b.operations, U * 3 * sizeof *a.operations);
    cc_draws_free(&a);
    cc_draws_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shifts_are_uniform_and_flips_remain),
        cmocka_unit_test(crops_have_the_area_asked_for),
        cmocka_unit_test(crops_have_the_aspect_asked_for),
        cmocka_unit_test(crops_come_before_flips),
        cmocka_unit_test(operations_are_drawn_evenly),
        cmocka_unit_test(geometry_has_its_ranges),
        cmocka_unit_test(cutouts_have_their_sides),
        cmocka_unit_test(between_is_what_a_walk_finds),
        cmocka_unit_test(equal_views_have_the_identity_between),
        cmocka_unit_test(equal_arguments_give_equal_draws),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
