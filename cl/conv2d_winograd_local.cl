/* Winograd convolution F(4x4, 3x3) for GPUs in three launches: 3x3 taps, stride 1. Forward and, on dy with turned weights, backward-data.
 *
 *     y[n,p,q,k] = sum_{r,s,c} x[n, p+r-pad, q+s-pad, c] * w[r,s,c,k],   p < P, q < Q
 *
 * Tile t covers output points p = 4*(t / tiles_w % tiles_h) + 0..3, q = 4*(t % tiles_w) + 0..3 of image t / (tiles_h*tiles_w); a launch
 * works on tiles first .. first+tiles-1, to bound the memory of
 *     V[36][tiles][C] = B^T d B,    M[36][tiles][K] = V * u,    u[36][C][K] = G g G^T (conv2d_winograd_pack.cl). */
#define WINOGRAD_TYPE float
#include "conv2d_winograd.clh"

/* Work-items: (c, tile). */
__kernel void conv2d_winograd_input(__global const float *x, __global float *V, const int first, const int tiles,
    const int H, const int W, const int C, const int pad, const int tiles_h, const int tiles_w)
{
    const int c = get_global_id(0), t = get_global_id(1);
    if (c >= C || t >= tiles) return;
    const int row = (first + t) / tiles_w, n = row / tiles_h;
    const int h0 = (row - n * tiles_h) * WINOGRAD_OUT - pad, w0 = (first + t - row * tiles_w) * WINOGRAD_OUT - pad;
    __global const float *image = x + (size_t)n * H * W * C + c;
    float d[WINOGRAD_POINTS];
#pragma unroll
    for (int i = 0; i < WINOGRAD_POINTS; i++) {
        const int h = h0 + i / WINOGRAD_IN, w = w0 + i % WINOGRAD_IN;
        d[i] = h >= 0 && h < H && w >= 0 && w < W ? image[(h * W + w) * C] : 0.0f;
    }
    winograd_input(d);
#pragma unroll
    for (int i = 0; i < WINOGRAD_POINTS; i++) V[(i * tiles + t) * C + c] = d[i];
}

/* Work-groups: (k / TILE, t / TILE, point), of ITEMS work-items along dimension 0. The sum runs over c in steps of DEPTH; for each the
 * group loads V and u into tiles [DEPTH][TILE], zeros where they do not exist. Work-item (a, b) of the 16 x 16 holds channels 4a..4a+3 of
 * tiles 4b..4b+3. */
#define TILE 64
#define DEPTH 16
#define ITEMS 256
#define PITCH (TILE + 4)     /* of the tiles in local memory: spreads a column over its banks, and keeps float4 aligned */

__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1)))
void conv2d_winograd_multiply(__global const float *V, __global const float *u, __global float *M,
    const int tiles, const int C, const int K)
{
    __local float v_tile[DEPTH * PITCH], u_tile[DEPTH * PITCH];
    const int item = get_local_id(0), first_k = get_group_id(0) * TILE, first_t = get_group_id(1) * TILE, point = get_group_id(2);
    const int a = item % 16, b = item / 16;
    V += point * tiles * C;
    u += (size_t)point * C * K;
    M += point * tiles * K;
    float4 sum0 = (float4)0.0f, sum1 = (float4)0.0f, sum2 = (float4)0.0f, sum3 = (float4)0.0f;

    for (int c0 = 0; c0 < C; c0 += DEPTH) {
        for (int e = item; e < DEPTH * TILE; e += ITEMS) {
            const int l = e % DEPTH, t = first_t + e / DEPTH;
            v_tile[l * PITCH + e / DEPTH] = c0 + l < C && t < tiles ? V[t * C + c0 + l] : 0.0f;
        }
        for (int e = item; e < DEPTH * TILE; e += ITEMS) {
            const int l = e / TILE, k = first_k + e % TILE;
            u_tile[l * PITCH + e % TILE] = c0 + l < C && k < K ? u[(c0 + l) * K + k] : 0.0f;
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int l = 0; l < DEPTH; l++) {
            const float4 value = vload4(b, v_tile + l * PITCH), factor = vload4(a, u_tile + l * PITCH);
            sum0 = fma((float4)value.x, factor, sum0);
            sum1 = fma((float4)value.y, factor, sum1);
            sum2 = fma((float4)value.z, factor, sum2);
            sum3 = fma((float4)value.w, factor, sum3);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    const int k = first_k + 4 * a;
    for (int i = 0; i < 4; i++) {
        const int t = first_t + 4 * b + i;
        const float4 sum = i == 0 ? sum0 : i == 1 ? sum1 : i == 2 ? sum2 : sum3;
        if (t >= tiles || k >= K) continue;
        __global float *out = M + t * K + k;
        out[0] = sum.x;
        if (k + 1 < K) out[1] = sum.y;
        if (k + 2 < K) out[2] = sum.z;
        if (k + 3 < K) out[3] = sum.w;
    }
}

/* Work-items: (k, tile). */
__kernel void conv2d_winograd_output(__global const float *M, __global float *y, const int first, const int tiles, const int K,
    const int P, const int Q, const int tiles_h, const int tiles_w, const int add)
{
    const int k = get_global_id(0), t = get_global_id(1);
    if (k >= K || t >= tiles) return;
    const int row = (first + t) / tiles_w, n = row / tiles_h;
    const int p0 = (row - n * tiles_h) * WINOGRAD_OUT, q0 = (first + t - row * tiles_w) * WINOGRAD_OUT;
    float m[WINOGRAD_POINTS], out[16];
#pragma unroll
    for (int i = 0; i < WINOGRAD_POINTS; i++) m[i] = M[(i * tiles + t) * K + k];
    winograd_output(m, out);
    __global float *image = y + (size_t)n * P * Q * K + k;
#pragma unroll
    for (int i = 0; i < 16; i++) {
        const int p = p0 + i / WINOGRAD_OUT, q = q0 + i % WINOGRAD_OUT;
        if (p >= P || q >= Q) continue;
        __global float *to = image + (p * Q + q) * K;
        *to = add ? *to + out[i] : out[i];
    }
}
