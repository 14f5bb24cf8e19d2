/* How a batch is divided among devices that train together. */
#ifndef CC_RUN_PARTS_H
#define CC_RUN_PARTS_H

#include "base/diag.h"
#include "objective/inputs.h"

/* parts [count]: of `labeled` and `unlabeled` images (0: there are none) in proportion to shares [count], at least one each.
 * CAMCL_BAD_CONFIG where there are fewer images than devices. */
camcl_status cc_parts_divide(size_t labeled, size_t unlabeled, const double *shares, size_t count, cc_part *parts, camcl_error *err);

/* The share of a device that took `seconds` for so many images: images a second. */
double cc_parts_share(size_t images, double seconds);

#endif
