/* Trains on images that the program makes, most of them without a label, and uses the model at once: train_from_memory CHECKPOINT */
#include <stdio.h>
#include <stdlib.h>

#include <camcl/camcl.h>

enum { SIDE = 16, BYTES = SIDE * SIDE * 3, TRAIN = 400, TEST = 100, CLASSES = 2 };
static uint8_t pixels[TRAIN + TEST][BYTES];
static int32_t labels[TRAIN + TEST];

/* Noise with a square or a cross in a random place. Of the training images, every tenth has a label. */
static void paint(size_t i)
{
    const int x = 4 + rand() % (SIDE - 8), y = 4 + rand() % (SIDE - 8), cross = rand() % 2;
    for (int k = 0; k < BYTES; k++) {
        const int dx = abs(k / 3 % SIDE - x), dy = abs(k / 3 / SIDE - y);
        pixels[i][k] = (uint8_t)(rand() % 100 + (dx < 4 && dy < 4 && (!cross || dx < 1 || dy < 1) ? 100 : 0));
    }
    labels[i] = i < TRAIN && i % 10 ? -1 : cross;
}

static camcl_status train(camcl_trainer *trainer, camcl_evaluation *test, camcl_error *err)
{
    const camcl_progress *progress = camcl_trainer_get_progress(trainer);
    camcl_status status = CAMCL_OK;
    while (status == CAMCL_OK && progress->step < progress->steps) {
        status = camcl_trainer_step(trainer, 20, err);
        printf("step %llu: loss %.3f\n", (unsigned long long)progress->step, progress->loss);
    }
    return status == CAMCL_OK ? camcl_trainer_evaluate(trainer, CAMCL_SPLIT_TEST, test, err) : status;
}

int main(int argc, char **argv)
{
    static const char *const names[CLASSES] = { "square", "cross" };
    camcl_error err;
    camcl_device *device = NULL;
    camcl_dataset *dataset = NULL;
    camcl_config *config = NULL;
    camcl_trainer *trainer = NULL;
    camcl_evaluation test;
    camcl_memory_data data;
    if (argc != 2) return fprintf(stderr, "usage: %s CHECKPOINT\n", argv[0]), 2;
    for (size_t i = 0; i < TRAIN + TEST; i++)
        paint(i);
    camcl_memory_data_init(&data);
    data.height = data.width = SIDE;
    data.channels = 3;
    data.classes = CLASSES;
    data.class_names = names;
    data.train = (camcl_memory_images){ pixels[0], labels, TRAIN };
    data.test = (camcl_memory_images){ pixels[TRAIN], labels + TRAIN, TEST };

    camcl_status status = camcl_device_open(NULL, &device, &err);
    if (status == CAMCL_OK) status = camcl_dataset_from_memory(&data, &dataset, &err);
    if (status == CAMCL_OK) status = camcl_config_create(&config, &err);
    if (status == CAMCL_OK) status = camcl_config_set(config, "model.width", "8", NULL, &err);
    if (status == CAMCL_OK) status = camcl_config_set(config, "train.epochs", "80", NULL, &err);
    if (status == CAMCL_OK) status = camcl_trainer_create(device, dataset, config, NULL, &trainer, &err);
    if (status == CAMCL_OK) status = train(trainer, &test, &err);
    if (status == CAMCL_OK) status = camcl_trainer_write_model(trainer, CAMCL_LAST_WEIGHTS, argv[1], &err);
    if (status == CAMCL_OK) printf("test top-1 %.1f %%, weights in %s\n", camcl_evaluation_get(&test, "top1"), argv[1]);
    if (status != CAMCL_OK) fprintf(stderr, "%s\n%s", err.message, err.detail);
    camcl_trainer_destroy(&trainer);
    camcl_config_destroy(&config);
    camcl_dataset_close(&dataset);
    camcl_device_close(&device);
    return camcl_exit_status(status);
}
