/* The exchange between devices that train together: it runs their tapes from one point of exchange to the next and brings together what
 * they found, first over the devices of this process in the order of its list, then over the processes in the order of their ranks. So the
 * same list gives the same bits. */
#ifndef CC_EXCHANGE_EXCHANGE_H
#define CC_EXCHANGE_EXCHANGE_H

#include <stdint.h>

#include "device/tape.h"
#include "exchange/world.h"
#include "objective/step.h"

typedef struct cc_exchange cc_exchange;

/* For `devices` of this process, at least 1, and the processes of a world (NULL: this one alone), which must outlive it. The caller owns
 * *out. */
camcl_status cc_exchange_create(size_t devices, cc_world *world, cc_exchange **out, camcl_error *err);
/* After the devices have done everything: they may still take from its memory. */
void cc_exchange_destroy(cc_exchange **exchange);
size_t cc_exchange_devices(const cc_exchange *exchange);
/* After a failure: the device of this process on which it happened; CC_NO_DEVICE where it was on none of them. */
#define CC_NO_DEVICE SIZE_MAX
size_t cc_exchange_culprit(const cc_exchange *exchange);

/* Devices that are all CPUs add up gradients in their memory. After this call they do as others, for tests; the bits are the same. */
void cc_exchange_copy_always(cc_exchange *exchange);

/* What each device exchanged since the last call: points at which the devices waited for one another, sums that did not have to be there
 * before the end of the tapes, so that they could go on beside their work, and the bytes of both together. */
typedef struct cc_exchange_figures {
    size_t blocking, overlapped, bytes;
} cc_exchange_figures;
cc_exchange_figures cc_exchange_take_figures(cc_exchange *exchange);

/* Runs one tape per device [devices], which were recorded with the same points of exchange on all devices of all processes. After a failure
 * the content of their buffers is undefined. */
camcl_status cc_exchange_run(cc_exchange *exchange, cc_tape *const *tapes, camcl_error *err);
/* One training step on all devices: steps [devices], each with its part of the batch as spec.own; input of the whole batch. Without an
 * exchange (NULL) the one device is alone. Waits inside the step, except where the device is alone. *sums as in cc_step_run, read from the
 * first device. */
camcl_status cc_exchange_step(cc_exchange *exchange, cc_step *const *steps, const cc_step_input *input, cc_readback **sums,
                              camcl_error *err);

#endif
