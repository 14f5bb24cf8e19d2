/* What figures of a test set can tell. */
#ifndef CC_REPORT_STATISTICS_H
#define CC_REPORT_STATISTICS_H

#include <stddef.h>

#include "run/metrics.h"

typedef struct cc_share_interval {
    double low, high;
} cc_share_interval;

/* The 95 % Wilson score interval of a share, `percent` of `n` images, in percent. NaN, NaN where there are no images or no share. */
cc_share_interval cc_wilson_interval(double percent, double n);

/* Of the values that are finite. sd: the sample's standard deviation (n - 1 in the denominator); NaN for fewer than two values. */
typedef struct cc_spread {
    size_t n;
    double mean, sd;
} cc_spread;
cc_spread cc_spread_of(const double *values, size_t count);

/* Percent; NaN where nothing was predicted as the class, or no image is of it. */
double cc_confusion_precision(const cc_confusion *confusion, size_t class);
double cc_confusion_recall(const cc_confusion *confusion, size_t class);
double cc_confusion_images(const cc_confusion *confusion); /* all counts; 0 where there is no matrix */

#endif
