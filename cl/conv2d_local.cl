/* Convolution for GPUs: a work-group computes TILE output pixels x TILE output channels through local memory. Forward and backward-data,
 * master weight layout.
 *
 *     y[n, out_top + out_step*p, out_left + out_step*q, o] = sum_{i,j,c} x[n, p*stride+i+top, q*stride+j+left, c] * w'[i,j,c,o]
 *     w'[i,j,c,o] = w[w_first + i*w_row + j*w_column + c*w_c + o*w_o],     p < P, q < Q, i < R, j < S, c < C, o < K
 *
 * Work-groups: (channels o / TILE, pixels (n*P+p)*Q+q / TILE), of ITEMS work-items along dimension 0. The sum runs over t = (i*S+j)*C+c in
 * steps of DEPTH; for each the group loads x and w into tiles [DEPTH][TILE], zeros where they do not exist. Work-item (a, b) of the
 * 16 x 16 holds channels 4a..4a+3 of pixels 4b..4b+3. */
#define TILE 64
#define DEPTH 16
#define ITEMS 256
#define PITCH (TILE + 4)     /* of the tiles in local memory: spreads a column over its banks, and keeps float4 aligned */

static inline void store_channels(__global float *out, const float4 value, const int count, const int add)
{
    if (count <= 0) return;
    if (count >= 4) {
        vstore4(add ? vload4(0, out) + value : value, 0, out);
        return;
    }
    out[0] = add ? out[0] + value.x : value.x;
    if (count > 1) out[1] = add ? out[1] + value.y : value.y;
    if (count > 2) out[2] = add ? out[2] + value.z : value.z;
}

__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1)))
void conv2d_local(__global const float *x, __global const float *w, __global float *y,
    const int N, const int H, const int W, const int C, const int K, const int P, const int Q, const int R, const int S,
    const int stride, const int top, const int left, const int w_first, const int w_row, const int w_column, const int w_c, const int w_o,
    const int out_H, const int out_W, const int out_step, const int out_top, const int out_left, const int add)
{
    __local float x_tile[DEPTH * PITCH], w_tile[DEPTH * PITCH];
    const int item = get_local_id(0), first_o = get_group_id(0) * TILE, first_pixel = get_group_id(1) * TILE, pixels = N * P * Q;
    const int a = item % 16, b = item / 16, depth = R * S * C;
    float4 sum0 = (float4)0.0f, sum1 = (float4)0.0f, sum2 = (float4)0.0f, sum3 = (float4)0.0f;

    for (int t0 = 0; t0 < depth; t0 += DEPTH) {
        for (int e = item; e < DEPTH * TILE; e += ITEMS) {   /* x: channels are neighbours in memory, so neighbours load channels */
            const int l = e % DEPTH, t = t0 + l, pixel = first_pixel + e / DEPTH;
            const int h = pixel / Q % P * stride + top + t / C / S, v = pixel % Q * stride + left + t / C % S;
            const int exists = t < depth && pixel < pixels && h >= 0 && h < H && v >= 0 && v < W;
            x_tile[l * PITCH + e / DEPTH] = exists ? x[(((size_t)(pixel / (P * Q)) * H + h) * W + v) * C + t % C] : 0.0f;
        }
        for (int e = item; e < DEPTH * TILE; e += ITEMS) {   /* w: either o or c are neighbours in memory */
            const int l = w_o == 1 ? e / TILE : e % DEPTH, m = w_o == 1 ? e % TILE : e / DEPTH, t = t0 + l, o = first_o + m;
            const int place = w_first + t / C / S * w_row + t / C % S * w_column + t % C * w_c + o * w_o;
            w_tile[l * PITCH + m] = t < depth && o < K ? w[place] : 0.0f;
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int l = 0; l < DEPTH; l++) {
            const float4 value = vload4(b, x_tile + l * PITCH), factor = vload4(a, w_tile + l * PITCH);
            sum0 = fma((float4)value.x, factor, sum0);
            sum1 = fma((float4)value.y, factor, sum1);
            sum2 = fma((float4)value.z, factor, sum2);
            sum3 = fma((float4)value.w, factor, sum3);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    const int o = first_o + 4 * a;
    for (int i = 0; i < 4; i++) {
        const int pixel = first_pixel + 4 * b + i;
        if (pixel >= pixels) continue;
        const int h = pixel / Q % P * out_step + out_top, v = pixel % Q * out_step + out_left;
        __global float *out = y + (((size_t)(pixel / (P * Q)) * out_H + h) * out_W + v) * K + o;
        store_channels(out, i == 0 ? sum0 : i == 1 ? sum1 : i == 2 ? sum2 : sum3, K - o, add);
    }
}
