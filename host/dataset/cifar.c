/* CIFAR-10 and CIFAR-100 (Krizhevsky, "Learning multiple layers of features from tiny images", 2009). The binary version has records of one
 * label byte (CIFAR-100: coarse label, then fine label) and 3072 bytes: 1024 red, 1024 green, 1024 blue. The Python version has the same
 * images in the same order. */
#include "dataset/cifar.h"

#include <stdlib.h>

#include "base/memory.h"

enum { binary_version, python_version }; /* positions among a source's forms */

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

static void free_batch(cc_cifar_batch *batch)
{
    free(batch->labels);
    cc_pickle_free(&batch->pickle);
}

/* ---- The binary version ---- */

static camcl_status check_size(const cc_cifar *cifar, const cc_source_file *file, camcl_error *err)
{
    size_t record = cifar->label_bytes + CC_CIFAR_BYTES, size = file->blob.size;
    if (size > 0 && size % record == 0) return CAMCL_OK;
    if (size > 0 && size % (cifar->other_label_bytes + CC_CIFAR_BYTES) == 0)
        return cc_fail(err, CAMCL_BAD_DATA, "%s: this is data set %s, not %s: its size fits %zu-byte records (set data.dataset)",
                       file->path, cifar->other, cifar->source.dataset, cifar->other_label_bytes + CC_CIFAR_BYTES);
    return cc_fail(
        err, CAMCL_BAD_DATA,
        "%s: truncated or no %s file: %zu bytes are not a whole number of %zu-byte records (the published file has %zu bytes; copy or "
        "download it again)",
        file->path, cifar->source.dataset, size, record, record * cifar->official_records);
}

static camcl_status read_binary(const cc_cifar *cifar, const cc_source_file *file, cc_cifar_batch *batch, camcl_error *err)
{
    size_t record = cifar->label_bytes + CC_CIFAR_BYTES;
    const uint8_t *bytes = (const uint8_t *)file->blob.data;
    CC_RETURN_IF_FAILED(check_size(cifar, file, err));
    batch->path = file->path;
    batch->count = file->blob.size / record;
    batch->pixels = bytes + cifar->label_bytes;
    batch->image_step = record;
    batch->byte_step = 1;
    CC_RETURN_IF_FAILED(CC_NEW(batch->count, &batch->labels, err));
    for (size_t i = 0; i < batch->count; i++)
        batch->labels[i] = bytes[i * record + cifar->label_bytes - 1];
    return CAMCL_OK;
}

/* ---- Both ---- */

/* Appends a file's images to a part, from the part's image *next on. The file's planar pixels become interleaved. */
static camcl_status append(camcl_dataset *dataset, camcl_dataset_part part, const cc_cifar *cifar, const cc_cifar_batch *batch,
                           size_t *next, camcl_error *err)
{
    for (size_t i = 0; i < batch->count; i++, ++*next) {
        uint8_t *to = dataset->parts[part].pixels + *next * CC_CIFAR_BYTES;
        const uint8_t *red = batch->pixels + i * batch->image_step;
        const size_t step = batch->byte_step, plane = step * CC_CIFAR_PLANE;
        int64_t label = batch->labels[i];
        if (label < 0 || (uint64_t)label >= cifar->classes) {
            return cc_fail(err, CAMCL_BAD_DATA, "%s: record %zu has label %lld, beyond 0..%zu (corrupt, or no %s file)", batch->path, i,
                           (long long)label, cifar->classes - 1, cifar->source.dataset);
        }
        dataset->parts[part].labels[*next] = (int32_t)label;
        for (size_t p = 0; p < CC_CIFAR_PLANE; p++, red += step, to += 3) {
            to[0] = red[0];
            to[1] = red[plane];
            to[2] = red[2 * plane];
        }
    }
    return CAMCL_OK;
}

static camcl_status read_class_names(camcl_dataset *dataset, const cc_cifar *cifar, const cc_source_file *file, bool python,
                                     camcl_error *err)
{
    if (!file->blob.data) return cc_dataset_set_classes(dataset, cifar->class_names, cifar->classes, err);
    if (python) return cc_cifar_read_meta(cifar, file, dataset, err);
    return cc_dataset_parse_classes(dataset, file->path, file->blob.data, cifar->classes, err);
}

/* The files of each form are those of the training images, the test images, the class names. */
static camcl_status read_cifar(camcl_dataset *dataset, const cc_cifar *cifar, const char *root, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_source_result found = { 0 };
    cc_cifar_batch batches[CC_SOURCE_FILES] = { { 0 } };
    const size_t test = cifar->train_files;
    size_t train_count = 0, next = 0;
    dataset->info.height = dataset->info.width = CC_CIFAR_SIDE;
    dataset->info.channels = 3;
    CC_TRY(cc_source_read(&cifar->source, root, &found, err));
    const bool python = found.form == &cifar->source.forms[python_version];
    for (size_t i = 0; i <= test; i++) {
        CC_TRY(python ? cc_cifar_read_pickle(cifar, &found.files[i], &batches[i], err)
                      : read_binary(cifar, &found.files[i], &batches[i], err));
        if (i < test) train_count += batches[i].count;
    }
    CC_TRY(cc_dataset_reserve(dataset, CAMCL_TRAIN_IMAGES, train_count, 0, err));
    CC_TRY(cc_dataset_reserve(dataset, CAMCL_TEST_IMAGES, batches[test].count, 0, err));
    for (size_t i = 0; i < test; i++)
        CC_TRY(append(dataset, CAMCL_TRAIN_IMAGES, cifar, &batches[i], &next, err));
    next = 0;
    CC_TRY(append(dataset, CAMCL_TEST_IMAGES, cifar, &batches[test], &next, err));
    CC_TRY(read_class_names(dataset, cifar, &found.files[test + 1], python, err));
cleanup:
    for (size_t i = 0; i < CC_SOURCE_FILES; i++)
        free_batch(&batches[i]);
    cc_source_free(&found);
    return status;
}

/* What people have in the place of either. */
#define OTHER_FORMS                                                                                                                        \
    { "*.mat", "the MATLAB version (camcl reads the binary and the Python version)" },                                                     \
        { "cifar-*-matlab*", "the MATLAB version (camcl reads the binary and the Python version)" },                                       \
        { "*.parquet", "a Parquet table as Hugging Face has it (camcl reads the binary and the Python version)" },                         \
        { "*.tfrecord*", "a TFRecord of TensorFlow Datasets (camcl reads the binary and the Python version)" },                            \
        { "*.np[yz]", "NumPy arrays (camcl reads the binary and the Python version)" },                                                    \
        { "trainLabels.csv", "Kaggle's competition, which has PNG pictures (camcl reads the binary and the Python version; pictures with " \
                             "data.dataset = list)" },                                                                                     \
        { "train*.7z", "Kaggle's competition, which has PNG pictures (camcl reads the binary and the Python version)" },                   \
    {                                                                                                                                      \
        NULL, NULL                                                                                                                         \
    }

static const char *const binary10_folders[] = { "cifar-10-batches-bin", "cifar-10-binary/cifar-10-batches-bin", "cifar-10-binary", NULL };
static const char *const python10_folders[] = { "cifar-10-batches-py", "cifar-10-python/cifar-10-batches-py", "cifar-10-python", NULL };
static const char *const binary10_archives[] = { "cifar-10-binary", "cifar-10-batches-bin", NULL };
static const char *const python10_archives[] = { "cifar-10-python", "cifar-10-batches-py", NULL };

static const cc_source_form cifar10_forms[] = {
    [binary_version] = { "the binary version",
                         binary10_folders,
                         binary10_archives,
                         { { .name = "data_batch_1.bin" },
                           { .name = "data_batch_2.bin" },
                           { .name = "data_batch_3.bin" },
                           { .name = "data_batch_4.bin" },
                           { .name = "data_batch_5.bin" },
                           { .name = "test_batch.bin" },
                           { .name = "batches.meta.txt", .optional = true } } },
    [python_version] = { "the Python version",
                         python10_folders,
                         python10_archives,
                         { { .name = "data_batch_1" },
                           { .name = "data_batch_2" },
                           { .name = "data_batch_3" },
                           { .name = "data_batch_4" },
                           { .name = "data_batch_5" },
                           { .name = "test_batch" },
                           { .name = "batches.meta", .optional = true } } },
};

static const cc_source_hint cifar10_hints[] = { { "cifar-100-*", "data set cifar100 (set data.dataset = cifar100)" },
                                                { "train.bin", "data set cifar100 in the binary version (set data.dataset = cifar100)" },
                                                { "fine_label_names.txt",
                                                  "data set cifar100 in the binary version (set data.dataset = cifar100)" },
                                                { "meta", "data set cifar100 in the Python version (set data.dataset = cifar100)" },
                                                OTHER_FORMS };

static const cc_cifar cifar10 = { .source = { "cifar10", "CIFAR-10", cifar10_forms, CC_COUNT(cifar10_forms), cifar10_hints,
                                              "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz" },
                                  .classes = 10,
                                  .train_files = 5,
                                  .class_names = cifar10_names,
                                  .label_bytes = 1,
                                  .official_records = 10000,
                                  .labels_key = "labels",
                                  .names_key = "label_names",
                                  .other = "cifar100",
                                  .other_label_bytes = 2,
                                  .other_labels_key = "fine_labels" };

static camcl_status read_cifar10(camcl_dataset *dataset, const camcl_dataset_spec *spec, camcl_error *err)
{
    /* Statistics of the 50,000 training images. Parts of the data set use them too, so that a checkpoint's inputs are always normalised
     * alike. */
    static const float mean[3] = { 0.49139968f, 0.48215841f, 0.44653091f }, deviation[3] = { 0.24703223f, 0.24348513f, 0.26158784f };
    for (int c = 0; c < 3; c++) {
        dataset->info.mean[c] = mean[c];
        dataset->info.std[c] = deviation[c];
    }
    return read_cifar(dataset, &cifar10, spec->root, err);
}

const cc_dataset_kind cc_dataset_cifar10 = { .read = read_cifar10, .has_statistics = true };

static const char *const binary100_folders[] = { "cifar-100-binary", "cifar-100-binary/cifar-100-binary", NULL };
static const char *const python100_folders[] = { "cifar-100-python", "cifar-100-python/cifar-100-python", NULL };
static const char *const binary100_archives[] = { "cifar-100-binary", NULL };
static const char *const python100_archives[] = { "cifar-100-python", NULL };

static const cc_source_form cifar100_forms[] = {
    [binary_version] = { "the binary version",
                         binary100_folders,
                         binary100_archives,
                         { { .name = "train.bin" }, { .name = "test.bin" }, { .name = "fine_label_names.txt", .optional = true } } },
    [python_version] = { "the Python version",
                         python100_folders,
                         python100_archives,
                         { { .name = "train" }, { .name = "test" }, { .name = "meta", .optional = true } } },
};

static const cc_source_hint cifar100_hints[] = { { "cifar-10-*", "data set cifar10 (set data.dataset = cifar10)" },
                                                 { "data_batch_1.bin",
                                                   "data set cifar10 in the binary version (set data.dataset = cifar10)" },
                                                 { "data_batch_1", "data set cifar10 in the Python version (set data.dataset = cifar10)" },
                                                 OTHER_FORMS };

static const cc_cifar cifar100 = { .source = { "cifar100", "CIFAR-100", cifar100_forms, CC_COUNT(cifar100_forms), cifar100_hints,
                                               "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz" },
                                   .classes = 100,
                                   .train_files = 1,
                                   .class_names = cifar100_names,
                                   .label_bytes = 2,
                                   .official_records = 50000,
                                   .labels_key = "fine_labels",
                                   .names_key = "fine_label_names",
                                   .other = "cifar10",
                                   .other_label_bytes = 1,
                                   .other_labels_key = "labels" };

static camcl_status read_cifar100(camcl_dataset *dataset, const camcl_dataset_spec *spec, camcl_error *err)
{
    return read_cifar(dataset, &cifar100, spec->root, err);
}

const cc_dataset_kind cc_dataset_cifar100 = { .read = read_cifar100, .has_statistics = false };
