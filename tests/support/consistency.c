#include "support/consistency.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/ok.h"

static camcl_error err;

void scene_open(scene *s, parity_net *net)
{
    memset(s, 0, sizeof *s);
    s->net = net;
    s->written = calloc(net->model->graph->param_count, sizeof *s->written);
    assert_non_null(s->written);
    OK(cc_tensor_create(net->device, "transforms", CC_I32, CC_DIMS(net->pool, 8), &s->plain, &err));
    OK(cc_tensor_create(net->device, "sums", CC_F32, CC_DIMS(4), &s->sums, &err));
    OK(cc_arena_create(net->device, &s->arena, &err));
    OK(cc_tape_create(s->arena, "parity", &s->tape, &err));
    OK(cc_tensor_on_tape(s->tape, "images", CC_F32, CC_DIMS(net->pool, net->side, net->side, 3), &s->images, &err));
    OK(cc_tensor_on_tape(s->tape, "labels", CC_I32, CC_DIMS(net->pool), &s->labels, &err));
    OK(cc_resident_load(net->images, s->tape, net->pool, net->side, CC_WINDOW_WHOLE, s->plain, s->images, 0, &err));
    OK(cc_resident_labels(net->images, s->tape, net->pool, s->plain, s->labels, &err));
}

void scene_close(scene *s)
{
    cc_arena_destroy(&s->arena);
    cc_buffer_destroy(&s->plain.buffer);
    cc_buffer_destroy(&s->sums.buffer);
    free(s->written);
}

void scene_run(scene *s, size_t seed)
{
    const parity_net *net = s->net;
    cc_transform *host = calloc(net->pool, sizeof *host);
    assert_non_null(host);
    parity_pinned(net, seed, 0, net->pool, 0, host);
    OK(cc_buffer_write(s->plain.buffer, 0, host, net->pool * sizeof *host, &err));
    OK(cc_tape_run(s->tape, &err));
    free(host);
}

/* ---- L_c */

/* As parity.py's views(). */
static void view_transforms(const parity_net *net, bool same, cc_transform *out)
{
    const int32_t side = (int32_t)net->side;
    for (size_t n = 0; n < net->pool; n++) {
        const int32_t i = same ? 0 : (int32_t)n;
        out[n] = (cc_transform){ (int32_t)n, 0, 0, 1 + i % 3, i % 2, side - i % 2, side - 1 - i % 3, (i + 1) % 4 };
    }
}

static void create_views(consistency *k, const parity_net *net, bool one_view)
{
    cc_transform *host = calloc(net->pool, sizeof *host);
    float *ones = calloc(net->pool, sizeof *ones);
    assert_true(host && ones);
    view_transforms(net, one_view, host);
    for (size_t i = 0; i < net->pool; i++)
        ones[i] = 1;
    OK(cc_tensor_create(net->device, "views", CC_I32, CC_DIMS(net->pool, 8), &k->views, &err));
    OK(cc_tensor_create(net->device, "mask", CC_F32, CC_DIMS(net->pool), &k->mask, &err));
    OK(cc_buffer_write(k->views.buffer, 0, host, net->pool * sizeof *host, &err));
    OK(cc_buffer_write(k->mask.buffer, 0, ones, net->pool * sizeof *ones, &err));
    free(host);
    free(ones);
}

/* Every image moved by two operations of its own, and cut. */
static void create_affine(consistency *k, const parity_net *net)
{
    const cc_view_spec views = { CC_WEAK_FLIP_SHIFT, CC_STRONG_RANDAUGMENT, 2 };
    const int32_t side = (int32_t)net->side;
    size_t count;
    const cc_drawn_operation *drawn = cc_drawn_operations(&count);
    k->maps = calloc(net->pool, sizeof *k->maps);
    k->rows = calloc(net->pool * net->side, sizeof *k->rows);
    assert_true(k->maps && k->rows);
    for (size_t n = 0; n < net->pool; n++) {
        const int32_t i = (int32_t)n;
        const double share = (double)n / (double)net->pool - 0.4;
        const cc_transform weak = { .y0 = i % 3 - 1, .x0 = 1, .y1 = i % 3 - 1 + side, .x1 = 1 + side, .flip_h = i % 2 };
        const cc_transform strong = { .y1 = side, .x0 = -1, .x1 = side - 1, .flip_v = i % 4 == 1 };
        cc_picture_operation operations[3] = { { .kind = CC_PICTURE_IDENTITY }, { .kind = CC_PICTURE_IDENTITY } };
        for (size_t d = 0; d < count; d++) {
            if (strcmp(drawn[d].name, "rotate") == 0) operations[0] = drawn[d].make(50 * share, net->side);
            if (strcmp(drawn[d].name, "shear x") == 0) operations[1] = drawn[d].make(0.3 * share, net->side);
        }
        operations[2] = cc_picture_cutout(3, (double)(n % net->side), (double)(n * 5 % net->side), net->side);
        cc_view_between(&views, net->side, &weak, &strong, operations, &k->maps[n], k->rows + n * net->side);
        assert_true(k->maps[n].counted > 0);
    }
    OK(cc_tensor_create(net->device, "T", CC_F32, CC_DIMS(net->pool, CC_AFFINE_FLOATS), &k->between.maps, &err));
    OK(cc_tensor_create(net->device, "rows", CC_I32, CC_DIMS(net->pool, net->side, 4), &k->between.counted, &err));
    OK(cc_buffer_write(k->between.maps.buffer, 0, k->maps, net->pool * sizeof *k->maps, &err));
    OK(cc_buffer_write(k->between.counted.buffer, 0, k->rows, net->pool * net->side * sizeof *k->rows, &err));
}

static void record_gradient(consistency *k, scene *s, const consistency_spec *spec)
{
    const cc_device_scalar count = { s->sums.buffer, 1 };
    cc_tensor dstrong, dtarget = CC_NO_TENSOR, dweak;
    OK(cc_tensor_on_tape(s->tape, "dstrong", CC_F32, 3, k->target.dim, &dstrong, &err));
    if (spec->attached) OK(cc_tensor_on_tape(s->tape, "dtarget", CC_F32, 3, k->target.dim, &dtarget, &err));
    OK(cc_view_error_backward(s->tape, &k->between, k->strong.map, k->target, k->mask, 1, count, dstrong, dtarget, &err));
    OK(cc_cam_record_backward(&k->strong, s->tape, dstrong, s->written, &err));
    if (spec->attached) {
        OK(cc_tensor_on_tape(s->tape, "dweak", CC_F32, 3, k->target.dim, &dweak, &err));
        OK(cc_view_transform_backward(s->tape, &k->between, dtarget, dweak, &err));
        OK(cc_cam_record_backward(&k->weak, s->tape, dweak, s->written, &err));
    }
}

void consistency_record(consistency *k, scene *s, const consistency_spec *spec, cc_tensor weak_classes, cc_tensor strong_classes)
{
    const parity_net *net = s->net;
    const size_t n = net->pool, side = net->side;
    const cc_cam_spec strong = {
        .batch = n, .image_size = side, .layer = spec->layer, .exact = spec->exact, .forward_only = spec->forward_only
    };
    cc_cam_spec weak = strong;
    const cc_warp_desc image_warp = { n, side, 3, 0, 0 };
    cc_tensor turned;
    weak.forward_only = spec->forward_only || !spec->attached;
    memset(k, 0, sizeof *k);
    create_views(k, net, spec->one_view);
    if (spec->affine)
        create_affine(k, net);
    else
        k->between.turns = k->views;
    OK(cc_tensor_on_tape(s->tape, "strong views", CC_F32, 4, s->images.dim, &turned, &err));
    OK(cc_warp_forward(s->tape, &image_warp, s->images, k->views, turned, &err));
    OK(cc_cam_record(&k->weak, net->model, s->tape, &weak, s->images, weak_classes, &err));
    OK(cc_tensor_on_tape(s->tape, "target", CC_F32, 3, k->weak.map.dim, &k->target, &err));
    OK(cc_view_transform_forward(s->tape, &k->between, k->weak.map, k->target, &err));
    OK(cc_cam_record(&k->strong, net->model, s->tape, &strong, turned, strong_classes, &err));
    OK(cc_view_error_forward(s->tape, &k->between, k->strong.map, k->target, k->mask, s->sums, &err));
    if (!spec->forward_only) record_gradient(k, s, spec);
    const cc_tensor kept[] = { k->weak.map, k->target, k->strong.map, k->weak.classes, k->strong.classes };
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        cc_tape_keep(s->tape, kept[i].buffer);
}

void consistency_release(consistency *k)
{
    cc_cam_release(&k->weak);
    cc_cam_release(&k->strong);
    cc_buffer_destroy(&k->views.buffer);
    cc_buffer_destroy(&k->between.maps.buffer);
    cc_buffer_destroy(&k->between.counted.buffer);
    free(k->maps);
    free(k->rows);
    cc_buffer_destroy(&k->mask.buffer);
}
