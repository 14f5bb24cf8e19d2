/* Pictures that a CSV file names. */
#include "dataset/dataset.h"

static camcl_status read_list(camcl_dataset *dataset, const camcl_dataset_spec *spec, camcl_error *err)
{
    (void)dataset;
    return cc_fail(err, CAMCL_UNSUPPORTED, "data set list: %s: lists are not in this version (set data.dataset = folder)", spec->root);
}

const cc_dataset_kind cc_dataset_list = { .read = read_list };
