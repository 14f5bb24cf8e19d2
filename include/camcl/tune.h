/* Tuning: timing the kernels that a network can use on a device. The winners are kept in the device's cache folder per device, driver
 * and version, and every device opened with tune = cache or full uses them. */
#ifndef CAMCL_TUNE_H
#define CAMCL_TUNE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "camcl/config.h"
#include "camcl/dataset.h"
#include "camcl/device.h"
#include "camcl/stop.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One thing that was timed: a convolution's shape and direction, a linear layer, or parameters of CLBlast. */
typedef struct camcl_tune_progress {
    size_t done, total;           /* including this one */
    double seconds, eta;          /* since the start, and until the end by the operations that are left */
    const char *key;              /* "conv2d forward n32 h32 ..." */
    const char *winner, *builtin; /* names of variants: the fastest, and what the built-in table takes */
    double winner_ms, builtin_ms; /* NaN where it was not timed: of winner, where every timed variant computes wrong */
    const char *wrong; /* names, with commas, of variants that compute something else than the others on this device: its compiler
                          gets them wrong, and they are not used. "": none */
} camcl_tune_progress;

typedef struct camcl_tune_options {
    size_t size;            /* set by camcl_tune_options_init */
    bool again;             /* also time what has stored timings */
    const camcl_stop *stop; /* once requested: return CAMCL_STOPPED soon; what was timed is kept; may be NULL */
    void *context;
    void (*progress)(void *context, const camcl_tune_progress *progress); /* after each; may be NULL */
    const camcl_dataset *dataset; /* that will be trained on, borrowed; NULL: the one that the configuration names */
} camcl_tune_options;
/* Sets size, and everything else to zero: the defaults. */
static inline void camcl_tune_options_init(camcl_tune_options *options)
{
    memset(options, 0, sizeof *options);
    options->size = sizeof *options;
}

typedef struct camcl_tune_result {
    size_t total, known, timed; /* problems of the configuration; of those, the ones with stored timings; the ones timed now */
    double seconds;
} camcl_tune_result;

/* Uses the device: one thread at a time. Callbacks are called in that thread. options NULL: time what is not known, report nothing.
 *
 * Times the kernels that training (every ssl.mode with the configuration's options), evaluation and CAMs of this configuration can use,
 * among those that the device's conv policy allows. Of one's own pictures the data set says how large they are, and how many classes and
 * channels there are: options->dataset, or else the one that the configuration names, which is read. result is filled on CAMCL_STOPPED too.
 */
camcl_status camcl_tune(camcl_device *device, const camcl_config *config, const camcl_tune_options *options, camcl_tune_result *result,
                        camcl_error *err);

#ifdef __cplusplus
}
#endif
#endif
