#include "model/param.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"

static bool is_convolution(const cc_param *param) { return param->rank == 4; }

cc_tensor cc_param_tensor(const cc_param *param, cc_buffer *buffer)
{
    cc_tensor t = { .buffer = buffer, .dtype = CC_F32, .rank = param->rank };
    memcpy(t.dim, param->dim, sizeof t.dim);
    if (is_convolution(param)) {
        t.dim[0] = param->dim[2];
        t.dim[1] = param->dim[3];
        t.dim[2] = param->dim[1];
        t.dim[3] = param->dim[0];
    }
    return t;
}

/* torch [K,C,R,S] <-> flat [R,S,C,K], in blocks of K so that neither side is read or written a cache line per number. */
static void transpose(const cc_param *p, const float *from, float *to, bool to_flat)
{
    enum { BLOCK = 16 };
    size_t k_count = p->dim[0], c_count = p->dim[1], taps = p->dim[2] * p->dim[3];
    for (size_t k0 = 0; k0 < k_count; k0 += BLOCK)
        for (size_t c = 0; c < c_count; c++)
            for (size_t t = 0; t < taps; t++)
                for (size_t k = k0; k < cc_min_size(k_count, k0 + BLOCK); k++) {
                    size_t torch = (k * c_count + c) * taps + t, flat = (t * c_count + c) * k_count + k;
                    if (to_flat)
                        to[flat] = from[torch];
                    else
                        to[torch] = from[flat];
                }
}

void cc_param_to_flat(const cc_param *param, const float *torch, float *flat)
{
    if (is_convolution(param))
        transpose(param, torch, flat, true);
    else
        memcpy(flat, torch, param->count * sizeof *flat);
}

void cc_param_from_flat(const cc_param *param, const float *flat, float *torch)
{
    if (is_convolution(param))
        transpose(param, flat, torch, false);
    else
        memcpy(torch, flat, param->count * sizeof *flat);
}

camcl_status cc_param_read(const cc_param *param, const cc_tensor *from, float *torch, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    float *flat = NULL;
    CC_TRY(CC_NEW(param->count, &flat, err));
    CC_TRY(cc_buffer_read(from->buffer, 0, flat, param->count * sizeof *flat, err));
    cc_param_from_flat(param, flat, torch);
cleanup:
    free(flat);
    return status;
}

/* ---- initial values */

/* Numbers that a weight takes per output. */
static size_t fan_in(const cc_param *weight)
{
    size_t count = 1;
    for (unsigned i = 1; i < weight->rank; i++)
        count *= weight->dim[i];
    return count;
}

/* He, Zhang, Ren, Sun: "Delving deep into rectifiers", ICCV 2015, equation 14 (variance kept in the backward pass). */
static double deviation(const cc_param *weight) { return sqrt(2.0 / (double)(weight->dim[0] * weight->dim[2] * weight->dim[3])); }

void cc_param_draw(const cc_graph *graph, size_t param, uint64_t seed, float *torch)
{
    const cc_param *p = &graph->params[param];
    cc_rng rng = cc_rng_at(seed, CC_RNG_WEIGHTS, param);
    double scale = 0;
    if (p->init == CC_INIT_FAN_OUT) scale = deviation(p);
    if (p->init == CC_INIT_FAN_IN) scale = 1 / sqrt((double)fan_in(&graph->params[graph->nodes[p->node].params[CC_ROLE_WEIGHT]]));
    for (size_t i = 0; i < p->count; i++)
        switch (p->init) {
        case CC_INIT_FAN_OUT: torch[i] = (float)(scale * cc_rng_normal(&rng)); break;
        case CC_INIT_FAN_IN: torch[i] = (float)(scale * (2 * cc_rng_unit(&rng) - 1)); break;
        case CC_INIT_ONE: torch[i] = 1; break;
        case CC_INIT_ZERO: torch[i] = 0; break;
        }
}
