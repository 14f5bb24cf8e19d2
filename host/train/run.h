/* One training in progress: setup opens it, the loop uses it, finishing writes its results. A run of camcl_train has a run directory; a
 * trainer that a program drives step by step has none, and nothing that writes into one is called for it. */
#ifndef CC_TRAIN_RUN_H
#define CC_TRAIN_RUN_H

#include "camcl/trainer.h"
#include "feed/sampler.h"
#include "dataset/split.h"
#include "run/checkpoint.h"
#include "infer/session_cache.h"
#include "run/event_file.h"
#include "run/metrics.h"
#include "run/pseudo_labels.h"
#include "run/result.h"
#include "run/run_dir.h"
#include "run/settings.h"
#include "train/loop_settings.h"
#include "train/members.h"

enum {
    CC_IN_FLIGHT = 3,      /* steps whose sums may not have been read back yet */
    CC_SAVE_SECONDS = 1800 /* the longest time that is trained without a save */
};

/* A camcl_trainer, whether it is one of the program's or that of a whole run. */
typedef struct camcl_trainer {
    camcl_config *config; /* its own */
    const camcl_train_options *options;
    camcl_train_options own_options; /* the same, where a program drives it */
    cc_settings settings;
    cc_loop_settings loop;
    cc_run_dir *dir;        /* NULL: a program drives it */
    const char *state_path; /* while it is opened: of the state that is read back; borrowed */
    camcl_device *device;   /* the first of the list; what is evaluated and saved is there */
    cc_team team;           /* all devices */
    bool silent;            /* after cc_run_leave: another process tells people what this one knows */
    bool follows;           /* a process of rank 1 or above: it trains with the others, and writes and says nothing */
    const camcl_dataset *dataset;
    camcl_device *own_device;   /* the same, if it was opened here */
    camcl_dataset *own_dataset; /* the same, if it was read here */
    char *data;                 /* cc_data_identity of the data set */
    cc_split_counts counts;     /* what the configuration asks of the data */
    cc_split split;             /* drawn, or read from the state */
    cc_model *model;
    cc_resident *train_images;
    cc_arena *arena;
    cc_step *step;
    cc_session *validation;       /* NULL without validation images */
    cc_session_cache evaluations; /* of other splits */
    cc_tape *swap;                /* exchanges weights and their EMA; NULL without EMA */
    cc_sampler *labeled, *unlabeled;
    cc_draws draws; /* of the step that is fed */
    uint32_t *sources;
    cc_run_state state; /* step, best, interval sums; the rest is filled when it is saved */
    cc_metrics metrics;
    cc_event_file *events; /* NULL until there is something to tell TensorBoard */
    cc_pseudo_labels pseudo_labels;
    cc_model_card card;
    cc_readback *in_flight[CC_IN_FLIGHT];
    uint64_t in_flight_step[CC_IN_FLIGHT];
    size_t in_flight_count;
    uint64_t saved_epochs; /* resuming: the length of the training when the state was saved */
    bool saved_by_ratio;   /* resuming: the state is of a version whose data.unlabeled = auto went by data.ratio for folders, too */
    double started_at;     /* cc_seconds() when this process began to train */
    uint64_t first_step;   /* at that time */
    double interval_started_at;
    double shown_at;         /* cc_seconds() of the last progress report */
    double saved_at;         /* cc_seconds() of the last save, or when the loop began */
    camcl_progress progress; /* after the last call of camcl_trainer_step, with the objective's figures behind it */
    camcl_figure figures[CC_MOST_OBJECTIVE_FIGURES];
    uint64_t saved_step; /* of the state in the run directory; 0: there is none */
    bool saved_models;   /* whether the checkpoints beside it are of that state, too */
    bool stop_wanted;    /* by the callback that saw an evaluation */
    bool resuming;       /* there was a state */
    bool finished_before;
    bool abandoned; /* this new run could not start */
    bool logging;   /* a line was logged, so failures are logged too; without one, a run that never began leaves train.log as it is */
} cc_run;

/* setup.c: a run with a run directory; a trainer for a program that drives it, from the beginning or (path not NULL) from a state. Close
 * it also after a failure. options are complete; those of a run are borrowed until then. config NULL: the state's. */
camcl_status cc_run_open(cc_run *run, const camcl_config *config, const camcl_train_options *options, camcl_error *err);
camcl_status cc_run_open_stepwise(cc_run *run, const char *path, camcl_device *device, const camcl_config *config,
                                  const camcl_train_options *options, camcl_error *err);
void cc_run_close(cc_run *run);

/* trainer.c */
bool cc_run_wants_stop(const cc_run *run);
/* Enqueues up to `count` steps, but stops behind the last one of the training, or behind one during which a stop was requested. The sums of
 * the last steps may not have been read back yet. */
camcl_status cc_run_steps(cc_run *run, uint64_t count, camcl_error *err);
/* Reads the sums of all steps back. */
camcl_status cc_run_collect(cc_run *run, camcl_error *err);
/* Where training stands; own [CC_MOST_OBJECTIVE_FIGURES]: the objective's figures, which the result refers to. */
camcl_progress cc_run_progress(const cc_run *run, camcl_figure *own);
/* Exchanges weights and their average, so that what follows sees the average; nothing without one. */
camcl_status cc_run_swap_average(cc_run *run, camcl_error *err);
/* Swaps back after work that returned `status`, even if it failed: the weights that are trained must come back. Returns the first failure.
 */
camcl_status cc_run_swap_back(cc_run *run, camcl_status status, camcl_error *err);
/* Evaluates the validation images, and keeps the weights if they are the best so far (best NULL: nobody asks). Every step's sums have been
 * read back. CAMCL_STOPPED, and nothing is kept, once `stop` is requested; NULL: never. */
camcl_status cc_run_validate(cc_run *run, const camcl_stop *stop, camcl_evaluation *out, bool *best, camcl_error *err);
/* Whether the training stands behind an epoch whose evaluation was stopped: its row is still to come. */
bool cc_run_owes_row(const cc_run *run);
/* The sums of the interval begin anew. */
void cc_run_begin_interval(cc_run *run);

/* images.c: once the split is known: puts the run's images on a device, as many as data.resident has room for, and says how many those
 * are. The caller owns *images. */
camcl_status cc_run_place_images(cc_run *run, camcl_device *device, cc_resident **images, camcl_error *err);

/* say.c: writes a line to train.log, if there is one, and passes it to options->message. */
camcl_status cc_run_say(cc_run *run, camcl_error *err, const char *format, ...) CC_PRINTF(3, 4);
camcl_status cc_run_say_data(cc_run *run, camcl_error *err);  /* what was read, how it is split; whether a resumed run knows its data */
camcl_status cc_run_say_model(cc_run *run, camcl_error *err); /* and the kernel plan, in the log alone */
/* Where a run goes on for more epochs than it began with: what jumps from what to what; nothing where nothing jumps. */
camcl_status cc_run_say_jumps(cc_run *run, camcl_error *err);
/* A metrics row in words. Values that are not available are left out. */
camcl_status cc_run_say_row(cc_run *run, const cc_metrics_row *row, camcl_error *err);

/* team.c, team_shares.c: opens the devices of device.select: the first into *first. CAMCL_BAD_CONFIG for a device that is listed twice. */
camcl_status cc_team_open(cc_run *run, const camcl_device_options *options, camcl_device **first, camcl_error *err);
/* A network on each device, all laid out alike. */
camcl_status cc_team_create_models(cc_run *run, camcl_error *err);
/* Puts the run's images on every device. */
camcl_status cc_team_place_images(cc_run *run, camcl_error *err);
/* Divides the batch, by device.share or as the saved state has it, and says how. The images are there, and the samplers. */
camcl_status cc_team_divide(cc_run *run, camcl_error *err);
/* Records and commits the steps of the devices besides the first. */
camcl_status cc_team_commit(cc_run *run, camcl_error *err);
/* One training step; *sums as in cc_step_run. An error of a device names it, where there are several. */
camcl_status cc_team_step(cc_run *run, const cc_step_input *input, cc_readback **sums, camcl_error *err);
/* Copies the first device's weights, statistics, momenta, average and state of the objective to all devices of all processes. */
camcl_status cc_team_follow(cc_run *run, camcl_error *err);
/* An OpenCL error of what the first device does alone names it, where there are several. Returns `status`. */
camcl_status cc_team_of_first(const cc_run *run, camcl_status status, camcl_error *err);
/* team->plans: for each device of all processes which it is, its share and its kernels, for the state. */
camcl_status cc_team_describe(cc_run *run, camcl_error *err);
void cc_team_close(cc_team *team);

/* ranks.c, for the processes of a world. Joins it, and makes this process one that follows if its rank is not 0. */
camcl_status cc_run_join(cc_run *run, camcl_error *err);
/* Checks that all have the same configuration, but for what is a machine's own, and the same data; CAMCL_BAD_CONFIG, CAMCL_BAD_DATA. */
camcl_status cc_run_check_ranks(cc_run *run, camcl_error *err);
/* What the others need to know before they prepare: split, step, and whether the run goes on or is finished. */
camcl_status cc_run_brief(cc_run *run, camcl_error *err);
/* Whether training is to stop, on any of them. */
camcl_status cc_run_agree_stop(cc_run *run, bool *stop, camcl_error *err);
/* Ends together: waits until all have come as far, or returns the first failure of any of them. */
camcl_status cc_run_leave(cc_run *run, camcl_status status, camcl_error *err);

/* save.c: the identity of a device, as far as the kernel plan and with it the bits depend on it. */
void cc_run_identify_device(const camcl_device *device, char *text, size_t size);
/* Into the run directory; the state alone, anywhere. */
camcl_status cc_run_save(cc_run *run, camcl_error *err);
camcl_status cc_run_save_state(cc_run *run, const char *path, camcl_error *err);
/* The weights as they are, averaged if there is an average. Borrowed until the next save. */
camcl_status cc_run_last_model(cc_run *run, cc_snapshot *out, camcl_error *err);
/* A run is read back in three steps, none of which changes a file. Its data may take minutes to read, so that whatever can be refused
 * without them is refused before. Texts: into run->state and run->saved_epochs; CAMCL_BAD_CONFIG, with the keys, if the
 * state belongs to another configuration. Data: CAMCL_BAD_DATA, with what changed, if the run began with others; a state that does not know
 * its data is taken. State: into run->state and run->split; CAMCL_BAD_DATA if no run of this configuration can have saved it. */
camcl_status cc_run_read_texts(cc_run *run, camcl_error *err);
camcl_status cc_run_check_data(cc_run *run, camcl_error *err);
camcl_status cc_run_read_state(cc_run *run, camcl_error *err);
/* Before tapes are recorded: the kernels that the state was trained with, where device and driver are still the same. */
camcl_status cc_run_take_plan(cc_run *run, camcl_error *err);
/* After tapes are recorded: weights and optimizer onto the device. */
camcl_status cc_run_apply_state(cc_run *run, camcl_error *err);
/* Whether a run's average is one of the running statistics, too. Not so where it was begun by a version that averaged weights alone. */
bool cc_run_averages_statistics(const cc_run *run);
/* The average's values, of a run that has one. */
camcl_status cc_run_write_average(cc_run *run, const cc_snapshot *average, camcl_error *err);
/* Whether best.safetensors and last.safetensors agree with the state, and writing them again if they do not. */
bool cc_run_has_models(const cc_run *run);
camcl_status cc_run_restore_models(cc_run *run, camcl_error *err);

/* rows.c: the step of the state, or the one before if the row of that step is still to come; a row is kept in every form; the rows, and
 * what TensorBoard reads, go back to those up to cc_run_told_step; the pictures in cams/ for TensorBoard. */
uint64_t cc_run_told_step(const cc_run *run);
camcl_status cc_run_add_row(cc_run *run, const cc_metrics_row *row, camcl_error *err);
camcl_status cc_run_restore_rows(cc_run *run, camcl_error *err);
camcl_status cc_run_show_cams(cc_run *run, camcl_error *err);

/* pseudo.c: reads pseudo_labels.csv; drops what is beyond cc_run_told_step; adds what was counted since the evaluation before, and counts
 * anew. Nothing where the objective has no pseudo-labels, or the run no directory: then nothing is counted (state.pseudo is NULL). */
camcl_status cc_run_open_pseudo(cc_run *run, camcl_error *err);
camcl_status cc_run_drop_pseudo(cc_run *run, camcl_error *err);
camcl_status cc_run_append_pseudo(cc_run *run, uint64_t epoch, camcl_error *err);

/* diverged.c: CAMCL_NOT_FINITE for what ("the loss") became NaN or infinite, as `value` is, at a step, counted from 0. A run with a
 * directory says what was saved, and the command that tries again. */
camcl_status cc_run_fail_diverged(const cc_run *run, const char *what, double value, uint64_t step, camcl_error *err);
/* The same at the present step, if one of n values is not finite: NaN if any of them is. */
camcl_status cc_run_check_finite(const cc_run *run, const char *what, const float *values, size_t n, camcl_error *err);

/* left.c: for a run that a failure has ended: adds to its error what was saved, and how to go on. */
void cc_run_add_saved(const cc_run *run, camcl_error *err);
void cc_run_add_way_on(const cc_run *run, camcl_error *err);

/* before.c: puts the weights that a run begins with into the model: those of model.init, of which *report then tells, or drawn ones.
 * Layouts that are made of weights are not made anew. And remembers which they are, those that the model holds. */
camcl_status cc_run_draw_start(cc_run *run, cc_init_report *report, camcl_error *err);
camcl_status cc_run_note_start(cc_run *run, camcl_error *err);
/* gallery.c: the pictures in cams/ and index.json, of the weights that the model holds; and whether the pictures are all there. While a run
 * trains, TensorBoard gets them, too, and where memory does not suffice for them, the run says so and goes on. Those of a finished run have
 * the worst mistakes, too, and maps of the weights before training; the model then holds the best weights, as before; logits
 * [test images,classes], NULL without test images. */
camcl_status cc_run_write_cams(cc_run *run, camcl_error *err);
camcl_status cc_run_write_last_cams(cc_run *run, const float *logits, camcl_error *err);
bool cc_run_has_cams(const cc_run *run);

/* finish.c: a session for test images of the run, recorded with the model's weights as they are. The spec's size, normalisation and sides
 * are set here. */
camcl_status cc_run_test_session(const cc_run *run, cc_session_spec spec, cc_session **out, camcl_error *err);
/* The test set, confusion.csv, CAM pictures, report.html, and result.json at last, so that this file marks a finished run. Each
 * step may be repeated. */
camcl_status cc_run_finish(cc_run *run, camcl_train_result *result, camcl_error *err);
/* Whether the run that was read is trained to its end and all its files are there. */
bool cc_run_is_finished(const cc_run *run);

#endif
