/* What the readers of data sets share. */
#ifndef CC_DATASET_DATASET_H
#define CC_DATASET_DATASET_H

#include "base/diag.h"
#include "camcl/dataset.h"

typedef struct cc_images {
    uint8_t *pixels; /* [count, H, W, C] */
    int32_t *labels; /* [count] */
    uint8_t *masks;  /* [count, H, W] or NULL */
} cc_images;

struct camcl_dataset {
    camcl_dataset_info info;
    char **class_names; /* info.classes of them */
    cc_images parts[2]; /* indexed by camcl_dataset_part */
};

/* Allocates pixels and labels (and masks if asked for) of a part of `count` images; info's height, width and channels must
 * be set. Sets the part's count in info. */
camcl_status cc_dataset_reserve(camcl_dataset *dataset, camcl_dataset_part part, size_t count, int with_masks, camcl_error *err);
/* Copies the names and sets info.classes. */
camcl_status cc_dataset_set_classes(camcl_dataset *dataset, const char *const *names, size_t count, camcl_error *err);
/* Class names from a text file: one per line, blank lines skipped. More or fewer than `count`: CAMCL_BAD_DATA naming `file`. */
camcl_status cc_dataset_parse_classes(camcl_dataset *dataset, const char *file, const char *text, size_t count, camcl_error *err);

/* A reader fills everything except info.name, and mean and std only if `has_statistics` is set for it. What it allocates belongs to the
 * data set, also after a failure. */
typedef camcl_status cc_dataset_reader(camcl_dataset *dataset, const camcl_dataset_spec *spec, camcl_error *err);
cc_dataset_reader cc_shapes_read, cc_cifar10_read, cc_cifar100_read, cc_mnist_read, cc_fashion_mnist_read, cc_folder_read;

#endif
