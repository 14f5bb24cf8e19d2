/* Python pickles that hold plain data: the dictionaries, lists, numbers, texts and numpy arrays of whole numbers that the Python versions
 * of published data sets are made of, written by Python 2 or 3 (protocols 2 to 5) and numpy 1 or 2. Nothing is ever run: a pickle may name
 * the few functions that numpy's arrays need, which this reader does itself, and every other name is refused. */
#ifndef CC_DATASET_PICKLE_H
#define CC_DATASET_PICKLE_H

#include "dataset/pickle_value.h"

/* Reads a whole pickle. `path` is for messages. The result points into data, which must outlive it. CAMCL_BAD_DATA: truncated, malformed,
 * or anything but plain data. The caller owns *out. */
camcl_status cc_pickle_read(const char *path, const void *data, size_t size, cc_pickle **out, camcl_error *err);
void cc_pickle_free(cc_pickle **pickle);

/* The object that was pickled. Borrowed. */
const cc_pickle_value *cc_pickle_root(const cc_pickle *pickle);

#endif
