/* Which training images are labelled, unlabelled and held out. */
#ifndef CC_DATASET_SPLIT_H
#define CC_DATASET_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/text.h"

typedef enum cc_unlabeled_kind {
    CC_UNLABELED_AUTO, /* round(ratio * labeled) */
    CC_UNLABELED_ALL,  /* everything that is left */
    CC_UNLABELED_COUNT /* `unlabeled_count` */
} cc_unlabeled_kind;

#define CC_LABELED_ALL SIZE_MAX     /* every image with a label that is in no other pool */
#define CC_VALIDATION_AUTO SIZE_MAX /* the validation set that the data came with, else a tenth of the images with a label */

typedef struct cc_split_spec {
    size_t labeled;    /* > 0, divides by the classes */
    size_t validation; /* divides by the classes; 0: none */
    cc_unlabeled_kind unlabeled;
    double ratio;
    size_t unlabeled_count;
    uint64_t seed;
    bool balanced;      /* the same number of each class; false: each class by its share */
    bool reuse_labeled; /* labelled images are in the unlabelled pool as well */
} cc_split_spec;

/* Three disjoint pools of indices in the official training order, each sorted. */
typedef struct cc_split {
    uint32_t *labeled, *unlabeled, *validation;
    size_t labeled_count, unlabeled_count, validation_count;
} cc_split;

/* Images of each pool. */
typedef struct cc_split_counts {
    size_t labeled, unlabeled, validation;
} cc_split_counts;

/* What the spec asks of these data, without drawing: labels [n], each 0..classes-1. CAMCL_BAD_CONFIG, with the nearest valid numbers, if
 * the spec does not fit the data. */
camcl_status cc_split_count(const int32_t *labels, size_t n, size_t classes, const cc_split_spec *spec, cc_split_counts *out,
                            camcl_error *err);

/* Draws the pools. labels: [n], each 0..classes-1. Labelled and validation images are balanced over classes. Unlabelled images are drawn
 * from the rest, and the draw does not use their labels. With the same seed and `validation`, a smaller labelled pool is part of a
 * larger one. Fails where cc_split_count does. The previous content of *out is
 * overwritten; free it with cc_split_free. */
camcl_status cc_split_make(const int32_t *labels, size_t n, size_t classes, const cc_split_spec *spec, cc_split *out, camcl_error *err);
void cc_split_free(cc_split *split);

/* Writes {"labeled": [...], "unlabeled": [...], "validation": [...]} and a newline. */
void cc_split_write(const cc_split *split, cc_text *out);
/* Reads that text. `file` names it in messages. CAMCL_BAD_DATA unless the pools are there, sorted, disjoint and below n. */
camcl_status cc_split_read(const char *file, const char *json, size_t length, size_t n, cc_split *out, camcl_error *err);

/* Writes "labelled 500 (50 per class), unlabelled 500, validation 5000, test 10000". */
void cc_split_describe(const cc_split *split, size_t classes, size_t test_count, cc_text *out);

#endif
