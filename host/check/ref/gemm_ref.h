/* C[m,n] = A[m,k] B[k,n] in plain C with double sums; row-major, either factor stored transposed. */
#ifndef CC_CHECK_REF_GEMM_REF_H
#define CC_CHECK_REF_GEMM_REF_H

#include <stdbool.h>
#include <stddef.h>

/* magnitude: the sums of the absolute values of the products. */
void ref_gemm(size_t m, size_t n, size_t k, bool transpose_a, bool transpose_b, const float *a, const float *b, double *c,
              double *magnitude);

#endif
