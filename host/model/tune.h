/* The timed choice: which variant of a convolution is fastest on this device. */
#ifndef CC_MODEL_TUNE_H
#define CC_MODEL_TUNE_H

#include "ops/ops.h"

/* What timings of this convolution are stored under: its key, except that batches beyond 128 images share one timing. */
void cc_tune_key(const cc_conv2d_desc *desc, cc_direction direction, char *text, size_t size);
/* Whether every variant worth timing (device.conv allows it, the device and shape support it; "general" only where there is no other) has
 * a stored timing. */
bool cc_tune_knows(const camcl_device *device, cc_direction direction, const cc_conv2d_desc *desc);
/* Then the fastest of them; NULL where one is not known, or all failed. */
const cc_variant *cc_tune_find(const camcl_device *device, cc_direction direction, const cc_conv2d_desc *desc);
/* Times those variants, on random numbers, and adds the results to the device's timings all at once. Variants that are hopeless with few
 * images are not run with all of them. A variant that fails counts as never ending. CAMCL_STOPPED when the device's stop flag asks for it. */
camcl_status cc_tune_conv2d(camcl_device *device, cc_direction direction, const cc_conv2d_desc *desc, camcl_error *err);

#endif
