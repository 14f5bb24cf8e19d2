/* A model's numbers on their way between device, host and file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "model/param.h"
#include "model/arch.h"
#include "run/snapshot.h"
#include "support/devices.h"
#include "support/ok.h"
#include "support/scratch.h"

static camcl_error err;

static const cc_graph_spec spec = { .arch = "resnet18", .stem = "cifar", .width = 3, .classes = 7, .channels = 2 };

static cc_graph *build(const cc_graph_spec *s)
{
    cc_graph *graph = NULL;
    OK(cc_graph_build(s, 16, &graph, &err));
    return graph;
}

/* Any bits at all, signalling NaNs, infinities and denormals among them; what lies between parameters is different in each snapshot. */
static void fill(cc_snapshot *s, const cc_graph *g, uint32_t seed)
{
    OK(cc_snapshot_allocate(s, g, &err));
    uint32_t bits = seed;
    for (size_t i = 0; i < g->trained + g->statistics; i++) {
        bits = bits * 1664525u + 1013904223u;
        float *to = i < g->trained ? s->weights + i : s->statistics + (i - g->trained);
        memcpy(to, &bits, sizeof *to);
    }
    s->batches = 1234567890123;
}

static void assert_same(const cc_snapshot *a, const cc_snapshot *b, const cc_graph *g)
{
    for (size_t i = 0; i < g->param_count; i++) {
        const cc_param *p = &g->params[i];
        const float *x = (cc_param_is_statistic(p) ? a->statistics : a->weights) + p->offset;
        const float *y = (cc_param_is_statistic(p) ? b->statistics : b->weights) + p->offset;
        if (memcmp(x, y, p->count * sizeof *x) != 0) fail_msg("%s differs", p->name);
    }
    assert_int_equal(a->batches, b->batches);
}

static cc_safetensors *through_file(const char *folder, const cc_graph *g, const char *prefix, const cc_snapshot *s)
{
    const char *path = scratch_path(folder, "model.safetensors");
    cc_tensor_list list = { .count = 0 };
    cc_safetensors *file = NULL;
    OK(cc_tensor_list_add_snapshot(&list, prefix, g, s, &err));
    OK(cc_safetensors_write(path, list.tensors, list.count, NULL, 0, &err));
    cc_tensor_list_free(&list);
    OK(cc_safetensors_read(path, &file, &err));
    return file;
}

static void files_keep_every_bit(void **state)
{
    const char *const prefixes[] = { "", "model." };
    cc_graph *g = build(&spec);
    for (size_t i = 0; i < CC_COUNT(prefixes); i++) {
        cc_snapshot s = { NULL, NULL, 0 }, back = { NULL, NULL, 0 };
        fill(&s, g, 1);
        fill(&back, g, 2);
        cc_safetensors *file = through_file(*state, g, prefixes[i], &s);
        OK(cc_snapshot_from_file(file, prefixes[i], g, &back, &err));
        assert_same(&s, &back, g);
        cc_safetensors_free(&file);
        cc_snapshot_free(&s);
        cc_snapshot_free(&back);
    }
    cc_graph_destroy(&g);
}

static void names_shapes_and_layout_are_pytorchs(void **state)
{
    cc_graph *g = build(&spec);
    cc_snapshot s = { NULL, NULL, 0 };
    fill(&s, g, 1);
    /* conv1.weight [3,2,3,3] on the device is [R,S,C,K]: give each element its place in [K,C,R,S]. */
    const cc_param *conv = &g->params[0];
    for (size_t k = 0; k < 3; k++)
        for (size_t c = 0; c < 2; c++)
            for (size_t r = 0; r < 3; r++)
                for (size_t q = 0; q < 3; q++)
                    s.weights[conv->offset + ((r * 3 + q) * 2 + c) * 3 + k] = (float)(1000 * k + 100 * c + 10 * r + q);
    cc_safetensors *file = through_file(*state, g, "", &s);
    const cc_st_tensor *t = cc_safetensors_find(file, "conv1.weight");
    assert_non_null(t);
    assert_int_equal(t->dtype, CC_ST_F32);
    assert_int_equal(t->dims, 4);
    const size_t shape[4] = { 3, 2, 3, 3 };
    assert_memory_equal(t->shape, shape, sizeof shape);
    for (size_t i = 0; i < 54; i++) {
        float value;
        memcpy(&value, (const char *)t->data + i * sizeof value, sizeof value);
        assert_int_equal((int)value, (int)(1000 * (i / 18) + 100 * (i / 9 % 2) + 10 * (i / 3 % 3) + i % 3));
    }
    t = cc_safetensors_find(file, "bn1.num_batches_tracked");
    assert_non_null(t);
    assert_int_equal(t->dtype, CC_ST_I64);
    assert_int_equal(t->dims, 0);
    int64_t batches;
    memcpy(&batches, t->data, sizeof batches);
    assert_int_equal(batches, 1234567890123);
    assert_non_null(cc_safetensors_find(file, "layer2.0.downsample.1.num_batches_tracked"));
    assert_non_null(cc_safetensors_find(file, "fc.bias"));
    /* 102 parameters and statistics, 20 counters, nothing else. */
    assert_int_equal(cc_safetensors_count(file), 122);
    cc_safetensors_free(&file);
    cc_snapshot_free(&s);
    cc_graph_destroy(&g);
}

static void counters_may_be_missing(void **state)
{
    cc_graph *g = build(&spec);
    cc_snapshot s = { NULL, NULL, 0 }, back = { NULL, NULL, 0 };
    cc_tensor_list list = { .count = 0 };
    cc_safetensors *file = NULL;
    const char *path = scratch_path(*state, "old.safetensors");
    size_t kept = 0;
    fill(&s, g, 1);
    OK(cc_tensor_list_add_snapshot(&list, "", g, &s, &err));
    for (size_t i = 0; i < list.count; i++)
        if (!strstr(list.tensors[i].name, "num_batches_tracked")) list.tensors[kept++] = list.tensors[i];
    OK(cc_safetensors_write(path, list.tensors, kept, NULL, 0, &err));
    OK(cc_safetensors_read(path, &file, &err));
    OK(cc_snapshot_from_file(file, "", g, &back, &err));
    assert_int_equal(back.batches, 0);
    s.batches = 0;
    assert_same(&s, &back, g);
    cc_tensor_list_free(&list);
    cc_safetensors_free(&file);
    cc_snapshot_free(&s);
    cc_snapshot_free(&back);
    cc_graph_destroy(&g);
}

static void any_missing_tensor_is_named(void **state)
{
    cc_graph *g = build(&spec);
    cc_snapshot s = { NULL, NULL, 0 }, back = { NULL, NULL, 0 };
    cc_tensor_list list = { .count = 0 };
    fill(&s, g, 1);
    OK(cc_tensor_list_add_snapshot(&list, "", g, &s, &err));
    for (size_t i = 0; i < list.count; i += 7) {
        cc_st_tensor *some = malloc(list.count * sizeof *some);
        cc_safetensors *file = NULL;
        const char *path = scratch_path(*state, "less.safetensors");
        assert_non_null(some);
        if (strstr(list.tensors[i].name, "num_batches")) {
            free(some);
            continue;
        }
        memcpy(some, list.tensors, i * sizeof *some);
        memcpy(some + i, list.tensors + i + 1, (list.count - i - 1) * sizeof *some);
        OK(cc_safetensors_write(path, some, list.count - 1, NULL, 0, &err));
        OK(cc_safetensors_read(path, &file, &err));
        assert_int_equal(cc_snapshot_from_file(file, "", g, &back, &err), CAMCL_BAD_DATA);
        if (!strstr(err.message, list.tensors[i].name)) fail_msg("\"%s\" does not name %s", err.message, list.tensors[i].name);
        cc_safetensors_free(&file);
        free(some);
    }
    cc_tensor_list_free(&list);
    cc_snapshot_free(&s);
    cc_snapshot_free(&back);
    cc_graph_destroy(&g);
}

static void other_models_files_are_refused(void **state)
{
    const struct {
        cc_graph_spec spec;
        const char *mentions[3];
    } cases[] = {
        { { .arch = "resnet18", .stem = "cifar", .width = 4, .classes = 7, .channels = 2 }, { "conv1.weight", "[3,2,3,3]", "[4,2,3,3]" } },
        { { .arch = "resnet18", .stem = "imagenet", .width = 3, .classes = 7, .channels = 2 },
          { "conv1.weight", "[3,2,3,3]", "[3,2,7,7]" } },
        { { .arch = "resnet18", .stem = "cifar", .width = 3, .classes = 9, .channels = 2 }, { "fc.weight", "[7,24]", "[9,24]" } },
        { { .arch = "resnet34", .stem = "cifar", .width = 3, .classes = 7, .channels = 2 }, { "layer1.2.conv1.weight", "no tensor", "" } },
        { { .arch = "resnet50", .stem = "cifar", .width = 3, .classes = 7, .channels = 2 }, { "layer1.0.", "", "" } },
    };
    cc_graph *g = build(&spec);
    cc_snapshot s = { NULL, NULL, 0 };
    fill(&s, g, 1);
    cc_safetensors *file = through_file(*state, g, "", &s);
    for (size_t i = 0; i < CC_COUNT(cases); i++) {
        cc_graph *other = build(&cases[i].spec);
        cc_snapshot back = { NULL, NULL, 0 };
        assert_int_equal(cc_snapshot_from_file(file, "", other, &back, &err), CAMCL_BAD_DATA);
        assert_non_null(strstr(err.message, "model.safetensors"));
        for (int m = 0; m < 3; m++)
            if (!strstr(err.message, cases[i].mentions[m])) fail_msg("\"%s\" does not mention %s", err.message, cases[i].mentions[m]);
        cc_snapshot_free(&back);
        cc_graph_destroy(&other);
    }
    cc_safetensors_free(&file);
    cc_snapshot_free(&s);
    cc_graph_destroy(&g);
}

static void flat_vectors_round_trip(void **state)
{
    cc_graph *g = build(&spec);
    cc_snapshot s = { NULL, NULL, 0 };
    cc_tensor_list list = { .count = 0 };
    cc_safetensors *file = NULL;
    const char *path = scratch_path(*state, "flat.safetensors");
    float *back = calloc(g->trained, sizeof *back);
    assert_non_null(back);
    fill(&s, g, 3);
    OK(cc_tensor_list_add_flat(&list, "momentum.", g, s.weights, &err));
    OK(cc_safetensors_write(path, list.tensors, list.count, NULL, 0, &err));
    OK(cc_safetensors_read(path, &file, &err));
    assert_int_equal(cc_safetensors_count(file), 62); /* no statistics */
    OK(cc_flat_from_file(file, "momentum.", g, back, &err));
    for (size_t i = 0; i < g->param_count; i++) {
        const cc_param *p = &g->params[i];
        if (!cc_param_is_statistic(p)) assert_memory_equal(back + p->offset, s.weights + p->offset, p->count * sizeof *back);
    }
    assert_int_equal(cc_flat_from_file(file, "ema.", g, back, &err), CAMCL_BAD_DATA);
    assert_non_null(strstr(err.message, "ema.conv1.weight"));
    free(back);
    cc_tensor_list_free(&list);
    cc_safetensors_free(&file);
    cc_snapshot_free(&s);
    cc_graph_destroy(&g);
}

static void copies_are_equal_and_apart(void **state)
{
    (void)state;
    cc_graph *g = build(&spec);
    cc_snapshot s = { NULL, NULL, 0 }, copy = { NULL, NULL, 0 };
    fill(&s, g, 1);
    OK(cc_snapshot_allocate(&copy, g, &err));
    cc_snapshot_copy(&copy, &s, g);
    assert_memory_equal(copy.weights, s.weights, g->trained * sizeof(float));
    assert_memory_equal(copy.statistics, s.statistics, g->statistics * sizeof(float));
    fill(&s, g, 2);
    cc_snapshot again = { NULL, NULL, 0 };
    fill(&again, g, 1);
    assert_same(&copy, &again, g);
    cc_snapshot_free(&s);
    cc_snapshot_free(&copy);
    cc_snapshot_free(&copy); /* twice does no harm */
    cc_snapshot_free(&again);
    cc_graph_destroy(&g);
}

/* ---- on a device; no kernel is needed */

static void device_keeps_every_bit(camcl_device *device, void *context)
{
    (void)context;
    cc_model *model = NULL;
    cc_snapshot s = { NULL, NULL, 0 }, back = { NULL, NULL, 0 };
    OK(cc_model_create(device, &spec, &model, &err));
    const cc_graph *g = model->graph;
    fill(&s, g, 5);
    OK(cc_snapshot_apply(&s, model, &err));
    OK(cc_snapshot_take(&back, model, s.batches, &err));
    assert_same(&s, &back, g);
    float *memory = back.weights;
    OK(cc_snapshot_take(&back, model, 3, &err));
    assert_ptr_equal(back.weights, memory); /* kept from call to call */
    assert_int_equal(back.batches, 3);
    /* One parameter by itself is in torch's layout, and only it changes. */
    size_t conv = 0;
    while (strcmp(g->params[conv].name, "layer2.0.conv1.weight") != 0)
        conv++;
    const cc_param *p = &g->params[conv];
    float *torch = calloc(p->count, sizeof *torch), *flat = calloc(p->count, sizeof *flat), *read = calloc(p->count, sizeof *read);
    assert_true(torch && flat && read);
    for (size_t i = 0; i < p->count; i++)
        torch[i] = (float)i;
    OK(cc_model_set(model, conv, torch, &err));
    OK(cc_model_get(model, conv, read, &err));
    assert_memory_equal(read, torch, p->count * sizeof *torch);
    cc_param_to_flat(p, torch, flat);
    memcpy(s.weights + p->offset, flat, p->count * sizeof *flat);
    OK(cc_snapshot_take(&back, model, s.batches, &err));
    assert_same(&s, &back, g);
    free(torch);
    free(flat);
    free(read);
    cc_snapshot_free(&s);
    cc_snapshot_free(&back);
    cc_model_destroy(&model);
    assert_int_equal(cc_device_bytes(device), 0); /* nothing is left behind */
}

static void devices_keep_every_bit(void **state)
{
    (void)state;
    for_each_device(device_keeps_every_bit, NULL);
}

static void initial_weights_are_a_function_of_the_seed(camcl_device *device, void *context)
{
    (void)context;
    cc_model *model = NULL;
    cc_snapshot one = { NULL, NULL, 0 }, two = { NULL, NULL, 0 }, other = { NULL, NULL, 0 };
    OK(cc_model_create(device, &spec, &model, &err));
    const cc_graph *g = model->graph;
    OK(cc_model_init(model, 1, &err));
    OK(cc_snapshot_take(&one, model, 0, &err));
    OK(cc_model_init(model, 2, &err));
    OK(cc_snapshot_take(&other, model, 0, &err));
    OK(cc_model_init(model, 1, &err));
    OK(cc_snapshot_take(&two, model, 0, &err));
    assert_same(&one, &two, g);
    for (size_t i = 0; i < g->param_count; i++) {
        const cc_param *p = &g->params[i];
        const float *v = (cc_param_is_statistic(p) ? one.statistics : one.weights) + p->offset;
        const float *w = (cc_param_is_statistic(p) ? other.statistics : other.weights) + p->offset;
        bool drawn = p->init == CC_INIT_FAN_OUT || p->init == CC_INIT_FAN_IN;
        assert_int_equal(memcmp(v, w, p->count * sizeof *v) != 0, drawn);
        double sum = 0, squares = 0, n = (double)p->count;
        for (size_t k = 0; k < p->count; k++) {
            sum += v[k];
            squares += (double)v[k] * v[k];
        }
        if (p->init == CC_INIT_ONE) assert_true(sum >= n && sum <= n && squares >= n && squares <= n);
        if (p->init == CC_INIT_ZERO) assert_true(squares <= 0);
        /* Variance 2/(K R S) within six standard deviations of its estimate, sqrt(2/n). */
        double want = 2 / (double)(p->dim[0] * p->dim[2] * p->dim[3] + (p->init != CC_INIT_FAN_OUT)), estimate = squares / n,
               scatter = 36 * 2 / n;
        if (p->init == CC_INIT_FAN_OUT && (estimate / want - 1) * (estimate / want - 1) > scatter)
            fail_msg("%s: variance %g, should be %g", p->name, estimate, want);
        double bound = 1 / 24.0; /* 1/in of fc.weight [7,24]: uniform in +-sqrt of it */
        for (size_t k = 0; k < p->count && p->init == CC_INIT_FAN_IN; k++)
            if (!((double)v[k] * v[k] <= bound)) fail_msg("%s[%zu] = %g is out of bounds", p->name, k, (double)v[k]);
        if (p->init == CC_INIT_FAN_IN && p->rank == 2) assert_true(squares / n > bound / 3 * 0.7 && squares / n < bound / 3 * 1.3);
    }
    cc_snapshot_free(&one);
    cc_snapshot_free(&two);
    cc_snapshot_free(&other);
    cc_model_destroy(&model);
}

static void initial_weights(void **state)
{
    (void)state;
    for_each_device(initial_weights_are_a_function_of_the_seed, NULL);
}

int main(void)
{
#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(files_keep_every_bit),
        IN_SCRATCH(names_shapes_and_layout_are_pytorchs),
        IN_SCRATCH(counters_may_be_missing),
        IN_SCRATCH(any_missing_tensor_is_named),
        IN_SCRATCH(other_models_files_are_refused),
        IN_SCRATCH(flat_vectors_round_trip),
        cmocka_unit_test(copies_are_equal_and_apart),
        cmocka_unit_test(devices_keep_every_bit),
        cmocka_unit_test(initial_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
