/* Timing the variants of one problem. */
#include "ops/choice/race.h"

#include <float.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/rng.h"
#include "ops/choice/agreement.h"

enum {
    FEW_IMAGES = 8, /* enough to tell what is hopeless */
    ROUNDS = 3
};
#define HOPELESS 3.0 /* times the best with few images */
#define SLOWER 1.5   /* times the best after one round: not run again */
#define SHORT 0.01   /* seconds */
#define LONG 0.05
#define TOGETHER 0.002                  /* seconds of the runs before one wait */
#define NEVER (1e-3 * CC_CHOICE_FAILED) /* seconds of what failed */

/* ---- one variant with one number of images */

/* What variants are given: shapes, and a buffer for each. */
typedef struct operands {
    cc_tensor io[CC_CHOICE_OPERANDS];
    size_t count, output;
} operands;

static operands operands_of(const cc_problem *p, cc_buffer *const *buffers)
{
    operands o = { .count = 0 };
    o.count = p->op->choice->operands(p->direction, &p->desc, o.io, &o.output);
    for (size_t i = 0; i < o.count; i++)
        if (o.io[i].rank > 0) o.io[i].buffer = buffers[i];
    return o;
}

typedef struct trial {
    const cc_variant *variant;
    cc_arena *arena;
    cc_tape *tape, *pack;         /* pack: NULL where the variant takes the master layout */
    cc_buffer *packed, *written;  /* written: by `tape` */
    double seconds, pack_seconds; /* least so far */
    bool out;                     /* of the race */
    bool wrong;                   /* computes something else than others */
} trial;

static void trial_close(trial *t)
{
    cc_arena_destroy(&t->arena);
    cc_buffer_destroy(&t->packed);
    t->tape = t->pack = NULL;
}

/* On tapes of t->arena. packed: where the weights in the variant's layout go. */
static camcl_status trial_record(trial *t, camcl_device *device, const cc_problem *p, cc_buffer *const *buffers, cc_buffer *packed,
                                 camcl_error *err)
{
    const cc_variant *v = t->variant;
    operands o = operands_of(p, buffers);
    CC_RETURN_IF_FAILED(cc_tape_create(t->arena, v->name, &t->tape, err));
    if (v->pack) {
        CC_RETURN_IF_FAILED(cc_tape_create(t->arena, v->layout, &t->pack, err));
        CC_RETURN_IF_FAILED(v->pack(t->pack, &p->desc, o.io[1].buffer, packed, err));
        o.io[1] = (cc_tensor){ packed, CC_F32, 1, { v->packed_bytes(camcl_device_get_info(device), &p->desc) / sizeof(float) } };
    }
    t->written = o.io[o.output].buffer;
    return v->record(t->tape, &p->desc, o.io, o.count, false, err);
}

static camcl_status trial_open(trial *t, camcl_device *device, const cc_problem *p, cc_buffer *const *buffers, camcl_error *err)
{
    const cc_variant *v = t->variant;
    t->seconds = t->pack_seconds = DBL_MAX;
    CC_RETURN_IF_FAILED(cc_arena_create(device, &t->arena, err));
    if (v->pack)
        CC_RETURN_IF_FAILED(cc_buffer_create(device, v->packed_bytes(camcl_device_get_info(device), &p->desc), v->name, &t->packed, err));
    CC_RETURN_IF_FAILED(trial_record(t, device, p, buffers, t->packed, err));
    return cc_arena_commit(t->arena, err);
}

/* Runs the tape `times` times and then waits once. Reading waits on every driver; some return from clFinish before kernels ran. */
static camcl_status run_and_wait(cc_tape *tape, const cc_buffer *written, size_t times, double *least, camcl_error *err)
{
    float first;
    const double start = cc_seconds();
    for (size_t i = 0; i < times; i++)
        CC_RETURN_IF_FAILED(cc_tape_run(tape, err));
    CC_RETURN_IF_FAILED(cc_buffer_read(written, 0, &first, sizeof first, err));
    const double took = (cc_seconds() - start) / (double)times;
    if (took < *least) *least = took;
    return CAMCL_OK;
}

static camcl_status run_once(cc_tape *tape, const cc_buffer *written, double *least, camcl_error *err)
{
    return run_and_wait(tape, written, 1, least, err);
}

/* Short tapes run several times: otherwise a single pause of this process would decide the race. They run 1, 2, 4 ... times before one
 * wait, because a step does not wait between its kernels, and because a GPU's wait may take as long as a short kernel: variants that pack
 * weights, with two tapes, would pay for it twice. */
camcl_status cc_race_run_tape(cc_tape *tape, const cc_buffer *written, double *least, camcl_error *err)
{
    enum { LEAST_RUNS = 3, RUNS = 6 };
    const double start = cc_seconds();
    size_t times = 1;
    for (int i = 0; i < RUNS && (i == 0 || (i < LEAST_RUNS ? *least < LONG : cc_seconds() - start < SHORT)); i++) {
        CC_RETURN_IF_FAILED(run_and_wait(tape, written, times, least, err));
        if (*least * (double)times < TOGETHER) times *= 2;
    }
    return CAMCL_OK;
}

/* ---- the race */

/* After a variant has failed: whether the device still answers. One that is lost fails every variant from then on, which would be kept as
 * their timings for good. */
static camcl_status check_answers(cc_buffer *const *buffers, camcl_error *err)
{
    float first;
    for (size_t i = 0; i < CC_CHOICE_OPERANDS; i++)
        if (buffers[i]) return cc_buffer_read(buffers[i], 0, &first, sizeof first, err);
    return CAMCL_OK;
}

/* What is needed to time variants of one problem. */
typedef struct field {
    const cc_choice *choice;
    const cc_problem *problem;
    cc_buffer *const *buffers;
    cc_agreement results;
} field;

/* Opens the trial and runs it once, which compiles its kernels. *agrees: with the results before it. */
static camcl_status run_first(trial *t, field *f, bool *agrees, camcl_error *err)
{
    double warm_up = DBL_MAX;
    const operands o = operands_of(f->problem, f->buffers);
    CC_RETURN_IF_FAILED(trial_open(t, f->choice->device, f->problem, f->buffers, err));
    if (t->pack) CC_RETURN_IF_FAILED(run_once(t->pack, t->packed, &warm_up, err));
    CC_RETURN_IF_FAILED(cc_agreement_poison(&f->results, o.io[o.output].buffer, err));
    CC_RETURN_IF_FAILED(run_once(t->tape, t->written, &warm_up, err));
    return cc_agreement_compare(&f->results, t->written, agrees, err);
}

/* Some variants disagree: which of them are wrong is seen from the general one, which is the plainest, and not worth timing. Where there is
 * none, or it does not run, the first of them stays what others are measured by. */
static camcl_status judge(field *f, trial *trials, size_t count, camcl_error *err)
{
    trial general = { .variant = cc_choice_general(f->problem) };
    if (general.variant == NULL) return CAMCL_OK;
    const size_t numbers = f->results.count;
    bool agrees = false;
    cc_agreement_end(&f->results);
    CC_RETURN_IF_FAILED(cc_agreement_begin(&f->results, numbers, 0, err));
    const camcl_status status = run_first(&general, f, &agrees, NULL);
    trial_close(&general);
    if (status != CAMCL_OK || !agrees) return check_answers(f->buffers, err);
    for (size_t i = 0; i < count; i++) {
        trial *t = &trials[i];
        CC_RETURN_IF_FAILED(cc_choice_check_stop(f->choice, err));
        if (t->seconds >= NEVER) continue;
        const double seconds = t->seconds;
        if (run_first(t, f, &agrees, NULL) == CAMCL_OK) t->wrong = !agrees;
        trial_close(t);
        t->seconds = seconds;
    }
    return CAMCL_OK;
}

/* Runs each variant with few images: once to compile its kernels and to see whether they agree, then to time it. Leaves the trials
 * closed. */
static camcl_status qualify(field *f, trial *trials, size_t count, camcl_error *err)
{
    double best = DBL_MAX;
    bool all_agree = true;
    for (size_t i = 0; i < count; i++) {
        trial *t = &trials[i];
        bool agrees = true;
        CC_RETURN_IF_FAILED(cc_choice_check_stop(f->choice, err));
        camcl_status status = run_first(t, f, &agrees, err);
        if (status == CAMCL_OK) status = cc_race_run_tape(t->tape, t->written, &t->seconds, err);
        if (status != CAMCL_OK) {
            CC_RETURN_IF_FAILED(check_answers(f->buffers, err));
            t->seconds = NEVER;
        }
        t->wrong = status == CAMCL_OK && !agrees;
        all_agree = all_agree && !t->wrong;
        trial_close(t);
    }
    if (!all_agree) CC_RETURN_IF_FAILED(judge(f, trials, count, err));
    for (size_t i = 0; i < count; i++)
        if (!trials[i].wrong && trials[i].seconds < best) best = trials[i].seconds;
    for (size_t i = 0; i < count; i++)
        trials[i].out = trials[i].wrong || trials[i].seconds > HOPELESS * best || trials[i].seconds >= NEVER;
    return CAMCL_OK;
}

/* Times the remaining variants in turn, round by round, so that other work on the machine affects all of them alike. */
static camcl_status race(const cc_choice *choice, const cc_problem *p, cc_buffer *const *buffers, trial *trials, size_t count,
                         camcl_error *err)
{
    for (size_t i = 0; i < count; i++) {
        trial *t = &trials[i];
        if (t->out) continue;
        camcl_status status = trial_open(t, choice->device, p, buffers, err);
        if (status == CAMCL_OK && t->pack) status = cc_race_run_tape(t->pack, t->packed, &t->pack_seconds, err);
        t->out = status != CAMCL_OK;
        if (t->out) trial_close(t); /* There may be no room for it beside the others. Then its time with few images counts. */
    }
    double best = DBL_MAX;
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < count; i++) {
            trial *t = &trials[i];
            if (t->out) continue;
            CC_RETURN_IF_FAILED(cc_choice_check_stop(choice, err));
            t->out = cc_race_run_tape(t->tape, t->written, &t->seconds, err) != CAMCL_OK;
            if (t->out) {
                CC_RETURN_IF_FAILED(check_answers(buffers, err));
                t->seconds = NEVER;
            }
            if (t->seconds < best) best = t->seconds;
        }
        for (size_t i = 0; i < count; i++)
            trials[i].out = trials[i].out || trials[i].seconds > SLOWER * best;
    }
    return CAMCL_OK;
}

camcl_status cc_race_buffer(camcl_device *device, size_t count, bool filled, cc_buffer **out, camcl_error *err)
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
    return cc_choice_with_images(p, cc_max_size(FEW_IMAGES, cc_min_size(camcl_device_get_info(device)->compute_units, CC_CHOICE_IMAGES)));
}

/* 0: it has no batch. */
static size_t images_of(const cc_problem *problem)
{
    cc_problem p = *problem;
    return p.op->choice->images ? *p.op->choice->images(&p.desc) : 0;
}

/* Weight layouts are brought up to date once per training step; the larger batches are those of evaluation, which does it once. */
static double milliseconds(const trial *t, size_t images)
{
    return 1e3 * (t->seconds + (t->pack && t->pack_seconds < NEVER && images < CC_CHOICE_IMAGES ? t->pack_seconds : 0));
}

static camcl_status qualify_with_few(const cc_choice *choice, const cc_problem *few, cc_buffer *const *buffers, trial *trials, size_t count,
                                     camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    field f = { choice, few, buffers, { 0 } };
    const operands o = operands_of(few, buffers);
    CC_TRY(cc_agreement_begin(&f.results, cc_tensor_count(&o.io[o.output]), 0, err));
    CC_TRY(qualify(&f, trials, count, err));
cleanup:
    cc_agreement_end(&f.results);
    return status;
}

static camcl_status time_variants(const cc_choice *choice, const cc_problem *p, cc_buffer *const *buffers, trial *trials, size_t count,
                                  double *ms, camcl_error *err)
{
    const cc_problem few = with_few_images(choice->device, p);
    const size_t images = images_of(p);
    const double share = images ? (double)images / (double)images_of(&few) : 1;
    CC_RETURN_IF_FAILED(qualify_with_few(choice, &few, buffers, trials, count, err));
    for (size_t i = 0; i < count; i++)
        ms[i] = trials[i].wrong ? CC_CHOICE_WRONG : 1e3 * trials[i].seconds * share;
    CC_RETURN_IF_FAILED(race(choice, p, buffers, trials, count, err));
    for (size_t i = 0; i < count; i++)
        if (trials[i].tape) ms[i] = milliseconds(&trials[i], images);
    return CAMCL_OK;
}

/* Random inputs; the output is zero. */
static camcl_status create_buffers(camcl_device *device, const cc_problem *p, cc_buffer **buffers, camcl_error *err)
{
    cc_buffer *const none[CC_CHOICE_OPERANDS] = { NULL };
    const operands o = operands_of(p, none);
    for (size_t i = 0; i < o.count; i++)
        if (o.io[i].rank > 0) CC_RETURN_IF_FAILED(cc_race_buffer(device, cc_tensor_count(&o.io[i]), i != o.output, &buffers[i], err));
    return CAMCL_OK;
}

camcl_status cc_race_time(cc_choice *choice, const cc_problem *problem, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const cc_problem p = cc_choice_with_images(problem, CC_CHOICE_IMAGES);
    const cc_variant *variants[CC_CHOICE_VARIANTS];
    const size_t count = cc_choice_list(choice, &p, variants);
    trial trials[CC_CHOICE_VARIANTS] = { 0 };
    double ms[CC_CHOICE_VARIANTS];
    char key[160];
    cc_buffer *buffers[CC_CHOICE_OPERANDS] = { NULL };
    CC_TRY(create_buffers(choice->device, &p, buffers, err));
    for (size_t i = 0; i < count; i++)
        trials[i].variant = variants[i];
    CC_TRY(time_variants(choice, &p, buffers, trials, count, ms, err));
    cc_choice_key(&p, key, sizeof key);
    for (size_t i = 0; i < count; i++)
        CC_TRY(cc_timings_add(&choice->timings, key, variants[i]->name, ms[i], err));
cleanup:
    for (size_t i = 0; i < count; i++)
        trial_close(&trials[i]);
    for (size_t i = 0; i < CC_CHOICE_OPERANDS; i++)
        cc_buffer_destroy(&buffers[i]);
    return status;
}

/* One variant as it would be timed, on buffers of the tape, which get no memory. */
static camcl_status record_variant(cc_arena *arena, camcl_device *device, const cc_problem *p, const cc_variant *variant, camcl_error *err)
{
    trial t = { .variant = variant, .arena = arena };
    cc_tape *owner;
    cc_buffer *buffers[CC_CHOICE_OPERANDS] = { NULL }, *packed = NULL;
    const operands o = operands_of(p, buffers);
    CC_RETURN_IF_FAILED(cc_tape_create(arena, "operands", &owner, err));
    for (size_t i = 0; i < o.count; i++)
        if (o.io[i].rank > 0) CC_RETURN_IF_FAILED(cc_tape_buffer(owner, cc_tensor_bytes(&o.io[i]), "operand", &buffers[i], err));
    if (variant->pack) {
        const size_t bytes = variant->packed_bytes(camcl_device_get_info(device), &p->desc);
        CC_RETURN_IF_FAILED(cc_tape_buffer(owner, bytes, "packed", &packed, err));
    }
    return trial_record(&t, device, p, buffers, packed, err);
}

camcl_status cc_race_record(cc_arena *arena, const cc_choice *choice, const cc_problem *problem, camcl_error *err)
{
    const cc_problem p = cc_choice_with_images(problem, CC_CHOICE_IMAGES), few = with_few_images(choice->device, &p);
    const cc_variant *variants[CC_CHOICE_VARIANTS];
    const size_t count = cc_choice_list(choice, &p, variants);
    for (size_t i = 0; i < count; i++)
        CC_RETURN_IF_FAILED(record_variant(arena, choice->device, &few, variants[i], err));
    return CAMCL_OK;
}
