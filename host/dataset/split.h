/* Which training images are labelled, unlabelled and held out for validation, and which images are the test set. */
#ifndef CC_DATASET_SPLIT_H
#define CC_DATASET_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "dataset/split_plan.h"

/* Pools of indices into the training images, each sorted. No image is in two pools, unless labelled images are reused: then each of them
 * is in the unlabelled pool as well. */
typedef struct cc_split {
    uint32_t *labeled, *unlabeled, *validation;
    uint32_t *test; /* NULL where the test set is a part of its own, or there is none */
    size_t labeled_count, unlabeled_count, validation_count, test_count;
} cc_split;

/* Draws the pools. The unlabelled pool is drawn from everything that is in no other pool, without regard to labels. Where labelled images
 * are reused, they are in it besides, and make up for what is missing; ALL is both. With the same seed and `validation`, a smaller labelled
 * pool is part of a larger one; by share, rounding may cost a class one image of it. Fails where cc_split_count does. The previous content
 * of *out is overwritten; free it with cc_split_free. */
camcl_status cc_split_make(const cc_split_data *data, const cc_split_spec *spec, cc_split *out, camcl_error *err);
/* Makes the data's held-out images the test pool of a split that was kept without one. */
camcl_status cc_split_set_test(cc_split *split, const cc_split_data *data, camcl_error *err);
void cc_split_free(cc_split *split);

/* Writes {"labeled": [...], "unlabeled": [...], "validation": [...]}, with "test" behind them where it is held out, and a newline. */
void cc_split_write(const cc_split *split, cc_text *out);
/* Reads that text. `file` names it in messages. CAMCL_BAD_DATA unless the pools are there, sorted, below n and disjoint; with `reuse`, a
 * labelled image may be in the unlabelled pool as well. */
camcl_status cc_split_read(const char *file, const char *json, size_t length, size_t n, bool reuse, cc_split *out, camcl_error *err);

/* Writes "labelled 500 (50 per class), unlabelled 500, validation 5000, test 10000", or "(9 to 20 per class)". test_count: images of the
 * test set, wherever it lies. */
void cc_split_describe(const cc_split *split, const cc_split_data *data, size_t test_count, cc_text *out);

/* Writes the names of classes of which none of these images (indices NULL: 0..count-1) is, "cat, dog", after ten "and 3 more"; nothing
 * where every class has one. */
camcl_status cc_missing_classes(const int32_t *labels, const uint32_t *indices, size_t count, size_t classes,
                                const char *const *class_names, cc_text *out, camcl_error *err);

#endif
