/* MNIST and Fashion-MNIST: idx files, a big-endian header (0, 0, type, dimensions, then one 32-bit size each) and bytes. */
#include <string.h>

#include "base/content.h"
#include "base/memory.h"
#include "dataset/dataset.h"
#include "dataset/source.h"

typedef struct idx {
    size_t sizes[3];
    const uint8_t *bytes;
} idx;

enum { FIRST_LABELS = 10 };

typedef struct family {
    cc_source source;
    const char *const *class_names;
    const char *other; /* the data set with the same names of files, and its first training labels */
    int32_t other_labels[FIRST_LABELS];
} family;

static size_t big_endian(const uint8_t *at) { return (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | (size_t)at[3]; }

static camcl_status parse_idx(const cc_source_file *file, unsigned dimensions, idx *out, camcl_error *err)
{
    const uint8_t *data = (const uint8_t *)file->blob.data;
    size_t header = 4 + 4 * (size_t)dimensions, expected = 1;
    if (file->blob.size < header || data[0] || data[1] || data[2] != 0x08 || data[3] != dimensions) {
        const cc_content content = cc_content_of(data, file->blob.size);
        const bool known = content.kind != CC_CONTENT_UNKNOWN;
        return cc_fail(err, CAMCL_BAD_DATA, "%s: no idx file of bytes with %u dimensions%s%s (truncated, or another file)", file->path,
                       dimensions, known ? ", but " : "", known ? content.name : "");
    }
    for (unsigned i = 0; i < dimensions; i++) {
        out->sizes[i] = big_endian(data + 4 + 4 * i);
        if (!cc_mul_size(expected, out->sizes[i], &expected)) expected = SIZE_MAX;
    }
    if (file->blob.size - header != expected) {
        return cc_fail(err, CAMCL_BAD_DATA, "%s: truncated or corrupt: %zu bytes after the header where %zu belong", file->path,
                       file->blob.size - header, expected);
    }
    out->bytes = data + header;
    return CAMCL_OK;
}

static camcl_status read_part(camcl_dataset *dataset, camcl_dataset_part part, const cc_source_file *image_file,
                              const cc_source_file *label_file, size_t classes, camcl_error *err)
{
    idx images = { { 0 }, NULL }, labels = { { 0 }, NULL };
    camcl_dataset_info *info = &dataset->info;
    CC_RETURN_IF_FAILED(parse_idx(image_file, 3, &images, err));
    CC_RETURN_IF_FAILED(parse_idx(label_file, 1, &labels, err));
    if (images.sizes[0] != labels.sizes[0]) {
        return cc_fail(err, CAMCL_BAD_DATA, "%s: %zu labels for the %zu images of %s", label_file->path, labels.sizes[0], images.sizes[0],
                       image_file->path);
    }
    if (images.sizes[1] != 28 || images.sizes[2] != 28) {
        return cc_fail(err, CAMCL_BAD_DATA, "%s: images of %zu x %zu where 28 x 28 belong", image_file->path, images.sizes[2],
                       images.sizes[1]);
    }
    info->height = info->width = 28;
    info->channels = 1;
    CC_RETURN_IF_FAILED(cc_dataset_reserve(dataset, part, images.sizes[0], 0, err));
    memcpy(dataset->parts[part].pixels, images.bytes, images.sizes[0] * 28 * 28);
    for (size_t i = 0; i < labels.sizes[0]; i++) {
        if (labels.bytes[i] >= classes) {
            return cc_fail(err, CAMCL_BAD_DATA, "%s: record %zu has label %u, beyond 0..%zu", label_file->path, i,
                           (unsigned)labels.bytes[i], classes - 1);
        }
        dataset->parts[part].labels[i] = labels.bytes[i];
    }
    return CAMCL_OK;
}

/* The two data sets have the same file names and sizes; the published ones differ in their first labels. */
static camcl_status check_labels(const camcl_dataset *dataset, const cc_source *source, const char *other, const int32_t *other_labels,
                                 const char *path, camcl_error *err)
{
    const int32_t *labels = dataset->parts[CAMCL_TRAIN_IMAGES].labels;
    if (dataset->info.train_count < FIRST_LABELS || memcmp(labels, other_labels, FIRST_LABELS * sizeof *labels) != 0) return CAMCL_OK;
    return cc_fail(err, CAMCL_BAD_DATA, "%s: these are the labels of data set %s, not of %s (set data.dataset or data.root)", path, other,
                   source->dataset);
}

static camcl_status read_idx(camcl_dataset *dataset, const family *from, const char *root, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_source_result found = { 0 };
    CC_TRY(cc_source_read(&from->source, root, &found, err));
    CC_TRY(read_part(dataset, CAMCL_TRAIN_IMAGES, &found.files[0], &found.files[1], 10, err));
    CC_TRY(read_part(dataset, CAMCL_TEST_IMAGES, &found.files[2], &found.files[3], 10, err));
    CC_TRY(check_labels(dataset, &from->source, from->other, from->other_labels, found.files[1].path, err));
    CC_TRY(cc_dataset_set_classes(dataset, from->class_names, 10, err));
cleanup:
    cc_source_free(&found);
    return status;
}

/* The names with a dot are those that 7-Zip gives. */
#define NAMES                                                                                                                              \
    {                                                                                                                                      \
        { .name = "train-images-idx3-ubyte", .alias = "train-images.idx3-ubyte" },                                                         \
            { .name = "train-labels-idx1-ubyte", .alias = "train-labels.idx1-ubyte" },                                                     \
            { .name = "t10k-images-idx3-ubyte", .alias = "t10k-images.idx3-ubyte" },                                                       \
            { .name = "t10k-labels-idx1-ubyte", .alias = "t10k-labels.idx1-ubyte" },                                                       \
    }

/* What people have in the place of either. */
#define OTHER_FORMS                                                                                                                        \
    { "*mnist*.csv", "a table of pixels as Kaggle has it (camcl reads the idx files, train-images-idx3-ubyte and so on)" },                \
        { "t*.pt", "a tensor that torchvision made of the data (camcl reads the idx files, which are in its folder raw/)" },               \
        { "processed", "what torchvision made of the data (camcl reads the idx files, which are in the folder raw/)" },                    \
        { "*.np[yz]", "NumPy arrays as Keras has them (camcl reads the idx files, train-images-idx3-ubyte and so on)" },                   \
        { "*.parquet", "a Parquet table as Hugging Face has it (camcl reads the idx files, train-images-idx3-ubyte and so on)" },          \
        { "*.tfrecord*", "a TFRecord of TensorFlow Datasets (camcl reads the idx files, train-images-idx3-ubyte and so on)" },             \
        { "emnist-*", "EMNIST, another data set" },                                                                                        \
    {                                                                                                                                      \
        NULL, NULL                                                                                                                         \
    }

static camcl_status read_mnist(camcl_dataset *dataset, const camcl_dataset_spec *spec, camcl_error *err)
{
    static const char *const folders[] = { "MNIST/raw", "MNIST", "mnist/raw", "mnist", "raw", NULL };
    static const char *const archives[] = { "mnist", "MNIST", "mnist-dataset", NULL };
    static const char *const names[] = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9" };
    static const cc_source_form form = { "the idx files", folders, archives, NAMES };
    static const cc_source_hint hints[] = { { "FashionMNIST", "data set fashion-mnist (set data.dataset = fashion-mnist)" },
                                            { "fashion*mnist*", "data set fashion-mnist (set data.dataset = fashion-mnist)" },
                                            OTHER_FORMS };
    static const family mnist = { { "mnist", "MNIST", &form, 1, hints, "https://ossci-datasets.s3.amazonaws.com/mnist" },
                                  names,
                                  "fashion-mnist",
                                  { 9, 0, 0, 3, 0, 2, 7, 2, 5, 5 } };
    return read_idx(dataset, &mnist, spec->root, err);
}

const cc_dataset_kind cc_dataset_mnist = { .read = read_mnist, .has_statistics = false };

static camcl_status read_fashion_mnist(camcl_dataset *dataset, const camcl_dataset_spec *spec, camcl_error *err)
{
    static const char *const folders[] = { "FashionMNIST/raw",
                                           "FashionMNIST",
                                           "fashion-mnist",
                                           "fashion-mnist/data/fashion",
                                           "fashion_mnist",
                                           "fashionmnist",
                                           "data/fashion",
                                           "fashion",
                                           "raw",
                                           NULL };
    static const char *const archives[] = { "fashion-mnist", "fashion-mnist-master", "fashionmnist", "FashionMNIST", "fashion", NULL };
    static const char *const names[] = { "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                                         "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot" };
    static const cc_source_form form = { "the idx files", folders, archives, NAMES };
    static const cc_source_hint hints[] = { { "MNIST", "data set mnist (set data.dataset = mnist)" },
                                            { "mnist", "data set mnist (set data.dataset = mnist)" },
                                            OTHER_FORMS };
    static const family fashion = { { "fashion-mnist", "Fashion-MNIST", &form, 1, hints,
                                      "https://github.com/zalandoresearch/fashion-mnist" },
                                    names,
                                    "mnist",
                                    { 5, 0, 4, 1, 9, 2, 1, 3, 1, 4 } };
    return read_idx(dataset, &fashion, spec->root, err);
}

const cc_dataset_kind cc_dataset_fashion_mnist = { .read = read_fashion_mnist, .has_statistics = false };
