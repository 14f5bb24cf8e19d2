#include "check/ref/min_max_ref.h"

void ref_min_max_forward(size_t n, size_t size, const double *x, double *y, double *range)
{
    for (size_t i = 0; i < n; i++, x += size, y += size, range += 4) {
        double least = x[0], greatest = x[0];
        for (size_t j = 1; j < size; j++) {
            if (x[j] < least) least = x[j];
            if (x[j] > greatest) greatest = x[j];
        }
        range[0] = least;
        range[1] = greatest;
        range[2] = range[3] = 0.0;
        for (size_t j = 0; j < size; j++) {
            range[2] += x[j] == least;
            range[3] += x[j] == greatest;
            y[j] = least == greatest ? 0.0 : (x[j] - least) / (greatest - least);
        }
    }
}

/* y = (x - min) / d, d = max - min: differentiated by x, by min and by max in turn, without going through y. */
void ref_min_max_backward(size_t n, size_t size, const double *x, const double *dy, double *dx)
{
    for (size_t i = 0; i < n; i++, x += size, dy += size, dx += size) {
        double least = x[0], greatest = x[0], at_least = 0.0, at_greatest = 0.0, by_least = 0.0, by_greatest = 0.0;
        for (size_t j = 1; j < size; j++) {
            if (x[j] < least) least = x[j];
            if (x[j] > greatest) greatest = x[j];
        }
        const double d = greatest - least;
        for (size_t j = 0; j < size; j++) {
            at_least += x[j] == least;
            at_greatest += x[j] == greatest;
            if (d == 0.0) continue;
            by_least += dy[j] * (x[j] - greatest) / (d * d);
            by_greatest -= dy[j] * (x[j] - least) / (d * d);
        }
        for (size_t j = 0; j < size; j++) {
            dx[j] = d == 0.0 ? 0.0 : dy[j] / d;
            if (x[j] == least) dx[j] += by_least / at_least;
            if (x[j] == greatest) dx[j] += by_greatest / at_greatest;
        }
    }
}
