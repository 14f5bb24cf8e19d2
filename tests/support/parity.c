#include "support/parity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "support/golden.h"
#include "support/ok.h"

static camcl_error err;

enum { MOST_SUMS = 32, MOST_SEEDS = 16 };

/* ---- drawn numbers: the same formulas as parity.py */

static uint32_t mix(uint32_t x)
{
    x ^= x >> 16;
    x *= 0x85ebca6bu;
    x ^= x >> 13;
    x *= 0xc2b2ae35u;
    return x ^ x >> 16;
}

static uint32_t stream(uint32_t seed, const char *name)
{
    uint32_t x = 0x811c9dc5u;
    for (; *name; name++)
        x = (x ^ (unsigned char)*name) * 0x01000193u;
    return mix(x + seed * 0x9e3779b1u);
}

static uint32_t draw(uint32_t stream_start, size_t i) { return mix(stream_start + (uint32_t)i * 0x9e3779b1u); }

static void draw_weight(uint32_t seed, const cc_param *p, float *out)
{
    const uint32_t from = stream(seed, p->name);
    size_t fan_in = 1;
    for (unsigned i = 1; i < p->rank; i++)
        fan_in *= p->dim[i];
    const double scale = p->rank == 4 ? sqrt(6.0 / (double)fan_in) : p->rank == 2 ? sqrt(27.0 / (double)fan_in) : 0.25;
    const double middle = p->role == CC_ROLE_WEIGHT && p->init == CC_INIT_ONE ? 1 : 0;
    for (size_t i = 0; i < p->count; i++) {
        const double t = (draw(from, i) >> 8) * 0x1p-23 - 1; /* exact */
        out[i] = (float)(middle > 0 ? t * scale + middle : t * scale);
    }
}

static void draw_pixels(uint32_t seed, size_t count, size_t side, uint8_t *out)
{
    const uint32_t grid = stream(seed, "grid"), noise = stream(seed, "noise");
    for (size_t i = 0, k = 0; i < count; i++)
        for (size_t y = 0; y < side; y++)
            for (size_t x = 0; x < side; x++)
                for (size_t c = 0; c < 3; c++, k++) {
                    const size_t v = y * 1024 / side, u = x * 1024 / side, at = ((i * 5 + (v >> 8)) * 5 + (u >> 8)) * 3 + c;
                    const long b = (long)(v & 255), a = (long)(u & 255);
                    const long top = (long)(draw(grid, at) & 255) * (256 - b) + (long)(draw(grid, at + 15) & 255) * b;
                    const long next = (long)(draw(grid, at + 3) & 255) * (256 - b) + (long)(draw(grid, at + 18) & 255) * b;
                    const long value = ((top * (256 - a) + next * a) >> 16) + (long)(draw(noise, k) & 31) - 16;
                    out[k] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
                }
}

/* ---- the network */

const char *parity_text(const parity_net *net, const char *name, const char *key)
{
    char full[128];
    snprintf(full, sizeof full, "%s/%s", name, key);
    return golden_text(net->file, full);
}

bool parity_is(const parity_net *net, const char *name, const char *key, const char *value)
{
    return strcmp(parity_text(net, name, key), value) == 0;
}

double parity_number(const parity_net *net, const char *name, const char *key) { return atof(parity_text(net, name, key)); }

/* The model's parameters that a list of names means, in its order. */
static size_t *find_parameters(const cc_graph *g, const char *names, size_t *count)
{
    size_t *out = calloc(g->param_count, sizeof *out);
    assert_non_null(out);
    for (*count = 0; *names; ++*count) {
        const size_t length = strcspn(names, " ");
        size_t i = 0;
        while (i < g->param_count && (strlen(g->params[i].name) != length || strncmp(g->params[i].name, names, length) != 0))
            i++;
        if (i == g->param_count) fail_msg("%.*s is no parameter of %s", (int)length, names, g->spec.arch);
        out[*count] = i;
        names += length + (names[length] == ' ');
    }
    return out;
}

static void put_images(parity_net *net)
{
    const size_t image = net->side * net->side * 3, count = net->seeds * net->pool;
    uint8_t *pixels = malloc(count * image);
    int32_t *labels = malloc(count * sizeof *labels);
    float *mean = golden_data(net->file, "mean"), *std = golden_data(net->file, "std");
    assert_true(pixels && labels);
    for (size_t seed = 0; seed < net->seeds; seed++)
        draw_pixels((uint32_t)seed, net->pool, net->side, pixels + seed * net->pool * image);
    for (size_t i = 0; i < count; i++)
        labels[i] = (int32_t)(i % net->pool % net->classes);
    const cc_resident_spec spec = { pixels, labels, count, net->side, net->side, 3, mean, std, "images" };
    OK(cc_resident_create(net->device, &spec, &net->images, &err));
    free(pixels);
    free(labels);
    free(mean);
    free(std);
}

void parity_open(parity_net *net, const char *path, camcl_device *device)
{
    cc_graph_spec spec = { .channels = 3 };
    memset(net, 0, sizeof *net);
    net->device = device;
    net->file = golden_open(path);
    net->seeds = (size_t)golden_number(net->file, "seeds");
    net->pool = (size_t)golden_number(net->file, "pool");
    net->side = (size_t)golden_number(net->file, "image_size");
    net->batch = (size_t)golden_number(net->file, "batch");
    net->steps = (size_t)golden_number(net->file, "steps");
    net->sums = (size_t)golden_number(net->file, "sums");
    net->classes = spec.classes = (size_t)golden_number(net->file, "classes");
    assert_true(net->sums <= MOST_SUMS && net->seeds <= MOST_SEEDS);
    snprintf(spec.arch, sizeof spec.arch, "%s", golden_text(net->file, "arch"));
    snprintf(spec.stem, sizeof spec.stem, "%s", golden_text(net->file, "stem"));
    spec.width = (size_t)golden_number(net->file, "width");
    OK(cc_model_create(device, &spec, &net->model, &err));
    const cc_graph *g = net->model->graph;
    net->trained = find_parameters(g, golden_text(net->file, "parameters"), &net->trained_count);
    net->statistics = find_parameters(g, golden_text(net->file, "statistics"), &net->statistic_count);
    assert_int_equal(net->trained_count + net->statistic_count, g->param_count);
    net->start = calloc(g->param_count, sizeof *net->start);
    assert_non_null(net->start);
    for (size_t i = 0; i < g->param_count; i++) {
        net->start[i] = calloc(g->params[i].count, sizeof **net->start);
        assert_non_null(net->start[i]);
    }
    put_images(net);
}

void parity_close(parity_net *net)
{
    for (size_t i = 0; i < net->model->graph->param_count; i++)
        free(net->start[i]);
    free(net->start);
    free(net->trained);
    free(net->statistics);
    cc_resident_destroy(&net->images);
    cc_model_destroy(&net->model);
    cc_safetensors_free(&net->file);
}

void parity_start(parity_net *net, size_t seed)
{
    const cc_graph *g = net->model->graph;
    for (size_t i = 0; i < g->param_count; i++) {
        const cc_param *p = &g->params[i];
        char name[128];
        snprintf(name, sizeof name, "start.%s", p->name);
        if (cc_safetensors_find(net->file, name)) {
            float *all = golden_data(net->file, name);
            memcpy(net->start[i], all + seed * p->count, p->count * sizeof *all);
            free(all);
        } else {
            draw_weight((uint32_t)seed, p, net->start[i]);
        }
        OK(cc_model_set(net->model, i, net->start[i], &err));
    }
    OK(cc_model_refresh(net->model, &err));
}

void parity_pinned(const parity_net *net, size_t seed, size_t first, size_t count, int32_t turns, cc_transform *out)
{
    const int32_t side = (int32_t)net->side;
    for (size_t i = 0; i < count; i++)
        out[i] = (cc_transform){ (int32_t)(seed * net->pool + (first + i) % net->pool), 0, 0, 0, 0, side, side, turns };
}

/* ---- errors */

static float *read_part(const parity_case *c, const parity_quantity *q, const char *part, unsigned rank, size_t *tensors)
{
    char name[128];
    snprintf(name, sizeof name, "%s/%s.%s", c->name, q->name, part);
    const cc_st_tensor *tensor = golden_tensor(c->net->file, name);
    assert_int_equal(tensor->dims, rank);
    assert_int_equal(tensor->shape[0], c->net->seeds);
    *tensors = tensor->shape[strcmp(part, "torch32") == 0 ? 2 : 1];
    return golden_data(c->net->file, name);
}

void parity_case_open(parity_case *c, const parity_net *net, const char *name)
{
    const char *names = parity_text(net, name, "quantities");
    memset(c, 0, sizeof *c);
    c->net = net;
    c->name = name;
    while (*names) {
        assert_true(c->count < CC_COUNT(c->quantities));
        parity_quantity *q = &c->quantities[c->count++];
        const size_t length = strcspn(names, " ");
        size_t tensors;
        snprintf(q->name, sizeof q->name, "%.*s", (int)length, names);
        names += length + (names[length] == ' ');
        q->sums = read_part(c, q, "sums", 3, &q->tensors);
        q->norm = read_part(c, q, "norm", 2, &tensors);
        assert_int_equal(tensors, q->tensors);
        q->torch32 = read_part(c, q, "torch32", 3, &tensors);
        assert_int_equal(tensors, q->tensors);
        q->error = calloc(net->seeds * tensors, sizeof *q->error);
        q->seen = calloc(net->seeds * tensors, sizeof *q->seen);
        assert_true(q->error && q->seen);
    }
}

void parity_case_close(parity_case *c)
{
    for (size_t i = 0; i < c->count; i++) {
        free(c->quantities[i].sums);
        free(c->quantities[i].norm);
        free(c->quantities[i].torch32);
        free(c->quantities[i].error);
        free(c->quantities[i].seen);
    }
}

void parity_note(parity_case *c, const char *quantity, size_t seed, size_t t, const float *got, const float *origin, size_t n)
{
    const size_t sums = c->net->sums;
    const uint32_t signs = stream(0, "signs");
    double mine[MOST_SUMS] = { 0 }, total = 0;
    parity_quantity *q = c->quantities;
    while (q < c->quantities + c->count && strcmp(q->name, quantity) != 0)
        q++;
    if (q == c->quantities + c->count || t >= q->tensors) fail_msg("%s: no tensor %zu of %s in the file", c->name, t, quantity);
    for (size_t i = 0; got && i < n; i++) {
        const double value = (double)got[i] - (origin ? origin[i] : 0);
        const uint32_t bits = draw(signs, i);
        if (n <= sums)
            mine[i] = value;
        else
            for (size_t j = 0; j < sums; j++)
                mine[j] += bits >> j & 1 ? -value : value;
    }
    const float *want = q->sums + (seed * q->tensors + t) * sums;
    for (size_t j = 0; j < sums; j++)
        total += (mine[j] - want[j]) * (mine[j] - want[j]);
    q->error[seed * q->tensors + t] = sqrt(n <= sums ? total : total / (double)sums);
    q->seen[seed * q->tensors + t] = true;
}

void parity_note_gradients(parity_case *c, const char *quantity, size_t seed, const bool *written)
{
    const parity_net *net = c->net;
    for (size_t t = 0; t < net->trained_count; t++) {
        const size_t i = net->trained[t], n = net->model->graph->params[i].count;
        float *got = malloc(n * sizeof *got);
        assert_non_null(got);
        if (written == NULL || written[i]) OK(cc_model_get_gradient(net->model, i, got, &err));
        parity_note(c, quantity, seed, t, written == NULL || written[i] ? got : NULL, NULL, n);
        free(got);
    }
}

/* ---- the rule */

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return isnan(x) || isnan(y) ? isnan(x) - isnan(y) : (x > y) - (x < y); /* NaN last: it can only raise a median */
}

static double median(double *values, size_t n)
{
    qsort(values, n, sizeof *values, by_value);
    return values[n / 2];
}

/* Where nothing is expected, anything is infinitely wrong. */
static double ratio(double error, double norm) { return norm > 0 ? error / norm : error > 0 ? INFINITY : error; }

/* Medians over the seeds of the relative error of tensors first .. first+count-1 together: of camcl, and of PyTorch's worse format. */
static void medians(const parity_net *net, const parity_quantity *q, size_t first, size_t count, double *camcl, double *torch)
{
    double relative[3][MOST_SEEDS];
    for (size_t s = 0; s < net->seeds; s++) {
        double error[3] = { 0, 0, 0 }, norm = 0;
        for (size_t t = first; t < first + count; t++) {
            const double mine = q->error[s * q->tensors + t];
            if (!q->seen[s * q->tensors + t]) fail_msg("%s: tensor %zu of seed %zu was not compared", q->name, t, s);
            norm += pow(q->norm[s * q->tensors + t], 2);
            error[2] += mine * mine;
            for (size_t f = 0; f < 2; f++)
                error[f] += pow(q->torch32[(s * 2 + f) * q->tensors + t], 2);
        }
        for (size_t f = 0; f < 3; f++)
            relative[f][s] = ratio(sqrt(error[f]), sqrt(norm));
    }
    *camcl = median(relative[2], net->seeds);
    *torch = fmax(median(relative[0], net->seeds), median(relative[1], net->seeds));
}

void parity_judge(const parity_case *c, parity_bound bound, const char *label, bool table)
{
    char failed[2048] = "";
    for (size_t i = 0; i < c->count; i++) {
        const parity_quantity *q = &c->quantities[i];
        double camcl, torch, worst = 0;
        size_t worst_at = 0, used = strlen(failed);
        for (size_t t = 0; t < q->tensors; t++) {
            medians(c->net, q, t, 1, &camcl, &torch);
            const double part = camcl / fmax(bound.single * torch, bound.floor) * bound.single;
            if (!(part <= worst)) worst_at = t;
            if (!(part <= worst)) worst = part;
        }
        medians(c->net, q, 0, q->tensors, &camcl, &torch);
        const double whole = camcl / fmax(bound.whole * torch, bound.floor) * bound.whole;
        const bool parameters = q->tensors == c->net->trained_count;
        const char *name = parameters ? c->net->model->graph->params[c->net->trained[worst_at]].name : "";
        /* Ratios in units of the bound's factor: the floor counts as PyTorch's error where that is smaller. */
        if (table) printf("%-42s %-13s %9.2e %9.2e %6.2f %7.2f  %zu %s\n", label, q->name, camcl, torch, whole, worst, worst_at, name);
        if (q->tensors > 1 && !(whole <= bound.whole))
            snprintf(failed + used, sizeof failed - used, "%s: error %.3g, PyTorch's %.3g\n", q->name, camcl, torch);
        used = strlen(failed);
        if (!(worst <= bound.single))
            snprintf(failed + used, sizeof failed - used, "%s: tensor %zu %s: %.3g times PyTorch's error\n", q->name, worst_at, name,
                     worst);
    }
    if (failed[0]) fail_msg("%s:\n%s", label, failed);
}
