/* Weights transformed for conv2d/winograd.cl and conv2d/winograd_local.cl, in panels of KB channels (one of all of them for the latter).
 * Master layout w [3,3,C,K].
 *
 * Forward:       u[panel][36][c][KB] = G w[.,.,c, panel*KB ...] G^T, zeros beyond K.
 * Backward-data: taps turned by half a turn, input and output channels change places:
 *                u[panel][36][k][KB] = G w[2-.,2-., panel*KB ..., k] G^T, zeros beyond C.
 * Work-items: (row of the panel, PARTS*WIDTH channels of it), the other way round where WIDTH is 1, as on GPUs. `in` is the number of rows, `out` that
 * of channels; row_step and channel_step: numbers in w from one to the next. */
#include "conv2d/winograd.clh"
#include "outline.clh"

#if WIDTH > 1 && WIDTH < 16
#define PARTS 2              /* vectors of a panel that a work-item stores side by side, so that lines are stored whole */
#else
#define PARTS 1
#endif

/* Stores whole cache lines past the caches where the compiler can: what is packed is far larger than them, and fetching lines only to
 * overwrite them would cost more than the rest. */
#if WIDTH * PARTS >= 16 && defined(__has_builtin)
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
    const int row = get_global_id(WIDTH == 1 ? 1 : 0), first = PARTS * WIDTH * get_global_id(WIDTH == 1 ? 0 : 1);
    const int padded = (out + KB - 1) / KB * KB, parts = min(PARTS, (padded - first) / WIDTH);
    if (row >= in || first >= padded) return;
    winograd_t g[PARTS][9];
    for (int part = 0; part < parts; part++) {
        const int channel = first + part * WIDTH;
#pragma unroll
        for (int i = 0; i < 9; i++) {
            __global const float *from = w + (size_t)(turn ? 8 - i : i) * in * out + (size_t)row * row_step + (size_t)channel * channel_step;
            g[part][i] = WIDTH == 1 ? SPLAT_W(*from) : load_channels(from, channel_step, min(WIDTH, out - channel));
        }
    }
    __global float *to = u + ((size_t)(first / KB) * WINOGRAD_POINTS * in + row) * KB + first % KB;
#pragma unroll
    for (int i = 0; i < WINOGRAD_IN; i++) {
        winograd_t row[PARTS][WINOGRAD_IN];
        for (int part = 0; part < parts; part++) winograd_weight_row(g[part], i, row[part]);
#pragma unroll
        for (int j = 0; j < WINOGRAD_IN; j++)
            for (int part = 0; part < parts; part++) stream(row[part][j], to + (size_t)(WINOGRAD_IN * i + j) * in * KB + part * WIDTH);
    }
}
