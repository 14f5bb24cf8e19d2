/* The pictures of a data set, found and labelled but not read: what `folder` and `list` find, and what reading them takes. */
#ifndef CC_DATASET_PICTURE_SET_H
#define CC_DATASET_PICTURE_SET_H

#include "dataset/dataset.h"
#include "dataset/left_out.h"

/* In the order in which the training part has them; the test part has CC_POOL_TEST only. */
typedef enum cc_picture_pool { CC_POOL_LABELED, CC_POOL_UNLABELED, CC_POOL_VALIDATION, CC_POOL_TEST } cc_picture_pool;

typedef struct cc_picture {
    char *path;           /* to open; owned by the set */
    const char *relative; /* to the data set's folder (the whole path where it lies elsewhere): the end of `path` */
    size_t line;          /* of the list that names it, the first being 1; 0: it was found in a folder */
    int32_t label;        /* -1: none */
    cc_picture_pool pool;
} cc_picture;

/* The pictures of one part, in its final order: by pool; within a pool as they were found. */
typedef struct cc_picture_part {
    cc_picture *pictures;
    size_t count, capacity;
} cc_picture_part;

typedef struct cc_picture_set {
    cc_picture_part parts[2]; /* indexed by camcl_dataset_part */
    const char *list;         /* the file that `line` counts in, or NULL; borrowed from the spec */
    cc_left_out left_out;
} cc_picture_set;

#define CC_PICTURE_SET_INIT                                                                                                                \
    {                                                                                                                                      \
        { { NULL, 0, 0 }, { NULL, 0, 0 } }, NULL, { NULL, 0, 0 }                                                                           \
    }

/* Appends a picture and takes over its path, also when it fails. */
camcl_status cc_picture_set_add(cc_picture_set *set, camcl_dataset_part part, cc_picture picture, camcl_error *err);
/* Puts the pools of the training part in their order; within a pool nothing moves. */
camcl_status cc_picture_set_order(cc_picture_set *set, camcl_error *err);
void cc_picture_set_free(cc_picture_set *set);

/* Puts "LIST:LINE: " in front of the message where a list named the picture. */
void cc_picture_context(const cc_picture_set *set, const cc_picture *picture, camcl_error *err);

/* Reads every picture into the data set, whose name and classes are set. It sets size, pixels, labels, and the numbers of images (all but
 * held_out_count) in info. With spec->skip_corrupt, pictures that cannot be read are dropped from the set, and counted in set->left_out as
 * "cannot be read"; the numbers are those of what is left. It draws nothing at random and takes no statistics. The data set takes over what
 * it keeps of the set (paths and what was left out); the caller frees the set in any case. */
camcl_status cc_load_pictures(camcl_dataset *dataset, const camcl_dataset_spec *spec, cc_picture_set *set, camcl_error *err);

#endif
