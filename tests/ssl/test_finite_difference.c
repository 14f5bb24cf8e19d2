/* The exact Grad-CAM gradient is the derivative of L_c: finite differences with respect to single weights agree with it, and above the
 * stage not with the first-order one. Classes, mask, running statistics and a detached target stay as they are. L_c is summed up on the
 * host, in double precision. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "support/consistency.h"
#include "support/devices.h"
#include "support/ok.h"

static camcl_device *device;
static camcl_error err;

enum { SEED = 0, TENSORS = 6 };

typedef struct maps {
    float *strong, *target;
    size_t count;
} maps;

static maps maps_create(const parity_net *net)
{
    maps m = { .count = net->pool * net->side * net->side };
    m.strong = calloc(m.count, sizeof *m.strong);
    m.target = calloc(m.count, sizeof *m.target);
    assert_true(m.strong && m.target);
    return m;
}

static void maps_free(maps *m)
{
    free(m->strong);
    free(m->target);
}

static void maps_run(const maps *m, scene *s, const consistency *k)
{
    scene_run(s, SEED);
    OK(cc_buffer_read(k->strong.map.buffer, 0, m->strong, m->count * sizeof(float), &err));
    OK(cc_buffer_read(k->target.buffer, 0, m->target, m->count * sizeof(float), &err));
}

static double loss(const consistency *k, size_t side, const float *strong, const float *target, size_t n)
{
    const size_t image = side * side;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        const cc_counted_row all = { 0, 0, 0, (int32_t)side }, *row = k->rows ? &k->rows[i / side] : &all;
        const int32_t b = (int32_t)(i % side);
        if (b < row->begin || b >= row->end || (b >= row->hole_begin && b < row->hole_end)) continue;
        sum += ((double)strong[i] - target[i]) * ((double)strong[i] - target[i]) / (k->maps ? k->maps[i / image].counted : (double)image);
    }
    return sum / ((double)n / (double)image);
}

/* One weight and what is said of it. */
typedef struct probe {
    size_t param, element;
    bool above; /* the stage */
    double exact, first_order;
} probe;

static size_t param_named(const parity_net *net, const char *name)
{
    size_t i = 0;
    while (i < net->model->graph->param_count && strcmp(net->model->graph->params[i].name, name) != 0)
        i++;
    assert_true(i < net->model->graph->param_count);
    return i;
}

/* Of each tensor the weight with the largest exact gradient; the others' would drown in rounding. */
static void choose_probes(const parity_net *net, size_t layer, const bool *written, probe *probes)
{
    static const char *const names[5][TENSORS] = {
        { NULL },
        { "conv1.weight", "layer1.1.bn2.weight", "layer2.0.conv1.weight", "layer3.0.downsample.0.weight", "layer4.1.bn2.weight",
          "fc.weight" },
        { "conv1.weight", "layer2.1.conv2.weight", "layer3.0.conv1.weight", "layer3.1.bn1.weight", "layer4.1.conv1.weight", "fc.weight" },
        { "conv1.weight", "layer1.0.bn1.bias", "layer3.1.conv1.weight", "layer4.0.conv1.weight", "layer4.1.bn1.weight", "fc.weight" },
        { "conv1.weight", "layer1.0.conv1.weight", "layer2.0.bn1.weight", "layer3.0.downsample.0.weight", "layer4.1.conv2.weight",
          "fc.weight" },
    };
    for (size_t t = 0; t < TENSORS; t++) {
        probe *p = &probes[t];
        *p = (probe){ .param = param_named(net, names[layer][t]) };
        const size_t n = net->model->graph->params[p->param].count;
        float *g = calloc(n, sizeof *g);
        assert_non_null(g);
        assert_true(written[p->param]);
        OK(cc_model_get_gradient(net->model, p->param, g, &err));
        for (size_t i = 1; i < n; i++)
            if (fabsf(g[i]) > fabsf(g[p->element])) p->element = i;
        p->exact = g[p->element];
        free(g);
    }
}

static double gradient_at(const parity_net *net, const probe *p, const bool *written)
{
    if (!written[p->param]) return 0;
    const size_t n = net->model->graph->params[p->param].count;
    float *g = calloc(n, sizeof *g);
    assert_non_null(g);
    OK(cc_model_get_gradient(net->model, p->param, g, &err));
    const double value = g[p->element];
    free(g);
    return value;
}

/* The probes' gradients by both readings, and for `own` each view's classes. */
static void analytic(parity_net *net, size_t layer, bool shared, bool attached, bool affine, probe *probes, int32_t *weak, int32_t *strong)
{
    for (int exact = 1; exact >= 0; exact--) {
        scene s;
        consistency k;
        const consistency_spec spec = { .layer = layer, .exact = exact, .attached = attached, .affine = affine };
        scene_open(&s, net);
        const cc_tensor classes = shared ? s.labels : CC_NO_TENSOR;
        consistency_record(&k, &s, &spec, classes, classes);
        OK(cc_arena_commit(s.arena, &err));
        parity_start(net, SEED);
        scene_run(&s, SEED);
        if (exact) choose_probes(net, layer, s.written, probes);
        for (size_t t = 0; t < TENSORS && !exact; t++) {
            probes[t].first_order = gradient_at(net, &probes[t], s.written);
            probes[t].above = !s.written[probes[t].param];
        }
        OK(cc_buffer_read(k.weak.classes.buffer, 0, weak, net->pool * sizeof *weak, &err));
        OK(cc_buffer_read(k.strong.classes.buffer, 0, strong, net->pool * sizeof *strong, &err));
        consistency_release(&k);
        scene_close(&s);
    }
}

static void set_weight(parity_net *net, const probe *p, float value)
{
    float *values = net->start[p->param], kept = values[p->element];
    values[p->element] = value;
    OK(cc_model_set(net->model, p->param, values, &err));
    OK(cc_model_refresh(net->model, &err));
    values[p->element] = kept;
}

typedef struct experiment {
    scene *s;
    const consistency *k;
    const maps *base, *moved;
    double scale;
    bool attached;
} experiment;

/* L_c with the probe's weight at `value`; the target is the base's, or moves, too. */
static double loss_at(const experiment *e, const probe *p, float value)
{
    set_weight(e->s->net, p, value);
    maps_run(e->moved, e->s, e->k);
    return loss(e->k, e->s->net->side, e->moved->strong, e->attached ? e->moved->target : e->base->target, e->base->count);
}

static double distance(double a, double b) { return fabs(a - b) / fmax(fabs(a), fabs(b)); }

/* The difference quotient around the weight. L_c jumps where a ReLU's mask turns, because m changes then; the derivative is that of the
 * piece between. So steps are tried, each far above rounding, until those to either side agree: no jump is near. NaN: none does. */
static double quotient(const experiment *e, const probe *p)
{
    static const double parts[] = { 3e-4, 1e-4, 1e-3, 3e-5, 1e-5 }; /* of L_c that the step moves it by */
    const float w = e->s->net->start[p->param][p->element];
    double found = NAN;
    for (size_t i = 0; i < CC_COUNT(parts) && isnan(found); i++) {
        const double h = parts[i] * e->scale / fabs(p->exact);
        const float up = (float)(w + h), down = (float)(w - h);
        const double above = loss_at(e, p, up), below = loss_at(e, p, down);
        if (distance((above - e->scale) / ((double)up - w), (e->scale - below) / ((double)w - down)) < 0.03)
            found = (above - below) / ((double)up - down);
    }
    set_weight(e->s->net, p, w);
    return found;
}

static cc_tensor class_tensor(const parity_net *net, const int32_t *classes)
{
    cc_tensor tensor;
    OK(cc_tensor_create(net->device, "classes", CC_I32, CC_DIMS(net->pool), &tensor, &err));
    OK(cc_buffer_write(tensor.buffer, 0, classes, net->pool * sizeof *classes, &err));
    return tensor;
}

static void check_probe(const probe *p, double numeric, const char *what)
{
    if (getenv("CAMCL_PARITY_TABLE"))
        printf("%s: difference quotient %.6g, exact %.6g, first-order %.6g, off by %.1e\n", what, numeric, p->exact, p->first_order,
               distance(numeric, p->exact));
    if (!(distance(numeric, p->exact) < 0.02)) fail_msg("%s: difference quotient %.6g, exact gradient %.6g", what, numeric, p->exact);
    if (p->above && !(distance(numeric, p->first_order) > 0.5))
        fail_msg("%s: first-order gradient %.6g for a difference quotient of %.6g", what, p->first_order, numeric);
}

static void compare(parity_net *net, size_t layer, bool shared, bool attached, bool affine)
{
    probe probes[TENSORS];
    int32_t classes[2][64];
    scene s;
    consistency k;
    const consistency_spec spec = { .layer = layer, .forward_only = true, .affine = affine };
    assert_true(net->pool <= 64);
    analytic(net, layer, shared, attached, affine, probes, classes[0], classes[1]);
    cc_tensor weak = class_tensor(net, classes[0]), strong = class_tensor(net, classes[1]);
    maps base = maps_create(net), moved = maps_create(net);
    scene_open(&s, net);
    consistency_record(&k, &s, &spec, weak, strong);
    OK(cc_arena_commit(s.arena, &err));
    parity_start(net, SEED);
    maps_run(&base, &s, &k);
    const experiment e = { &s, &k, &base, &moved, loss(&k, net->side, base.strong, base.target, base.count), attached };
    for (size_t t = 0; t < TENSORS; t++) {
        char what[160];
        const cc_param *p = &net->model->graph->params[probes[t].param];
        snprintf(what, sizeof what, "stage %zu, %s, %s%s, %s[%zu]", layer, shared ? "shared" : "own", attached ? "attached" : "detached",
                 affine ? ", affine" : "", p->name, probes[t].element);
        check_probe(&probes[t], quotient(&e, &probes[t]), what);
    }
    consistency_release(&k);
    scene_close(&s);
    maps_free(&base);
    maps_free(&moved);
    cc_buffer_destroy(&weak.buffer);
    cc_buffer_destroy(&strong.buffer);
}

/* Emulated devices take one reading at two stages. */
static void stage(void **state)
{
    const size_t layer = *(const size_t *)*state;
    const camcl_device_info *info = camcl_device_get_info(device);
    const bool emulated = strstr(info->name, "llvmpipe") || strstr(info->platform, "Oclgrind");
    parity_net net;
    if (emulated && layer % 2 == 1) skip();
    parity_open(&net, "tests/golden/parity_tiny.safetensors", device);
    for (int attached = 0; attached < 2; attached++)
        for (int shared = 0; shared < 2; shared++)
            if (!emulated || (attached == (layer == 4) && shared != attached)) compare(&net, layer, shared, attached, false);
    compare(&net, layer, true, true, true);
    parity_close(&net);
}

int main(void)
{
    static size_t layers[] = { 1, 2, 3, 4 };
    camcl_device *devices[16];
    const size_t count = test_devices(devices, 16);
    int failed = count == 0;
    for (size_t i = 0; i < count; i++) {
        const struct CMUnitTest tests[] = {
            { "stage 1", stage, NULL, NULL, &layers[0] },
            { "stage 2", stage, NULL, NULL, &layers[1] },
            { "stage 3", stage, NULL, NULL, &layers[2] },
            { "stage 4", stage, NULL, NULL, &layers[3] },
        };
        device = devices[i];
        failed += cmocka_run_group_tests_name(camcl_device_get_info(device)->name, tests, NULL, NULL);
        camcl_device_close(&devices[i]);
    }
    return failed != 0;
}
