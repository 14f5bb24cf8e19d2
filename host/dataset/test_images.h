/* Where a data set's test images are: in a part of their own, or held out of the training images. */
#ifndef CC_DATASET_TEST_IMAGES_H
#define CC_DATASET_TEST_IMAGES_H

#include "base/diag.h"
#include "camcl/dataset.h"

/* The test set: images `indices` of a part, or, where indices is NULL, its first `count`, which are all. Borrowed from the data set. */
typedef struct cc_test_images {
    camcl_dataset_part part;
    const uint32_t *indices;
    size_t count;
} cc_test_images;
cc_test_images cc_dataset_test_images(const camcl_dataset *dataset);
/* Which image of its part image i of the test set is. */
uint32_t cc_test_image_at(const cc_test_images *test, size_t i);

/* Chooses `count` images of the test set, the first of each class, then the second of each, and so on: out [count], sorted positions in the
 * test set. count is at most that of the test set. */
camcl_status cc_test_images_spread(const cc_test_images *test, const int32_t *labels, size_t classes, size_t count, uint32_t *out,
                                   camcl_error *err);

#endif
