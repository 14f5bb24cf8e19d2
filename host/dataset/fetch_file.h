/* Fetching one published file, from one address after another. */
#ifndef CC_DATASET_FETCH_FILE_H
#define CC_DATASET_FETCH_FILE_H

#include "base/diag.h"
#include "camcl/fetch.h"
#include "dataset/published.h"

/* `wanted` is one of the files of `set`; `folder` is there, and ends in a slash. The errors are those of camcl_fetch. */
camcl_status cc_fetch_file(const camcl_fetch_spec *spec, const cc_published *set, const cc_published_file *wanted, const char *folder,
                           camcl_error *err);

#endif
