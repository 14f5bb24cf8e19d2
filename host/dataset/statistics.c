#include "dataset/statistics.h"

#include <math.h>
#include <stdatomic.h>

#include "base/memory.h"
#include "base/parallel.h"

/* Bytes are summed up in as many lanes, which a compiler turns into vectors. A multiple of every number of channels, so that a lane sees
 * one channel only. */
enum { LANES = 48, STEPS = 4096 /* after which a lane of 32 bits must be emptied */, IMAGES = 64 /* of a piece */ };

/* The sums are whole numbers, so that the result does not depend on the order of summation. */
typedef struct totals {
    const camcl_dataset *dataset;
    const uint8_t *pixels;
    size_t images, image_bytes;
    atomic_uint_fast64_t sum[CAMCL_MAX_CHANNELS], squares[CAMCL_MAX_CHANNELS];
} totals;

static void add_image(const uint8_t *bytes, size_t size, uint32_t channels, uint64_t *sum, uint64_t *squares)
{
    while (size > 0) {
        uint32_t lane_sum[LANES] = { 0 }, lane_squares[LANES] = { 0 };
        const size_t steps = cc_min_size(size / LANES, STEPS), rest = steps > 0 ? 0 : size;
        for (size_t step = 0; step < steps; step++, bytes += LANES)
            for (int i = 0; i < LANES; i++) {
                lane_sum[i] += bytes[i];
                lane_squares[i] += (uint32_t)bytes[i] * bytes[i];
            }
        for (size_t i = 0; i < rest; i++) {
            lane_sum[i] = bytes[i];
            lane_squares[i] = (uint32_t)bytes[i] * bytes[i];
        }
        for (uint32_t i = 0; i < LANES; i++) {
            sum[i % channels] += lane_sum[i];
            squares[i % channels] += lane_squares[i];
        }
        size -= steps * LANES + rest;
    }
}

/* Which of the held-out images is the first that is `from` or later. */
static size_t find_held_out(const camcl_dataset *dataset, size_t from)
{
    size_t low = 0, end = dataset->info.held_out_count;
    while (low < end) {
        const size_t middle = low + (end - low) / 2;
        if (dataset->held_out[middle] < from)
            low = middle + 1;
        else
            end = middle;
    }
    return low;
}

static void add_images(void *context, size_t piece)
{
    totals *t = context;
    const camcl_dataset_info *info = &t->dataset->info;
    uint64_t sum[CAMCL_MAX_CHANNELS] = { 0 }, squares[CAMCL_MAX_CHANNELS] = { 0 };
    const size_t first = piece * IMAGES, end = cc_min_size(first + IMAGES, t->images);
    size_t held = find_held_out(t->dataset, first);
    for (size_t i = first; i < end; i++) {
        if (held < info->held_out_count && t->dataset->held_out[held] == i)
            held++;
        else
            add_image(t->pixels + i * t->image_bytes, t->image_bytes, info->channels, sum, squares);
    }
    for (uint32_t c = 0; c < info->channels; c++) {
        atomic_fetch_add(&t->sum[c], sum[c]);
        atomic_fetch_add(&t->squares[c], squares[c]);
    }
}

void cc_dataset_take_statistics(camcl_dataset *dataset)
{
    camcl_dataset_info *info = &dataset->info;
    const size_t plane = (size_t)info->height * info->width;
    totals t = { .dataset = dataset, .pixels = camcl_dataset_pixels(dataset, CAMCL_TRAIN_IMAGES), .image_bytes = plane * info->channels };
    for (int c = 0; c < CAMCL_MAX_CHANNELS; c++) {
        atomic_init(&t.sum[c], 0);
        atomic_init(&t.squares[c], 0);
    }
    t.images = info->train_count - info->validation_count;
    cc_parallel(cc_ceil_div(t.images, IMAGES), add_images, &t);
    const double count = (double)((t.images - info->held_out_count) * plane);
    for (uint32_t c = 0; c < info->channels; c++) {
        const double mean = (double)t.sum[c] / count, variance = (double)t.squares[c] / count - mean * mean;
        info->mean[c] = (float)(mean / 255.0);
        info->std[c] = variance > 1e-6 ? (float)(sqrt(variance) / 255.0) : 1.0f;
    }
}
