/* Data sets: images in host memory, as bytes, from files or from a program. */
#ifndef CAMCL_DATASET_H
#define CAMCL_DATASET_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "camcl/config.h"
#include "camcl/pictures.h"
#include "camcl/status.h"
#include "camcl/stop.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CAMCL_MAX_CHANNELS 4

typedef struct camcl_dataset camcl_dataset;

/* The two parts in which data sets are published. A validation set is held out of the training images. */
typedef enum camcl_dataset_part { CAMCL_TRAIN_IMAGES, CAMCL_TEST_IMAGES } camcl_dataset_part;

/* Where reading stands. */
typedef struct camcl_reading {
    const char *what;     /* "picture files", "picture headers", "pictures" */
    uint64_t done, total; /* pieces */
    double seconds, eta;  /* since the start, until the end; NaN: not known yet */
} camcl_reading;

/* Where a data set is, and how it is read. */
typedef struct camcl_dataset_spec {
    size_t size;           /* set by camcl_dataset_spec_init */
    const char *dataset;   /* shapes | cifar10 | cifar100 | mnist | fashion-mnist | folder | list; "memory" is not opened by name */
    const char *root;      /* where its files are, see camcl_dataset_open; NULL: "data" */
    uint32_t shapes_train; /* `shapes` only: number of images drawn; 0: 10000 */
    uint32_t shapes_test;  /* `shapes` only; 0: 2000 */
    uint64_t shapes_seed;  /* `shapes` only; 0 draws the standard images */
    /* `folder` and `list` only, from here on. */
    uint32_t image_size; /* side of the squares that pictures are scaled to; 0: all must have one size, and keep it */
    camcl_fit fit;       /* how others become squares */
    int skip_corrupt;    /* pictures that cannot be read: 0: CAMCL_BAD_DATA names the first; 1: they are left out and counted */
    double test_share;   /* of each class, held out as the test set where none is given; 0: no test set then */
    uint64_t seed;       /* of that draw */
    /* Scaled pixels are kept in the folder "pictures" of this one, and mapped: for the next start, and so that the system can take their
     * memory. All of them take 8 GiB at most, or a tenth of the free space if that is less, or what the data set in use takes; those that
     * were not used for longest are removed, which takes nothing from a data set that is open. They serve while every picture has the path
     * (in the data set), size and time of modification that it had. NULL or "", or where they cannot be written: in memory. */
    const char *cache_dir;
    void *context; /* first argument of the callback */
    void (*progress)(void *context,
                     const camcl_reading *reading); /* about ten times a second at most, in the calling thread; may be NULL */
    const camcl_stop *stop;                         /* once requested: CAMCL_STOPPED; may be NULL */
} camcl_dataset_spec;
/* Sets size, and everything else to zero. */
static inline void camcl_dataset_spec_init(camcl_dataset_spec *spec)
{
    memset(spec, 0, sizeof *spec);
    spec->size = sizeof *spec;
}

/* Fills in the data set that a configuration names, as far as spec->size reaches; progress and stop become NULL, they are the caller's to
 * set. Texts are borrowed from the configuration, like its values. NULL, either way: does nothing. */
void camcl_dataset_spec_fill(camcl_dataset_spec *spec, const camcl_config *config);
/* The same as a value. */
static inline camcl_dataset_spec camcl_dataset_spec_from(const camcl_config *config)
{
    camcl_dataset_spec spec;
    memset(&spec, 0, sizeof spec);
    spec.size = sizeof spec;
    camcl_dataset_spec_fill(&spec, config);
    return spec;
}

typedef struct camcl_dataset_info {
    const char *name;                 /* as in the spec; "memory" */
    uint32_t height, width, channels; /* of every image */
    uint32_t classes;
    /* Images of the part CAMCL_TRAIN_IMAGES, in this order: those with a label, unlabeled_count without, validation_count of a validation
     * set that came with the data. held_out_count of those with a label are the test set where no other was given. */
    uint32_t train_count, unlabeled_count, validation_count, held_out_count;
    uint32_t test_count; /* of the part CAMCL_TEST_IMAGES; 0 where the test set is held out of the training images, or there is none */
    /* Per channel, of the training images' bytes divided by 255, without held-out ones and those of a validation set that came along; std
     * is the biased one, and 1 for a constant channel. */
    float mean[CAMCL_MAX_CHANNELS], std[CAMCL_MAX_CHANNELS];
} camcl_dataset_info;

/* An open data set does not change: any number of threads may read it at once.
 *
 * Reads a complete data set, or draws it. What spec->root must be depends on the data set:
 *   shapes         not used: the program draws the images
 *   cifar10        the folder of the official files, in the binary version (data_batch_1..5.bin, test_batch.bin, batches.meta.txt) or the
 *                  Python version (data_batch_1..5, test_batch, batches.meta; pickles, of which nothing is run); or its parent, which holds
 *                  cifar-10-batches-bin or cifar-10-batches-py; or an archive of either, .tar (.gz, .bz2, .xz, .zst or not), .zip or .7z;
 *                  or the folder of cifar-10-binary or cifar-10-python with such an ending. Both versions give the same images in the same
 *                  order: batch 1 to 5. A batch may hold any whole number of records.
 *   cifar100       likewise train.bin, test.bin, fine_label_names.txt, or train, test, meta; cifar-100-binary, cifar-100-python. The labels
 *                  are the fine ones
 *   mnist, fashion-mnist   the folder of train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-..., or with a dot,
 *                  train-images.idx3-ubyte; each may be compressed, or in a folder of its own name; or a folder that holds
 *                  them in MNIST/raw, MNIST, mnist or raw (FashionMNIST/raw, fashion-mnist, fashion, ...); or an archive of
 *                  them, whatever its name, or its folder where it is called mnist (fashion-mnist).
 *                  Of several, extracted files go before archives, then the binary version before the Python version, then
 *                  the root before folders in it; what is incomplete is passed over. In an archive the files may be below
 *                  any folder.
 *   folder         the folder of train/CLASS/..., with test/CLASS/... or val/CLASS/... (valid/, validation/) or both, if
 *                  there are any; or of CLASS/... alone. Either may have unlabeled/... (unlabelled/) as well. val/ beside
 *                  test/ is the validation set, and the test set where it is alone. Pictures are found at any depth
 *                  below a class or unlabeled/; classes and files come in byte order of their names at each level.
 *   list           a CSV file in UTF-8 with a header path,label[,split], columns in any order and others ignored. A path
 *                  is relative to the file's folder, absolute, or starts with ~/. An empty label: no label. split: train
 *                  (or empty), validation (val, valid) or test. Classes come in byte order, pictures of each pool in that
 *                  of the file.
 * Where no test set is given, spec->test_share of the labelled pictures is drawn: of each class its share, rounded by
 * largest remainder, yet at least one of each class that has two, and never all of them.
 * Errors: CAMCL_BAD_CONFIG for an unknown data set, or no spec (NULL); CAMCL_BAD_DATA for files that are missing, truncated or corrupt, and
 * labels out of range; CAMCL_IO when reading fails; CAMCL_UNSUPPORTED when this build lacks the library that reads
 * archives or pictures. The caller owns *out; it is NULL after an error. */
camcl_status camcl_dataset_open(const camcl_dataset_spec *spec, camcl_dataset **out, camcl_error *err);
/* NULL, or a pointer to NULL, is fine. */
void camcl_dataset_close(camcl_dataset **dataset);

/* Images in memory. Everything is the caller's and is copied. */
typedef struct camcl_memory_images {
    const uint8_t *pixels; /* [count, height, width, channels], channels in RGB order */
    const int32_t *labels; /* [count], each 0..classes-1, or -1 without a label; NULL: none has one */
    size_t count;          /* 0: there are none */
} camcl_memory_images;

/* A data set in memory. */
typedef struct camcl_memory_data {
    size_t size; /* set by camcl_memory_data_init */
    uint32_t height, width, channels, classes;
    const char *const *class_names; /* [classes], each another; NULL: "0", "1", ... */
    camcl_memory_images train;      /* labelled and unlabelled images in any order */
    camcl_memory_images validation; /* may be empty: data.validation then says how many training images are held out */
    camcl_memory_images test;       /* may be empty */
} camcl_memory_data;
/* Sets size, and everything else to zero. */
static inline void camcl_memory_data_init(camcl_memory_data *data)
{
    memset(data, 0, sizeof *data);
    data->size = sizeof *data;
}

/* A data set of images that the caller has in memory, which may be changed and freed afterwards. Its name is "memory", which
 * data.dataset of a configuration must say, or not say at all. Its training images are numbered anew: those with a label, those without,
 * the validation set, each in the order in which they were given. Every validation image must have a label. A run on it remembers its
 * fingerprint, and goes on with the same images and labels only. CAMCL_BAD_DATA for data that cannot be right, naming the first fault. The
 * caller owns *out; it is NULL after an error. */
camcl_status camcl_dataset_from_memory(const camcl_memory_data *data, camcl_dataset **out, camcl_error *err);

/* Everything below is borrowed from the data set. */
const camcl_dataset_info *camcl_dataset_get_info(const camcl_dataset *dataset);
/* info->classes names. */
const char *const *camcl_dataset_class_names(const camcl_dataset *dataset);
/* [n, height, width, channels] bytes, channels in RGB order. */
const uint8_t *camcl_dataset_pixels(const camcl_dataset *dataset, camcl_dataset_part part);
/* [n], each 0..classes-1, or -1 without a label. */
const int32_t *camcl_dataset_labels(const camcl_dataset *dataset, camcl_dataset_part part);
/* [n, height, width]: 255 where the labelled object covers at least half of the pixel, else 0. NULL unless the data set
 * knows where its objects are (shapes does). */
const uint8_t *camcl_dataset_masks(const camcl_dataset *dataset, camcl_dataset_part part);
/* The training images that are the test set, sorted: [info->held_out_count]; NULL where there are none. */
const uint32_t *camcl_dataset_held_out(const camcl_dataset *dataset);
/* The file of an image, relative to the data set's folder; NULL where images are not files of their own. */
const char *camcl_dataset_file(const camcl_dataset *dataset, camcl_dataset_part part, size_t index);
/* What was found and left out; NULL and *count 0 where nothing was. */
const camcl_left_out *camcl_dataset_left_out(const camcl_dataset *dataset, size_t *count);
/* One line for people: what was read, by format, and what was left out, by kind. "" where there is nothing to tell. */
const char *camcl_dataset_summary(const camcl_dataset *dataset);

/* What a run remembers of its data, so that it knows them again in another place. Each hash covers the images of both parts in order;
 * the same data in another folder, or as an archive, have the same values. */
typedef struct camcl_fingerprint {
    uint64_t names;  /* pictures: paths relative to the data set's folder; others: the data set's name */
    uint64_t sizes;  /* pictures: bytes of each file; others: number and size of images, and their bytes */
    uint64_t labels; /* class names, label and part of each image */
} camcl_fingerprint;
/* That of a data set. */
camcl_fingerprint camcl_dataset_fingerprint(const camcl_dataset *dataset);

#ifdef __cplusplus
}
#endif
#endif
