/* CIFAR-10 and CIFAR-100 in their binary layout (Krizhevsky, "Learning multiple layers of features from tiny images", 2009):
 * records of one label byte (CIFAR-100: coarse label, then fine label) and 3072 bytes: 1024 red, 1024 green, 1024 blue. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "dataset/dataset.h"
#include "dataset/source.h"

enum { side = 32, plane = side * side, image_bytes = 3 * plane };

typedef struct layout {
    cc_source source;
    size_t label_bytes; /* the last of them is the label */
    size_t classes;
    size_t train_files; /* the first files of the list; then the test file, then the class names */
} layout;

static const char *const cifar10_names[] = { "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck" };

static const char *const cifar100_names[] = {
    "apple",       "aquarium_fish", "baby",         "bear",       "beaver",       "bed",        "bee",         "beetle",   "bicycle",
    "bottle",      "bowl",          "boy",          "bridge",     "bus",          "butterfly",  "camel",       "can",      "castle",
    "caterpillar", "cattle",        "chair",        "chimpanzee", "clock",        "cloud",      "cockroach",   "couch",    "crab",
    "crocodile",   "cup",           "dinosaur",     "dolphin",    "elephant",     "flatfish",   "forest",      "fox",      "girl",
    "hamster",     "house",         "kangaroo",     "keyboard",   "lamp",         "lawn_mower", "leopard",     "lion",     "lizard",
    "lobster",     "man",           "maple_tree",   "motorcycle", "mountain",     "mouse",      "mushroom",    "oak_tree", "orange",
    "orchid",      "otter",         "palm_tree",    "pear",       "pickup_truck", "pine_tree",  "plain",       "plate",    "poppy",
    "porcupine",   "possum",        "rabbit",       "raccoon",    "ray",          "road",       "rocket",      "rose",     "sea",
    "seal",        "shark",         "shrew",        "skunk",      "skyscraper",   "snail",      "snake",       "spider",   "squirrel",
    "streetcar",   "sunflower",     "sweet_pepper", "table",      "tank",         "telephone",  "television",  "tiger",    "tractor",
    "train",       "trout",         "tulip",        "turtle",     "wardrobe",     "whale",      "willow_tree", "wolf",     "woman",
    "worm"
};

static camcl_status count_records(const layout *form, const cc_source_file *file, size_t *records, camcl_error *err)
{
    size_t record = form->label_bytes + image_bytes;
    if (file->blob.size == 0 || file->blob.size % record != 0) {
        return cc_fail(err, CAMCL_BAD_DATA,
                       "%s: truncated or no %s file: %zu bytes are not a whole number of %zu-byte records (copy or download it again)",
                       file->path, form->source.dataset, file->blob.size, record);
    }
    *records += file->blob.size / record;
    return CAMCL_OK;
}

/* Appends a file's images to a part, from the part's image *next on. The file's planar pixels become interleaved. */
static camcl_status append(camcl_dataset *dataset, camcl_dataset_part part, const layout *form, const cc_source_file *file, size_t *next,
                           camcl_error *err)
{
    size_t record = form->label_bytes + image_bytes;
    const uint8_t *from = (const uint8_t *)file->blob.data;
    for (size_t r = 0; r < file->blob.size / record; r++, from += record, ++*next) {
        uint8_t *to = dataset->parts[part].pixels + *next * image_bytes;
        const uint8_t *red = from + form->label_bytes;
        unsigned label = from[form->label_bytes - 1];
        if (label >= form->classes) {
            return cc_fail(err, CAMCL_BAD_DATA, "%s: record %zu has label %u, beyond 0..%zu (corrupt, or no %s file)", file->path, r, label,
                           form->classes - 1, form->source.dataset);
        }
        dataset->parts[part].labels[*next] = (int32_t)label;
        for (size_t p = 0; p < plane; p++, to += 3) {
            to[0] = red[p];
            to[1] = red[p + plane];
            to[2] = red[p + 2 * plane];
        }
    }
    return CAMCL_OK;
}

static camcl_status read_cifar(camcl_dataset *dataset, const layout *form, const char *root, cc_source_file *files,
                               const char *const *class_names, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const cc_source_file *test = &files[form->train_files], *names = test + 1;
    size_t count = form->train_files + 2, train_records = 0, test_records = 0, next = 0;
    dataset->info.height = dataset->info.width = side;
    dataset->info.channels = 3;
    CC_TRY(cc_source_read(&form->source, root, files, count, err));
    for (size_t i = 0; i < form->train_files; i++)
        CC_TRY(count_records(form, &files[i], &train_records, err));
    CC_TRY(count_records(form, test, &test_records, err));
    CC_TRY(cc_dataset_reserve(dataset, CAMCL_TRAIN_IMAGES, train_records, 0, err));
    CC_TRY(cc_dataset_reserve(dataset, CAMCL_TEST_IMAGES, test_records, 0, err));
    for (size_t i = 0; i < form->train_files; i++)
        CC_TRY(append(dataset, CAMCL_TRAIN_IMAGES, form, &files[i], &next, err));
    next = 0;
    CC_TRY(append(dataset, CAMCL_TEST_IMAGES, form, test, &next, err));
    if (names->blob.data)
        CC_TRY(cc_dataset_parse_classes(dataset, names->path, names->blob.data, form->classes, err));
    else
        CC_TRY(cc_dataset_set_classes(dataset, class_names, form->classes, err));
cleanup:
    cc_source_free(files, count);
    return status;
}

static camcl_status read_cifar10(camcl_dataset *dataset, const camcl_dataset_spec *spec, camcl_error *err)
{
    static const char *const folders[] = { "cifar-10-batches-bin", NULL };
    static const layout form = {
        { "cifar10", folders, "cifar-10-binary.tar.gz", "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz" }, 1, 10, 5
    };
    /* Statistics of the 50,000 training images. Parts of the data set use them too, so that a checkpoint's inputs are always normalised
     * alike. */
    static const float mean[3] = { 0.49139968f, 0.48215841f, 0.44653091f }, deviation[3] = { 0.24703223f, 0.24348513f, 0.26158784f };
    cc_source_file files[] = { { .name = "data_batch_1.bin" },
                               { .name = "data_batch_2.bin" },
                               { .name = "data_batch_3.bin" },
                               { .name = "data_batch_4.bin" },
                               { .name = "data_batch_5.bin" },
                               { .name = "test_batch.bin" },
                               { .name = "batches.meta.txt", .optional = true } };
    memcpy(dataset->info.mean, mean, sizeof mean);
    memcpy(dataset->info.std, deviation, sizeof deviation);
    return read_cifar(dataset, &form, spec->root, files, cifar10_names, err);
}

const cc_dataset_kind cc_dataset_cifar10 = { .read = read_cifar10, .has_statistics = true };

static camcl_status read_cifar100(camcl_dataset *dataset, const camcl_dataset_spec *spec, camcl_error *err)
{
    static const char *const folders[] = { "cifar-100-binary", NULL };
    static const layout form = {
        { "cifar100", folders, "cifar-100-binary.tar.gz", "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz" }, 2, 100, 1
    };
    cc_source_file files[] = { { .name = "train.bin" }, { .name = "test.bin" }, { .name = "fine_label_names.txt", .optional = true } };
    return read_cifar(dataset, &form, spec->root, files, cifar100_names, err);
}

const cc_dataset_kind cc_dataset_cifar100 = { .read = read_cifar100, .has_statistics = false };
