/* What a run remembers of its data. */
#ifndef CC_DATASET_FINGERPRINT_H
#define CC_DATASET_FINGERPRINT_H

#include "dataset/dataset.h"

/* See camcl_fingerprint. The data set is complete but for its fingerprint. */
camcl_status cc_fingerprint_take(const camcl_dataset *dataset, camcl_fingerprint *out, camcl_error *err);

#endif
