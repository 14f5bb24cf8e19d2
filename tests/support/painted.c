#include "support/painted.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

const char *const painted_names[PAINTED_CLASSES] = { "red", "green", "blue" };

void painted_images(uint8_t *pixels, int32_t *labels, size_t count, unsigned seed)
{
    uint32_t bits = 12345 + seed;
    for (size_t i = 0; i < count; i++) {
        labels[i] = (int32_t)(i % PAINTED_CLASSES);
        for (size_t k = 0; k < PAINTED_BYTES; k++) {
            bits = bits * 1664525u + 1013904223u;
            pixels[i * PAINTED_BYTES + k] = (uint8_t)((bits >> 26) + (k % 3 == i % PAINTED_CLASSES ? 120 : 40));
        }
    }
}

void painted_make(painted *p)
{
    painted_images(p->pixels, p->labels, 93, 1);
    for (size_t i = 0; i < 60; i++)
        if (i / 3 % 2) p->labels[i] = -1;
    camcl_memory_data_init(&p->data);
    p->data.height = p->data.width = PAINTED_SIDE;
    p->data.channels = 3;
    p->data.classes = PAINTED_CLASSES;
    p->data.class_names = painted_names;
    p->data.train = (camcl_memory_images){ p->pixels, p->labels, 60 };
    p->data.validation = (camcl_memory_images){ p->pixels + 60 * PAINTED_BYTES, p->labels + 60, 15 };
    p->data.test = (camcl_memory_images){ p->pixels + 75 * PAINTED_BYTES, p->labels + 75, 18 };
}

camcl_dataset *painted_data(void)
{
    camcl_dataset *dataset = NULL;
    camcl_error err;
    painted *p = malloc(sizeof *p);
    assert_non_null(p);
    painted_make(p);
    const camcl_status status = camcl_dataset_from_memory(&p->data, &dataset, &err);
    free(p);
    if (status != CAMCL_OK) fail_msg("%s", err.message);
    return dataset;
}

camcl_config *painted_config(void)
{
    static const char *const values[][2] = {
        { "model.width", "2" },          { "train.epochs", "3" },          { "train.epoch_steps", "4" },
        { "train.batch_labeled", "6" },  { "train.batch_unlabeled", "6" }, { "ssl.threshold", "0.01" },
        { "ssl.threshold_end", "0.01" }, { "ssl.cam_layer", "1" },         { "device.tune", "off" },
    };
    camcl_config *config = NULL;
    camcl_error err;
    assert_int_equal(camcl_config_create(&config, &err), CAMCL_OK);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        if (camcl_config_set(config, values[i][0], values[i][1], "test", &err) != CAMCL_OK) fail_msg("%s", err.message);
    return config;
}
