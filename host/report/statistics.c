#include "report/statistics.h"

#include <math.h>

#define NORMAL_975 1.959963984540054 /* the normal distribution's 97.5th percentile */

cc_share_interval cc_wilson_interval(double percent, double n)
{
    const double p = percent / 100, z = NORMAL_975, all = 1 + z * z / n;
    if (!(p >= 0 && p <= 1 && n > 0)) return (cc_share_interval){ NAN, NAN };
    const double middle = (p + z * z / (2 * n)) / all, half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / all;
    return (cc_share_interval){ 100 * fmax(middle - half, 0), 100 * fmin(middle + half, 1) };
}

cc_spread cc_spread_of(const double *values, size_t count)
{
    cc_spread spread = { 0, NAN, NAN };
    double sum = 0, squares = 0;
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(values[i])) continue;
        sum += values[i];
        spread.n++;
    }
    if (spread.n > 0) spread.mean = sum / (double)spread.n;
    for (size_t i = 0; i < count; i++)
        if (isfinite(values[i])) squares += (values[i] - spread.mean) * (values[i] - spread.mean);
    if (spread.n > 1) spread.sd = sqrt(squares / (double)(spread.n - 1));
    return spread;
}

static double share(uint64_t part, double all) { return all > 0 ? 100 * (double)part / all : NAN; }

double cc_confusion_precision(const cc_confusion *confusion, size_t class)
{
    double predicted = 0;
    for (size_t t = 0; t < confusion->classes; t++)
        predicted += (double)confusion->counts[t * confusion->classes + class];
    return share(confusion->counts[class * confusion->classes + class], predicted);
}

double cc_confusion_recall(const cc_confusion *confusion, size_t class)
{
    const uint64_t *row = confusion->counts + class * confusion->classes;
    double images = 0;
    for (size_t p = 0; p < confusion->classes; p++)
        images += (double)row[p];
    return share(row[class], images);
}

double cc_confusion_images(const cc_confusion *confusion)
{
    double images = 0;
    for (size_t i = 0; i < confusion->classes * confusion->classes; i++)
        images += (double)confusion->counts[i];
    return images;
}
