/* Selectors that name several devices, "0:0, 1:0", or a part of one, "0:0/0/2": the first of two equal parts. */
#ifndef CC_DEVICE_PART_H
#define CC_DEVICE_PART_H

#include "device/opencl.h"

enum { CC_SELECTOR_SIZE = 256 };

/* The device of this index, below cc_list_count, without spaces around it. An item that is empty or one of CC_SELECTOR_SIZE characters or
 * more is CAMCL_BAD_CONFIG. */
camcl_status cc_selector_at(const char *list, size_t index, char out[CC_SELECTOR_SIZE], camcl_error *err);

/* The I and N of "P:D/I/N"; false, and 0 of 1, for other selectors. device: what is left, "P:D", or the whole text. */
bool cc_selector_part(const char *selector, char device[CC_SELECTOR_SIZE], unsigned *part, unsigned *parts);
/* Whether two selectors of the form "P:D" or "P:D/I/N" name processors in common. */
bool cc_selectors_overlap(const char *a, const char *b);

/* The part of a device as a device of its own, which the caller releases; info: the whole one's, which becomes the part's. CAMCL_NO_DEVICE
 * where there is no such part or the driver cannot divide the device. */
camcl_status cc_device_divide(cl_device_id whole, unsigned part, unsigned parts, camcl_device_info *info, cl_device_id *out,
                              camcl_error *err);

#endif
