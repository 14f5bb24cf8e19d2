#include "data/dataset.h"
camcl_status cc_folder_read(camcl_dataset *dataset, const camcl_dataset_spec *spec, camcl_error *err)
{ (void)dataset; (void)spec; return cc_fail(err, CAMCL_UNSUPPORTED, "x"); }
