/* Training: whole runs that leave a run directory, and step by step. */
#ifndef CAMCL_TRAINER_H
#define CAMCL_TRAINER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "camcl/config.h"
#include "camcl/dataset.h"
#include "camcl/device.h"
#include "camcl/evaluation.h"
#include "camcl/model.h"
#include "camcl/stop.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A figure of the objective's own: its column of metrics.csv, what people read, its mean over the steps since the last evaluation. */
typedef struct camcl_figure {
    const char *column, *label;
    double value;
} camcl_figure;

/* Where training stands. Losses and rates are means over the steps since the last evaluation; NaN: not available. Rates in percent.
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

/* An evaluation of the validation images in the course of a run. Borrowed pointers are good until the callback returns. */
typedef struct camcl_evaluated {
    const camcl_progress *training;     /* where training stands; losses and rates are means since the evaluation before */
    const camcl_evaluation *validation; /* every metric; nothing available without validation images */
    bool best;                          /* these weights are the best so far, and are kept as such */
} camcl_evaluated;

/* ---- whole runs */

typedef struct camcl_train_options {
    size_t size; /* set by camcl_train_options_init */
    bool resume; /* continue the run in output.dir, or start it if nothing was saved there yet */
    /* Once requested: finish the step, save, return CAMCL_STOPPED; while the data are read: return it at once, and leave things as they
     * were. May be NULL. */
    const camcl_stop *stop;
    void *context;                                                   /* first argument of the callbacks, which may be NULL */
    void (*progress)(void *context, const camcl_progress *progress); /* about ten times a second at most */
    void (*message)(void *context, const char *line);                /* one line without a line end: what happened, warnings */
    camcl_kernel_compiler compiler;                                  /* see camcl_device_options */
    void (*loading)(void *context, const camcl_reading *reading);    /* while the data are read, about ten times a second at most */
    /* After each evaluation, before its state is saved. True: go on; false: save and return CAMCL_STOPPED, as if a stop were requested.
     * After the last one, a run ends as it does anyway. */
    bool (*evaluated)(void *context, const camcl_evaluated *evaluation);
    const camcl_dataset *dataset; /* to train on, borrowed; NULL: the one that the configuration names is read. See camcl_trainer_create */
} camcl_train_options;
/* Sets size, and everything else to zero: no resumption, nothing reported, kernels compiled in this process. */
static inline void camcl_train_options_init(camcl_train_options *options)
{
    memset(options, 0, sizeof *options);
    options->size = sizeof *options;
}

typedef struct camcl_train_result {
    bool was_finished; /* the run was complete before: nothing was done, and the figures are those of its result.json */
    uint64_t best_epoch;
    double best_val_top1;  /* percent; NaN without validation images */
    camcl_evaluation test; /* nothing available without test images */
    double seconds;
    /* Of the processes that trained together. Only rank 0 has figures and files, and calls back. silent: another process tells people what
     * this one knows, its error too. */
    size_t rank, ranks;
    bool silent;
} camcl_train_result;

/* Several threads may train at once, each with its own configuration and output.dir: a run opens a device of its own, and gives the bits
 * that it gives alone. Callbacks are called in the thread that called camcl_train.
 *
 * options NULL: the defaults of camcl_train_options_init.
 *
 * Trains as the (finished) configuration says, into output.dir, which must be set. After every failure, CAMCL_NOT_FINITE and
 * CAMCL_STOPPED included, the run directory holds the last saved state. At the end the weights with the best validation top-1 are
 * evaluated once on the test images. With `resume`, a directory that holds results but no state, or files of others, is CAMCL_EXISTS; a
 * state that is damaged, cannot be of this configuration or began with other data is CAMCL_BAD_DATA; both leave the directory as it was.
 *
 * In a process that a launcher such as mpirun has started, as its environment says, all the launcher's processes train one model together,
 * and each must call this function. It then starts MPI, unless the program has (MPI_THREAD_FUNNELED: all calls in one thread), and sets
 * OMPI_MCA_btl_tcp_flags while it does so, unless it is set. MPI stays initialised; a function registered with atexit finalises it, or
 * aborts all processes if the training failed while others were lost. Without MPI in this library: CAMCL_UNSUPPORTED. */
camcl_status camcl_train(const camcl_config *config, const camcl_train_options *options, camcl_train_result *result, camcl_error *err);

/* How many processes the launcher of MPI programs, mpirun for example, has started beside and with this one, by its environment; *rank:
 * which one this is. 1 and rank 0 where there was no launcher, or where it does not say. rank may be NULL. */
size_t camcl_launched(size_t *rank);

/* ---- step by step */

/* A trainer uses its device: one thread at a time, as for models. Trainers on devices of their own, and several on one device by turns,
 * leave each other alone. Only the stop in its options may be requested from another thread meanwhile. Callbacks are called in the thread
 * that called the trainer; they must not use it, or its device.
 *
 * A training that the program drives: it writes no files but those that it is told to write. */
typedef struct camcl_trainer camcl_trainer;

typedef struct camcl_trainer_options {
    size_t size;                                                     /* set by camcl_trainer_options_init */
    const camcl_stop *stop;                                          /* see camcl_trainer_step; may be NULL */
    void *context;                                                   /* first argument of the callbacks, which may be NULL */
    void (*progress)(void *context, const camcl_progress *progress); /* while steps run, about ten times a second at most */
    void (*message)(void *context, const char *line);                /* one line without a line end: what happened, warnings */
} camcl_trainer_options;
/* Sets size, and everything else to zero: nothing is reported. */
static inline void camcl_trainer_options_init(camcl_trainer_options *options)
{
    memset(options, 0, sizeof *options);
    options->size = sizeof *options;
}

/* Prepares a training of the data set as the configuration says, except for its sections [device] and [output]: splits the data, compiles
 * kernels, draws initial weights (or reads model.init). device and dataset are borrowed and must outlive the trainer; the configuration is
 * copied. data.dataset of the configuration must be the data set's name, or not be set: then it takes the data set's name, and with it the
 * defaults that go with it. options NULL: nothing is reported. CAMCL_BAD_CONFIG if the configuration does not fit the data. The caller
 * owns *out; it is NULL after an error. */
camcl_status camcl_trainer_create(camcl_device *device, const camcl_dataset *dataset, const camcl_config *config,
                                  const camcl_trainer_options *options, camcl_trainer **out, camcl_error *err);
/* The same from a file of camcl_trainer_save: training goes on as if it had not been interrupted, bit for bit on the same device, driver
 * and version. config NULL: the one in the file; else one with which camcl_config_check_resume lets it go on. CAMCL_BAD_DATA for a file
 * that is damaged, or was saved with other data. */
camcl_status camcl_trainer_load(const char *path, camcl_device *device, const camcl_dataset *dataset, const camcl_config *config,
                                const camcl_trainer_options *options, camcl_trainer **out, camcl_error *err);
/* NULL, or a pointer to NULL, is fine. */
void camcl_trainer_destroy(camcl_trainer **trainer);

/* Where training stands since the last call of camcl_trainer_step, or since the trainer was made. Losses and rates are means over the steps
 * since the last evaluation of CAMCL_SPLIT_VALIDATION before that call. Borrowed until the next call with this trainer. NULL of NULL. */
const camcl_progress *camcl_trainer_get_progress(const camcl_trainer *trainer);

/* Does `count` training steps, and waits for them; fewer where the training (train.epochs) ends before, none when it has ended. Many at a
 * time are faster than one by one. While a stop is requested, it returns CAMCL_STOPPED after the step in progress, and does one step per
 * call at most; what was done is done, so the trainer can be saved then, or go on. At the end of the training it returns CAMCL_OK all the
 * same. CAMCL_NOT_FINITE if a loss is not finite: nothing can be learnt any more, and what was saved before is still good. */
camcl_status camcl_trainer_step(camcl_trainer *trainer, uint64_t count, camcl_error *err);

/* Evaluates the weights as they are (their average, with optim.ema) on a split, all metrics. Without images in it, nothing is available and
 * n is 0. CAMCL_SPLIT_VALIDATION also keeps the weights if their top-1 is higher than that of all evaluations before (without validation
 * images: always), for CAMCL_BEST_WEIGHTS. It changes nothing of what training does next. */
camcl_status camcl_trainer_evaluate(camcl_trainer *trainer, camcl_split split, camcl_evaluation *out, camcl_error *err);

/* Writes everything that camcl_trainer_load needs into one file, whole or not at all. */
camcl_status camcl_trainer_save(camcl_trainer *trainer, const char *path, camcl_error *err);

/* Weights of a training. */
typedef enum camcl_weights {
    CAMCL_BEST_WEIGHTS, /* of the best evaluation of CAMCL_SPLIT_VALIDATION; CAMCL_BAD_CONFIG where there was none */
    CAMCL_LAST_WEIGHTS  /* as they are (their average, with optim.ema) */
} camcl_weights;
/* Writes a checkpoint, which camcl_model_open and PyTorch read, whole or not at all. */
camcl_status camcl_trainer_write_model(camcl_trainer *trainer, camcl_weights weights, const char *path, camcl_error *err);
/* A model of these weights on the trainer's device, without a file: a copy, so that training can go on. The device must outlive it, the
 * trainer need not. The caller owns *out. */
camcl_status camcl_trainer_open_model(camcl_trainer *trainer, camcl_weights weights, camcl_model **out, camcl_error *err);

#ifdef __cplusplus
}
#endif
#endif
