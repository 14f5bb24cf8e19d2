/* Sums over devices whose memory is the host's: made where the devices have them, by the host's threads, without copies. */
#ifndef CC_EXCHANGE_IN_PLACE_H
#define CC_EXCHANGE_IN_PLACE_H

#include "device/tape.h"

/* Adds up the floats at points [devices] in the order of the devices and leaves their sums at all of them. Waits for the devices. On a
 * failure *culprit is the device on which it happened. */
camcl_status cc_add_in_place(const cc_exchange_point *const *points, size_t devices, size_t *culprit, camcl_error *err);

#endif
