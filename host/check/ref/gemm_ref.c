#include "check/ref/gemm_ref.h"

#include <math.h>

void ref_gemm(size_t m, size_t n, size_t k, bool transpose_a, bool transpose_b, const float *a, const float *b, double *c,
              double *magnitude)
{
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) {
            double sum = 0.0, absolute = 0.0;
            for (size_t l = 0; l < k; l++) {
                const double product =
                    (double)(transpose_a ? a[l * m + i] : a[i * k + l]) * (double)(transpose_b ? b[j * k + l] : b[l * n + j]);
                sum += product;
                absolute += fabs(product);
            }
            c[i * n + j] = sum;
            magnitude[i * n + j] = absolute;
        }
    }
}
