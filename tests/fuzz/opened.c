#include "opened.h"

#include <string.h>

#include "camcl/dataset.h"
#include "fuzz.h"

static void look(const camcl_dataset *dataset, camcl_dataset_part part, size_t count)
{
    const camcl_dataset_info *info = camcl_dataset_get_info(dataset);
    const uint8_t *pixels = camcl_dataset_pixels(dataset, part);
    const int32_t *labels = camcl_dataset_labels(dataset, part);
    const size_t bytes = (size_t)info->height * info->width * info->channels;
    for (size_t i = 0; i < count; i++) {
        fuzz_expect(labels[i] >= -1 && labels[i] < (int32_t)info->classes, "a label is a class or -1");
        const char *file = camcl_dataset_file(dataset, part, i);
        fuzz_look(pixels + i * bytes, bytes);
        if (file) fuzz_look(file, strlen(file));
    }
}

void fuzz_open_dataset(const char *name, const char *root)
{
    const camcl_dataset_spec spec = { .dataset = name, .root = root, .image_size = 8, .skip_corrupt = 1, .test_share = 0.1 };
    camcl_dataset *dataset = NULL;
    camcl_error err;
    if (camcl_dataset_open(&spec, &dataset, &err) != CAMCL_OK) return;
    const camcl_dataset_info *info = camcl_dataset_get_info(dataset);
    fuzz_expect(info->height > 0 && info->width > 0 && info->channels > 0 && info->classes > 0, "an open data set has images and classes");
    look(dataset, CAMCL_TRAIN_IMAGES, info->train_count);
    look(dataset, CAMCL_TEST_IMAGES, info->test_count);
    for (uint32_t i = 0; i < info->classes; i++)
        fuzz_expect(*camcl_dataset_class_names(dataset)[i] != '\0', "classes have names");
    (void)camcl_dataset_fingerprint(dataset);
    camcl_dataset_close(&dataset);
}
