/* Stops a training at a message. */
#ifndef CC_TEST_STOPPER_H
#define CC_TEST_STOPPER_H

#include "camcl/stop.h"

typedef struct stopper {
    const char *at; /* the beginning of the message at which the run is to stop */
    camcl_stop *stop;
} stopper;

/* The caller destroys the stop. */
stopper stopper_at(const char *message);

/* For camcl_train_options.message; the context is a stopper. */
void stop_at_message(void *context, const char *line);

#endif
