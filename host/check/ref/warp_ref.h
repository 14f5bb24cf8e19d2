/* Reference of the transform T of one image [size,size,c], in double: crop, resize back, then quarter turns one after another. */
#ifndef CC_CHECK_REF_WARP_REF_H
#define CC_CHECK_REF_WARP_REF_H

#include <stddef.h>

typedef struct ref_warp {
    size_t size, c, y0, x0, y1, x1;
    int turns;
} ref_warp;

void ref_warp_forward(const ref_warp *t, const double *in, double *out);
/* The transpose, scattered. din is overwritten. */
void ref_warp_backward(const ref_warp *t, const double *dout, double *din);

#endif
