/* The transform T: reference over all turns and extreme crops, PyTorch, adjointness, exact identity, shared buffers. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "ops/ops.h"
#include "check/ref/warp_ref.h"
#include "support/devices.h"
#include "support/operands.h"

static camcl_device *device;

enum { MAX_IMAGES = 40 };

/* All four turns of: everything, one pixel in each corner, one row, one column, three quarters at either end, two unlike sides. */
static size_t extreme_transforms(int32_t s, cc_transform *out)
{
    const int32_t most = (3 * s + 3) / 4, last = s - 1, half = s / 2;
    const int32_t crops[][4] = {
        { 0, 0, s, s },           { 0, 0, 1, 1 },       { last, last, s, s },         { 0, last, 1, s },           { half, 0, half + 1, s },
        { 0, half, s, half + 1 }, { 0, 0, most, most }, { s - most, s - most, s, s }, { half, 0, s, (s + 2) / 3 }, { 0, s - most, s, s }
    };
    size_t n = 0;
    for (size_t c = 0; c < CC_COUNT(crops); c++)
        for (int32_t turns = 0; turns < 4; turns++)
            out[n++] = (cc_transform){ .source = -7,
                                       .flip_h = 1,
                                       .flip_v = 1,
                                       .y0 = crops[c][0],
                                       .x0 = crops[c][1],
                                       .y1 = crops[c][2],
                                       .x1 = crops[c][3],
                                       .turns = turns };
    assert_true(n <= MAX_IMAGES);
    return n;
}

static ref_warp reference_of(const cc_transform *t, size_t size, size_t c)
{
    return (ref_warp){ size, c, (size_t)t->y0, (size_t)t->x0, (size_t)t->y1, (size_t)t->x1, t->turns };
}

static const struct {
    size_t size, c;
} shapes[] = { { 1, 1 }, { 2, 3 }, { 3, 1 }, { 5, 4 }, { 15, 1 }, { 16, 3 }, { 17, 2 }, { 31, 1 }, { 32, 3 }, { 33, 1 }, { 64, 1 } };

/* Rows outside those named stay as they were; <T x, y> = <x, T^t y>. */
static void matches_reference_and_is_adjoint(void **state)
{
    (void)state;
    for (size_t s = 0; s < CC_COUNT(shapes); s++) {
        cc_transform transforms[MAX_IMAGES];
        const size_t size = shapes[s].size, c = shapes[s].c, n = extreme_transforms((int32_t)size, transforms), image = size * size * c;
        const cc_warp_desc d = { .n = n, .size = size, .c = c, .src_row0 = 1, .dst_row0 = 2 };
        const size_t in = (n + 1) * image, out = (n + 3) * image;
        float *x = random_floats(in, 1), *dy = random_floats(out, 2), *before = random_floats(out, 3), *old = random_floats(in, 4);
        double *x64 = to_doubles(x, in), *dy64 = to_doubles(dy, out), *y64 = to_doubles(before, out), *dx64 = to_doubles(old, in),
               *sum64 = to_doubles(old, in);
        for (size_t i = 0; i < n; i++) {
            const ref_warp t = reference_of(&transforms[i], size, c);
            ref_warp_forward(&t, x64 + (1 + i) * image, y64 + (2 + i) * image);
            ref_warp_backward(&t, dy64 + (2 + i) * image, dx64 + (1 + i) * image);
        }
        for (size_t i = image; i < in; i++)
            sum64[i] += dx64[i];
        op_test t;
        op_begin(&t, device);
        const cc_tensor tx = op_input(&t, CC_F32, x, in), tt = op_input(&t, CC_I32, transforms, 8 * n),
                        ty = op_input(&t, CC_F32, before, out);
        const cc_tensor tdy = op_input(&t, CC_F32, dy, out), tdx = op_input(&t, CC_F32, old, in), tsum = op_input(&t, CC_F32, old, in);
        OK(&t, cc_warp_forward(t.tape, &d, tx, tt, ty, &t.err));
        OK(&t, cc_warp_backward(t.tape, &d, tdy, tt, tdx, false, &t.err));
        OK(&t, cc_warp_backward(t.tape, &d, tdy, tt, tsum, true, &t.err));
        op_run(&t);
        float *y = op_read_floats(&t, ty), *dx = op_read_floats(&t, tdx), *sum = op_read_floats(&t, tsum);
        check_close(y, y64, out, 1e-6, 0, "size %zu: y", size);
        /* One input pixel can take the gradient of the whole image: the tolerance is relative, too. */
        check_close(dx, dx64, in, 2e-6 * (double)size, 1e-6, "size %zu: dx", size);
        check_close(sum, sum64, in, 2e-6 * (double)size, 1e-6, "size %zu: dx added", size);
        check_same(y, before, 2 * image, "size %zu: rows in front", size);
        check_same(y + (n + 2) * image, before + (n + 2) * image, image, "size %zu: rows behind", size);
        for (size_t i = 0; i < n; i++) {
            const double left = dot(y + (2 + i) * image, dy + (2 + i) * image, image),
                         right = dot(x + (1 + i) * image, dx + (1 + i) * image, image);
            if (!(fabs(left - right) <= 1e-6 * (double)image))
                fail_msg("size %zu, transform %zu: <Tx,y> %.9g, <x,T'y> %.9g", size, i, left, right);
        }
        free(x), free(dy), free(before), free(old), free(x64), free(dy64), free(y64), free(dx64), free(sum64), free(y), free(dx), free(sum);
        op_end(&t);
    }
}

static void whole_crop_only_moves_pixels(void **state)
{
    (void)state;
    const size_t sizes[] = { 1, 2, 3, 7, 16, 31, 32, 96, 224 };
    for (size_t s = 0; s < CC_COUNT(sizes); s++) {
        const size_t size = sizes[s], image = size * size * 3;
        const cc_warp_desc d = { .n = 4, .size = size, .c = 3 };
        cc_transform transforms[4];
        float *x = random_floats(4 * image, 5);
        for (int32_t i = 0; i < 4; i++)
            transforms[i] = (cc_transform){ .y1 = (int32_t)size, .x1 = (int32_t)size, .turns = i };
        x[0] = 3e38f;
        x[3] = -0.0f;
        op_test t;
        op_begin(&t, device);
        const cc_tensor y = op_output(&t, CC_F32, 4 * image);
        OK(&t, cc_warp_forward(t.tape, &d, op_input(&t, CC_F32, x, 4 * image), op_input(&t, CC_I32, transforms, 32), y, &t.err));
        op_run(&t);
        float *got = op_read_floats(&t, y), *want = malloc(4 * image * sizeof *want);
        for (size_t i = 0; i < 4; i++)
            for (size_t a = 0; a < size; a++)
                for (size_t b = 0; b < size; b++) {
                    const size_t end = size - 1, row = i == 0 ? a : i == 1 ? b : i == 2 ? end - a : end - b;
                    const size_t column = i == 0 ? b : i == 1 ? end - a : i == 2 ? end - b : a;
                    memcpy(want + i * image + (a * size + b) * 3, x + i * image + (row * size + column) * 3, 3 * sizeof *want);
                }
        check_same(got, want, 4 * image, "size %zu", size);
        free(x), free(got), free(want);
        op_end(&t);
    }
}

/* torch.rot90, torch.nn.functional.interpolate(crop, mode="bilinear", align_corners=False), and autograd through both. */
static void matches_pytorch(void **state)
{
    (void)state;
    static const float square[9] = { 0, 1, 2, 3, 4, 5, 6, 7, 8 };
    static const double turned[4][9] = {
        { 0, 1, 2, 3, 4, 5, 6, 7, 8 }, { 2, 5, 8, 1, 4, 7, 0, 3, 6 }, { 8, 7, 6, 5, 4, 3, 2, 1, 0 }, { 6, 3, 0, 7, 4, 1, 8, 5, 2 }
    };
    static const float x[25] = { 3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4, 6, 2, 6, 4, 3 };
    static const float u[25] = { 1, 2, 3, 4, 5, -1, 0, 1, 2, -3, 2, 7, 1, 8, 2, 8, 1, 8, 2, 8, 4, 5, 9, 0, 4 };
    static const cc_transform crops[2] = { { .y0 = 1, .x0 = 0, .y1 = 5, .x1 = 4, .turns = 1 },
                                           { .y0 = 0, .x0 = 2, .y1 = 2, .x1 = 5, .turns = 3 } };
    static const double cropped[2][25] = { { 5.0,  6.4, 7.5, 6.8, 4.0, 5.7,  7.59, 6.45, 4.77, 5.4, 4.0, 7.15, 5.5,
                                             2.95, 4.0, 4.1, 6.2, 4.7, 2.57, 3.2,  9.0,  6.2,  4.0, 3.9, 6.0 },
                                           { 6.0, 5.8, 5.0, 4.2,  4.0, 5.6,  5.32, 4.2, 3.08, 2.8, 5.0, 4.6, 3.0,
                                             1.4, 1.0, 3.8, 3.76, 3.6, 3.44, 3.4,  3.0, 3.2,  4.0, 4.8, 5.0 } };
    static const double gradient[25] = { 0.0,  0.0, 0.0,  0.0,  0.0,  7.99, 7.86, 1.35, 1.3,  0.0,  9.41, 5.99, 3.05,
                                         3.05, 0.0, 6.12, 6.83, 4.38, 4.87, 0.0,  6.58, 8.22, 0.52, 5.48, 0.0 };
    cc_transform turns[4];
    float squares[36], twice[50];
    for (int32_t i = 0; i < 4; i++) {
        turns[i] = (cc_transform){ .y1 = 3, .x1 = 3, .turns = i };
        memcpy(squares + 9 * i, square, sizeof square);
    }
    memcpy(twice, x, sizeof x);
    memcpy(twice + 25, x, sizeof x);
    op_test t;
    op_begin(&t, device);
    const cc_tensor y = op_output(&t, CC_F32, 36), z = op_output(&t, CC_F32, 50), dx = op_output(&t, CC_F32, 25);
    const cc_tensor crop_tensor = op_input(&t, CC_I32, crops, 16);
    const cc_warp_desc four = { .n = 4, .size = 3, .c = 1 }, two = { .n = 2, .size = 5, .c = 1 }, one = { .n = 1, .size = 5, .c = 1 };
    OK(&t, cc_warp_forward(t.tape, &four, op_input(&t, CC_F32, squares, 36), op_input(&t, CC_I32, turns, 32), y, &t.err));
    OK(&t, cc_warp_forward(t.tape, &two, op_input(&t, CC_F32, twice, 50), crop_tensor, z, &t.err));
    OK(&t, cc_warp_backward(t.tape, &one, op_input(&t, CC_F32, u, 25), crop_tensor, dx, false, &t.err));
    op_run(&t);
    float *got = op_read_floats(&t, y), *got_crops = op_read_floats(&t, z), *got_gradient = op_read_floats(&t, dx);
    check_close(got, turned[0], 36, 0, 0, "rot90");
    check_close(got_crops, cropped[0], 50, 3e-6, 0, "crops");
    check_close(got_gradient, gradient, 25, 5e-6, 0, "gradient");
    free(got), free(got_crops), free(got_gradient);
    op_end(&t);
}

/* The strong views go behind the weak ones in the same buffer, and gradients come back. */
static void one_buffer_with_different_rows(void **state)
{
    (void)state;
    const size_t size = 9, image = 81, n = 3;
    const cc_transform transforms[3] = { { .y0 = 1, .x0 = 0, .y1 = 8, .x1 = 9, .turns = 3 },
                                         { .y0 = 0, .x0 = 2, .y1 = 7, .x1 = 9, .turns = 0 },
                                         { .y0 = 0, .x0 = 0, .y1 = 9, .x1 = 9, .turns = 2 } };
    const cc_warp_desc d = { .n = n, .size = size, .c = 1, .src_row0 = 1, .dst_row0 = 4 };
    float *x = random_floats(7 * image, 6);
    double *y64 = to_doubles(x, 7 * image), *back64 = malloc(image * sizeof *back64);
    op_test t;
    op_begin(&t, device);
    const cc_tensor buffer = op_input(&t, CC_F32, x, 7 * image), tt = op_input(&t, CC_I32, transforms, 8 * n);
    OK(&t, cc_warp_forward(t.tape, &d, buffer, tt, buffer, &t.err));
    OK(&t, cc_warp_backward(t.tape, &d, buffer, tt, buffer, true, &t.err));
    op_run(&t);
    for (size_t i = 0; i < n; i++) {
        const ref_warp r = reference_of(&transforms[i], size, 1);
        double *in = y64 + (1 + i) * image, *out = y64 + (4 + i) * image;
        ref_warp_forward(&r, in, out);
        ref_warp_backward(&r, out, back64);
        for (size_t p = 0; p < image; p++)
            in[p] += back64[p];
    }
    float *got = op_read_floats(&t, buffer);
    check_close(got, y64, 7 * image, 3e-6, 0, "shared buffer");
    free(x), free(y64), free(back64), free(got);
    op_end(&t);
}

static const struct CMUnitTest operation_tests[] = {
    cmocka_unit_test(matches_reference_and_is_adjoint),
    cmocka_unit_test(whole_crop_only_moves_pixels),
    cmocka_unit_test(matches_pytorch),
    cmocka_unit_test(one_buffer_with_different_rows),
};
#include "support/op_main.h"
