/* What figures of a test set can tell. */
#ifndef CC_REPORT_STATISTICS_H
#define CC_REPORT_STATISTICS_H

#include <stddef.h>

#include "run/metrics.h"

/* Of the values that are finite. sd: the sample's standard deviation (n - 1 in the denominator); NaN for fewer than two values. */
typedef struct cc_spread {
    size_t n;
    double mean, sd;
} cc_spread;
cc_spread cc_spread_of(const double *values, size_t count);

double cc_confusion_images(const cc_confusion *confusion); /* all counts; 0 where there is no matrix */

#endif
