#include "report/statistics.h"

#include <math.h>

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

double cc_confusion_images(const cc_confusion *confusion)
{
    double images = 0;
    for (size_t i = 0; i < confusion->classes * confusion->classes; i++)
        images += (double)confusion->counts[i];
    return images;
}
