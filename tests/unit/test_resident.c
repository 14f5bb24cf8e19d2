/* Images of a data set on the device: kept or streamed, a tape loads the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/rng.h"
#include "device/opencl.h"
#include "device/stream.h"
#include "device/tape.h"
#include "feed/resident.h"
#include "support/devices.h"
#include "support/ok.h"

enum { IMAGES = 37, SIDE = 5, CHANNELS = 3, IMAGE = SIDE * SIDE * CHANNELS, BATCH = 8, STEPS = 12 };

static camcl_error err;

/* ---- streams */

/* The device is held up until everything is enqueued, so that each transfer could overtake the launches before it; each of them must see
 * the data that were sent last before it, and none waits for the device. */
static void sent_data_overtake_nothing(camcl_device *device, void *context)
{
    (void)context;
    enum { SENT = 4, BYTES = 64 };
    cl_int code;
    cc_stream *stream;
    cc_buffer *landing, *seen;
    cc_arena *arena;
    cc_tape *tapes[SENT];
    OK(cc_stream_create(device, BYTES, "data", &stream, &err));
    OK(cc_buffer_create(device, BYTES, "landing", &landing, &err));
    OK(cc_buffer_create(device, SENT * BYTES, "seen", &seen, &err));
    OK(cc_arena_create(device, &arena, &err));
    for (size_t k = 0; k < SENT; k++) {
        OK(cc_tape_create(arena, "look", &tapes[k], &err));
        OK(cc_tape_copy(tapes[k], landing, 0, seen, k * BYTES, BYTES, &err));
    }
    OK(cc_arena_commit(arena, &err));
    cl_event held_up = clCreateUserEvent(device->context, &code);
    assert_int_equal(code, CL_SUCCESS);
    assert_int_equal(clEnqueueBarrierWithWaitList(device->queue, 1, &held_up, NULL), CL_SUCCESS);
    for (size_t k = 0; k < SENT; k++) {
        void *data;
        OK(cc_stream_fill(stream, &data, &err));
        memset(data, (int)(10 + k), BYTES);
        OK(cc_stream_send(stream, BYTES - 16 * k, landing, 0, &err));
        OK(cc_tape_run(tapes[k], &err));
    }
    assert_int_equal(clSetUserEventStatus(held_up, CL_COMPLETE), CL_SUCCESS);
    uint8_t got[SENT * BYTES];
    OK(cc_buffer_read(seen, 0, got, sizeof got, &err));
    for (size_t k = 0; k < SENT; k++)
        for (size_t i = 0; i < BYTES; i++) {
            size_t last = k; /* what reached this far last */
            while (i >= BYTES - 16 * last)
                last--;
            assert_int_equal(got[k * BYTES + i], 10 + last);
        }
    clReleaseEvent(held_up);
    cc_arena_destroy(&arena);
    cc_buffer_destroy(&landing);
    cc_buffer_destroy(&seen);
    cc_stream_destroy(&stream);
    assert_int_equal(cc_device_bytes(device), 0);
}

/* ---- images */

static uint8_t pixels[IMAGES * IMAGE];
static int32_t labels[IMAGES];
static const float mean[CHANNELS] = { 0.5f, 0.4f, 0.3f }, deviation[CHANNELS] = { 0.2f, 0.3f, 0.25f };

/* A tape that loads a batch and its labels. */
typedef struct loader {
    cc_resident *images;
    cc_arena *arena;
    cc_tape *tape;
    cc_tensor transforms, placed, batch, of;
} loader;

/* limit: bytes of the largest buffer that the device is said to have for the images. */
static void open_loader(loader *l, camcl_device *device, const cc_streaming *streaming, size_t limit)
{
    const size_t most = device->info.max_alloc;
    const cc_resident_spec spec = { pixels, labels, IMAGES, SIDE, SIDE, CHANNELS, mean, deviation, "images" };
    device->info.max_alloc = cc_min_size(most, limit);
    OK(cc_resident_create_streaming(device, &spec, streaming, &l->images, &err));
    device->info.max_alloc = most;
    OK(cc_arena_create(device, &l->arena, &err));
    OK(cc_tape_create(l->arena, "load", &l->tape, &err));
    OK(cc_tensor_create(device, "transforms", CC_I32, CC_DIMS(BATCH, 8), &l->transforms, &err));
    OK(cc_tensor_create(device, "placed", CC_I32, CC_DIMS(BATCH, 8), &l->placed, &err));
    OK(cc_tensor_create(device, "batch", CC_F32, CC_DIMS(BATCH, SIDE, SIDE, CHANNELS), &l->batch, &err));
    OK(cc_tensor_create(device, "labels", CC_I32, CC_DIMS(BATCH), &l->of, &err));
    OK(cc_tape_zero(l->tape, l->batch.buffer, &err));
    OK(cc_resident_load(l->images, l->tape, BATCH, SIDE, CC_WINDOW_WHOLE, l->placed, l->batch, 0, &err));
    OK(cc_resident_labels(l->images, l->tape, BATCH, l->transforms, l->of, &err));
    OK(cc_arena_commit(l->arena, &err));
}

static void close_loader(loader *l)
{
    cc_arena_destroy(&l->arena);
    cc_buffer_destroy(&l->transforms.buffer);
    cc_buffer_destroy(&l->placed.buffer);
    cc_buffer_destroy(&l->batch.buffer);
    cc_buffer_destroy(&l->of.buffer);
    cc_resident_destroy(&l->images);
}

typedef struct result {
    float batch[BATCH * IMAGE];
    int32_t of[BATCH];
} result;

/* Runs all steps without waiting for any, and picks their results up at the end. */
static void run_loader(loader *l, cc_transform steps[STEPS][BATCH], result *out)
{
    cc_readback *batch[STEPS], *of[STEPS];
    const void *data;
    for (size_t k = 0; k < STEPS; k++) {
        cc_transform places[BATCH];
        memcpy(places, steps[k], sizeof places);
        OK(cc_resident_place(l->images, BATCH, places, &err));
        OK(cc_buffer_upload(l->transforms.buffer, 0, steps[k], sizeof places, &err));
        OK(cc_buffer_upload(l->placed.buffer, 0, places, sizeof places, &err));
        OK(cc_tape_run(l->tape, &err));
        OK(cc_readback_start(l->batch.buffer, 0, sizeof out->batch, &batch[k], &err));
        OK(cc_readback_start(l->of.buffer, 0, sizeof out->of, &of[k], &err));
    }
    for (size_t k = 0; k < STEPS; k++) {
        OK(cc_readback_wait(batch[k], &data, &err));
        memcpy(out[k].batch, data, sizeof out->batch);
        OK(cc_readback_wait(of[k], &data, &err));
        memcpy(out[k].of, data, sizeof out->of);
        cc_readback_destroy(&batch[k]);
        cc_readback_destroy(&of[k]);
    }
}

static void draw_steps(cc_rng *rng, const uint32_t *order, uint32_t n, cc_transform steps[STEPS][BATCH])
{
    for (size_t k = 0; k < STEPS; k++)
        for (size_t i = 0; i < BATCH; i++)
            steps[k][i] = (cc_transform){ .source = cc_rng_below(rng, 9) ? (int32_t)order[cc_rng_below(rng, n)] : -1,
                                          .flip_h = (int32_t)cc_rng_below(rng, 2),
                                          .flip_v = (int32_t)cc_rng_below(rng, 2),
                                          .y1 = SIDE,
                                          .x1 = SIDE };
}

/* How many images of the pool stay: none, some, all. Small buffers split them into chunks. */
static void streamed_images_are_the_same(camcl_device *device, void *context)
{
    (void)context;
    enum { POOL = 29 };
    static const size_t rooms[] = { 0, 1, 7, POOL - 1, POOL, IMAGES }, limits[] = { SIZE_MAX, 9 * IMAGE + 1 };
    static result want[STEPS], got[STEPS];
    uint32_t order[POOL];
    cc_transform steps[STEPS][BATCH];
    cc_rng rng = cc_rng_at(3, CC_RNG_BENCH, 0);
    for (uint32_t i = 0; i < POOL; i++)
        order[i] = i * 11 % IMAGES;
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)cc_rng_u32(&rng);
    for (int32_t i = 0; i < IMAGES; i++)
        labels[i] = 100 + i;
    draw_steps(&rng, order, POOL, steps);
    loader l;
    open_loader(&l, device, NULL, SIZE_MAX);
    assert_true(cc_resident_is_whole(l.images));
    run_loader(&l, steps, want);
    close_loader(&l);
    /* Not only the same, but right. */
    for (size_t i = 0; i < BATCH; i++) {
        assert_int_equal(want[0].of[i], steps[0][i].source < 0 ? -1 : 100 + steps[0][i].source);
        const size_t at = steps[0][i].flip_v ? SIDE - 1 : 0, from = steps[0][i].flip_h ? SIDE - 1 : 0;
        if (steps[0][i].source < 0) continue;
        const double byte = (double)pixels[(size_t)steps[0][i].source * IMAGE + (at * SIDE + from) * CHANNELS];
        assert_true(want[0].batch[i * IMAGE] - (float)((byte / 255 - (double)mean[0]) / (double)deviation[0]) < 1e-5f);
        assert_true(want[0].batch[i * IMAGE] - (float)((byte / 255 - (double)mean[0]) / (double)deviation[0]) > -1e-5f);
    }
    for (size_t r = 0; r < CC_COUNT(rooms); r++)
        for (size_t c = 0; c < CC_COUNT(limits); c++) {
            const cc_streaming streaming = { order, POOL, rooms[r], BATCH };
            open_loader(&l, device, &streaming, limits[c]);
            assert_false(cc_resident_is_whole(l.images));
            assert_int_equal(cc_resident_used(l.images), POOL);
            assert_int_equal(cc_resident_kept(l.images), cc_min_size(rooms[r], POOL));
            run_loader(&l, steps, got);
            assert_memory_equal(got, want, sizeof got);
            close_loader(&l);
        }
    assert_int_equal(cc_device_bytes(device), 0);
}

static void too_large_a_batch_is_refused(camcl_device *device, void *context)
{
    (void)context;
    const uint32_t order[] = { 0, 1, 2, 3 };
    const cc_streaming streaming = { order, 4, 1, BATCH };
    cc_transform batch[BATCH + 1];
    loader l;
    open_loader(&l, device, &streaming, SIZE_MAX);
    for (int32_t i = 0; i < BATCH + 1; i++)
        batch[i] = (cc_transform){ .source = i % 3 + 1 };
    assert_int_equal(cc_resident_place(l.images, BATCH + 1, batch, &err), CAMCL_FAILED);
    close_loader(&l);
}

static void streams(void **state)
{
    (void)state;
    for_each_device(sent_data_overtake_nothing, NULL);
}

static void images(void **state)
{
    (void)state;
    for_each_device(streamed_images_are_the_same, NULL);
}

static void refusals(void **state)
{
    (void)state;
    for_each_device(too_large_a_batch_is_refused, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(streams), cmocka_unit_test(images), cmocka_unit_test(refusals) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
