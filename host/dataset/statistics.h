/* Mean and standard deviation of the training images. */
#ifndef CC_DATASET_STATISTICS_H
#define CC_DATASET_STATISTICS_H

#include "dataset/dataset.h"

/* Sets info.mean and info.std from the images of the training part, labelled or not, but for those that a validation or test set took. */
void cc_dataset_take_statistics(camcl_dataset *dataset);

#endif
