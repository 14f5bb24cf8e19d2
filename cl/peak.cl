/* What the device can do at most: multiply-adds per second, and bytes per second.
 *
 * WIDTH         floats per vector (vector.clh): those of a register (CPUs), 4, or 1
 * ACCUMULATORS  independent vectors that a work-item keeps in registers; enough of them hide the latency of fma
 * Local size is the host's choice; every work-item does the same amount of work. */
#include "vector.clh"

#ifndef ACCUMULATORS
#define ACCUMULATORS 12
#endif

/* The host names the REGISTERS of CPUs only. Elsewhere mad is never slower than fma, and on devices without fma it is a hundred times as
 * fast. */
#ifdef REGISTERS
#define STEP(a, b, c) MULTIPLY_ADD(a, b, c)
#else
#define STEP(a, b, c) mad(a, b, c)
#endif

/* turns * 8 * ACCUMULATORS multiply-adds of WIDTH floats per work-item. The result, which depends on all of them, converges to
 * b / (1 - a): no overflow, no denormals. */
__kernel void peak_fma(__global float *out, const float a, const float b, const int turns)
{
    const floatv factor = SPLAT(a), addend = SPLAT(b);
    floatv sum[ACCUMULATORS];
#pragma unroll
    for (int i = 0; i < ACCUMULATORS; i++) sum[i] = SPLAT(b * (float)(i + 1));
    for (int t = 0; t < turns; t++) {
#pragma unroll
        for (int u = 0; u < 8; u++)
#pragma unroll
            for (int i = 0; i < ACCUMULATORS; i++) sum[i] = STEP(sum[i], factor, addend);
    }
    floatv all = sum[0];
#pragma unroll
    for (int i = 1; i < ACCUMULATORS; i++) all += sum[i];
    store(out + get_global_id(0) * WIDTH, all);
}

/* y [vectors] = x; work-item i takes vectors i*each .. */
__kernel void peak_copy(__global const float *restrict x, __global float *restrict y, const int vectors, const int each)
{
    const int first = (int)get_global_id(0) * each, last = min(vectors, first + each);
    for (int i = first; i < last; i++) store(y + (size_t)i * WIDTH, load(x + (size_t)i * WIDTH));
}

/* y [vectors] = x + factor * z */
__kernel void peak_triad(__global const float *restrict x, __global const float *restrict z, __global float *restrict y,
    const float factor, const int vectors, const int each)
{
    const int first = (int)get_global_id(0) * each, last = min(vectors, first + each);
    for (int i = first; i < last; i++) {
        const size_t at = (size_t)i * WIDTH;
        store(y + at, STEP(SPLAT(factor), load(z + at), load(x + at)));
    }
}
