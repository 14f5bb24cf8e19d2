#include "dataset/apportion.h"

#include <stdbool.h>
#include <stdint.h>

/* What is left of total * weight after `share`, in parts of the sum of weights: exact, and so the same on every machine. Numbers of images
 * are below 2^31, so that a product fits. */
static int64_t remainder_of(size_t total, size_t weight, size_t share, size_t sum)
{
    return (int64_t)(total * weight) - (int64_t)(share * sum);
}

void cc_apportion(size_t total, const size_t *weights, const size_t *least, const size_t *most, size_t n, size_t *shares)
{
    size_t sum = 0, given = 0;
    for (size_t i = 0; i < n; i++)
        sum += weights[i];
    for (size_t i = 0; i < n; i++) {
        const size_t share = sum ? total * weights[i] / sum : 0;
        shares[i] = share < least[i] ? least[i] : share > most[i] ? most[i] : share;
        given += shares[i];
    }
    /* Rounding leaves fewer than n to give; bounds may leave more, or take too many. */
    while (given != total) {
        const bool more = given < total;
        size_t best = n;
        for (size_t i = 0; i < n; i++) {
            if (more ? shares[i] >= most[i] : shares[i] <= least[i]) continue;
            const int64_t here = remainder_of(total, weights[i], shares[i], sum);
            const int64_t there = best < n ? remainder_of(total, weights[best], shares[best], sum) : 0;
            if (best == n || (more ? here > there : here < there)) best = i;
        }
        if (best == n) return;
        if (more)
            shares[best]++, given++;
        else
            shares[best]--, given--;
    }
}
