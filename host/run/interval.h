/* What training steps report, summed since the last metrics row, and the figures that are made of these sums. */
#ifndef CC_RUN_INTERVAL_H
#define CC_RUN_INTERVAL_H

#include "objective/step.h"

/* Their numbers are those of the entries of "interval" in state.safetensors. */
typedef enum cc_interval_sum {
    CC_SUM_STEPS,
    CC_SUM_LOSS_S,
    CC_SUM_LOSS_U,
    CC_SUM_LOSS_C, /* losses: sums of the steps' means */
    CC_SUM_LABELED,
    CC_SUM_CORRECT,
    CC_SUM_UNLABELED,
    CC_SUM_CONFIDENT,
    CC_SUM_CONFIDENT_CORRECT,
    CC_SUM_SECONDS,
    CC_SUM_IMAGES,
    CC_SUM_CONFIDENT_UNKNOWN, /* 0 in states from before pictures without labels, which is right for them */
    CC_SUM_FURTHER /* of the loss beside L_s + alpha L_u + beta L_c: terms of the objective's own, and the part that its ramp takes off */
} cc_interval_sum;
enum { CC_INTERVAL_SUMS = 16 };

/* Double precision, because an interval may be long. */
typedef struct cc_interval {
    double sums[CC_INTERVAL_SUMS];
    double own[CC_MOST_OBJECTIVE_SUMS][4]; /* the objective's own sums; see cc_objective_figure */
} cc_interval;

/* One step: its sums, the losses that cc_step_losses makes of them, the number of its images, labelled and unlabelled. */
typedef struct cc_interval_step {
    const cc_objective_kind *objective;
    const cc_step_sums *sums;
    double loss_s, loss_u, loss_c;
    size_t images;
    double further; /* as CC_SUM_FURTHER */
} cc_interval_step;
void cc_interval_add(cc_interval *interval, const cc_interval_step *step);

/* A figure of the training set, one row of a table each: scale * sums[above] / sums[below], or what a function of its own makes of the
 * sums. */
typedef struct cc_training_figure {
    const char *column; /* of metrics.csv: "mask_rate" */
    const char *label;  /* "mask rate" */
    const char *about;  /* one phrase: "share of unlabelled images that are confident" */
    enum {
        CC_OF_ANY_OBJECTIVE,
        CC_OF_UNLABELED,
        CC_OF_CONSISTENCY
    } needs;                                                            /* of the objective; else not available. consistency: beta > 0 */
    double (*value)(const cc_objective *objective, const double *sums); /* NULL: the ratio */
    cc_interval_sum above, below;
    double scale; /* 1, or 100 for percent */
} cc_training_figure;
const cc_training_figure *cc_training_figures(size_t *count);

/* NaN: the objective does not have this figure, or nothing was summed. */
double cc_training_figure_value(const cc_training_figure *figure, const cc_objective *objective, const cc_interval *interval);
double cc_objective_figure_value(const cc_objective_figure *figure, const cc_interval *interval);

#endif
