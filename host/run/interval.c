#include "run/interval.h"

#include <math.h>

#include "base/memory.h"

static double ratio(double scale, double above, double below) { return below > 0 ? scale * above / below : NAN; }

/* L_s + alpha L_u + beta L_c and what there is further. The terms are means over the steps, so that their weighted sum is the mean of the
 * steps' losses. */
static double total(const cc_objective *objective, const double *sums)
{
    const double steps = sums[CC_SUM_STEPS];
    const double unlabeled = cc_objective_learns_unlabeled(objective->kind) ? objective->alpha * (sums[CC_SUM_LOSS_U] / steps) : 0;
    const double consistency = cc_objective_has_cams(objective) ? objective->beta * (sums[CC_SUM_LOSS_C] / steps) : 0;
    return steps > 0 ? sums[CC_SUM_LOSS_S] / steps + unlabeled + consistency + sums[CC_SUM_FURTHER] / steps : NAN;
}

/* Of the confident images, those that are labelled and whose pseudo-label is the label. Nobody knows of the unlabelled ones. */
static double pseudo_accuracy(const cc_objective *objective, const double *sums)
{
    (void)objective;
    return ratio(100, sums[CC_SUM_CONFIDENT_CORRECT], sums[CC_SUM_CONFIDENT] - sums[CC_SUM_CONFIDENT_UNKNOWN]);
}

static const cc_training_figure figures[] = {
    { "loss", "Loss", "all terms with their weights", CC_OF_ANY_OBJECTIVE, .value = total, .scale = 1 },
    { "loss_s", "Labelled loss", "cross-entropy on labelled images", CC_OF_ANY_OBJECTIVE, NULL, CC_SUM_LOSS_S, CC_SUM_STEPS, 1 },
    { "loss_u", "Unlabelled loss", "what the mode asks of the unlabelled images\xe2\x80\x99 views", CC_OF_UNLABELED, NULL, CC_SUM_LOSS_U,
      CC_SUM_STEPS, 1 },
    { "loss_c", "CAM loss", "mean squared difference of the two views\xe2\x80\x99 maps", CC_OF_CONSISTENCY, NULL, CC_SUM_LOSS_C,
      CC_SUM_STEPS, 1 },
    { "mask_rate", "Mask rate", "share of unlabelled images that are confident", CC_OF_UNLABELED, NULL, CC_SUM_CONFIDENT, CC_SUM_UNLABELED,
      100 },
    { "pseudo_acc", "Pseudo-label accuracy", "of confident images whose label is known, those whose pseudo-label is right", CC_OF_UNLABELED,
      .value = pseudo_accuracy, .scale = 100 },
    { "train_top1", "Training top-1", "share of labelled training images classified right", CC_OF_ANY_OBJECTIVE, NULL, CC_SUM_CORRECT,
      CC_SUM_LABELED, 100 },
    { "images_per_s", "Speed", "training images per second", CC_OF_ANY_OBJECTIVE, NULL, CC_SUM_IMAGES, CC_SUM_SECONDS, 1 },
};

const cc_training_figure *cc_training_figures(size_t *count)
{
    *count = CC_COUNT(figures);
    return figures;
}

void cc_interval_add(cc_interval *interval, const cc_interval_step *step)
{
    double *sums = interval->sums;
    sums[CC_SUM_STEPS] += 1;
    sums[CC_SUM_LOSS_S] += step->loss_s;
    sums[CC_SUM_LOSS_U] += step->loss_u;
    sums[CC_SUM_LOSS_C] += step->loss_c;
    sums[CC_SUM_LABELED] += step->sums->count_s;
    sums[CC_SUM_CORRECT] += step->sums->correct_s;
    sums[CC_SUM_UNLABELED] += step->sums->unlabeled;
    sums[CC_SUM_CONFIDENT] += step->sums->confident;
    sums[CC_SUM_CONFIDENT_CORRECT] += step->sums->confident_correct;
    sums[CC_SUM_CONFIDENT_UNKNOWN] += step->sums->confident_unknown;
    sums[CC_SUM_IMAGES] += (double)step->images;
    sums[CC_SUM_FURTHER] += step->further;
    for (size_t i = 0; i < step->objective->sum_count; i++)
        for (size_t k = 0; k < 4; k++)
            interval->own[i][k] += step->sums->own[i][k];
}

double cc_training_figure_value(const cc_training_figure *f, const cc_objective *objective, const cc_interval *interval)
{
    if (f->needs == CC_OF_UNLABELED && !cc_objective_learns_unlabeled(objective->kind)) return NAN;
    if (f->needs == CC_OF_CONSISTENCY && !cc_objective_has_cams(objective)) return NAN;
    return f->value ? f->value(objective, interval->sums) : ratio(f->scale, interval->sums[f->above], interval->sums[f->below]);
}

double cc_objective_figure_value(const cc_objective_figure *f, const cc_interval *interval)
{
    const double *sums = interval->own[f->sum];
    const double below = sums[f->below];
    return below < 0 || below > 0 ? f->scale * sums[f->above] / below : NAN;
}
