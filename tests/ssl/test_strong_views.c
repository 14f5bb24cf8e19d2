/* Views on the device, whole: a strong view shows, at the pixels that count, what T makes of the weak view. So draws, loading, operations
 * and T agree on every direction. Streamed pictures give the same views. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "objective/inputs.h"
#include "support/devices.h"
#include "support/ok.h"

static camcl_device *device;
static camcl_error err;

enum { U = 24, IMAGES = 9, MOST_SIDE = 40 };

/* Waves without symmetry, some ten levels per pixel at most. */
static uint8_t wave(size_t image, size_t y, size_t x, double period)
{
    const double phase = (double)image, a = (double)y / period, b = (double)x / period;
    return (uint8_t)(128 + 60 * sin(6.3 * a + 2.5 * b + phase) + 50 * sin(4 * b - 3 * a * b + 2 * phase));
}

static cc_resident *pictures(size_t side, size_t size, bool streamed)
{
    static uint8_t pixels[IMAGES * MOST_SIDE * MOST_SIDE];
    static const uint32_t order[IMAGES] = { 4, 2, 0, 1, 3, 5, 6, 7, 8 };
    const float mean = 0, std = 1;
    const cc_resident_spec spec = { pixels, NULL, IMAGES, side, side, 1, &mean, &std, "pictures" };
    const cc_streaming streaming = { order, IMAGES, 3, U + 1 };
    cc_resident *resident;
    for (size_t i = 0; i < IMAGES * side * side; i++)
        pixels[i] = wave(i / (side * side), i % (side * side) / side, i % side, 32.0 * (double)side / (double)size);
    OK(cc_resident_create_streaming(device, &spec, streamed ? &streaming : NULL, &resident, &err));
    return resident;
}

static cc_augment_options options_of(cc_weak_view weak, cc_strong_view strong, size_t size)
{
    return (cc_augment_options){ .views = { weak, strong, 2 },
                                 .flip_horizontal = true,
                                 .flip_vertical = true,
                                 .scale_min = 0.2,
                                 .ratio_max = 1.333,
                                 .crop_min = 0.5,
                                 .rotations = { { 0, 1, 2, 3 }, 4 },
                                 .per_image = true,
                                 .size = size,
                                 .seed = 3 };
}

typedef struct views {
    cc_draws draws;
    float *weak, *target, *strong; /* [U,S,S] */
} views;

/* Only operations that move pixels remain: those that are not of them change levels. */
static void keep_moves(const cc_augment_options *o, cc_draws *d)
{
    const size_t operations = cc_view_operations(&o->views);
    for (size_t i = 0; i < U * operations; i++)
        if (d->operations[i].kind != CC_PICTURE_AFFINE && d->operations[i].kind != CC_PICTURE_CUTOUT)
            d->operations[i] = (cc_picture_operation){ .kind = CC_PICTURE_IDENTITY };
}

static float *read_back(cc_tensor tensor)
{
    float *values = malloc(cc_tensor_bytes(&tensor));
    assert_non_null(values);
    OK(cc_buffer_read(tensor.buffer, 0, values, cc_tensor_bytes(&tensor), &err));
    return values;
}

static void make_views(const cc_augment_options *o, cc_resident *resident, bool moves_only, views *out)
{
    const size_t size = o->size;
    const cc_inputs_spec spec = { o->views, 1, U, size, { 0, 1, 0, U }, true };
    uint32_t sources[U];
    cc_arena *arena;
    cc_tape *tape;
    cc_inputs inputs;
    cc_tensor weak, strong, target;
    for (uint32_t i = 0; i < U; i++)
        sources[i] = i * 5 % IMAGES;
    OK(cc_draws_create(o, 1, U, true, &out->draws, &err));
    cc_draw_labeled(o, 2, sources, &out->draws);
    cc_draw_unlabeled(o, 2, sources, &out->draws);
    if (moves_only) keep_moves(o, &out->draws);
    OK(cc_arena_create(device, &arena, &err));
    OK(cc_tape_create(arena, "views", &tape, &err));
    OK(cc_inputs_create(device, resident, &spec, &inputs, &err));
    OK(cc_tensor_on_tape(tape, "weak", CC_F32, CC_DIMS(U, size, size), &weak, &err));
    OK(cc_tensor_on_tape(tape, "strong", CC_F32, CC_DIMS(U, size, size), &strong, &err));
    OK(cc_tensor_on_tape(tape, "target", CC_F32, CC_DIMS(U, size, size), &target, &err));
    OK(cc_inputs_load_weak(&inputs, tape, weak, 0, &err));
    OK(cc_inputs_load_strong(&inputs, tape, weak, 0, strong, 0, &err));
    OK(cc_view_transform_forward(tape, &inputs.between, weak, target, &err));
    cc_tape_keep(tape, weak.buffer);
    cc_tape_keep(tape, strong.buffer);
    cc_tape_keep(tape, target.buffer);
    OK(cc_arena_commit(arena, &err));
    const cc_step_input input = cc_step_input_of(&out->draws, 0, 0);
    OK(cc_inputs_send(&inputs, &input, &err));
    OK(cc_tape_run(tape, &err));
    OK(cc_device_finish(device, &err));
    out->weak = read_back(weak);
    out->strong = read_back(strong);
    out->target = read_back(target);
    cc_inputs_release(&inputs);
    cc_arena_destroy(&arena);
}

static void free_views(views *v)
{
    free(v->weak), free(v->target), free(v->strong);
    cc_draws_free(&v->draws);
}

static bool counts(const views *v, size_t size, size_t pixel)
{
    if (v->draws.counted == NULL) return true;
    const cc_counted_row *row = &v->draws.counted[pixel / size];
    const int32_t b = (int32_t)(pixel % size);
    return b >= row->begin && b < row->end && !(b >= row->hole_begin && b < row->hole_end);
}

/* |T(w) - s| at the pixels that count is at most `most`, and much less than what T is for, |w - s|. */
static void check_views(cc_weak_view weak, cc_strong_view strong, size_t side, size_t size, double most)
{
    const cc_augment_options o = options_of(weak, strong, size);
    cc_resident *resident = pictures(side, size, false);
    double off = 0, untransformed = 0;
    size_t counted = 0;
    views v;
    make_views(&o, resident, true, &v);
    for (size_t i = 0; i < U * size * size; i++) {
        if (!counts(&v, size, i)) continue;
        const double distance = fabs((double)v.target[i] - (double)v.strong[i]);
        if (!(distance <= most))
            fail_msg("views %d, %d, side %zu from %zu: image %zu, pixel %zu,%zu: T(w) %g, s %g", (int)weak, (int)strong, size, side,
                     i / (size * size), i % (size * size) / size, i % size, (double)v.target[i], (double)v.strong[i]);
        off += distance;
        untransformed += fabs((double)v.weak[i] - (double)v.strong[i]);
        counted++;
    }
    assert_true(counted > U * size * size / 4);
    assert_true(untransformed > 0.1 * (double)counted && off < 0.25 * untransformed);
    free_views(&v);
    cc_resident_destroy(&resident);
}

static void strong_views_show_what_t_says(void **state)
{
    (void)state;
    const double levels = 1 / 255.0;
    for (size_t size = 28; size <= 32; size += 4) {
        check_views(CC_WEAK_FLIP, CC_STRONG_WEAK, size, size, 0);
        check_views(CC_WEAK_FLIP_SHIFT, CC_STRONG_WEAK, size, size, 0);
        check_views(CC_WEAK_FLIP_SHIFT, CC_STRONG_CROP_ROTATE, size, size, 1e-5);
        check_views(CC_WEAK_RESIZED_CROP, CC_STRONG_CROP_ROTATE, size, size, 1e-5);
        check_views(CC_WEAK_RESIZED_CROP, CC_STRONG_WEAK, size, size, 12 * levels);
        check_views(CC_WEAK_FLIP, CC_STRONG_RANDAUGMENT, size, size, 40 * levels);
        check_views(CC_WEAK_FLIP_SHIFT, CC_STRONG_RANDAUGMENT, size, size, 40 * levels);
        check_views(CC_WEAK_RESIZED_CROP, CC_STRONG_RANDAUGMENT, size, size, 40 * levels);
    }
    /* Pictures of another size are resized first. */
    check_views(CC_WEAK_FLIP_SHIFT, CC_STRONG_WEAK, 20, 32, 0);
    check_views(CC_WEAK_RESIZED_CROP, CC_STRONG_RANDAUGMENT, 40, 32, 40 * levels);
}

static void streamed_pictures_give_the_same_views(void **state)
{
    (void)state;
    enum { SIZE = 32 };
    for (int strong = CC_STRONG_CROP_ROTATE; strong <= CC_STRONG_WEAK; strong++) {
        const cc_augment_options o = options_of(CC_WEAK_RESIZED_CROP, (cc_strong_view)strong, SIZE);
        cc_resident *kept = pictures(SIZE, SIZE, false), *streamed = pictures(SIZE, SIZE, true);
        views a, b;
        make_views(&o, kept, false, &a);
        make_views(&o, streamed, false, &b);
        assert_memory_equal(a.weak, b.weak, U * SIZE * SIZE * sizeof(float));
        assert_memory_equal(a.strong, b.strong, U * SIZE * SIZE * sizeof(float));
        free_views(&a);
        free_views(&b);
        cc_resident_destroy(&kept);
        cc_resident_destroy(&streamed);
    }
}

static const struct CMUnitTest operation_tests[] = {
    cmocka_unit_test(strong_views_show_what_t_says),
    cmocka_unit_test(streamed_pictures_give_the_same_views),
};
#include "support/op_main.h"
