/* Sums that work-groups computed in parts (conv2d/local.cl, conv2d/local_weight.cl): y[i] (+)= sum over parts z, in order, of
 * partial[z][i].  Work-items: i < count. */
__kernel void conv2d_add_parts(__global const float *partial, __global float *y, const int count, const int parts, const int add)
{
    const int i = get_global_id(0);
    if (i >= count) return;
    float sum = 0.0f;
    for (int z = 0; z < parts; z++) sum += partial[(size_t)z * count + i];
    y[i] = add ? y[i] + sum : sum;
}
