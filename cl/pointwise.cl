/* y = act(a + b) over `count` numbers, and its gradient. Work-item i takes vectors i*each .. of WIDTH numbers; the first one also takes the
 * count % WIDTH numbers at the end. Outputs may be the inputs themselves. */
#include "activation.clh"
#include "vector.clh"

static inline float activate_one(float v, float slope) { return v > 0.0f ? v : v * slope; }

__kernel void add_forward(__global const float *a, __global const float *b, __global float *y, int count, int each, float slope, int has_b)
{
    const int vectors = count / WIDTH, first = (int)get_global_id(0) * each, last = min(vectors, first + each);
    for (int j = first; j < last; j++) {
        const size_t i = (size_t)j * WIDTH;
        floatv v = load(a + i);
        if (has_b) v += load(b + i);
        store(y + i, activate(v, slope));
    }
    if (first == 0)
        for (int i = vectors * WIDTH; i < count; i++) y[i] = activate_one(has_b ? a[i] + b[i] : a[i], slope);
}

/* g = dy * act'(y). Without an activation the host passes dy for y. Modes: 0 no such output, 1 overwrite, 2 add. */
__kernel void add_backward(__global const float *y, __global const float *dy, __global float *da, __global float *db, int count, int each,
    float slope, int a_mode, int b_mode)
{
    const int vectors = count / WIDTH, first = (int)get_global_id(0) * each, last = min(vectors, first + each);
    for (int j = first; j < last; j++) {
        const size_t i = (size_t)j * WIDTH;
        const floatv g = load(dy + i) * activation_factor(load(y + i), slope);
        ADD_OR_STORE(a_mode > 1, da + i, g);
        if (b_mode) ADD_OR_STORE(b_mode > 1, db + i, g);
    }
    if (first == 0)
        for (int i = vectors * WIDTH; i < count; i++) {
            const float g = y[i] > 0.0f ? dy[i] : dy[i] * slope;
            da[i] = a_mode > 1 ? da[i] + g : g;
            if (b_mode) db[i] = b_mode > 1 ? db[i] + g : g;
        }
}
