/* Checks of what works on rows of logits, and of the masked squared error. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "check/check.h"
#include "ops/variants.h"
#include "check/ref/masked_mse_ref.h"
#include "check/ref/softmax_ref.h"

static const struct {
    cc_rows_desc rows;
    size_t behind;
} shapes[] = {
    { { 0, 1, 1 }, 0 }, { { 0, 2, 10 }, 0 }, { { 3, 31, 15 }, 2 }, { { 1, 33, 16 }, 0 }, { { 0, 63, 17 }, 1 }, { { 0, 7, 1000 }, 1 },
};

/* Logits of all rows (NaN outside the rows asked for), labels, a mask. */
typedef struct problem {
    cc_rows_desc d;
    size_t total, used, before;
    float *logits, *mask;
    int32_t *labels;
    double *rows64; /* the rows asked for */
    cc_tensor tlogits, tlabels, tmask;
} problem;

/* `levels`: few distinct values, so that there are ties. */
static void make(cc_check *c, size_t s, float spread, bool levels, problem *p)
{
    *p = (problem){ .d = shapes[s].rows };
    p->used = p->d.n * p->d.classes;
    p->before = p->d.row0 * p->d.classes;
    p->total = p->before + p->used + shapes[s].behind * p->d.classes;
    p->logits = cc_check_random(c, p->total, (unsigned)s);
    p->mask = cc_check_random(c, p->d.n, 77);
    p->labels = cc_check_memory(c, p->d.n, sizeof *p->labels);
    p->rows64 = cc_check_memory(c, p->used, sizeof *p->rows64);
    if (!cc_check_ready(c)) return;
    for (size_t i = 0; i < p->total; i++) {
        const float v = levels ? roundf(p->logits[i] * spread) : p->logits[i] * spread;
        p->logits[i] = i < p->before || i >= p->before + p->used ? NAN : v;
    }
    for (size_t i = 0; i < p->used; i++)
        p->rows64[i] = p->logits[p->before + i];
    for (size_t i = 0; i < p->d.n; i++) {
        p->mask[i] = p->mask[i] > 0.0f ? 1.0f : 0.0f;
        p->labels[i] = (int32_t)((i * 7 + 3) % p->d.classes);
    }
    if (p->d.n > 2) p->labels[1] = -1;
    p->tlogits = cc_check_input(c, CC_F32, p->logits, p->total);
    p->tlabels = cc_check_input(c, CC_I32, p->labels, p->d.n);
    p->tmask = cc_check_input(c, CC_F32, p->mask, p->d.n);
}

void cc_check_softmax(cc_check *c)
{
    for (size_t s = 0; s < CC_COUNT(shapes); s++) {
        problem p;
        if (!cc_check_begin(c, &shapes[s].rows)) continue;
        make(c, s, 20.0f, false, &p);
        double *want = cc_check_doubles(c, NULL, p.used);
        cc_tensor io[] = { p.tlogits, cc_check_output(c, CC_F32, p.used) };
        if (cc_check_ready(c)) {
            ref_softmax(p.d.n, p.d.classes, p.rows64, want);
            cc_check_run(c, &p.d, io, 2, false);
            cc_check_compare(c, io[1], want, 3e-8, 3e-6, "probability");
        }
        cc_check_end(c);
    }
}

void cc_check_confidence(cc_check *c)
{
    for (size_t i = 0; i < 8 * CC_COUNT(shapes); i++) {
        const size_t s = i / 8;
        const bool truth = i & 2;
        cc_rows_op op = { .rows = shapes[s].rows, .kind = i & 1 ? CC_CONFIDENCE_SOFTMAX : CC_CONFIDENCE_LOGIT };
        const float thresholds[] = { 100.0f, i & 1 ? 0.5003f : 2.0003f };
        problem p;
        if (!cc_check_begin(c, &op)) continue;
        make(c, s, 3.0f, i & 4, &p);
        int32_t *pseudo = cc_check_memory(c, p.d.n, sizeof *pseudo);
        double *mask = cc_check_doubles(c, NULL, p.d.n), *probability = cc_check_doubles(c, NULL, p.used),
               want[4] = { 0, 0, (double)p.d.n, 0 };
        cc_tensor io[] = { p.tlogits, truth ? p.tlabels : CC_NO_TENSOR, cc_check_output(c, CC_I32, p.d.n),
                           cc_check_output(c, CC_F32, p.d.n), cc_check_output(c, CC_F32, 4) };
        op.scalar = (cc_device_scalar){ cc_check_input(c, CC_F32, thresholds, 2).buffer, 1 };
        if (cc_check_ready(c)) {
            ref_softmax(p.d.n, p.d.classes, p.rows64, probability);
            for (size_t r = 0; r < p.d.n; r++) {
                const size_t at = r * p.d.classes;
                const int best = ref_argmax(p.d.classes, p.rows64 + at);
                const double *of = op.kind == CC_CONFIDENCE_SOFTMAX ? probability : p.rows64;
                pseudo[r] = best;
                mask[r] = of[at + (size_t)best] >= (double)thresholds[1];
                want[0] += mask[r];
                want[1] += truth && best == p.labels[r] ? mask[r] : 0.0;
                want[3] += !truth || p.labels[r] < 0 ? mask[r] : 0.0;
            }
            cc_check_run(c, &op, io, 5, false);
            cc_check_compare_integers(c, io[2], pseudo, "pseudo-label");
            cc_check_compare(c, io[3], mask, 0, 0, "mask");
            cc_check_compare(c, io[4], want, 0, 0, "sums");
        }
        cc_check_end(c);
    }
}

static void forward_cross_entropy(cc_check *c, const problem *p, const cc_rows_op *op, bool masked)
{
    double want[4] = { 0, 0, 0, (double)p->d.n }, bounds[4] = { 0 };
    for (size_t i = 0; i < p->d.n; i++) {
        if (p->labels[i] < 0) continue;
        const double *row = p->rows64 + i * p->d.classes, weight = masked ? (double)p->mask[i] : 1.0;
        want[0] += weight * ref_cross_entropy(p->d.classes, row, p->labels[i]);
        want[1] += weight;
        want[2] += weight * (ref_argmax(p->d.classes, row) == p->labels[i]);
        bounds[0] += 5e-7 * weight;
    }
    bounds[0] += 5e-7 * fabs(want[0]);
    cc_tensor io[] = { p->tlogits, p->tlabels, masked ? p->tmask : CC_NO_TENSOR, cc_check_output(c, CC_F32, 4) };
    cc_check_run(c, op, io, 4, false);
    cc_check_compare_bounds(c, io[3], want, bounds, "sums");
}

static void backward_cross_entropy(cc_check *c, const problem *p, const cc_rows_op *op, double denominator, bool masked)
{
    float *old = cc_check_random(c, p->total, 5);
    double *want = cc_check_doubles(c, old, p->total), *probability = cc_check_doubles(c, NULL, p->used);
    if (!cc_check_ready(c)) return;
    ref_softmax(p->d.n, p->d.classes, p->rows64, probability);
    for (size_t i = 0; i < p->d.n; i++) {
        const double weight = p->labels[i] < 0 ? 0.0 : masked ? (double)p->mask[i] : 1.0;
        const double factor = (double)op->scale / fmax(denominator, 1.0) * weight;
        for (size_t j = 0; j < p->d.classes; j++)
            want[p->before + i * p->d.classes + j] = factor * (probability[i * p->d.classes + j] - ((int32_t)j == p->labels[i]));
    }
    cc_tensor io[] = { p->tlogits, p->tlabels, masked ? p->tmask : CC_NO_TENSOR, cc_check_input(c, CC_F32, old, p->total) };
    cc_check_run(c, op, io, 4, false);
    cc_check_compare(c, io[3], want, 5e-7, 1e-6, "dlogits");
}

void cc_check_cross_entropy(cc_check *c)
{
    const float denominators[] = { 0.0f, 0.25f, 1.0f, 37.0f };
    for (size_t i = 0; i < 4 * CC_COUNT(shapes); i++) {
        cc_rows_op op = { .rows = shapes[i / 4].rows, .scale = 0.7f };
        problem p;
        if (!cc_check_begin(c, &op)) continue;
        make(c, i / 4, 3.0f, i & 2, &p);
        op.scalar = (cc_device_scalar){ cc_check_input(c, CC_F32, denominators, 4).buffer, i % 4 };
        if (cc_check_ready(c) && c->variant->direction == CC_FORWARD)
            forward_cross_entropy(c, &p, &op, i & 1);
        else if (cc_check_ready(c))
            backward_cross_entropy(c, &p, &op, denominators[i % 4], i & 1);
        cc_check_end(c);
    }
}

void cc_check_evaluate(cc_check *c)
{
    const float old[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    for (size_t i = 0; i < 2 * CC_COUNT(shapes); i++) {
        problem p;
        if (!cc_check_begin(c, &shapes[i / 2].rows)) continue;
        make(c, i / 2, 3.0f, i & 1, &p);
        double want[8] = { 1, 2, 3, 4, 5, 6, 7, 8 }, bounds[8] = { 0 };
        cc_tensor io[] = { p.tlogits, p.tlabels, cc_check_input(c, CC_F32, old, 8) };
        if (cc_check_ready(c)) {
            for (size_t r = 0; r < p.d.n; r++) {
                if (p.labels[r] < 0) continue;
                const double *row = p.rows64 + r * p.d.classes;
                const int rank = ref_rank(p.d.classes, row, p.labels[r]);
                want[0] += ref_cross_entropy(p.d.classes, row, p.labels[r]);
                want[1] += rank < 1, want[2] += rank < 3, want[3] += rank < 5, want[4] += 1;
            }
            bounds[0] = 5e-7 * (double)p.d.n + 5e-7 * fabs(want[0]);
            cc_check_run(c, &p.d, io, 3, false);
            cc_check_compare_bounds(c, io[2], want, bounds, "sums");
        }
        cc_check_end(c);
    }
}

/* ---- masked mean squared error */

static void forward_mse(cc_check *c, const cc_masked_mse_desc *d, const cc_tensor *in, const double *a, const double *b, const double *mask)
{
    double want[4], bounds[4] = { 0 };
    ref_masked_mse_forward(d->n, d->size, a, b, mask, want);
    bounds[0] = 5e-7 * fabs(want[0]);
    cc_tensor io[] = { in[0], in[1], in[2], cc_check_output(c, CC_F32, 4) };
    cc_check_run(c, d, io, 4, false);
    cc_check_compare_bounds(c, io[3], want, bounds, "sums");
}

static void backward_mse(cc_check *c, cc_masked_mse_op *op, const cc_tensor *in, const double *a, const double *b, const double *mask,
                         size_t index)
{
    const float denominators[4] = { 1e9f, 3.0f, 0.0f, 0.5f };
    const size_t count = op->desc.n * op->desc.size;
    double *da = cc_check_doubles(c, NULL, count), *db = cc_check_doubles(c, NULL, count);
    cc_tensor io[] = { in[0], in[1], in[2], cc_check_output(c, CC_F32, count),
                       index == 2 ? CC_NO_TENSOR : cc_check_output(c, CC_F32, count) };
    op->denominator = (cc_device_scalar){ cc_check_input(c, CC_F32, denominators, 4).buffer, index };
    if (!cc_check_ready(c)) return;
    ref_masked_mse_backward(op->desc.n, op->desc.size, a, b, mask, op->scale, denominators[index], da);
    for (size_t i = 0; i < count; i++)
        db[i] = -da[i];
    cc_check_run(c, op, io, 5, false);
    cc_check_compare(c, io[3], da, 1e-12, 5e-7, "da");
    if (index != 2) cc_check_compare(c, io[4], db, 1e-12, 5e-7, "db");
}

void cc_check_masked_mse(cc_check *c)
{
    static const cc_masked_mse_desc sizes[] = { { 1, 1 }, { 7, 33 }, { 2, 64 }, { 33, 1024 }, { 3, 127 }, { 2, 2501 } };
    for (size_t i = 0; i < 3 * CC_COUNT(sizes); i++) {
        const cc_masked_mse_desc d = sizes[i / 3];
        const size_t count = d.n * d.size;
        const bool forward = c->variant->direction == CC_FORWARD;
        cc_masked_mse_op op = { d, 0.75f, { NULL, 0 } };
        if (!cc_check_begin(c, forward ? (const void *)&d : &op)) continue;
        float *a = cc_check_random(c, count, 1), *b = cc_check_random(c, count, 2), *mask = cc_check_random(c, d.n, 3);
        for (size_t n = 0; mask && n < d.n; n++)
            mask[n] = mask[n] > 0.0f || n == 0 ? 1.0f : 0.0f;
        double *a64 = cc_check_doubles(c, a, count), *b64 = cc_check_doubles(c, b, count), *mask64 = cc_check_doubles(c, mask, d.n);
        for (size_t n = 0; cc_check_ready(c) && n < count; n++)
            if (mask[n / d.size] == 0.0f) a[n] = NAN; /* masked images are not looked at */
        const cc_tensor in[] = { cc_check_input(c, CC_F32, a, count), cc_check_input(c, CC_F32, b, count),
                                 cc_check_input(c, CC_F32, mask, d.n) };
        if (cc_check_ready(c) && forward)
            forward_mse(c, &d, in, a64, b64, mask64);
        else if (cc_check_ready(c))
            backward_mse(c, &op, in, a64, b64, mask64, 1 + i % 3);
        cc_check_end(c);
    }
}
