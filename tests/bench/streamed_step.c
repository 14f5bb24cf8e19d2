/* A training step whose images are streamed beside the same step whose images stay on the device, in one process and in turns, so that
 * other work on the machine slows both alike.
 *
 *     streamed_step [IMAGES [SIDE]] [key=value ...]
 *
 * IMAGES (default 20000) random pictures of SIDE (64) pixels lie in a file that is mapped into memory, as a data set's pixels may.
 * data.resident MiB of them (default here: 0) stay on the device in the streamed step. Every other key means what it means to `camcl
 * train`; the defaults are those of `camcl config`. Like the training loop, steps are enqueued CC_IN_FLIGHT ahead. */
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "base/file.h"
#include "base/memory.h"
#include "bench/ok.h"
#include "base/rng.h"
#include "model/fit.h"
#include "run/settings.h"
#include "train/run.h"

enum { CLASSES = 10, CHANNELS = 3, ROUNDS = 21, WARM_UP = 1 };

static camcl_error err;

/* What both kinds of step share, and the two of them. */
typedef struct bench {
    camcl_config *config;
    camcl_device *device;
    cc_settings settings;
    size_t images, side, image, steps; /* steps of a timed block */
    const uint8_t *pixels;
    int32_t *labels;
    uint32_t *order;
    cc_resident *kept, *streamed;
    cc_model *model;
    cc_arena *arena;
    cc_step *step[2];
    uint64_t next;
} bench;

static void *allocate(size_t count, size_t size)
{
    void *memory = NULL;
    OK(cc_calloc(count, size, &memory, &err));
    return memory;
}

static void draw_pixels(bench *b)
{
    FILE *file = tmpfile();
    uint32_t *block = allocate(b->image, 1);
    cc_rng rng = cc_rng_at(1, CC_RNG_BENCH, 0);
    for (size_t i = 0; file && i < b->images; i++) {
        for (size_t k = 0; k < b->image / sizeof *block; k++)
            block[k] = cc_rng_u32(&rng);
        if (fwrite(block, b->image, 1, file) != 1) file = NULL;
    }
    if (file == NULL || fflush(file) != 0) {
        fprintf(stderr, "no room for %zu images in the folder of temporary files\n", b->images);
        exit(1);
    }
    void *mapped = mmap(NULL, b->images * b->image, PROT_READ, MAP_SHARED, fileno(file), 0);
    if (mapped == MAP_FAILED) exit(1);
    b->pixels = mapped;
    free(block);
    b->labels = allocate(b->images, sizeof *b->labels);
    b->order = allocate(b->images, sizeof *b->order);
    for (size_t i = 0; i < b->images; i++) {
        b->labels[i] = (int32_t)(i % CLASSES);
        b->order[i] = (uint32_t)i;
    }
}

static camcl_status record(void *context, cc_arena *arena, camcl_error *error)
{
    bench *b = context;
    for (int i = 0; i < 2; i++) {
        cc_step_destroy(&b->step[i]);
        CC_RETURN_IF_FAILED(cc_step_create(b->model, i == 0 ? b->kept : b->streamed, &b->settings.step, arena, &b->step[i], error));
    }
    return CAMCL_OK;
}

static void open_steps(bench *b)
{
    const camcl_device_options device = cc_device_options_from(b->config);
    const camcl_dataset_info info = { .name = "random",
                                      .height = (uint32_t)b->side,
                                      .width = (uint32_t)b->side,
                                      .channels = CHANNELS,
                                      .classes = CLASSES,
                                      .train_count = (uint32_t)b->images,
                                      .mean = { 0.5f, 0.5f, 0.5f },
                                      .std = { 0.25f, 0.25f, 0.25f } };
    OK(camcl_device_open(&device, &b->device, &err));
    OK(cc_settings_from(b->config, &info, &b->settings, &err));
    const size_t mib = camcl_config_is(b->config, "data.resident", "auto") ? 0 : (size_t)camcl_config_int(b->config, "data.resident");
    const cc_streaming streaming = { b->order, b->images, (mib << 20) / b->image,
                                     b->settings.step.batch_labeled + b->settings.step.batch_unlabeled };
    const cc_resident_spec images = { b->pixels, b->labels,        b->images,       b->side, b->side,
                                      CHANNELS,  b->settings.mean, b->settings.std, "images" };
    OK(cc_resident_create(b->device, &images, &b->kept, &err));
    OK(cc_resident_create_streaming(b->device, &images, &streaming, &b->streamed, &err));
    OK(cc_model_create(b->device, &b->settings.graph, &b->model, &err));
    OK(cc_model_init(b->model, 1, &err));
    OK(cc_arena_create(b->device, &b->arena, &err));
    OK(cc_model_commit(b->model, b->arena, &(cc_recording){ record, NULL, b }, &err));
    OK(cc_model_refresh(b->model, &err));
    printf("%s\n%zu images of %zu x %zu, %zu + %zu in a step; %zu MiB, of which %zu MiB stay on the device in the streamed step\n",
           camcl_device_reason(b->device), b->images, b->side, b->side, b->settings.step.batch_labeled, b->settings.step.batch_unlabeled,
           (b->images * b->image) >> 20, (cc_resident_kept(b->streamed) * b->image) >> 20);
}

static void draw_batch(bench *b, cc_transform *out, size_t n, int32_t turns)
{
    const int32_t s = (int32_t)b->settings.step.image_size;
    cc_rng rng = cc_rng_at(2, CC_RNG_BENCH, b->next++);
    for (size_t i = 0; i < n; i++)
        out[i] = (cc_transform){ (int32_t)cc_rng_below(&rng, (uint32_t)b->images), 0, 0, 0, 0, s, s, turns };
}

/* Milliseconds per step of a block, everything passing the confidence mask. */
static double time_block(bench *b, cc_step *step)
{
    const cc_step_spec *s = &b->settings.step;
    cc_transform *labeled = allocate(s->batch_labeled, sizeof *labeled), *weak = allocate(s->batch_unlabeled, sizeof *weak),
                 *strong = allocate(s->batch_unlabeled, sizeof *strong);
    cc_readback *in_flight[CC_IN_FLIGHT];
    cc_step_sums sums;
    size_t count = 0;
    const double start = cc_seconds();
    for (size_t k = 0; k < b->steps; k++) {
        if (count == CC_IN_FLIGHT) {
            cc_readback *oldest = in_flight[0];
            memmove(in_flight, in_flight + 1, --count * sizeof *in_flight);
            OK(cc_step_read(&oldest, &sums, &err));
        }
        draw_batch(b, labeled, s->batch_labeled, 0);
        draw_batch(b, weak, s->batch_unlabeled, 0);
        draw_batch(b, strong, s->batch_unlabeled, 1);
        const cc_step_input input = { .labeled = labeled, .weak = weak, .strong = strong, .lr = 1e-6f, .threshold = -FLT_MAX };
        OK(cc_step_run(step, &input, &in_flight[count++], &err));
    }
    for (size_t i = 0; i < count; i++)
        OK(cc_step_read(&in_flight[i], &sums, &err));
    OK(cc_device_finish(b->device, &err));
    free(labeled);
    free(weak);
    free(strong);
    return (cc_seconds() - start) * 1e3 / (double)b->steps;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void compare(bench *b)
{
    double ms[2][ROUNDS], ratio[ROUNDS], processor[2] = { 0, 0 };
    b->steps = 1;
    const double once = (time_block(b, b->step[0]), time_block(b, b->step[0]));
    b->steps = cc_max_size(4, (size_t)(300 / once)); /* short, so that some are not disturbed */
    for (int round = -WARM_UP; round < ROUNDS; round++)
        for (int turn = 0; turn < 2; turn++) {
            const int which = (round & 1) ^ turn;
            const clock_t before = clock();
            const double took = time_block(b, b->step[which]);
            if (round < 0) continue;
            ms[which][round] = took;
            processor[which] += (double)(clock() - before) * 1e3 / CLOCKS_PER_SEC / (double)b->steps / ROUNDS;
        }
    for (int round = 0; round < ROUNDS; round++)
        ratio[round] = ms[1][round] / ms[0][round];
    qsort(ms[0], ROUNDS, sizeof **ms, by_size);
    qsort(ms[1], ROUNDS, sizeof **ms, by_size);
    qsort(ratio, ROUNDS, sizeof *ratio, by_size);
    printf("%zu steps a block, %d blocks of each\n", b->steps, ROUNDS);
    printf("resident: best %.3f ms, median %.3f ms\nstreamed: best %.3f ms, median %.3f ms\n", ms[0][0], ms[0][ROUNDS / 2], ms[1][0],
           ms[1][ROUNDS / 2]);
    printf("streamed / resident: %.4f of the best, %.4f median of the pairs (%.4f .. %.4f)\n", ms[1][0] / ms[0][0], ratio[ROUNDS / 2],
           ratio[0], ratio[ROUNDS - 1]);
    printf("processors' time of a step: %.3f ms resident, %.3f ms streamed: %.4f\n", processor[0], processor[1],
           processor[1] / processor[0]);
}

int main(int argc, char **argv)
{
    bench b = { .images = 20000, .side = 64 };
    size_t numbers = 0;
    OK(camcl_config_create(&b.config, &err));
    for (int i = 1; i < argc; i++) {
        char *equals = strchr(argv[i], '=');
        if (equals == NULL) {
            *(numbers++ == 0 ? &b.images : &b.side) = (size_t)strtoul(argv[i], NULL, 10);
            continue;
        }
        *equals = '\0';
        OK(camcl_config_set(b.config, argv[i], equals + 1, "command line", &err));
    }
    if (b.images == 0 || b.side == 0 || b.side % 2 || numbers > 2) {
        fprintf(stderr, "usage: streamed_step [IMAGES [SIDE]] [key=value ...]; SIDE is even\n");
        return 2;
    }
    b.image = b.side * b.side * CHANNELS;
    draw_pixels(&b);
    open_steps(&b);
    compare(&b);
    return 0;
}
