/* y [N,O] = x [N,I] w^T + b, w [O,I], and its gradients, without GEMM: for layers so small that packing and padding would cost more. WIDTH
 * divides I. Work-item i takes outputs (vectors of outputs) i*each .. , where a kernel says nothing else. linear_bias and
 * linear_bias_gradient go with the GEMM variant. */
#include "vector.clh"

static inline float sum_of(floatv v)
{
#if WIDTH == 1
    return v;
#else
#if WIDTH == 16
    const float8 a = v.lo + v.hi;
    const float4 b = a.lo + a.hi;
#elif WIDTH == 8
    const float4 b = v.lo + v.hi;
#else
    const float4 b = v;
#endif
    return (b.x + b.y) + (b.z + b.w);
#endif
}

/* With LANES > 1 a work-group shares each output, and `each` is 1: its work-items read a row side by side, and there are enough of them. */
__kernel void linear_forward(__global const float *restrict x, __global const float *restrict w, __global const float *restrict b,
    __global float *restrict y, int n, int in, int out, int each, int has_b)
{
    LANE_SCRATCH(float, scratch);
#if LANES > 1
    const int lane = (int)get_local_id(0), first = (int)get_group_id(0), last = first + 1;
#else
    const int lane = 0, first = (int)get_global_id(0) * each, last = min(n * out, first + each);
#endif
    for (int i = first; i < last; i++) {
        __global const float *row = x + (size_t)(i / out) * in, *weights = w + (size_t)(i % out) * in;
        floatv products = SPLAT(0.0f);
        for (int at = lane * WIDTH; at < in; at += LANES * WIDTH) products += load(row + at) * load(weights + at);
        float sum = sum_of(products);
        JOIN_LANES(sum, scratch, PLUS);
        if (lane > 0) return;
        y[i] = has_b ? sum + b[i % out] : sum;
    }
}

/* dx [N,I] = dy w */
__kernel void linear_backward_data(__global const float *restrict dy, __global const float *restrict w, __global float *restrict dx,
    int n, int in, int out, int each, int add)
{
    const int vectors = in / WIDTH, first = (int)get_global_id(0) * each, last = min(n * vectors, first + each);
    for (int i = first; i < last; i++) {
        __global const float *factors = dy + (size_t)(i / vectors) * out, *weights = w + i % vectors * WIDTH;
        floatv sum = SPLAT(0.0f);
        for (int o = 0; o < out; o++) sum += factors[o] * load(weights + (size_t)o * in);
        ADD_OR_STORE(add, dx + (size_t)i * WIDTH, sum);
    }
}

/* dw [O,I] = dy^T x;  db [O] = sum of dy's rows, by the work-item that has the first vector of a row of dw */
__kernel void linear_backward_weight(__global const float *restrict x, __global const float *restrict dy, __global float *restrict dw,
    __global float *restrict db, int n, int in, int out, int each, int add, int has_db)
{
    const int vectors = in / WIDTH, first = (int)get_global_id(0) * each, last = min(out * vectors, first + each);
    for (int i = first; i < last; i++) {
        const int o = i / vectors, at = i % vectors * WIDTH;
        floatv sum = SPLAT(0.0f);
        for (int row = 0; row < n; row++) sum += dy[(size_t)row * out + o] * load(x + (size_t)row * in + at);
        ADD_OR_STORE(add, dw + (size_t)i * WIDTH, sum);
        if (at > 0 || !has_db) continue;
        float bias = 0.0f;
        for (int row = 0; row < n; row++) bias += dy[(size_t)row * out + o];
        db[o] = add ? db[o] + bias : bias;
    }
}

/* y [N,O] = b in every row: what GEMM then adds to */
__kernel void linear_bias(__global const float *restrict b, __global float *restrict y, int n, int out, int each)
{
    const int first = (int)get_global_id(0) * each, last = min(n * out, first + each);
    for (int i = first; i < last; i++) y[i] = b[i % out];
}

/* db [O] = sum of dy's rows; work-item o */
__kernel void linear_bias_gradient(__global const float *restrict dy, __global float *restrict db, int n, int out, int add)
{
    const int o = (int)get_global_id(0);
    if (o >= out) return;
    float sum = 0.0f;
    for (int row = 0; row < n; row++) sum += dy[(size_t)row * out + o];
    db[o] = add ? db[o] + sum : sum;
}
