/* Updates of `count` parameters. Work-item i takes vectors i*each .. of WIDTH numbers; the first one also takes the count % WIDTH numbers
 * at the end. Which product and sum are rounded as one is said, not left to the compiler: devices that train together make the same update,
 * each for itself, and unlike ones would drift apart. So fma stays here even where it is slow. */
#include "multiply_add.clh"
#include "vector.clh"

#pragma OPENCL FP_CONTRACT OFF

/* g = grad + weight_decay * w;  v = momentum * v + g;  w -= lr * (nesterov ? g + momentum * v : v). The type is that of the operands. */
#define SGD_STEP(type, grad, w, v)                                               \
    do {                                                                         \
        const type momentum_ = momentum;                                         \
        const type g_ = MULTIPLY_ADD_ONCE((type)weight_decay, w, grad);          \
        v = MULTIPLY_ADD_ONCE(momentum_, v, g_);                                 \
        const type way_ = nesterov ? MULTIPLY_ADD_ONCE(momentum_, v, g_) : (v);  \
        w = MULTIPLY_ADD_ONCE((type)-lr, way_, w);                               \
    } while (0)

__kernel void sgd_update(__global const float *rates, __global const float *grad, __global float *w, __global float *velocity, int index,
    int count, int each, float momentum, float weight_decay, int nesterov)
{
    const float lr = rates[index];
    const int vectors = count / WIDTH, first = (int)get_global_id(0) * each, last = min(vectors, first + each);
    for (int j = first; j < last; j++) {
        const size_t i = (size_t)j * WIDTH;
        floatv value = load(w + i), v = load(velocity + i);
        SGD_STEP(floatv, load(grad + i), value, v);
        store(velocity + i, v);
        store(w + i, value);
    }
    if (first == 0)
        for (int i = vectors * WIDTH; i < count; i++) SGD_STEP(float, grad[i], w[i], velocity[i]);
}

__kernel void ema_update(__global const float *w, __global float *average, int count, int each, float decay)
{
    const int vectors = count / WIDTH, first = (int)get_global_id(0) * each, last = min(vectors, first + each);
    for (int j = first; j < last; j++) {
        const size_t i = (size_t)j * WIDTH;
        store(average + i, MULTIPLY_ADD_ONCE((floatv)decay, load(average + i), (1.0f - decay) * load(w + i)));
    }
    if (first == 0)
        for (int i = vectors * WIDTH; i < count; i++) average[i] = MULTIPLY_ADD_ONCE(decay, average[i], (1.0f - decay) * w[i]);
}
