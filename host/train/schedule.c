#include "train/schedule.h"

#include <math.h>

double cc_schedule_lr(const cc_schedule *s, uint64_t step)
{
    static const double pi = 3.14159265358979323846;
    double lr = s->lr;
    if (s->kind == CC_SCHEDULE_COSINE) lr *= 0.5 * (1 + cos(pi * (double)step / (double)s->steps));
    if (s->kind == CC_SCHEDULE_FIXMATCH) lr *= cos(7 * pi * (double)step / (16 * (double)s->steps));
    if (s->kind == CC_SCHEDULE_STEP) lr *= pow(s->gamma, (double)(step / s->epoch_steps / s->step_epochs));
    if (step < s->warmup) lr *= (double)(step + 1) / (double)s->warmup;
    return lr;
}

double cc_schedule_threshold(const cc_schedule *s, uint64_t step)
{
    return s->threshold + (s->threshold_end - s->threshold) * (double)(step / s->epoch_steps) / (double)s->epochs;
}

double cc_schedule_ramp(const cc_schedule *s, uint64_t step)
{
    const double end = s->ramp * (double)s->steps;
    return (double)step < end ? (double)step / end : 1;
}
