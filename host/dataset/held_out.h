/* A test set for data that came without one: a share of the labelled images. */
#ifndef CC_DATASET_HELD_OUT_H
#define CC_DATASET_HELD_OUT_H

#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"

/* Draws round(share * n) of n images: of each class its share, rounded by largest remainder; then at least one of each class that has two,
 * and never the last one of a class. The draw of a class depends on the seed, the class and its number of images only. labels [n], each
 * 0..classes-1; share 0..1, and 0 draws nothing. *out: sorted indices, the caller's to free (NULL where nothing is drawn), *count of them.
 */
camcl_status cc_held_out_draw(const int32_t *labels, size_t n, size_t classes, double share, uint64_t seed, uint32_t **out, size_t *count,
                              camcl_error *err);

#endif
