/* Data sets: labelled images in host memory, as bytes. */
#ifndef CAMCL_DATASET_H
#define CAMCL_DATASET_H

#include <stddef.h>
#include <stdint.h>

#include "camcl/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CAMCL_MAX_CHANNELS 4

typedef struct camcl_dataset camcl_dataset;

/* The two parts in which data sets are published. A validation set is held out of the training images. */
typedef enum camcl_dataset_part { CAMCL_TRAIN_IMAGES, CAMCL_TEST_IMAGES } camcl_dataset_part;

typedef struct camcl_dataset_spec {
    const char *dataset;   /* shapes | cifar10 | cifar100 | mnist | fashion-mnist | folder */
    const char *root;      /* where its files are, see camcl_dataset_open; NULL: "data" */
    uint32_t shapes_train; /* `shapes` only: number of images drawn; 0: 10000 */
    uint32_t shapes_test;  /* `shapes` only; 0: 2000 */
    uint64_t shapes_seed;  /* `shapes` only; 0 draws the standard images */
} camcl_dataset_spec;

typedef struct camcl_dataset_info {
    const char *name;                 /* as in the spec */
    uint32_t height, width, channels; /* of every image */
    uint32_t classes;
    uint32_t train_count, test_count;
    /* Per channel, of the training images' bytes divided by 255; std is the biased one, and 1 for a constant channel. */
    float mean[CAMCL_MAX_CHANNELS], std[CAMCL_MAX_CHANNELS];
} camcl_dataset_info;

/* An open data set does not change: any number of threads may read it at once.
 *
 * Reads a complete data set, or draws it. What spec->root must be depends on the data set:
 *   shapes         not used: the program draws the images
 *   cifar10        the folder of the official files data_batch_1..5.bin, test_batch.bin and batches.meta.txt; or its
 *                  parent, which holds cifar-10-batches-bin; or cifar-10-binary.tar.gz itself, or the folder it is in.
 *                  Training order is batch 1 to 5. A batch may hold any whole number of records.
 *   cifar100       likewise train.bin, test.bin, fine_label_names.txt; cifar-100-binary; cifar-100-binary.tar.gz
 *   mnist, fashion-mnist   the folder of train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-..., plain or .gz; or a
 *                  folder that holds them in MNIST/raw (FashionMNIST/raw) or mnist (fashion-mnist)
 *   folder         root/train/CLASS/ and root/test/CLASS/ with PNG and JPEG files, all of one size; classes and files
 *                  in byte order of their names
 * Errors: CAMCL_BAD_CONFIG for an unknown data set, or no spec (NULL); CAMCL_BAD_DATA for files that are missing, truncated or corrupt, and
 * labels out of range; CAMCL_IO when reading fails; CAMCL_UNSUPPORTED when this build lacks the library that reads
 * archives or pictures. The caller owns *out; it is NULL after an error. */
camcl_status camcl_dataset_open(const camcl_dataset_spec *spec, camcl_dataset **out, camcl_error *err);
void camcl_dataset_close(camcl_dataset **dataset);

/* Everything below is borrowed from the data set. */
const camcl_dataset_info *camcl_dataset_get_info(const camcl_dataset *dataset);
/* info->classes names. */
const char *const *camcl_dataset_class_names(const camcl_dataset *dataset);
/* [n, height, width, channels] bytes, channels in RGB order. */
const uint8_t *camcl_dataset_pixels(const camcl_dataset *dataset, camcl_dataset_part part);
/* [n], each 0..classes-1. */
const int32_t *camcl_dataset_labels(const camcl_dataset *dataset, camcl_dataset_part part);
/* [n, height, width]: 255 where the labelled object covers at least half of the pixel, else 0. NULL unless the data set
 * knows where its objects are (shapes does). */
const uint8_t *camcl_dataset_masks(const camcl_dataset *dataset, camcl_dataset_part part);

#ifdef __cplusplus
}
#endif
#endif
