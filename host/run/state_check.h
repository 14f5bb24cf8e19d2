/* Whether a state is one that a run of this configuration and these data can have saved. */
#ifndef CC_RUN_STATE_CHECK_H
#define CC_RUN_STATE_CHECK_H

#include "run/checkpoint.h"

/* Whether the state's step ends an epoch whose evaluation a requested stop broke off, so that its row is still to come. steps, epoch_steps,
 * eval_every: as below. */
bool cc_run_state_owes_row(const cc_run_state *state, uint64_t steps, uint64_t epoch_steps, uint64_t eval_every);

/* What the configuration and the data set say. */
typedef struct cc_state_limits {
    uint64_t steps, epoch_steps, eval_every; /* of the whole training; of an epoch; epochs between evaluations */
    bool stepwise;                           /* a program evaluated when it liked, or never */
    const char *data;                        /* the data set's name, for messages */
    size_t images;                           /* training images of the data set */
    const int32_t *labels;                   /* [images], -1: none */
    cc_split_counts split;
    bool reuse_labeled; /* labelled images are in the unlabelled pool as well */
} cc_state_limits;

/* CAMCL_BAD_DATA naming `path` and what is wrong in it: a step behind the schedule's end, an evaluation without best weights, numbers
 * that are not finite, the objective's among them, variances below zero, pools of the split that overlap, repeat an image, leave the
 * data set, have other sizes, or learn and evaluate by images without a label. A file that was read without an error may still have these
 * defects, because the file format only knows tensors. */
camcl_status cc_run_state_check(const char *path, const cc_run_shape *shape, const cc_run_state *state, const cc_split *split,
                                const cc_state_limits *limits, camcl_error *err);

#endif
