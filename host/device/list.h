/* Enumeration of devices, shared by listing and opening. */
#ifndef CC_DEVICE_LIST_H
#define CC_DEVICE_LIST_H

#include <stdbool.h>

#include "device/opencl.h"

/* The number of work-items of a thread that kernels full of registers ask the compiler for (CC_SUB_GROUP in cl/sub_group.clh); 0: the
 * compiler decides. Only Intel's GPUs whose threads have 16 or 32 work-items get a number, 16: their compiler would take 32 and spill
 * registers. For older ones, with 8, 16 and 32, it takes what fits. */
size_t cc_device_find_sub_group(cl_device_id id);
/* As camcl_device_list, with the OpenCL handles beside it (ids may be NULL; the caller frees both arrays). */
camcl_status cc_device_enumerate(camcl_device_info **infos, cl_device_id **ids, size_t *count, camcl_error *err);
/* Replaces the registers in *info by what CAMCL_VECTOR says, for example "8x16". False if the text is something else. NULL or "": nothing.
 */
bool cc_device_override_registers(const char *text, camcl_device_info *info);
/* One line that says which device was picked and why. */
void cc_device_explain(const camcl_device_info *infos, size_t count, const char *selector, size_t index, char *text, size_t size);

#endif
