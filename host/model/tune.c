#include "model/tune.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/rng.h"
#include "device/timings.h"
#include "ops/record.h"

enum {
    MOST_IMAGES = 128, /* beyond, time grows with the batch and the order stays */
    FEW_IMAGES = 8,    /* enough to tell what is hopeless */
    MOST_VARIANTS = 64,
    ROUNDS = 3
};
#define HOPELESS 3.0 /* times the best with few images */
#define SLOWER 1.5   /* times the best after one round: not run again */
#define SHORT 0.01   /* seconds */
#define LONG 0.05
#define NEVER 1e9  /* seconds of what failed */
#define FAILED 1e9 /* milliseconds: nothing that ran takes as long */

static cc_problem with_images(const cc_problem *problem, size_t most)
{
    cc_problem p = *problem;
    if (!p.linear) p.conv.n = cc_min_size(p.conv.n, most);
    return p;
}

static const void *desc_of(const cc_problem *p) { return p->linear ? (const void *)&p->fc : &p->conv; }
static const char *op_of(const cc_problem *p) { return p->linear ? "linear" : "conv2d"; }

void cc_tune_key(const cc_problem *problem, char *text, size_t size)
{
    const cc_problem p = with_images(problem, MOST_IMAGES);
    cc_op_key(op_of(&p), p.direction, desc_of(&p), text, size);
}

/* The variants worth timing, in registry order. */
static size_t list_variants(const camcl_device *device, const cc_problem *p, const cc_variant **out)
{
    const camcl_device_info *info = camcl_device_get_info(device);
    const cc_variant *general = NULL;
    size_t count = 0;
    for (size_t i = 0; i < cc_registry_count(); i++) {
        const cc_variant *v = cc_registry_at(i);
        if (strcmp(v->op, op_of(p)) != 0 || v->direction != p->direction) continue;
        if (strcmp(v->name, "general") == 0)
            general = v;
        else if (count < MOST_VARIANTS && v->supports(info, desc_of(p)) && cc_variant_fits(device, v, desc_of(p)) &&
                 (p->linear ||
                  (cc_conv2d_allows(info, cc_device_conv_policy(device), v, &p->conv) && cc_conv2d_competes(info, v, &p->conv))))
            out[count++] = v;
    }
    if (count == 0 && general) out[count++] = general;
    return count;
}

const cc_variant *cc_tune_builtin(const camcl_device *device, const cc_problem *p)
{
    const camcl_device_info *info = camcl_device_get_info(device);
    const cc_variant *chosen = p->linear ? cc_linear_choose(info, p->direction, &p->fc)
                                         : cc_conv2d_choose(info, cc_device_conv_policy(device), p->direction, &p->conv);
    if (cc_variant_fits(device, chosen, desc_of(p))) return chosen;
    const cc_variant *others[MOST_VARIANTS];
    const size_t count = list_variants(device, p, others);
    return count > 0 ? others[count - 1] : chosen;
}

/* False: not all of them were timed. */
static bool find_fastest(const camcl_device *device, const cc_problem *p, const cc_variant **out)
{
    const cc_variant *variants[MOST_VARIANTS];
    const size_t count = list_variants(device, p, variants);
    char key[160];
    double least = FAILED;
    cc_tune_key(p, key, sizeof key);
    *out = NULL;
    for (size_t i = 0; i < count; i++) {
        const double ms = cc_timings_find(device, key, variants[i]->name);
        if (isnan(ms)) return false;
        if (ms < least) {
            least = ms;
            *out = variants[i];
        }
    }
    return true;
}

bool cc_tune_knows(const camcl_device *device, const cc_problem *problem)
{
    const cc_variant *fastest;
    return find_fastest(device, problem, &fastest);
}

const cc_variant *cc_tune_find(const camcl_device *device, const cc_problem *problem)
{
    const cc_variant *fastest;
    return find_fastest(device, problem, &fastest) ? fastest : NULL;
}

/* ---- one variant with one number of images */

typedef struct operands {
    cc_buffer *x, *w, *y, *out;
} operands;

typedef struct trial {
    const cc_variant *variant;
    cc_arena *arena;
    cc_tape *tape, *pack; /* pack: NULL where the variant takes the master layout */
    cc_buffer *packed;
    double seconds, pack_seconds; /* least so far */
    bool out;                     /* of the race */
} trial;

static void trial_close(trial *t)
{
    cc_arena_destroy(&t->arena);
    cc_buffer_destroy(&t->packed);
    t->tape = t->pack = NULL;
}

/* Tensors of the problem on the operands' buffers: what the variant is given, its output on o->out. Returns how many. */
static size_t tensors_of(const cc_problem *p, const operands *o, cc_tensor *io)
{
    const cc_conv2d_desc *d = &p->conv;
    const size_t rows = p->linear ? 0 : cc_conv2d_out_h(d), columns = p->linear ? 0 : cc_conv2d_out_w(d);
    cc_tensor x = { .buffer = o->x, .dtype = CC_F32, .rank = 4, .dim = { d->n, d->h, d->w, d->c } },
              y = { .buffer = o->y, .dtype = CC_F32, .rank = 4, .dim = { d->n, rows, columns, d->k } },
              w = { .buffer = o->w, .dtype = CC_F32, .rank = 4, .dim = { d->r, d->s, d->c, d->k } };
    if (p->linear) {
        x = (cc_tensor){ .buffer = o->x, .dtype = CC_F32, .rank = 2, .dim = { p->fc.n, p->fc.in } };
        y = (cc_tensor){ .buffer = o->y, .dtype = CC_F32, .rank = 2, .dim = { p->fc.n, p->fc.out } };
        w = (cc_tensor){ .buffer = o->w, .dtype = CC_F32, .rank = 2, .dim = { p->fc.out, p->fc.in } };
    }
    (p->direction == CC_FORWARD ? &y : p->direction == CC_BACKWARD_DATA ? &x : &w)->buffer = o->out;
    io[0] = p->direction == CC_BACKWARD_DATA ? y : x;
    io[1] = p->direction == CC_BACKWARD_WEIGHT ? y : w;
    io[2] = p->direction == CC_FORWARD ? y : p->direction == CC_BACKWARD_DATA ? x : w;
    if (!p->linear || p->direction == CC_BACKWARD_DATA) return 3;
    /* forward: the bias before the output; weight gradient: the bias gradient behind it; left out */
    io[3] = p->direction == CC_FORWARD ? io[2] : CC_NO_TENSOR;
    if (p->direction == CC_FORWARD) io[2] = CC_NO_TENSOR;
    return 4;
}

/* On tapes of t->arena. packed: where the weights in the variant's layout go. */
static camcl_status trial_record(trial *t, camcl_device *device, const cc_problem *p, const operands *o, cc_buffer *packed,
                                 camcl_error *err)
{
    const cc_variant *v = t->variant;
    cc_tensor io[4];
    const size_t count = tensors_of(p, o, io);
    CC_RETURN_IF_FAILED(cc_tape_create(t->arena, v->name, &t->tape, err));
    if (v->pack) {
        CC_RETURN_IF_FAILED(cc_tape_create(t->arena, v->layout, &t->pack, err));
        CC_RETURN_IF_FAILED(v->pack(t->pack, desc_of(p), o->w, packed, err));
        io[1] = (cc_tensor){ packed, CC_F32, 1, { v->packed_bytes(camcl_device_get_info(device), desc_of(p)) / sizeof(float) } };
    }
    return v->record(t->tape, desc_of(p), io, count, false, err);
}

static camcl_status trial_open(trial *t, camcl_device *device, const cc_problem *p, const operands *o, camcl_error *err)
{
    const cc_variant *v = t->variant;
    t->seconds = t->pack_seconds = DBL_MAX;
    CC_RETURN_IF_FAILED(cc_arena_create(device, &t->arena, err));
    if (v->pack)
        CC_RETURN_IF_FAILED(cc_buffer_create(device, v->packed_bytes(camcl_device_get_info(device), desc_of(p)), v->name, &t->packed, err));
    CC_RETURN_IF_FAILED(trial_record(t, device, p, o, t->packed, err));
    return cc_arena_commit(t->arena, err);
}

/* Reading waits on every driver; some return from clFinish before kernels ran. */
static camcl_status run_once(cc_tape *tape, const cc_buffer *written, double *least, camcl_error *err)
{
    float first;
    const double start = cc_seconds();
    CC_RETURN_IF_FAILED(cc_tape_run(tape, err));
    CC_RETURN_IF_FAILED(cc_buffer_read(written, 0, &first, sizeof first, err));
    const double took = cc_seconds() - start;
    if (took < *least) *least = took;
    return CAMCL_OK;
}

/* Several times where it is short: one pause of this process would decide otherwise. */
camcl_status cc_tune_run_tape(cc_tape *tape, const cc_buffer *written, double *least, camcl_error *err)
{
    enum { LEAST_RUNS = 3, RUNS = 6 };
    const double start = cc_seconds();
    for (int i = 0; i < RUNS && (i == 0 || (i < LEAST_RUNS ? *least < LONG : cc_seconds() - start < SHORT)); i++)
        CC_RETURN_IF_FAILED(run_once(tape, written, least, err));
    return CAMCL_OK;
}

camcl_status cc_tune_check_stop(const camcl_device *device, camcl_error *err)
{
    if (!cc_device_should_stop(device)) return CAMCL_OK;
    return cc_fail(err, CAMCL_STOPPED, "timing of kernels: stopped (what was timed is kept: camcl tune goes on from there)");
}

/* ---- the race */

static bool hopeless(camcl_status status) { return status != CAMCL_OK && status != CAMCL_STOPPED; }

/* With few images, once for the compiler's sake and once for time; leaves the trials closed. */
static camcl_status qualify(camcl_device *device, const cc_problem *p, const operands *o, trial *trials, size_t count, camcl_error *err)
{
    double best = DBL_MAX;
    for (size_t i = 0; i < count; i++) {
        trial *t = &trials[i];
        double warm_up = DBL_MAX;
        CC_RETURN_IF_FAILED(cc_tune_check_stop(device, err));
        camcl_status status = trial_open(t, device, p, o, err);
        if (status == CAMCL_OK && t->pack) status = run_once(t->pack, t->packed, &warm_up, err);
        if (status == CAMCL_OK) status = run_once(t->tape, o->out, &warm_up, err);
        if (status == CAMCL_OK) status = cc_tune_run_tape(t->tape, o->out, &t->seconds, err);
        if (hopeless(status)) t->seconds = NEVER;
        if (t->seconds < best) best = t->seconds;
        trial_close(t);
    }
    for (size_t i = 0; i < count; i++)
        trials[i].out = trials[i].seconds > HOPELESS * best || trials[i].seconds >= NEVER;
    return CAMCL_OK;
}

/* Everyone left in turn, round by round, so that what else the machine does hits all alike. */
static camcl_status race(camcl_device *device, const cc_problem *p, const operands *o, trial *trials, size_t count, camcl_error *err)
{
    for (size_t i = 0; i < count; i++) {
        trial *t = &trials[i];
        if (t->out) continue;
        camcl_status status = trial_open(t, device, p, o, err);
        if (status == CAMCL_OK && t->pack) status = run_once(t->pack, t->packed, &t->pack_seconds, err);
        if (status == CAMCL_OK && t->pack) status = run_once(t->pack, t->packed, &t->pack_seconds, err);
        t->out = status != CAMCL_OK;
        if (t->out) trial_close(t); /* no room beside the others, maybe: what it took with few images counts */
    }
    double best = DBL_MAX;
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < count; i++) {
            trial *t = &trials[i];
            if (t->out) continue;
            CC_RETURN_IF_FAILED(cc_tune_check_stop(device, err));
            t->out = cc_tune_run_tape(t->tape, o->out, &t->seconds, err) != CAMCL_OK;
            if (t->out) t->seconds = NEVER;
            if (t->seconds < best) best = t->seconds;
        }
        for (size_t i = 0; i < count; i++)
            trials[i].out = trials[i].out || trials[i].seconds > SLOWER * best;
    }
    return CAMCL_OK;
}

camcl_status cc_tune_buffer(camcl_device *device, size_t count, bool filled, cc_buffer **out, camcl_error *err)
{
    static const size_t block = 1 << 16;
    camcl_status status = CAMCL_OK;
    float *numbers = NULL;
    cc_rng rng = cc_rng_at(0, CC_RNG_BENCH, 0);
    CC_TRY(cc_buffer_create(device, count * sizeof(float), "timing", out, err));
    if (!filled) return CAMCL_OK;
    CC_TRY(CC_NEW(block, &numbers, err));
    for (size_t i = 0; i < block; i++)
        numbers[i] = (float)cc_rng_unit(&rng) - 0.5f;
    for (size_t at = 0; at < count; at += block)
        CC_TRY(cc_buffer_write(*out, at * sizeof(float), numbers, cc_min_size(block, count - at) * sizeof(float), err));
cleanup:
    free(numbers);
    return status;
}

static cc_problem with_few_images(const camcl_device *device, const cc_problem *p)
{
    return with_images(p, cc_max_size(FEW_IMAGES, cc_min_size(camcl_device_get_info(device)->compute_units, MOST_IMAGES)));
}

/* Weight layouts are brought up to date once per training step; the larger batches are those of evaluation, which does it once. */
static double milliseconds(const trial *t, size_t images)
{
    return 1e3 * (t->seconds + (t->pack && t->pack_seconds < NEVER && images < MOST_IMAGES ? t->pack_seconds : 0));
}

static camcl_status time_variants(camcl_device *device, const cc_problem *p, const operands *o, trial *trials, size_t count, double *ms,
                                  camcl_error *err)
{
    const cc_problem few = with_few_images(device, p);
    const double share = p->linear ? 1 : (double)p->conv.n / (double)few.conv.n;
    CC_RETURN_IF_FAILED(qualify(device, &few, o, trials, count, err));
    for (size_t i = 0; i < count; i++)
        ms[i] = 1e3 * trials[i].seconds * share;
    CC_RETURN_IF_FAILED(race(device, p, o, trials, count, err));
    for (size_t i = 0; i < count; i++)
        if (trials[i].tape) ms[i] = milliseconds(&trials[i], p->linear ? MOST_IMAGES : p->conv.n);
    return CAMCL_OK;
}

/* How many numbers the three tensors have. */
static void count_numbers(const cc_problem *p, size_t *x, size_t *w, size_t *y)
{
    const cc_conv2d_desc *d = &p->conv;
    *x = p->linear ? p->fc.n * p->fc.in : d->n * d->h * d->w * d->c;
    *w = p->linear ? p->fc.in * p->fc.out : d->r * d->s * d->c * d->k;
    *y = p->linear ? p->fc.n * p->fc.out : d->n * cc_conv2d_out_h(d) * cc_conv2d_out_w(d) * d->k;
}

static camcl_status create_operands(camcl_device *device, const cc_problem *p, operands *o, camcl_error *err)
{
    size_t x, w, y;
    count_numbers(p, &x, &w, &y);
    CC_RETURN_IF_FAILED(cc_tune_buffer(device, x, p->direction != CC_BACKWARD_DATA, &o->x, err));
    CC_RETURN_IF_FAILED(cc_tune_buffer(device, w, p->direction != CC_BACKWARD_WEIGHT, &o->w, err));
    CC_RETURN_IF_FAILED(cc_tune_buffer(device, y, p->direction != CC_FORWARD, &o->y, err));
    return cc_tune_buffer(device, p->direction == CC_FORWARD ? y : p->direction == CC_BACKWARD_DATA ? x : w, false, &o->out, err);
}

camcl_status cc_tune_time(camcl_device *device, const cc_problem *problem, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const cc_problem p = with_images(problem, MOST_IMAGES);
    const cc_variant *variants[MOST_VARIANTS];
    const size_t count = list_variants(device, &p, variants);
    trial trials[MOST_VARIANTS] = { 0 };
    double ms[MOST_VARIANTS];
    char key[160];
    operands o = { NULL, NULL, NULL, NULL };
    CC_TRY(create_operands(device, &p, &o, err));
    for (size_t i = 0; i < count; i++)
        trials[i].variant = variants[i];
    CC_TRY(time_variants(device, &p, &o, trials, count, ms, err));
    cc_tune_key(&p, key, sizeof key);
    for (size_t i = 0; i < count; i++)
        CC_TRY(cc_timings_add(device, key, variants[i]->name, ms[i], err));
cleanup:
    for (size_t i = 0; i < count; i++)
        trial_close(&trials[i]);
    cc_buffer_destroy(&o.x);
    cc_buffer_destroy(&o.w);
    cc_buffer_destroy(&o.y);
    cc_buffer_destroy(&o.out);
    return status;
}

/* One variant as it would be timed, on buffers of the tape, which get no memory. */
static camcl_status record_variant(cc_arena *arena, camcl_device *device, const cc_problem *p, const cc_variant *variant, camcl_error *err)
{
    trial t = { .variant = variant, .arena = arena };
    size_t x, w, y;
    cc_tape *owner;
    operands o;
    cc_buffer *packed = NULL;
    count_numbers(p, &x, &w, &y);
    const size_t out = p->direction == CC_FORWARD ? y : p->direction == CC_BACKWARD_DATA ? x : w;
    CC_RETURN_IF_FAILED(cc_tape_create(arena, "operands", &owner, err));
    CC_RETURN_IF_FAILED(cc_tape_buffer(owner, x * sizeof(float), "x", &o.x, err));
    CC_RETURN_IF_FAILED(cc_tape_buffer(owner, w * sizeof(float), "w", &o.w, err));
    CC_RETURN_IF_FAILED(cc_tape_buffer(owner, y * sizeof(float), "y", &o.y, err));
    CC_RETURN_IF_FAILED(cc_tape_buffer(owner, out * sizeof(float), "out", &o.out, err));
    if (variant->pack) {
        const size_t bytes = variant->packed_bytes(camcl_device_get_info(device), desc_of(p));
        CC_RETURN_IF_FAILED(cc_tape_buffer(owner, bytes, "packed", &packed, err));
    }
    return trial_record(&t, device, p, &o, packed, err);
}

camcl_status cc_tune_record(cc_arena *arena, camcl_device *device, const cc_problem *problem, camcl_error *err)
{
    const cc_problem p = with_images(problem, MOST_IMAGES), few = with_few_images(device, &p);
    const cc_variant *variants[MOST_VARIANTS];
    const size_t count = list_variants(device, &p, variants);
    for (size_t i = 0; i < count; i++)
        CC_RETURN_IF_FAILED(record_variant(arena, device, &few, variants[i], err));
    return CAMCL_OK;
}
