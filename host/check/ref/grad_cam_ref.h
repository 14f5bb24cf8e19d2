/* Reference of Grad-CAM in double. a, gradient, da [n,pixels,c]; m [n,c]; cam, u [n,pixels]. */
#ifndef CC_CHECK_REF_GRAD_CAM_REF_H
#define CC_CHECK_REF_GRAD_CAM_REF_H

#include <stdbool.h>
#include <stddef.h>

void ref_grad_cam_weights(size_t n, size_t pixels, size_t c, const double *gradient, double *m);
void ref_grad_cam_map(size_t n, size_t pixels, size_t c, bool relu, const double *a, const double *m, double *cam);
/* The direction of the exact gradient: v[n,p,k] = mean over q of u[n,q] a[n,q,k]; u counts as 0 where the ReLU cut the map. */
void ref_grad_cam_tangent(size_t n, size_t pixels, size_t c, bool relu, const double *a, const double *cam, const double *u, double *v);
void ref_grad_cam_backward(size_t n, size_t pixels, size_t c, bool relu, const double *m, const double *cam, const double *u, double *da);

#endif
