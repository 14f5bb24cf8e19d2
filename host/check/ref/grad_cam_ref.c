#include "check/ref/grad_cam_ref.h"

void ref_grad_cam_weights(size_t n, size_t pixels, size_t c, const double *gradient, double *m)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < c; k++) {
            double sum = 0.0;
            for (size_t p = 0; p < pixels; p++)
                sum += gradient[(i * pixels + p) * c + k];
            m[i * c + k] = sum / (double)pixels;
        }
}

void ref_grad_cam_map(size_t n, size_t pixels, size_t c, bool relu, const double *a, const double *m, double *cam)
{
    for (size_t i = 0; i < n; i++)
        for (size_t p = 0; p < pixels; p++) {
            double sum = 0.0;
            for (size_t k = 0; k < c; k++)
                sum += m[i * c + k] * a[(i * pixels + p) * c + k];
            cam[i * pixels + p] = relu && sum < 0.0 ? 0.0 : sum;
        }
}

void ref_grad_cam_backward(size_t n, size_t pixels, size_t c, bool relu, const double *m, const double *cam, const double *u, double *da)
{
    for (size_t i = 0; i < n; i++)
        for (size_t p = 0; p < pixels; p++)
            for (size_t k = 0; k < c; k++)
                da[(i * pixels + p) * c + k] = relu && cam[i * pixels + p] <= 0.0 ? 0.0 : m[i * c + k] * u[i * pixels + p];
}

void ref_grad_cam_tangent(size_t n, size_t pixels, size_t c, bool relu, const double *a, const double *cam, const double *u, double *v)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < c; k++) {
            double sum = 0.0;
            for (size_t p = 0; p < pixels; p++)
                if (!relu || cam[i * pixels + p] > 0.0) sum += u[i * pixels + p] * a[(i * pixels + p) * c + k];
            for (size_t p = 0; p < pixels; p++)
                v[(i * pixels + p) * c + k] = sum / (double)pixels;
        }
}
