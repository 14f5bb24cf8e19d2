/* Training: from a configuration to a run directory. */
#ifndef CAMCL_TRAINER_H
#define CAMCL_TRAINER_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "camcl/config.h"
#include "camcl/dataset.h"
#include "camcl/device.h"
#include "camcl/evaluation.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A figure of the objective's own: its column of metrics.csv, what people read, its mean over the steps since the last report. */
typedef struct camcl_figure {
    const char *column, *label;
    double value;
} camcl_figure;

/* Where training stands. Losses and rates are means over the steps since the last report; NaN: not available. Rates in percent.
 * Borrowed pointers are good until the callback returns. */
typedef struct camcl_progress {
    uint64_t step, steps, epoch, epochs; /* steps done of all, epoch from 1 */
    double seconds, eta;                 /* of this process, and until the end of training */
    double images_per_s;                 /* labelled + unlabelled */
    double lr, threshold;
    double loss, loss_s, loss_u, loss_c, mask_rate, pseudo_acc, train_top1;
    size_t figure_count; /* of the objective's own */
    const camcl_figure *figures;
} camcl_progress;

typedef struct camcl_train_options {
    bool resume; /* continue the run in output.dir, or start it if nothing was saved there yet */
    /* Once nonzero: finish the step, save, return CAMCL_STOPPED; while the data are read: return it at once, and leave things as they were.
     * May be NULL. */
    const volatile sig_atomic_t *stop;
    void *context;                                                   /* first argument of the callbacks, which may be NULL */
    void (*progress)(void *context, const camcl_progress *progress); /* about ten times a second at most */
    void (*message)(void *context, const char *line);                /* one line without a line end: what happened, warnings */
    camcl_kernel_compiler compiler;                                  /* see camcl_device_options */
    void (*loading)(void *context, const camcl_reading *reading);    /* while the data are read, about ten times a second at most */
} camcl_train_options;

typedef struct camcl_train_result {
    bool was_finished; /* the run was complete before: nothing was done, and the figures are those of its result.json */
    uint64_t best_epoch;
    double best_val_top1;  /* percent; NaN without validation images */
    camcl_evaluation test; /* nothing available without test images */
    double seconds;
} camcl_train_result;

/* Several threads may train at once, each with its own configuration and output.dir: a run opens a device of its own, and gives the bits
 * that it gives alone. Callbacks are called in the thread that called camcl_train. *stop may be set by a signal handler of the host.
 *
 * options NULL: no resumption, nothing reported, kernels compiled in this process.
 *
 * Trains as the (finished) configuration says, into output.dir, which must be set. After every failure, CAMCL_NOT_FINITE and
 * CAMCL_STOPPED included, the run directory holds the last saved state. At the end the weights with the best validation top-1 are
 * evaluated once on the test images. With `resume`, a directory that holds results but no state, or files of others, is CAMCL_EXISTS; a
 * state that is damaged, cannot be of this configuration or began with other data is CAMCL_BAD_DATA; both leave the directory as it was. */
camcl_status camcl_train(const camcl_config *config, const camcl_train_options *options, camcl_train_result *result, camcl_error *err);

#ifdef __cplusplus
}
#endif
#endif
