/* Passes, Grad-CAM consistency and training steps beside PyTorch: errors against float64 as multiples of PyTorch float32's own, medians of
 * five seeds (tests/golden/README.md). The files parity_*.safetensors of tests/golden on every device, with device.conv = direct; part of
 * the cases with its other values; emulated devices, on which a step takes a minute, run the tiny network only. CAMCL_PARITY_FOLDER names
 * another folder, all of whose cases then run everywhere; CAMCL_PARITY_CONV picks one value; CAMCL_PARITY_TABLE=1 prints the errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "camcl/config.h"
#include "model/param.h"
#include "objective/step.h"
#include "support/consistency.h"
#include "support/devices.h"
#include "support/golden.h"
#include "support/ok.h"
#include "train/schedule.h"

static camcl_error err;

/* What each family of kernels is held to. direct and gemm are plain float32 sums; Winograd's transforms round more, and auto may choose
 * them. */
static const struct {
    const char *policy;
    parity_bound bound;
} bounds[] = {
    { "direct", { 2, 10, 1e-6 } },
    { "gemm", { 2, 10, 1e-6 } },
    { "auto", { 8, 40, 4e-6 } },
    { "winograd", { 8, 40, 4e-6 } },
};

/* Every row of a tensor as a tensor of the quantity. */
static void note_rows(parity_case *c, const char *quantity, size_t seed, cc_tensor tensor)
{
    const size_t n = cc_tensor_count(&tensor), row = n / tensor.dim[0];
    float *got = malloc(n * sizeof *got);
    assert_non_null(got);
    OK(cc_buffer_read(tensor.buffer, 0, got, n * sizeof *got, &err));
    for (size_t i = 0; i < tensor.dim[0]; i++)
        parity_note(c, quantity, seed, i, got + i * row, NULL, row);
    free(got);
}

/* A loss from its sum and the number that it is divided by. */
static void note_loss(parity_case *c, size_t seed, const scene *s)
{
    float sums[4];
    OK(cc_buffer_read(s->sums.buffer, 0, sums, sizeof sums, &err));
    parity_note(c, "loss", seed, 0, &(float){ sums[0] / sums[1] }, NULL, 1);
}

/* ---- passes */

static void pass_case(parity_case *c, parity_net *net)
{
    scene s;
    cc_pass *pass;
    cc_tensor dlogits;
    const cc_rows_desc rows = { 0, net->pool, net->classes };
    const cc_pass_spec spec = { net->pool, net->side, net->side, parity_is(net, c->name, "train", "yes"), 0, 0 };
    scene_open(&s, net);
    OK(cc_pass_create(net->model->main, s.tape, &spec, &pass, &err));
    OK(cc_pass_forward(pass, s.images, &err));
    const cc_tensor logits = cc_pass_output(pass, cc_pass_last(pass));
    cc_tape_keep(s.tape, logits.buffer);
    OK(cc_tensor_on_tape(s.tape, "dlogits", CC_F32, CC_DIMS(net->pool, net->classes), &dlogits, &err));
    OK(cc_cross_entropy_forward(s.tape, &rows, logits, s.labels, CC_NO_TENSOR, s.sums, &err));
    OK(cc_cross_entropy_backward(s.tape, &rows, logits, s.labels, CC_NO_TENSOR, 1, (cc_device_scalar){ s.sums.buffer, 1 }, dlogits, &err));
    cc_pass_set_gradient(pass, cc_pass_last(pass), dlogits);
    OK(cc_pass_backward(pass, cc_pass_last(pass), 0, s.written, &err));
    OK(cc_arena_commit(s.arena, &err));
    for (size_t seed = 0; seed < net->seeds; seed++) {
        parity_start(net, seed);
        scene_run(&s, seed);
        note_rows(c, "logits", seed, logits);
        note_loss(c, seed, &s);
        parity_note_gradients(c, "grad", seed, s.written);
    }
    cc_pass_destroy(&pass);
    scene_close(&s);
}

/* ---- L_c by itself */

static void cam_case(parity_case *c, parity_net *net)
{
    scene s;
    consistency k;
    const consistency_spec spec = { .layer = (size_t)parity_number(net, c->name, "ssl.cam_layer"),
                                    .exact = parity_is(net, c->name, "ssl.cam_gradient", "exact"),
                                    .attached = parity_is(net, c->name, "ssl.cam_target", "attached"),
                                    .one_view = parity_is(net, c->name, "ssl.preset", "paper-code") };
    scene_open(&s, net);
    const cc_tensor classes = parity_is(net, c->name, "ssl.cam_class", "shared") ? s.labels : CC_NO_TENSOR;
    consistency_record(&k, &s, &spec, classes, classes);
    OK(cc_arena_commit(s.arena, &err));
    for (size_t seed = 0; seed < net->seeds; seed++) {
        parity_start(net, seed);
        scene_run(&s, seed);
        note_rows(c, "cam_weak", seed, k.weak.map);
        note_rows(c, "cam_target", seed, k.target);
        note_rows(c, "cam_strong", seed, k.strong.map);
        note_loss(c, seed, &s);
        parity_note_gradients(c, "grad", seed, s.written);
    }
    consistency_release(&k);
    scene_close(&s);
}

/* ---- whole steps */

static cc_step_spec step_spec(const parity_net *net, const char *name)
{
    return (cc_step_spec){
        .objective = {
            .kind = parity_is(net, name, "ssl.mode", "supervised") ? &cc_objective_supervised
                  : parity_is(net, name, "ssl.mode", "gradcam") ? &cc_objective_gradcam : &cc_objective_pseudo_label,
            .confidence = parity_is(net, name, "ssl.confidence", "logit") ? CC_CONFIDENCE_LOGIT : CC_CONFIDENCE_SOFTMAX,
            .joint = parity_is(net, name, "ssl.batch_norm", "joint"),
            .shared_class = parity_is(net, name, "ssl.cam_class", "shared"),
            .attached = parity_is(net, name, "ssl.cam_target", "attached"),
            .exact = parity_is(net, name, "ssl.cam_gradient", "exact"),
            .cam_layer = (size_t)parity_number(net, name, "ssl.cam_layer"),
            .alpha = 1,
            .beta = parity_is(net, name, "ssl.mode", "gradcam") ? 1.0f : 0.0f,
        },
        .batch_labeled = net->batch,
        .batch_unlabeled = net->batch,
        .image_size = net->side,
        .momentum = (float)parity_number(net, name, "optim.momentum"),
        .weight_decay = (float)parity_number(net, name, "optim.weight_decay"),
        .ema = (float)parity_number(net, name, "optim.ema"),
        .nesterov = parity_is(net, name, "optim.nesterov", "yes"),
    };
}

static cc_schedule schedule_of(const parity_net *net, const char *name)
{
    return (cc_schedule){ .kind = parity_is(net, name, "optim.schedule", "cosine") ? CC_SCHEDULE_COSINE : CC_SCHEDULE_CONSTANT,
                          .lr = parity_number(net, name, "optim.lr"),
                          .warmup = (uint64_t)parity_number(net, name, "optim.warmup"),
                          .steps = net->steps,
                          .epoch_steps = net->steps,
                          .epochs = 1 };
}

/* How far parameters (in the file's order) have moved. */
static void note_moved(parity_case *c, const char *quantity, size_t seed, const size_t *params, size_t count)
{
    const parity_net *net = c->net;
    for (size_t t = 0; t < count; t++) {
        const size_t n = net->model->graph->params[params[t]].count;
        float *got = malloc(n * sizeof *got);
        assert_non_null(got);
        OK(cc_model_get(net->model, params[t], got, &err));
        parity_note(c, quantity, seed, t, got, net->start[params[t]], n);
        free(got);
    }
}

static void note_average(parity_case *c, const char *quantity, size_t seed, const cc_step *step)
{
    const parity_net *net = c->net;
    const cc_graph *g = net->model->graph;
    float *flat = calloc(g->trained, sizeof *flat);
    assert_non_null(flat);
    OK(cc_buffer_read(cc_step_average(step), 0, flat, g->trained * sizeof *flat, &err));
    for (size_t t = 0; t < net->trained_count; t++) {
        const cc_param *p = &g->params[net->trained[t]];
        float *got = malloc(p->count * sizeof *got);
        assert_non_null(got);
        cc_param_from_flat(p, flat + p->offset, got);
        parity_note(c, quantity, seed, t, got, net->start[net->trained[t]], p->count);
        free(got);
    }
    free(flat);
}

/* Fresh optimizer state: no momentum, the average at the start. */
static void reset_optimizer(const parity_net *net, const cc_step *step)
{
    const size_t bytes = net->model->graph->trained * sizeof(float);
    float *zeros = calloc(1, bytes);
    cc_snapshot start = { NULL, NULL, 0 };
    assert_non_null(zeros);
    OK(cc_buffer_write(cc_step_velocity(step), 0, zeros, bytes, &err));
    OK(cc_snapshot_take(&start, net->model, 0, &err));
    if (cc_step_average(step)) OK(cc_buffer_write(cc_step_average(step), 0, start.weights, bytes, &err));
    cc_snapshot_free(&start);
    free(zeros);
}

static void run_step(const parity_net *net, size_t seed, size_t k, double lr, cc_step *step, const cc_objective *objective, float losses[4])
{
    cc_transform *labeled = calloc(net->batch, sizeof *labeled), *unlabeled = calloc(net->batch, sizeof *unlabeled);
    cc_readback *readback;
    cc_step_sums sums;
    double s, u, c;
    assert_true(labeled && unlabeled);
    parity_pinned(net, seed, k * net->batch, net->batch, 0, labeled);
    parity_pinned(net, seed, net->pool / 2 + k * net->batch, net->batch, 1, unlabeled);
    const cc_step_input input = { .labeled = labeled, .weak = unlabeled, .strong = unlabeled, .lr = (float)lr };
    OK(cc_step_run(step, &input, &readback, &err));
    OK(cc_step_read(&readback, &sums, &err));
    cc_step_losses(objective, &sums, &s, &u, &c);
    losses[0] = (float)(s + objective->alpha * u + objective->beta * c);
    losses[1] = (float)s;
    losses[2] = (float)u;
    losses[3] = (float)c;
    free(labeled);
    free(unlabeled);
}

static void steps_of_seed(parity_case *c, parity_net *net, size_t seed, cc_step *step, const cc_step_spec *spec)
{
    const cc_schedule schedule = schedule_of(net, c->name);
    const bool first = parity_is(net, c->name, "first", "yes");
    parity_start(net, seed);
    reset_optimizer(net, step);
    for (size_t k = 0; k < net->steps; k++) {
        float losses[4];
        char name[40];
        run_step(net, seed, k, cc_schedule_lr(&schedule, k), step, &spec->objective, losses);
        parity_note(c, "losses", seed, k, losses, NULL, 4);
        if (k == 0 && first) parity_note_gradients(c, "1.grad", seed, NULL);
        if (k + 1 < net->steps && (k > 0 || !first)) continue;
        snprintf(name, sizeof name, "%zu.weights", k + 1);
        note_moved(c, name, seed, net->trained, net->trained_count);
        snprintf(name, sizeof name, "%zu.statistics", k + 1);
        note_moved(c, name, seed, net->statistics, net->statistic_count);
        snprintf(name, sizeof name, "%zu.average", k + 1);
        if (k > 0 && spec->ema > 0) note_average(c, name, seed, step);
    }
}

static void steps_case(parity_case *c, parity_net *net)
{
    cc_arena *arena;
    cc_step *step;
    const cc_step_spec spec = step_spec(net, c->name);
    OK(cc_arena_create(net->device, &arena, &err));
    OK(cc_step_create(net->model, net->images, &spec, arena, &step, &err));
    OK(cc_arena_commit(arena, &err));
    for (size_t seed = 0; seed < net->seeds; seed++)
        steps_of_seed(c, net, seed, step, &spec);
    cc_arena_destroy(&arena);
    cc_step_destroy(&step);
}

/* ---- every case of every file */

static camcl_device *device;
static const char *policy;
static const parity_bound *bound;

typedef struct job {
    char title[128], path[512], name[64];
} job;

static void run_job(void **state)
{
    const job *j = *state;
    parity_net net;
    parity_case c;
    parity_open(&net, j->path, device);
    parity_case_open(&c, &net, j->name);
    if (parity_is(&net, j->name, "kind", "pass"))
        pass_case(&c, &net);
    else if (parity_is(&net, j->name, "kind", "cam"))
        cam_case(&c, &net);
    else
        steps_case(&c, &net);
    parity_judge(&c, *bound, j->title, getenv("CAMCL_PARITY_TABLE") != NULL);
    parity_case_close(&c);
    parity_close(&net);
}

/* The cases of all files. */
static job *list_jobs(size_t *count)
{
    const char *folder = getenv("CAMCL_PARITY_FOLDER");
    char pattern[480];
    glob_t files;
    job *jobs = NULL;
    snprintf(pattern, sizeof pattern, "%s/parity_*.safetensors", folder ? folder : "tests/golden");
    *count = 0;
    if (glob(pattern, 0, NULL, &files) != 0) return NULL;
    for (size_t f = 0; f < files.gl_pathc; f++) {
        cc_safetensors *file = golden_open(files.gl_pathv[f]);
        for (const char *names = golden_text(file, "cases"); *names;) {
            const size_t length = strcspn(names, " ");
            job *grown = realloc(jobs, (*count + 1) * sizeof *jobs);
            if (grown == NULL) abort();
            jobs = grown;
            job *j = &jobs[(*count)++];
            snprintf(j->path, sizeof j->path, "%s", files.gl_pathv[f]);
            snprintf(j->name, sizeof j->name, "%.*s", (int)length, names);
            snprintf(j->title, sizeof j->title, "%s/%s %s", golden_text(file, "arch"), golden_text(file, "width"), j->name);
            names += length + (names[length] == ' ');
        }
        cc_safetensors_free(&file);
    }
    globfree(&files);
    return jobs;
}

/* Whether the job is among those for this device and policy. */
static bool is_wanted(const camcl_device_info *info, const job *j)
{
    static const char *const few[] = { "eval", "train", "cam3-" };
    const bool emulated = strstr(info->name, "llvmpipe") || strstr(info->platform, "Oclgrind");
    const bool tiny = strstr(j->path, "parity_tiny") != NULL;
    if (getenv("CAMCL_PARITY_FOLDER")) return true;
    if (emulated) return tiny && strcmp(policy, "direct") == 0;
    bool wanted = strcmp(policy, "direct") == 0 || (strcmp(policy, "winograd") == 0 && strncmp(j->name, "gradcam-", 8) == 0);
    for (size_t i = 0; i < CC_COUNT(few); i++)
        wanted = wanted || strncmp(j->name, few[i], strlen(few[i])) == 0;
    return wanted && !tiny;
}

static int run_jobs(const char *selector, job *jobs, size_t count)
{
    const camcl_device_options options = { .select = selector, .conv = policy };
    struct CMUnitTest *tests = calloc(count, sizeof *tests);
    char group[256];
    if (tests == NULL || camcl_device_open(&options, &device, &err) != CAMCL_OK) {
        fprintf(stderr, "%s\n", err.message);
        free(tests);
        return 1;
    }
    size_t wanted = 0;
    for (size_t i = 0; i < count; i++)
        if (is_wanted(camcl_device_get_info(device), &jobs[i]))
            tests[wanted++] = (struct CMUnitTest){ jobs[i].title, run_job, NULL, NULL, &jobs[i] };
    snprintf(group, sizeof group, "%s, device.conv = %s", camcl_device_get_info(device)->name, policy);
    const int failed = wanted ? _cmocka_run_group_tests(group, tests, wanted, NULL, NULL) : 0;
    camcl_device_close(&device);
    free(tests);
    return failed;
}

/* Whether this version has the word among device.conv's values. */
static bool is_available(const char *word)
{
    camcl_config *config = NULL;
    const bool good = camcl_config_create(&config, &err) == CAMCL_OK &&
                      camcl_config_set(config, "device.conv", word, NULL, &err) == CAMCL_OK &&
                      camcl_config_finish(config, &err) == CAMCL_OK;
    camcl_config_destroy(&config);
    return good;
}

int main(void)
{
    camcl_device *devices[16];
    char selectors[16][sizeof((camcl_device_info *)0)->selector];
    size_t jobs_count, count = test_devices(devices, 16);
    job *jobs = list_jobs(&jobs_count);
    int failed = count == 0 || jobs_count == 0;
    for (size_t i = 0; i < count; i++) {
        memcpy(selectors[i], camcl_device_get_info(devices[i])->selector, sizeof selectors[i]);
        camcl_device_close(&devices[i]);
    }
    for (size_t i = 0; i < count; i++)
        for (size_t p = 0; p < CC_COUNT(bounds); p++) {
            const char *only = getenv("CAMCL_PARITY_CONV");
            if (!is_available(bounds[p].policy) || (only && strcmp(only, bounds[p].policy) != 0)) continue;
            policy = bounds[p].policy;
            bound = &bounds[p].bound;
            failed += run_jobs(selectors[i], jobs, jobs_count);
        }
    free(jobs);
    return failed != 0;
}
