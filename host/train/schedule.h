/* Learning rate and confidence threshold over time. */
#ifndef CC_TRAIN_SCHEDULE_H
#define CC_TRAIN_SCHEDULE_H

#include <stdint.h>

typedef enum cc_schedule_kind { CC_SCHEDULE_CONSTANT, CC_SCHEDULE_COSINE, CC_SCHEDULE_STEP, CC_SCHEDULE_FIXMATCH } cc_schedule_kind;

typedef struct cc_schedule {
    cc_schedule_kind kind;
    double lr, gamma; /* gamma: factor every step_epochs epochs (CC_SCHEDULE_STEP) */
    uint64_t step_epochs;
    uint64_t warmup;                     /* steps over which the rate grows linearly: (k+1)/warmup of it at step k */
    uint64_t steps, epoch_steps, epochs; /* steps = K of the cosines lr/2 (1 + cos(pi k/K)), lr cos(7 pi k/16K) */
    double threshold, threshold_end;
    double ramp; /* share of the steps over which alpha rises */
} cc_schedule;

/* The learning rate at step k = 0 .. steps-1. */
double cc_schedule_lr(const cc_schedule *schedule, uint64_t step);
/* The threshold at a step: threshold + (threshold_end - threshold) e/E in epoch e = step / epoch_steps, so that threshold_end itself is
 * not reached. */
double cc_schedule_threshold(const cc_schedule *schedule, uint64_t step);
/* The share of alpha in force at a step: linear from 0 over the first ramp * steps, then 1. */
double cc_schedule_ramp(const cc_schedule *schedule, uint64_t step);

#endif
