/* Saying what is missing of a data set, and what is there in its place. */
#ifndef CC_DATASET_SOURCE_MISSING_H
#define CC_DATASET_SOURCE_MISSING_H

#include "dataset/source_search.h"

/* CAMCL_BAD_DATA if the file is what a download or a checkout that went wrong leaves under the right name. */
camcl_status cc_source_check_mishap(const cc_source *source, const char *path, const void *data, size_t size, camcl_error *err);
/* CAMCL_BAD_DATA: what is missing, and what is there instead. `match` is the best one that was found, in `place`. */
camcl_status cc_source_missing(const cc_source *source, const cc_place *place, const cc_source_match *match, camcl_error *err);
/* CAMCL_BAD_DATA or the error so far: root is a file that cannot be read as an archive. */
camcl_status cc_source_no_archive(const cc_source *source, const char *root, camcl_status status, camcl_error *err);

#endif
