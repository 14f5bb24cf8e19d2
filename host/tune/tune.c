/* Tuning for a configuration: records all that its training, evaluation and CAMs do, without running it, to learn which problems (shapes
 * and directions) occur. Then times the kernels of the problems that have no stored timings. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arguments.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/options.h"
#include "dataset/dataset.h"
#include "infer/session.h"
#include "ops/choice/gemm_sets.h"
#include "ops/choice/race.h"
#include "tune/tune.h"

static camcl_status read_settings(const camcl_config *config, const camcl_tune_options *options, cc_settings *out, camcl_error *err)
{
    const camcl_dataset_info *known =
        options->dataset ? camcl_dataset_get_info(options->dataset) : cc_dataset_known(camcl_config_string(config, "data.dataset"));
    if (known) return cc_settings_from(config, known, out, err);
    camcl_dataset *dataset = NULL;
    camcl_dataset_spec spec = camcl_dataset_spec_from(config);
    spec.stop = options->stop;
    CC_RETURN_IF_FAILED(camcl_dataset_open(&spec, &dataset, err));
    camcl_status status = cc_settings_from(config, camcl_dataset_get_info(dataset), out, err);
    camcl_dataset_close(&dataset);
    return status;
}

/* ---- which kernels are needed */

/* `only`: the one objective that is to be trained; NULL: all of them. */
static camcl_status record_steps(cc_model *model, const cc_settings *settings, const cc_objective_kind *only, cc_arena *arena,
                                 camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const uint8_t pixels[CAMCL_MAX_CHANNELS] = { 0 };
    const int32_t label = 0;
    const cc_resident_spec image = { .pixels = pixels,
                                     .labels = &label,
                                     .count = 1,
                                     .height = 1,
                                     .width = 1,
                                     .channels = model->graph->spec.channels,
                                     .mean = settings->mean,
                                     .std = settings->std,
                                     .name = "image" };
    cc_resident *resident = NULL;
    cc_step *step = NULL;
    CC_TRY(cc_resident_create(model->device, &image, &resident, err));
    for (size_t i = 0; i < cc_objective_count(); i++) {
        cc_step_spec spec = settings->step;
        spec.objective.kind = cc_objective_at(i);
        if (only && spec.objective.kind != only) continue;
        if (only == NULL) spec.objective.beta = 1; /* any of them may have CAMs */
        CC_TRY(cc_step_create(model, resident, &spec, arena, &step, err));
        cc_step_destroy(&step);
    }
cleanup:
    cc_step_destroy(&step);
    cc_resident_destroy(&resident);
    return status;
}

/* A session for `batch` images, of which nothing but the recording is wanted. */
static camcl_status record_session(cc_model *model, const cc_settings *settings, cc_session_kind kind, size_t batch, cc_arena *arena,
                                   camcl_error *err)
{
    const size_t side = settings->step.image_size;
    const cc_session_spec spec = { .kind = kind,
                                   .batch = batch,
                                   .image_size = side,
                                   .cam_layer = settings->step.objective.cam_layer,
                                   .cam_relu = settings->step.objective.cam_relu,
                                   .height = side,
                                   .width = side,
                                   .mean = settings->mean,
                                   .std = settings->std };
    cc_session *session;
    CC_RETURN_IF_FAILED(cc_session_create(model, &spec, NULL, arena, &session, err));
    cc_session_destroy(&session);
    return CAMCL_OK;
}

/* Fills model->plan. Nothing is run, so the arena gets no memory. */
static camcl_status record_everything(cc_model *model, const cc_settings *settings, const cc_objective_kind *only, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const size_t side = settings->step.image_size;
    cc_arena *arena = NULL;
    CC_TRY(cc_arena_create(model->device, &arena, err));
    CC_TRY(record_steps(model, settings, only, arena, err));
    CC_TRY(record_session(model, settings, CC_SESSION_EVALUATION, cc_session_batch(CC_SESSION_EVALUATION, SIZE_MAX, side), arena, err));
    CC_TRY(record_session(model, settings, CC_SESSION_CAMS, cc_session_batch(CC_SESSION_CAMS, SIZE_MAX, side), arena, err));
    CC_TRY(record_session(model, settings, CC_SESSION_CAMS, CC_GALLERY_IMAGES, arena, err));
cleanup:
    cc_arena_destroy(&arena);
    return status;
}

/* One convolution or linear layer to time. */
typedef struct job {
    char key[160];
    cc_problem problem;
    double flops;
} job;

static camcl_status list_jobs(const cc_plan *plan, job **out, size_t *count, camcl_error *err)
{
    *count = 0;
    CC_RETURN_IF_FAILED(CC_NEW(cc_max_size(plan->count, 1), out, err));
    for (size_t i = 0; i < plan->count; i++) {
        job *j = &(*out)[*count];
        if (!cc_problem_read(plan->entries[i].key, &j->problem) || j->problem.op->choice == NULL) continue;
        cc_choice_key(&j->problem, j->key, sizeof j->key);
        size_t same = 0;
        while (same < *count && strcmp((*out)[same].key, j->key) != 0)
            same++;
        if (same < *count) continue;
        j->problem = cc_choice_with_images(&j->problem, CC_CHOICE_IMAGES);
        j->flops = j->problem.op->cost(&j->problem.desc).flops;
        ++*count;
    }
    return CAMCL_OK;
}

/* Records with tuning off, so that recording times nothing, and then restores the tune mode. */
static camcl_status find_jobs(cc_choice *choice, const cc_settings *settings, const cc_objective_kind *only, job **out, size_t *count,
                              camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const cc_tune_mode mode = choice->mode;
    cc_model *model = NULL;
    choice->mode = CC_TUNE_OFF;
    CC_TRY(cc_model_create(choice->device, &settings->graph, &model, err));
    CC_TRY(record_everything(model, settings, only, err));
    CC_TRY(list_jobs(&model->plan, out, count, err));
cleanup:
    choice->mode = mode;
    cc_model_destroy(&model);
    return status;
}

/* ---- timing */

static void report(const cc_choice *choice, const job *j, const camcl_tune_options *options, const camcl_tune_progress *done)
{
    const cc_variant *winner = cc_choice_fastest(choice, &j->problem), *builtin = cc_choice_builtin(choice, &j->problem);
    camcl_tune_progress p = *done;
    char wrong[256];
    cc_choice_wrong(choice, &j->problem, wrong, sizeof wrong);
    p.key = j->key;
    p.builtin = builtin->name;
    p.builtin_ms = cc_timings_find(&choice->timings, j->key, builtin->name);
    p.winner = winner ? winner->name : builtin->name;
    p.winner_ms = winner ? cc_timings_find(&choice->timings, j->key, winner->name) : p.builtin_ms;
    p.wrong = wrong;
    if (options->progress) options->progress(options->context, &p);
}

/* Compiles the kernels of all jobs at once, on all processors. A job that cannot be recorded is ignored here: it fails again, and is
 * counted, when it is timed. */
static camcl_status compile_jobs(const cc_choice *choice, const job *jobs, const bool *wanted, size_t count, camcl_error *err)
{
    cc_arena *arena;
    CC_RETURN_IF_FAILED(cc_arena_create(choice->device, &arena, err));
    for (size_t i = 0; i < count; i++)
        if (wanted[i]) (void)cc_race_record(arena, choice, &jobs[i].problem, NULL);
    cc_device_compile_ahead(choice->device);
    cc_arena_destroy(&arena);
    return CAMCL_OK;
}

/* Times jobs of which `wanted` is set. */
static camcl_status time_jobs(cc_choice *choice, const job *jobs, const bool *wanted, size_t count, const camcl_tune_options *options,
                              camcl_tune_result *result, camcl_error *err)
{
    const double start = cc_seconds();
    double all = 0, done = 0, stored = start;
    camcl_tune_progress p = { .total = 0 };
    camcl_status status = CAMCL_OK;
    for (size_t i = 0; i < count; i++) {
        all += wanted[i] ? jobs[i].flops : 0;
        p.total += wanted[i];
    }
    for (size_t i = 0; status == CAMCL_OK && i < count; i++) {
        if (!wanted[i]) continue;
        status = cc_race_time(choice, &jobs[i].problem, err);
        const double now = cc_seconds();
        if (status != CAMCL_OK) break;
        result->timed++;
        p.done++;
        done += jobs[i].flops;
        p.seconds = now - start;
        p.eta = p.seconds / done * (all - done);
        /* Timings are stored every two seconds, so that little is lost if the process is killed. */
        if (now - stored > 2) {
            cc_choice_store(choice);
            stored = now;
        }
        report(choice, &jobs[i], options, &p);
    }
    cc_choice_store(choice);
    return status;
}

/* ---- CLBlast's parameters */

/* The matrix product inside a "gemm" convolution or linear layer, with a limited number of rows, so that timing it stays short. */
static cc_gemm_desc product_of(const cc_problem *p)
{
    enum { MOST_ROWS = 8192 };
    cc_gemm_desc product;
    p->op->choice->product(&p->desc, &product);
    product.m = cc_min_size(product.m, MOST_ROWS);
    return product;
}

/* Lists the largest forward products among those that CLBlast serves. Returns 0 if CLBlast serves less than a tenth of the work. */
static size_t list_products(const cc_choice *choice, const job *jobs, size_t count, cc_gemm_desc *out, size_t most)
{
    double all = 0, served = 0, last = INFINITY;
    size_t products = 0;
    for (size_t i = 0; i < count; i++) {
        const cc_variant *winner = cc_choice_fastest(choice, &jobs[i].problem);
        all += jobs[i].flops;
        served += winner && winner->role == CC_ROLE_CLBLAST ? jobs[i].flops : 0;
    }
    while (served >= 0.1 * all && products < most) {
        const job *best = NULL;
        for (size_t i = 0; i < count; i++) {
            const cc_variant *winner = cc_choice_fastest(choice, &jobs[i].problem);
            if (!winner || winner->role != CC_ROLE_CLBLAST || jobs[i].problem.direction != CC_FORWARD || jobs[i].flops >= last) continue;
            if (best == NULL || jobs[i].flops > best->flops) best = &jobs[i];
        }
        if (best == NULL) break;
        last = best->flops;
        out[products++] = product_of(&best->problem);
    }
    return products;
}

/* Whether CLBlast wins this job or might win it once it is `faster` times as fast as before. */
static bool gemm_may_win(const cc_choice *choice, const job *j, double faster)
{
    const cc_variant *winner = cc_choice_fastest(choice, &j->problem);
    const double gemm = cc_timings_find(&choice->timings, j->key, "gemm");
    return winner && (winner->role == CC_ROLE_CLBLAST || gemm < faster * cc_timings_find(&choice->timings, j->key, winner->name));
}

/* Times CLBlast's parameters. Then times the jobs again that CLBlast may win with its new parameters. */
static camcl_status time_gemm(cc_choice *choice, const job *jobs, bool *wanted, size_t count, const camcl_tune_options *options,
                              camcl_tune_result *result, camcl_error *err)
{
    enum { PRODUCTS = 3 };
    cc_gemm_desc products[PRODUCTS];
    const size_t product_count = list_products(choice, jobs, count, products, PRODUCTS);
    const double start = cc_seconds();
    if (product_count == 0 || (cc_gemm_sets_known(choice) && !options->again)) return CAMCL_OK;
    CC_RETURN_IF_FAILED(cc_gemm_sets_time(choice, products, product_count, err));
    cc_choice_store(choice);
    const char *best = cc_gemm_set_name(cc_gemm_sets_fastest(choice)), *builtin = cc_gemm_set_name(0);
    const double before = cc_timings_find(&choice->timings, CC_GEMM_SETS_KEY, builtin),
                 after = cc_timings_find(&choice->timings, CC_GEMM_SETS_KEY, best);
    const camcl_tune_progress p = { 1, 1, cc_seconds() - start, 0, CC_GEMM_SETS_KEY, best, builtin, after, before, "" };
    result->timed++;
    if (options->progress) options->progress(options->context, &p);
    if (strcmp(best, builtin) == 0) return CAMCL_OK;
    for (size_t i = 0; i < count; i++)
        wanted[i] = gemm_may_win(choice, &jobs[i], before / after);
    return time_jobs(choice, jobs, wanted, count, options, result, err);
}

static camcl_status tune(camcl_device *device, const cc_settings *settings, const cc_objective_kind *only, bool gemm,
                         const camcl_tune_options *options, camcl_tune_result *result, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const double start = cc_seconds();
    job *jobs = NULL;
    bool *wanted = NULL;
    cc_choice *choice;
    *result = (camcl_tune_result){ 0 };
    CC_RETURN_IF_FAILED(cc_choice_of(device, &choice, err));
    choice->stop = options->stop;
    CC_TRY(find_jobs(choice, settings, only, &jobs, &result->total, err));
    CC_TRY(CC_NEW(cc_max_size(result->total, 1), &wanted, err));
    for (size_t i = 0; i < result->total; i++) {
        wanted[i] = options->again || !cc_choice_knows(choice, &jobs[i].problem);
        result->known += !wanted[i];
    }
    CC_TRY(compile_jobs(choice, jobs, wanted, result->total, err));
    CC_TRY(time_jobs(choice, jobs, wanted, result->total, options, result, err));
    if (gemm) CC_TRY(time_gemm(choice, jobs, wanted, result->total, options, result, err));
cleanup:
    result->seconds = cc_seconds() - start;
    choice->stop = NULL;
    free(jobs);
    free(wanted);
    return status;
}

camcl_status camcl_tune(camcl_device *device, const camcl_config *config, const camcl_tune_options *given, camcl_tune_result *result,
                        camcl_error *err)
{
    CC_CHECK_GIVEN(device, err);
    CC_CHECK_GIVEN(config, err);
    CC_CHECK_GIVEN(result, err);
    cc_settings settings;
    camcl_tune_options options;
    memset(result, 0, sizeof *result);
    CC_RETURN_IF_FAILED(CC_TAKE_OPTIONS(camcl_tune_options, progress, given, &options, err));
    CC_RETURN_IF_FAILED(read_settings(config, &options, &settings, err));
    return tune(device, &settings, NULL, true, &options, result, err);
}

camcl_status cc_tune_run(camcl_device *device, const cc_settings *settings, const camcl_tune_options *options, camcl_tune_result *result,
                         camcl_error *err)
{
    /* CLBlast's parameters are not timed here: its own ones cannot be restored after others were set, and the plan may need them. */
    return tune(device, settings, settings->step.objective.kind, false, options, result, err);
}
