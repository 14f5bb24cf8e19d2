/* Enumeration shared by listing and opening. */
#ifndef CC_DEVICE_LIST_H
#define CC_DEVICE_LIST_H

#include "device/opencl.h"

/* As camcl_device_list, with the OpenCL handles beside it (ids may be NULL; the caller frees both arrays). */
camcl_status cc_device_enumerate(camcl_device_info **infos, cl_device_id **ids, size_t *count, camcl_error *err);
/* One line on what was picked and why. */
void cc_device_explain(const camcl_device_info *infos, size_t count, const char *selector, size_t index, char *text, size_t size);

#endif
