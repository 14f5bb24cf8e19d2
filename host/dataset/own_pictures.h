/* What `folder` and `list` do once they have found their pictures. */
#ifndef CC_DATASET_OWN_PICTURES_H
#define CC_DATASET_OWN_PICTURES_H

#include "dataset/picture_set.h"

/* Whether it is UTF-8: names of classes travel in checkpoints and in JSON, where two that are not could become the same. */
bool cc_is_class_name(const char *name);
/* Sets the classes of the data set: at least two, with names that are UTF-8. `where` names what they were found in. */
camcl_status cc_own_classes(camcl_dataset *dataset, const char *where, const char *const *names, size_t count, camcl_error *err);

/* Puts the set in order and reads it, sees to it that a given test or validation set has pictures left, and draws a test set from the
 * labelled pictures where none was given. */
camcl_status cc_own_pictures_read(camcl_dataset *dataset, const camcl_dataset_spec *spec, cc_picture_set *set, camcl_error *err);

#endif
