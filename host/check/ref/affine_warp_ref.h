/* Reference of T as an affine map of one image [size,size], in double. map as in cc_affine: y = map[0] a + map[1] b + map[2], likewise x
 * with map[3..5]; low and high (y, x) are whole numbers. */
#ifndef CC_CHECK_REF_AFFINE_WARP_REF_H
#define CC_CHECK_REF_AFFINE_WARP_REF_H

#include <stddef.h>

typedef struct ref_affine {
    double map[6], low[2], high[2];
} ref_affine;

void ref_affine_forward(size_t size, const ref_affine *t, const double *in, double *out);
/* The transpose, scattered. din is overwritten. */
void ref_affine_backward(size_t size, const ref_affine *t, const double *dout, double *din);

#endif
