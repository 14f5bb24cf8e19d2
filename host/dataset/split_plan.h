/* What a split asks for, and how many images of each class that takes. */
#ifndef CC_DATASET_SPLIT_PLAN_H
#define CC_DATASET_SPLIT_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "camcl/dataset.h"

typedef enum cc_unlabeled_kind {
    CC_UNLABELED_AUTO, /* round(ratio * labeled) */
    CC_UNLABELED_ALL,  /* everything that is left */
    CC_UNLABELED_COUNT /* `unlabeled_count` */
} cc_unlabeled_kind;

#define CC_LABELED_ALL SIZE_MAX     /* every image with a label that is in no other pool */
#define CC_VALIDATION_AUTO SIZE_MAX /* the validation set that the data came with, else a tenth of the images with a label */

typedef struct cc_split_spec {
    size_t labeled;    /* > 0, or CC_LABELED_ALL */
    size_t validation; /* 0: none; or CC_VALIDATION_AUTO */
    cc_unlabeled_kind unlabeled;
    double ratio;
    size_t unlabeled_count;
    uint64_t seed;
    bool balanced;      /* the same number of each class, so numbers divide by the classes; false: each class by its share */
    bool reuse_labeled; /* labelled images are in the unlabelled pool as well */
} cc_split_spec;

/* The part CAMCL_TRAIN_IMAGES as a split sees it: images with a label, then `unlabeled` without, then `validation` of a validation set
 * that came with the data. Everything is borrowed. */
typedef struct cc_split_data {
    const int32_t *labels; /* [images], each 0..classes-1, or -1 without a label */
    size_t images, unlabeled, validation;
    size_t classes;
    const char *const *class_names; /* [classes] */
    const uint32_t *held_out;       /* sorted; those of the images with a label that are the test set */
    size_t held_out_count;
} cc_split_data;
cc_split_data cc_split_data_of(const camcl_dataset *dataset);

/* Images of each pool. */
typedef struct cc_split_counts {
    size_t labeled, unlabeled, validation, test;
} cc_split_counts;

/* What the spec asks of these data, without drawing. CAMCL_BAD_CONFIG, with the classes that are short and the nearest numbers that fit,
 * if the spec does not fit the data. */
camcl_status cc_split_count(const cc_split_data *data, const cc_split_spec *spec, cc_split_counts *out, camcl_error *err);

typedef struct cc_split_plan {
    size_t *have;                 /* [classes] images with a label that are not held out as the test set */
    size_t *labeled, *validation; /* [classes] of them; validation is 0 where the data's own validation set serves */
    cc_split_counts counts;
} cc_split_plan;

/* Fails as cc_split_count says. Free with cc_split_plan_free, also after a failure. */
camcl_status cc_split_plan_make(const cc_split_data *data, const cc_split_spec *spec, cc_split_plan *out, camcl_error *err);
void cc_split_plan_free(cc_split_plan *plan);

#endif
