/* Reading the pictures of a data set, in its steps. */
#ifndef CC_DATASET_LOADING_H
#define CC_DATASET_LOADING_H

#include <stdatomic.h>

#include "dataset/picture_set.h"
#include "dataset/pixel_store.h"
#include "dataset/summary.h"

enum { CC_PICTURE_CHANNELS = 3 }; /* RGB */

/* One picture, and what became of it. */
typedef struct cc_loading_picture {
    const cc_picture *picture;
    uint64_t bytes;               /* of the file */
    int64_t seconds, nanoseconds; /* when it was modified */
    camcl_image_about about;      /* format NULL: not known */
    camcl_status status;          /* whether it can be read, as far as is known */
    char *reason;                 /* why it cannot (NULL: there was no memory to note it) */
} cc_loading_picture;

typedef struct cc_loading {
    camcl_dataset *dataset;
    const camcl_dataset_spec *spec;
    cc_picture_set *set;
    cc_loading_picture *pictures; /* of both parts, the training part first */
    size_t count;
    uint32_t width, height; /* of the images that the pictures become */
    cc_pixel_store *store;
    atomic_bool store_failed; /* the disk is full, or fails */
    cc_format_counts formats; /* of the pictures that can be read */
    char *reason;             /* why the first dropped picture cannot be read */
    /* The step in progress: */
    const char *what;
    double start;
    bool stopped;
} cc_loading;

/* Runs a step for each picture on all processors, while it reports progress and looks whether to stop: CAMCL_STOPPED. */
camcl_status cc_loading_run(cc_loading *loading, const char *what, void (*step)(void *loading, size_t index), camcl_error *err);
/* Points `pictures` at the set's pictures, which moved. */
void cc_loading_link(cc_loading *loading);
/* Bytes of an image. */
size_t cc_loading_image_bytes(const cc_loading *loading);
/* Notes that a picture cannot be read, and why. */
void cc_loading_fail(cc_loading *loading, size_t index, camcl_error *why);

/* Looks up the files' sizes and times, and makes the key of their pixels. */
camcl_status cc_loading_identify(cc_loading *loading, cc_pixel_key *key, camcl_error *err);
/* Reads the headers, and settles the images' size. */
camcl_status cc_loading_probe(cc_loading *loading, camcl_error *err);

/* Whether the pictures that can be read are enough: refuses any that cannot (CAMCL_BAD_DATA) or, with skip_corrupt, a class that loses all
 * its labelled pictures. */
camcl_status cc_loading_judge(const cc_loading *loading, camcl_error *err);
/* Moves the pixels of pictures that can be read together. False: the store failed. */
bool cc_loading_close_gaps(cc_loading *loading);
/* Drops the pictures that cannot be read from the loading and from the set, and counts them as left out. */
camcl_status cc_loading_drop(cc_loading *loading, camcl_error *err);

/* What is kept beside the pixels: size, formats, and which pictures could not be read. They serve starts that leave those out, and all
 * where there are none. */
void cc_loading_write_notes(const cc_loading *loading, cc_text *out);
/* Takes them over from a found store. False: they do not fit the pictures. */
bool cc_loading_read_notes(cc_loading *loading, const cc_pixel_store *store);

#endif
