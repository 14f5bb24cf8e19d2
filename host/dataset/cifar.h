/* What the readers of CIFAR's two versions share. */
#ifndef CC_DATASET_CIFAR_H
#define CC_DATASET_CIFAR_H

#include <stdint.h>

#include "dataset/dataset.h"
#include "dataset/pickle.h"
#include "dataset/source.h"

enum { CC_CIFAR_SIDE = 32, CC_CIFAR_PLANE = CC_CIFAR_SIDE * CC_CIFAR_SIDE, CC_CIFAR_BYTES = 3 * CC_CIFAR_PLANE };

/* The images of one file. Byte k of image i is pixels[i * image_step + k * byte_step]: 1024 red, 1024 green, 1024 blue. */
typedef struct cc_cifar_batch {
    const char *path;
    size_t count;
    const uint8_t *pixels; /* borrowed from the file's content, or from the pickle */
    size_t image_step, byte_step;
    int64_t *labels; /* [count], not checked yet */
    cc_pickle *pickle;
} cc_cifar_batch;

/* What tells CIFAR-10 and CIFAR-100 apart. */
typedef struct cc_cifar {
    cc_source source;
    size_t classes, train_files;
    const char *const *class_names;
    size_t label_bytes, official_records; /* of a record of the binary version: the last label byte counts; of a training file */
    const char *labels_key, *names_key;   /* of the Python version */
    const char *other;                    /* its sister data set, and what gives that away: */
    size_t other_label_bytes;
    const char *other_labels_key;
} cc_cifar;

/* A batch of the Python version: a pickled dictionary with "data" [n, 3072] and a list of labels. The caller frees the batch. */
camcl_status cc_cifar_read_pickle(const cc_cifar *cifar, const cc_source_file *file, cc_cifar_batch *batch, camcl_error *err);
/* The class names of the Python version's meta file. */
camcl_status cc_cifar_read_meta(const cc_cifar *cifar, const cc_source_file *file, camcl_dataset *dataset, camcl_error *err);

#endif
