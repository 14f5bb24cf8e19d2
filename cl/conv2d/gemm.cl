/* im2col and its transpose, for convolutions that go through a GEMM.
 *
 *   columns [N*P*Q, R*S*C]:  columns[(n,p,q), (r,s,c)] = x[n, p*stride+r-pad, q*stride+s-pad, c], 0 where that is padding
 *
 * N counts the images of this chunk, whose first is `first`. */

/* A work-item copies `each` neighbouring channels, a divisor of C: 4 or 1 on GPUs, all on CPUs.
 * Work-items: (((r*S+s)*C+c) / each, (n*P+p)*Q+q), so that neighbours write neighbouring columns however few channels there are. */
__kernel void conv2d_im2col(__global const float *x, __global float *columns,
    const int first, const int N, const int H, const int W, const int C,
    const int R, const int S, const int stride, const int pad, const int P, const int Q, const int each)
{
    const int column = get_global_id(0) * each, pixel = get_global_id(1);
    if (column >= R * S * C || pixel >= N * P * Q) return;
    const int tap = column / C, c = column - tap * C, r = tap / S, s = tap - r * S, row = pixel / Q, n = row / P;
    const int h = (row - n * P) * stride + r - pad, w = (pixel - row * Q) * stride + s - pad;
    const int inside = h >= 0 && h < H && w >= 0 && w < W;
    __global float *to = columns + (size_t)pixel * R * S * C + column;
    __global const float *from = x + (((size_t)(first + n) * H + (inside ? h : 0)) * W + (inside ? w : 0)) * C + c;
    if (each == 4) *(__global float4 *)to = inside ? *(__global const float4 *)from : (float4)0.0f;
    else
        for (int i = 0; i < each; i++) to[i] = inside ? from[i] : 0.0f;
}

/* dx[first+n,h,w,c] (+)= sum of the columns that x[first+n,h,w,c] was copied to, in the order of the taps.
 * Work-items of `each` neighbouring channels, 1 on GPUs, all on CPUs: (c / each, h*W+w, n). */
__kernel void conv2d_col2im(__global const float *columns, __global float *dx,
    const int first, const int N, const int H, const int W, const int C,
    const int R, const int S, const int stride, const int pad, const int P, const int Q, const int each, const int add)
{
    const int c0 = get_global_id(0) * each, pixel = get_global_id(1), n = get_global_id(2);
    if (c0 >= C || pixel >= H * W || n >= N) return;
    const int down = pixel / W + pad, right = pixel % W + pad;
    __global float *to = dx + ((size_t)(first + n) * H * W + pixel) * C;
    for (int c = c0; c < min(C, c0 + each); c++) {
        float sum = 0.0f;
        for (int r = down % stride; r < R && r <= down; r += stride) {
            const int p = (down - r) / stride;
            for (int s = right % stride; s < S && s <= right; s += stride) {
                const int q = (right - s) / stride;
                if (p < P && q < Q) sum += columns[((((size_t)n * P + p) * Q + q) * R * S + r * S + s) * C + c];
            }
        }
        to[c] = add ? to[c] + sum : sum;
    }
}
