/* Checks of what makes targets of the unlabelled images, and of the losses against them. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "check/check.h"
#include "check/ref/fairness_ref.h"
#include "check/ref/soft_ref.h"
#include "check/ref/softmax_ref.h"
#include "check/ref/thresholds_ref.h"
#include "ops/variants.h"

static const struct {
    cc_rows_desc rows;
    size_t behind;
} shapes[] = {
    { { 0, 1, 2 }, 0 }, { { 0, 2, 10 }, 0 }, { { 3, 31, 15 }, 2 }, { { 1, 33, 16 }, 0 }, { { 0, 65, 10 }, 1 }, { { 2, 130, 3 }, 5 },
};

/* `count` logits that end with the desc's rows, NaN outside them, and those rows as doubles. */
typedef struct rows {
    float *all;
    double *used;
    size_t total;
    cc_tensor tensor;
} rows;

static rows make_rows(cc_check *c, const cc_rows_desc *d, size_t row0, size_t behind, float spread, unsigned seed)
{
    const size_t before = row0 * d->classes, used = d->n * d->classes;
    rows r = { .total = before + used + behind * d->classes };
    r.all = cc_check_random(c, r.total, seed);
    r.used = cc_check_memory(c, used, sizeof *r.used);
    if (!cc_check_ready(c)) return r;
    for (size_t i = 0; i < r.total; i++)
        r.all[i] = i < before || i >= before + used ? NAN : r.all[i] * spread;
    for (size_t i = 0; i < used; i++)
        r.used[i] = r.all[before + i];
    r.tensor = cc_check_input(c, CC_F32, r.all, r.total);
    return r;
}

/* Weights between 0 and 1, some of them either. */
static float *make_weights(cc_check *c, size_t n, unsigned seed)
{
    float *weights = cc_check_random(c, n, seed);
    for (size_t i = 0; weights && i < n; i++)
        weights[i] = i % 3 == 0 ? fabsf(weights[i]) : i % 3 == 1 ? 1.0f : 0.0f;
    return weights;
}

static int32_t *make_truth(cc_check *c, const cc_rows_desc *d)
{
    int32_t *truth = cc_check_memory(c, d->n, sizeof *truth);
    for (size_t i = 0; truth && i < d->n; i++)
        truth[i] = i % 5 == 1 ? -1 : (int32_t)(i * 7 % d->classes);
    return truth;
}

/* ---- losses against probabilities */

static const float scalars[] = { 0.25f, 7.0f, 0.6f };

/* Runs the gradient and compares; want [used] is that of the sum, `behind` the operands before dlogits. */
static void check_gradient(cc_check *c, const cc_soft_op *op, cc_tensor *io, size_t count, const rows *x, double factor, double *want)
{
    const size_t before = op->rows.row0 * op->rows.classes, used = op->rows.n * op->rows.classes;
    float *old = cc_check_random(c, x->total, 5);
    double *all = cc_check_doubles(c, old, x->total);
    if (!cc_check_ready(c)) return;
    for (size_t i = 0; i < used; i++)
        all[before + i] = factor * want[i];
    io[count] = cc_check_input(c, CC_F32, old, x->total);
    cc_check_run(c, op, io, count + 1, false);
    cc_check_compare(c, io[count], all, 5e-7, 5e-7, "dlogits");
}

void cc_check_soft_cross_entropy(cc_check *c)
{
    for (size_t i = 0; i < 2 * CC_COUNT(shapes); i++) {
        const cc_rows_desc d = shapes[i / 2].rows;
        cc_soft_op op = { .rows = d, .target_row0 = i % 3, .temperature = i & 1 ? 0.4f : 1.7f, .scale = 0.7f };
        if (!cc_check_begin(c, &op)) continue;
        rows x = make_rows(c, &d, d.row0, shapes[i / 2].behind, 3, 1), t = make_rows(c, &d, i % 3, 1, 3, 2);
        float *weights = make_weights(c, d.n, 3);
        double sums[4], bounds[4] = { 0 }, *dx = cc_check_doubles(c, NULL, d.n * d.classes), *weights64 = cc_check_doubles(c, weights, d.n);
        cc_tensor io[4] = { x.tensor, t.tensor, cc_check_input(c, CC_F32, weights, d.n) };
        op.denominator = (cc_device_scalar){ cc_check_input(c, CC_F32, scalars, 3).buffer, i % 2 };
        if (cc_check_ready(c)) ref_soft_cross_entropy(d.n, d.classes, x.used, t.used, op.temperature, weights64, sums, dx);
        if (cc_check_ready(c) && c->variant->direction == CC_FORWARD) {
            io[3] = cc_check_output(c, CC_F32, 4);
            cc_check_run(c, &op, io, 4, false);
            bounds[0] = 5e-7 * (double)d.n + 5e-7 * fabs(sums[0]);
            bounds[1] = bounds[2] = 2e-7 * (double)d.n;
            cc_check_compare_bounds(c, io[3], sums, bounds, "sums");
        } else if (cc_check_ready(c)) {
            check_gradient(c, &op, io, 3, &x, (double)op.scale / fmax(scalars[i % 2], 1), dx);
        }
        cc_check_end(c);
    }
}

void cc_check_probability_mse(cc_check *c)
{
    for (size_t i = 0; i < 2 * CC_COUNT(shapes); i++) {
        const cc_rows_desc d = shapes[i / 2].rows;
        cc_soft_op op = { .rows = d, .target_row0 = i % 3 };
        if (!cc_check_begin(c, &op)) continue;
        rows x = make_rows(c, &d, d.row0, shapes[i / 2].behind, 3, 1), t = make_rows(c, &d, i % 3, 1, 3, 2);
        double *dx = cc_check_doubles(c, NULL, d.n * d.classes), sums[4] = { 0, (double)d.n, 0, (double)d.n }, bounds[4] = { 0 };
        cc_tensor io[3] = { x.tensor, t.tensor }, numbers = cc_check_input(c, CC_F32, scalars, 3);
        op.denominator = (cc_device_scalar){ numbers.buffer, i % 2 };
        op.factor = (cc_device_scalar){ numbers.buffer, 2 };
        if (cc_check_ready(c)) sums[0] = ref_probability_mse(d.n, d.classes, x.used, t.used, dx);
        if (cc_check_ready(c) && c->variant->direction == CC_FORWARD) {
            io[2] = cc_check_output(c, CC_F32, 4);
            cc_check_run(c, &op, io, 3, false);
            bounds[0] = 1e-6 * sums[0] + 1e-7;
            cc_check_compare_bounds(c, io[2], sums, bounds, "sums");
        } else if (cc_check_ready(c)) {
            check_gradient(c, &op, io, 2, &x, (double)scalars[2] / fmax(scalars[i % 2], 1), dx);
        }
        cc_check_end(c);
    }
}

/* ---- thresholds and weights */

/* A case of one of the three operations: what all of them take and leave. */
typedef struct target_case {
    cc_rows_desc d;
    rows x;
    int32_t *truth;
    ref_weights want;
    cc_tensor io[9];
} target_case;

enum { FIRST_STATE = 2 };

static void make_case(cc_check *c, size_t i, target_case *t)
{
    *t = (target_case){ .d = shapes[i / 2].rows };
    t->x = make_rows(c, &t->d, t->d.row0, shapes[i / 2].behind, 4, (unsigned)i);
    t->truth = i & 1 ? make_truth(c, &t->d) : NULL;
    t->want.pseudo = cc_check_memory(c, t->d.n, sizeof *t->want.pseudo);
    t->want.weight = cc_check_memory(c, t->d.n, sizeof *t->want.weight);
    t->io[0] = t->x.tensor;
    t->io[1] = cc_check_input(c, CC_I32, t->truth, t->d.n);
    t->io[5] = cc_check_output(c, CC_I32, t->d.n);
    t->io[6] = cc_check_output(c, CC_F32, t->d.n);
    t->io[7] = cc_check_output(c, CC_F32, 4);
    t->io[8] = cc_check_output(c, CC_F32, 4);
}

static void compare_case(cc_check *c, const target_case *t, double weights)
{
    cc_check_compare_integers(c, t->io[5], t->want.pseudo, "pseudo-label");
    cc_check_compare(c, t->io[6], t->want.weight, weights, 0, "weight");
    cc_check_compare(c, t->io[7], t->want.sums, weights * (double)t->d.n, 0, "sums");
    cc_check_compare(c, t->io[8], t->want.own, 2e-7, 2e-7, "figures");
}

/* Every other image is there twice; the first ones have classes already. */
void cc_check_class_thresholds(cc_check *c)
{
    for (size_t i = 0; i < 2 * CC_COUNT(shapes); i++) {
        const float thresholds[] = { 100, i % 4 > 1 ? 2.0003f : 0.7003f };
        const size_t n = shapes[i / 2].rows.n, classes = shapes[i / 2].rows.classes, images = n + 2;
        cc_thresholds_op op = { .rows = shapes[i / 2].rows, .kind = i % 4 > 1 ? CC_CONFIDENCE_LOGIT : CC_CONFIDENCE_SOFTMAX };
        target_case t;
        if (!cc_check_begin(c, &op)) continue;
        make_case(c, i, &t);
        cc_transform *transforms = cc_check_memory(c, n, sizeof *transforms);
        int32_t *sources = cc_check_memory(c, n, sizeof *sources), *last = cc_check_memory(c, images, sizeof *last),
                *counts = cc_check_memory(c, classes + 1, sizeof *counts);
        for (size_t k = 0; cc_check_ready(c) && k < images; k++) {
            last[k] = k % 3 == 0 ? -1 : (int32_t)(k / 2 % 2);
            counts[last[k] < 0 ? classes : (size_t)last[k]]++;
        }
        for (size_t k = 0; cc_check_ready(c) && k < n; k++)
            transforms[k].source = sources[k] = (int32_t)(k / 2 * 2);
        t.io[2] = cc_check_input(c, CC_I32, transforms, n * sizeof *transforms / sizeof(int32_t));
        t.io[3] = cc_check_input(c, CC_I32, last, images);
        t.io[4] = cc_check_input(c, CC_I32, counts, classes + 1);
        op.threshold = (cc_device_scalar){ cc_check_input(c, CC_F32, thresholds, 2).buffer, 1 };
        if (cc_check_ready(c)) {
            ref_class_thresholds(n, classes, op.kind == CC_CONFIDENCE_SOFTMAX, thresholds[1], t.x.used, t.truth, sources,
                                 &(ref_class_state){ last, counts }, &t.want);
            cc_check_run(c, &op, t.io, 9, false);
            compare_case(c, &t, 0);
            cc_check_compare_integers(c, t.io[3], last, "last class");
            cc_check_compare_integers(c, t.io[4], counts, "counts");
        }
        cc_check_end(c);
    }
}

/* Averages as they are after some steps: `count` numbers that are about 1/count. */
static float *make_average(cc_check *c, size_t count, unsigned seed)
{
    float *values = cc_check_random(c, count, seed);
    for (size_t k = 0; values && k < count; k++)
        values[k] = (1.0f + 0.3f * values[k]) / (float)count;
    return values;
}

void cc_check_adaptive_thresholds(cc_check *c)
{
    for (size_t i = 0; i < 2 * CC_COUNT(shapes); i++) {
        const cc_thresholds_op op = { .rows = shapes[i / 2].rows, .decay = 0.9f };
        const size_t classes = op.rows.classes;
        const float threshold = 0.6f;
        target_case t;
        if (!cc_check_begin(c, &op)) continue;
        make_case(c, i, &t);
        float *probability = make_average(c, classes, 31), *histogram = make_average(c, classes, 32);
        double *p = cc_check_doubles(c, probability, classes), *h = cc_check_doubles(c, histogram, classes), now = threshold;
        t.io[FIRST_STATE] = cc_check_input(c, CC_F32, &threshold, 1);
        t.io[FIRST_STATE + 1] = cc_check_input(c, CC_F32, probability, classes);
        t.io[FIRST_STATE + 2] = cc_check_input(c, CC_F32, histogram, classes);
        if (cc_check_ready(c)) {
            ref_adaptive_thresholds(t.d.n, classes, op.decay, t.x.used, t.truth,
                                    &(ref_average_state){ .threshold = &now, .probability = p, .histogram = h }, &t.want);
            cc_check_run(c, &op, t.io, 9, false);
            compare_case(c, &t, 0);
            cc_check_compare(c, t.io[FIRST_STATE], &now, 0, 2e-7, "threshold");
            cc_check_compare(c, t.io[FIRST_STATE + 1], p, 0, 2e-7, "average probability");
            cc_check_compare(c, t.io[FIRST_STATE + 2], h, 0, 2e-7, "average histogram");
        }
        cc_check_end(c);
    }
}

void cc_check_confidence_weights(cc_check *c)
{
    for (size_t i = 0; i < 2 * CC_COUNT(shapes); i++) {
        const cc_thresholds_op op = { .rows = shapes[i / 2].rows, .decay = 0.9f };
        const size_t classes = op.rows.classes;
        const float moments[] = { 0.7f, 0.08f };
        target_case t;
        if (!cc_check_begin(c, &op)) continue;
        make_case(c, i, &t);
        float *probability = make_average(c, classes, 31);
        double *p = cc_check_doubles(c, probability, classes), mean = moments[0], variance = moments[1];
        t.io[FIRST_STATE] = cc_check_input(c, CC_F32, probability, classes);
        t.io[FIRST_STATE + 1] = cc_check_input(c, CC_F32, &moments[0], 1);
        t.io[FIRST_STATE + 2] = cc_check_input(c, CC_F32, &moments[1], 1);
        if (cc_check_ready(c)) {
            ref_confidence_weights(t.d.n, classes, op.decay, t.x.used, t.truth,
                                   &(ref_average_state){ .probability = p, .mean = &mean, .variance = &variance }, &t.want);
            cc_check_run(c, &op, t.io, 9, false);
            compare_case(c, &t, 1e-6);
            cc_check_compare(c, t.io[FIRST_STATE], p, 0, 2e-7, "average probability");
            cc_check_compare(c, t.io[FIRST_STATE + 1], &mean, 0, 2e-7, "mean");
            cc_check_compare(c, t.io[FIRST_STATE + 2], &variance, 0, 5e-7, "variance");
        }
        cc_check_end(c);
    }
}

/* ---- fairness */

void cc_check_fairness(cc_check *c)
{
    for (size_t i = 0; i < 2 * CC_COUNT(shapes); i++) {
        const cc_fairness_op op = { .rows = shapes[i / 2].rows, .scale = 0.3f };
        const cc_rows_desc d = op.rows;
        const size_t used = d.n * d.classes, total = (d.row0 + d.n + shapes[i / 2].behind) * d.classes;
        if (!cc_check_begin(c, &op)) continue;
        const rows x = make_rows(c, &d, 0, 0, 3, (unsigned)i);
        float *q = cc_check_memory(c, used, sizeof *q), *mask = make_weights(c, d.n, 3), *p = make_average(c, d.classes, 31),
              *h = make_average(c, d.classes, 32), *old = cc_check_random(c, total, 5);
        double *q64 = cc_check_doubles(c, NULL, used), *slope = cc_check_doubles(c, NULL, d.classes);
        if (cc_check_ready(c)) ref_softmax(d.n, d.classes, x.used, q64);
        for (size_t k = 0; cc_check_ready(c) && k < used; k++)
            q64[k] = q[k] = (float)q64[k];
        for (size_t k = 0; cc_check_ready(c) && k < d.n; k++) {
            mask[k] = mask[k] > 0 ? 1.0f : 0.0f;
            if (i & 1 && i / 2 == 1) mask[k] = 0; /* nobody counts */
        }
        if (cc_check_ready(c)) h[0] = 0;
        double *mask64 = cc_check_doubles(c, mask, d.n), *p64 = cc_check_doubles(c, p, d.classes), *h64 = cc_check_doubles(c, h, d.classes);
        cc_tensor tq = cc_check_input(c, CC_F32, q, used), tmask = cc_check_input(c, CC_F32, mask, d.n);
        double sums[4] = { 0, 0, 0, 1 };
        if (cc_check_ready(c)) sums[0] = ref_fairness(d.n, d.classes, q64, mask64, p64, h64, slope);
        for (size_t k = 0; cc_check_ready(c) && k < d.n; k++)
            sums[1] += mask64[k];
        if (cc_check_ready(c) && c->variant->direction == CC_FORWARD) {
            double most = 0;
            for (size_t k = 0; k < d.classes; k++)
                most = fmax(most, fabs(slope[k]));
            cc_tensor io[] = { tq,
                               tmask,
                               cc_check_input(c, CC_F32, p, d.classes),
                               cc_check_input(c, CC_F32, h, d.classes),
                               cc_check_output(c, CC_F32, d.classes),
                               cc_check_output(c, CC_F32, 4) };
            cc_check_run(c, &op, io, 6, false);
            cc_check_compare(c, io[4], slope, 2e-6 * most, 0, "slope");
            cc_check_compare(c, io[5], sums, 1e-7, 5e-7, "sums");
        } else if (cc_check_ready(c)) {
            float *slope32 = cc_check_memory(c, d.classes, sizeof *slope32);
            double *want = cc_check_doubles(c, old, total);
            for (size_t k = 0; slope32 && k < d.classes; k++)
                slope[k] = slope32[k] = (float)slope[k];
            if (cc_check_ready(c)) ref_fairness_backward(d.n, d.classes, q64, mask64, slope, op.scale, want + d.row0 * d.classes);
            cc_tensor io[] = { tq, tmask, cc_check_input(c, CC_F32, slope32, d.classes), cc_check_input(c, CC_F32, old, total) };
            if (cc_check_ready(c)) cc_check_run(c, &op, io, 4, false);
            cc_check_compare(c, io[3], want, 1e-7, 3e-7, "dlogits");
        }
        cc_check_end(c);
    }
}
