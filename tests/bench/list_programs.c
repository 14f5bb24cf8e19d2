/* The programs that steps and inference are made of on the device that CAMCL_DEVICE picks, for tests/bench/offline_compilers.py: one line
 * "FILE KERNEL OPTIONS" for each kernel, FILE below cl/ and without its ending. Nothing is compiled or run.
 *
 *     list_programs [key=value ...]
 *
 * Keys mean what they mean to `camcl train`; CAMCL_VECTOR, as ever, poses as another processor. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "bench/ok.h"
#include "device/tape_internal.h"
#include "infer/session.h"
#include "objective/objective.h"
#include "ops/conv2d/conv2d.h"
#include "ops/operation.h"
#include "run/settings.h"

enum { CLASSES = 10, CHANNELS = 3, IMAGES = 4, SIDE = 32 };

static camcl_error err;

static void print_tape(const cc_tape *tape)
{
    for (size_t i = 0; i < tape->count; i++)
        if (tape->steps[i].kind == STEP_KERNEL)
            printf("%s %s %s\n", tape->steps[i].binding->program, tape->steps[i].binding->name, tape->steps[i].options);
}

static void print_arena(const cc_arena *arena)
{
    for (size_t i = 0; i < arena->tape_count; i++)
        print_tape(arena->tapes[i]);
}

/* What packs weights does not depend on the shape, beyond its stride. */
static void print_packing(cc_arena *arena, size_t stride)
{
    const camcl_device_info *device = camcl_device_get_info(arena->device);
    const cc_conv2d_desc desc = { 1, 32, 32, 64, 64, 3, 3, stride, 1, 1 };
    for (size_t i = 0; i < cc_operation_count(&cc_conv2d_operation); i++) {
        const cc_variant *variant = cc_operation_at(&cc_conv2d_operation, i);
        cc_tape *tape;
        cc_buffer *master, *packed;
        if (variant->pack == NULL || !variant->supports(device, &desc)) continue;
        OK(cc_tape_create(arena, "packing", &tape, &err));
        OK(cc_tape_buffer(tape, desc.r * desc.s * desc.c * desc.k * sizeof(float), "master", &master, &err));
        OK(cc_tape_buffer(tape, variant->packed_bytes(device, &desc), "packed", &packed, &err));
        OK(variant->pack(tape, &desc, master, packed, &err));
        print_tape(tape);
    }
}

int main(int argc, char **argv)
{
    static const uint8_t pixels[IMAGES * SIDE * SIDE * CHANNELS];
    static const int32_t labels[IMAGES];
    const camcl_dataset_info info = { .name = "none",
                                      .height = SIDE,
                                      .width = SIDE,
                                      .channels = CHANNELS,
                                      .classes = CLASSES,
                                      .train_count = IMAGES,
                                      .mean = { 0.5f, 0.5f, 0.5f },
                                      .std = { 0.25f, 0.25f, 0.25f } };
    camcl_config *config = NULL;
    camcl_device *device = NULL;
    cc_settings settings;
    cc_resident *images = NULL;
    cc_model *model = NULL;
    OK(camcl_config_create(&config, &err));
    for (int i = 1; i < argc; i++) {
        char *equals = strchr(argv[i], '=');
        if (equals == NULL) {
            fprintf(stderr, "usage: list_programs [key=value ...]\n");
            return 2;
        }
        *equals = '\0';
        OK(camcl_config_set(config, argv[i], equals + 1, "command line", &err));
    }
    const camcl_device_options options = cc_device_options_from(config);
    OK(camcl_device_open(&options, &device, &err));
    OK(cc_settings_from(config, &info, &settings, &err));
    const cc_resident_spec spec = { pixels, labels, IMAGES, SIDE, SIDE, CHANNELS, settings.mean, settings.std, "images" };
    OK(cc_resident_create(device, &spec, &images, &err));
    OK(cc_model_create(device, &settings.graph, &model, &err));
    for (size_t i = 0; i < cc_objective_count(); i++) {
        cc_arena *arena = NULL;
        cc_step *step = NULL;
        settings.step.objective.kind = cc_objective_at(i);
        OK(cc_arena_create(device, &arena, &err));
        OK(cc_step_create(model, images, &settings.step, arena, &step, &err));
        print_arena(arena);
        print_packing(arena, 1);
        print_packing(arena, 2);
        cc_arena_destroy(&arena);
        cc_step_destroy(&step);
    }
    cc_model_destroy(&model);
    cc_resident_destroy(&images);
    camcl_device_close(&device);
    camcl_config_destroy(&config);
    return 0;
}
