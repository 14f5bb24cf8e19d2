/* What the readers of data sets share. */
#ifndef CC_DATASET_DATASET_H
#define CC_DATASET_DATASET_H

#include <stdbool.h>

#include "base/catalogue.h"
#include "base/diag.h"
#include "camcl/dataset.h"
#include "dataset/left_out.h"
#include "dataset/pixel_store.h"

/* The file of a picture. */
typedef struct cc_dataset_file {
    char *path;           /* owned by the data set */
    const char *relative; /* to the data set's folder: the end of `path` */
    uint64_t bytes;
} cc_dataset_file;

typedef struct cc_dataset_images {
    uint8_t *pixels;        /* [count, H, W, C], or NULL: */
    const uint8_t *stored;  /* likewise, in the data set's store */
    int32_t *labels;        /* [count] */
    uint8_t *masks;         /* [count, H, W] or NULL */
    cc_dataset_file *files; /* [count], or NULL where images are not files of their own */
} cc_dataset_images;

struct camcl_dataset {
    camcl_dataset_info info;
    char **class_names;         /* info.classes of them */
    cc_dataset_images parts[2]; /* indexed by camcl_dataset_part */
    cc_pixel_store *store;      /* of both parts, or NULL */
    uint32_t *held_out;         /* [info.held_out_count], sorted, or NULL */
    cc_left_out left_out;
    char *summary; /* NULL: there is nothing to tell */
    camcl_fingerprint fingerprint;
};

/* Images of a part. */
static inline size_t cc_dataset_count(const camcl_dataset *dataset, int part)
{
    return part == CAMCL_TRAIN_IMAGES ? dataset->info.train_count : dataset->info.test_count;
}

/* Allocates pixels and labels (and masks if asked for) of a part of `count` images; info's height, width and channels must
 * be set. Sets the part's count in info. */
camcl_status cc_dataset_reserve(camcl_dataset *dataset, camcl_dataset_part part, size_t count, int with_masks, camcl_error *err);
/* Copies the names and sets info.classes. */
camcl_status cc_dataset_set_classes(camcl_dataset *dataset, const char *const *names, size_t count, camcl_error *err);
/* Class names from a text file: one per line, blank lines skipped. More or fewer than `count`: CAMCL_BAD_DATA naming `file`. */
camcl_status cc_dataset_parse_classes(camcl_dataset *dataset, const char *file, const char *text, size_t count, camcl_error *err);

/* One data set that can be chosen by name. */
typedef struct cc_dataset_kind {
    /* Fills everything but info.name, and mean and std only if `has_statistics`. What it allocates belongs to the data set, also when it
     * fails. */
    camcl_status (*read)(camcl_dataset *dataset, const camcl_dataset_spec *spec, camcl_error *err);
    bool has_statistics; /* read sets published mean and std; false: they are computed from the training images */
} cc_dataset_kind;

/* The kinds that the catalogue lists, each defined by its reader's file. */
#define CC_DATASET_DECLARE(symbol, ...) extern const cc_dataset_kind cc_dataset_##symbol;
CC_DATASETS(CC_DATASET_DECLARE)

/* What is known of a data set before its files are read: name, height, width, channels and classes. NULL for a name that is unknown, or of
 * which only the files tell. Borrowed, static. */
const camcl_dataset_info *cc_dataset_known(const char *name);

#endif
