/* Sharing a number of images out among classes. */
#ifndef CC_DATASET_APPORTION_H
#define CC_DATASET_APPORTION_H

#include <stddef.h>

/* Shares `total` out by weights [n], rounded by largest remainder (of equal ones, the first), each share at least its `least` and at most
 * its `most`. The sums of least and most must allow it. */
void cc_apportion(size_t total, const size_t *weights, const size_t *least, const size_t *most, size_t n, size_t *shares);

#endif
