/* Weights transformed for conv2d/winograd.cl and conv2d/winograd_local.cl, in panels of KB channels (one of all of them for the latter).
 * Master layout w [3,3,C,K].
 *
 * Forward:       u[panel][36][c][KB] = G w[.,.,c, panel*KB ...] G^T, zeros beyond K.
 * Backward-data: taps turned by half a turn, input and output channels change places:
 *                u[panel][36][k][KB] = G w[2-.,2-., panel*KB ..., k] G^T, zeros beyond C.
 * Work-items: (row of the panel, LANES channels of its width), the other way round where LANES is 1. `in` is the number of rows, `out` that
 * of channels; row_step and channel_step: numbers in w from one to the next. */
#ifndef LANES
#define LANES 16             /* channels of a work-item: 16 on CPUs, 1 on GPUs. Divides KB. */
#endif
#if LANES == 16
#define WINOGRAD_TYPE float16
#define LOAD(p) vload16(0, p)
#else
#define WINOGRAD_TYPE float
#define LOAD(p) (*(p))
#endif
#include "conv2d/winograd.clh"

/* Stores whole cache lines past the caches where the compiler can: what is packed is far larger than them, and fetching lines only to
 * overwrite them would cost more than the rest. */
#if LANES == 16 && defined(__has_builtin)
#if __has_builtin(__builtin_nontemporal_store)
#define STREAM
#endif
#endif
static inline void stream(const winograd_t value, __global float *to)
{
#ifdef STREAM
    __builtin_nontemporal_store(value, (__global winograd_t *)to);
#else
    *(__global winograd_t *)to = value;
#endif
}

__kernel void conv2d_winograd_pack(__global const float *w, __global float *u, const int in, const int out, const int row_step,
    const int channel_step, const int turn, const int KB)
{
    const int row = get_global_id(LANES == 1 ? 1 : 0), first = LANES * get_global_id(LANES == 1 ? 0 : 1);
    if (row >= in || first >= (out + KB - 1) / KB * KB) return;
    const int count = min(LANES, out - first);
    winograd_t g[9], point[WINOGRAD_POINTS];
#pragma unroll
    for (int i = 0; i < 9; i++) {
        __global const float *from = w + (size_t)(turn ? 8 - i : i) * in * out + (size_t)row * row_step + (size_t)first * channel_step;
        float lane[LANES];
        for (int l = 0; l < LANES; l++) lane[l] = l < count ? from[l * channel_step] : 0.0f;
        g[i] = LOAD(lane);
    }
    winograd_weight(g, point);
    __global float *to = u + ((size_t)(first / KB) * WINOGRAD_POINTS * in + row) * KB + first % KB;
#pragma unroll
    for (int i = 0; i < WINOGRAD_POINTS; i++) stream(point[i], to + (size_t)i * in * KB);
}
