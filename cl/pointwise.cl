/* y = act(a + b) over `count` numbers, and its gradient. Work-item i takes vectors i*each .. of WIDTH numbers; the first one also takes the
 * count % WIDTH numbers at the end. Outputs may be the inputs themselves. */
#include "activation.clh"
#include "vector.clh"

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
        for (int i = vectors * WIDTH; i < count; i++) y[i] = FIRST(activate(SPLAT(has_b ? a[i] + b[i] : a[i]), slope));
}

/* g = dy * act', from what the activation's derivative needs. Without an activation the host passes dy for `kept`. Modes: 0 no such output, 1 overwrite, 2 add. */
__kernel void add_backward(__global const float *kept, __global const float *dy, __global float *da, __global float *db, int count, int each,
    float slope, int a_mode, int b_mode)
{
    const int vectors = count / WIDTH, first = (int)get_global_id(0) * each, last = min(vectors, first + each);
    for (int j = first; j < last; j++) {
        const size_t i = (size_t)j * WIDTH;
        const floatv g = load(dy + i) * activation_factor(load(kept + i), slope);
        ADD_OR_STORE(a_mode > 1, da + i, g);
        if (b_mode) ADD_OR_STORE(b_mode > 1, db + i, g);
    }
    if (first == 0)
        for (int i = vectors * WIDTH; i < count; i++) {
            const float g = dy[i] * FIRST(activation_factor(SPLAT(kept[i]), slope));
            da[i] = a_mode > 1 ? da[i] + g : g;
            if (b_mode) db[i] = b_mode > 1 ? db[i] + g : g;
        }
}
