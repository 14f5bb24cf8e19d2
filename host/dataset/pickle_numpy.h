/* The functions that a pickle of numpy arrays names, and the states that it gives to what they make. */
#ifndef CC_DATASET_PICKLE_NUMPY_H
#define CC_DATASET_PICKLE_NUMPY_H

#include "dataset/pickle_value.h"

/* The function or class of a module, refused with CAMCL_BAD_DATA unless it is one of cc_pickle_name. */
camcl_status cc_pickle_resolve(cc_pickle *pickle, const char *module, size_t module_length, const char *name, size_t length, uint32_t *out);
/* What the named function makes of its arguments (a tuple). */
camcl_status cc_pickle_call(cc_pickle *pickle, uint32_t function, uint32_t arguments, uint32_t *out);
/* Gives an array or a dtype its state (a tuple). */
camcl_status cc_pickle_set_state(cc_pickle *pickle, uint32_t object, uint32_t state);

#endif
