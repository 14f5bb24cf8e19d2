/* Classes of a model and of a data set, matched by name. */
#ifndef CC_INFER_CLASSES_H
#define CC_INFER_CLASSES_H

#include <stddef.h>
#include <stdint.h>

#include "camcl/status.h"

typedef struct cc_classes {
    const char *const *names; /* [count], in the order of the labels */
    size_t count;
} cc_classes;

/* The data set's class c is the model's class map[c], map [data->count]. Both must have the same names, in any order; else CAMCL_BAD_DATA
 * with both lists in the detail. `what` names the data set in the message. */
camcl_status cc_classes_match(const cc_classes *data, const cc_classes *model, const char *what, int32_t *map, camcl_error *err);

#endif
