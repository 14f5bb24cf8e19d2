/* Weights transformed for conv2d/winograd.cl and conv2d/winograd_local.cl, in panels of KB channels (one of all of them for the latter).
 * Master layout w [3,3,C,K].
 *
 * Forward:       u[panel][36][c][KB] = G w[.,.,c, panel*KB ...] G^T, zeros beyond K.
 * Backward-data: taps turned by half a turn, input and output channels change places:
 *                u[panel][36][k][KB] = G w[2-.,2-., panel*KB ..., k] G^T, zeros beyond C.
 * Work-items: (row of the panel, WIDTH channels of it), the other way round where WIDTH is 1, as on GPUs. `in` is the number of rows, `out` that
 * of channels; row_step and channel_step: numbers in w from one to the next. */
#include "conv2d/winograd.clh"
#include "outline.clh"

/* Stores whole cache lines past the caches where the compiler can: what is packed is far larger than them, and fetching lines only to
 * overwrite them would cost more than the rest. */
#if WIDTH > 1 && defined(__has_builtin)
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

/* from[0], from[step], .., of which `count` exist; the others are 0 */
static OUTLINE winograd_t load_channels(__global const float *from, const int step, const int count)
{
    if (step == 1 && count >= WIDTH) return winograd_load(from);
    float lane[WIDTH];
    for (int l = 0; l < WIDTH; l++) lane[l] = l < count ? from[l * step] : 0.0f;
    return LOAD_ANY(lane);
}

__kernel void conv2d_winograd_pack(__global const float *w, __global float *u, const int in, const int out, const int row_step,
    const int channel_step, const int turn, const int KB)
{
    const int row = get_global_id(WIDTH == 1 ? 1 : 0), first = WIDTH * get_global_id(WIDTH == 1 ? 0 : 1);
    if (row >= in || first >= (out + KB - 1) / KB * KB) return;
    const int count = min(WIDTH, out - first);
    winograd_t g[9];
#pragma unroll
    for (int i = 0; i < 9; i++) {
        __global const float *from = w + (size_t)(turn ? 8 - i : i) * in * out + (size_t)row * row_step + (size_t)first * channel_step;
        g[i] = WIDTH == 1 ? SPLAT_W(*from) : load_channels(from, channel_step, count);
    }
    __global float *to = u + ((size_t)(first / KB) * WINOGRAD_POINTS * in + row) * KB + first % KB;
#pragma unroll
    for (int i = 0; i < WINOGRAD_IN; i++) {
        winograd_t row[WINOGRAD_IN];
        winograd_weight_row(g, i, row);
#pragma unroll
        for (int j = 0; j < WINOGRAD_IN; j++) stream(row[j], to + (size_t)(WINOGRAD_IN * i + j) * in * KB);
    }
}
