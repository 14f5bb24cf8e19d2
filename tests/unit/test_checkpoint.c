/* Checkpoints and the state of a run: what they say, what they keep, and what they refuse. */
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/memory.h"
#include "model/param.h"
#include "support/devices.h"
#include "support/ok.h"
#include "support/scratch.h"
#include "model/arch.h"
#include "run/checkpoint.h"

static camcl_error err;

static const cc_graph_spec spec = { .arch = "resnet18", .stem = "cifar", .width = 2, .classes = 3, .channels = 3 };
static const char *const class_names[] = { "cat", "a \"dog\"",
                                           "K\xc3\xa4"
                                           "fer, gro\xc3\x9f" };

static cc_graph *build(const cc_graph_spec *s)
{
    cc_graph *graph = NULL;
    OK(cc_graph_build(s, 16, &graph, &err));
    return graph;
}

static void fill_floats(float *out, size_t n, uint32_t seed)
{
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        out[i] = (float)(int32_t)seed / 1e9f;
    }
}

static void fill(cc_snapshot *s, const cc_graph *g, uint32_t seed, int64_t batches)
{
    OK(cc_snapshot_allocate(s, g, &err));
    fill_floats(s->weights, g->trained, seed);
    fill_floats(s->statistics, g->statistics, seed + 1);
    for (size_t i = 0; i < g->param_count; i++) {
        const cc_param *p = &g->params[i];
        for (size_t k = 0; p->role == CC_ROLE_RUNNING_VAR && k < p->count; k++)
            s->statistics[p->offset + k] = fabsf(s->statistics[p->offset + k]);
    }
    s->batches = batches;
}

static void assert_same_flat(const float *a, const float *b, const cc_graph *g, bool statistics)
{
    for (size_t i = 0; i < g->param_count; i++) {
        const cc_param *p = &g->params[i];
        if ((cc_param_is_statistic(p) != 0) != statistics) continue;
        if (memcmp(a + p->offset, b + p->offset, p->count * sizeof *a) != 0) fail_msg("%s differs", p->name);
    }
}

static void assert_same(const cc_snapshot *a, const cc_snapshot *b, const cc_graph *g)
{
    assert_same_flat(a->weights, b->weights, g, false);
    assert_same_flat(a->statistics, b->statistics, g, true);
    assert_int_equal(a->batches, b->batches);
}

static cc_model_card card_of(const cc_graph *g)
{
    cc_model_card card = { .graph = g->spec,
                           .image_size = 17,
                           .mean = { 0.1f, 1 / 3.0f, -2.5e-8f },
                           .std = { 0.25f, 16777217, 1e-3f },
                           .step = UINT64_MAX,
                           .dataset = "folder",
                           .fit = CAMCL_FIT_PAD };
    OK(cc_model_card_set_names(&card, class_names, &err));
    return card;
}

/* ---- checkpoints */

static const char *write_checkpoint(const char *folder, const cc_graph_spec *s)
{
    const char *path = scratch_path(folder, "best.safetensors");
    cc_graph *g = build(s);
    cc_model_card card = card_of(g);
    cc_snapshot weights = { NULL, NULL, 0 };
    fill(&weights, g, 1, 99);
    OK(cc_checkpoint_write(path, g, &card, &weights, &err));
    cc_snapshot_free(&weights);
    cc_model_card_free(&card);
    cc_graph_destroy(&g);
    return path;
}

static void checkpoints_round_trip(void **state)
{
    const char *path = write_checkpoint(*state, &spec);
    cc_graph *g = build(&spec);
    cc_safetensors *file = NULL;
    cc_model_card card, want = card_of(g);
    cc_snapshot weights = { NULL, NULL, 0 }, back = { NULL, NULL, 0 };
    fill(&weights, g, 1, 99);
    OK(cc_checkpoint_read(path, &file, &card, &err));
    assert_string_equal(card.graph.arch, "resnet18");
    assert_string_equal(card.graph.stem, "cifar");
    assert_int_equal(card.graph.width, 2);
    assert_int_equal(card.graph.classes, 3);
    assert_int_equal(card.graph.channels, 3);
    assert_int_equal(card.image_size, 17);
    assert_true(card.step == UINT64_MAX);
    assert_string_equal(card.dataset, "folder");
    assert_int_equal(card.fit, CAMCL_FIT_PAD);
    assert_memory_equal(card.mean, want.mean, 3 * sizeof *card.mean); /* to the bit */
    assert_memory_equal(card.std, want.std, 3 * sizeof *card.std);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(card.class_names[i], class_names[i]);
    OK(cc_snapshot_from_file(file, "", g, &back, &err));
    assert_same(&weights, &back, g);
    cc_model_card_free(&card);
    cc_model_card_free(&want);
    cc_safetensors_free(&file);
    cc_snapshot_free(&weights);
    cc_snapshot_free(&back);
    cc_graph_destroy(&g);
}

/* For other programs: the keys that DESIGN section 4 promises, as text. */
static void metadata_is_complete(void **state)
{
    const char *path = write_checkpoint(*state, &spec);
    cc_safetensors *file = NULL;
    cc_json *names = NULL;
    OK(cc_safetensors_read(path, &file, &err));
    const struct {
        const char *key, *value;
    } want[] = { { "arch", "resnet18" }, { "stem", "cifar" },    { "width", "2" },
                 { "classes", "3" },     { "image_size", "17" }, { "step", "18446744073709551615" },
                 { "channels", "3" },    { "dataset", "folder" } };
    for (size_t i = 0; i < CC_COUNT(want); i++) {
        const char *value = cc_safetensors_metadata(file, want[i].key);
        if (value == NULL) fail_msg("no %s", want[i].key);
        assert_string_equal(value, want[i].value);
    }
    const char *const present[] = { "format", "version", "mean", "std" };
    for (size_t i = 0; i < CC_COUNT(present); i++) {
        const char *value = cc_safetensors_metadata(file, present[i]);
        if (value == NULL || *value == '\0') fail_msg("no %s", present[i]);
    }
    const char *text = cc_safetensors_metadata(file, "class_names");
    assert_non_null(text);
    OK(cc_json_parse(text, strlen(text), &names, &err));
    assert_int_equal(names->count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(cc_json_string(&names->items[i]), class_names[i]);
    assert_int_equal(cc_safetensors_count(file), 122); /* a strict load_state_dict finds nothing else */
    cc_json_free(&names);
    cc_safetensors_free(&file);
}

static void other_locales_write_the_same(void **state)
{
    size_t size, other_size;
    char *before = scratch_read(write_checkpoint(*state, &spec), &size);
    if (setlocale(LC_NUMERIC, "de_DE.UTF-8") == NULL && setlocale(LC_NUMERIC, "fr_FR.UTF-8") == NULL) {
        free(before);
        skip(); /* no locale with a decimal comma is installed */
    }
    const char *path = write_checkpoint(*state, &spec);
    char *after = scratch_read(path, &other_size);
    cc_safetensors *file = NULL;
    cc_model_card card;
    camcl_status status = cc_checkpoint_read(path, &file, &card, &err);
    setlocale(LC_NUMERIC, "C");
    assert_int_equal(size, other_size);
    assert_memory_equal(before, after, size);
    assert_int_equal(status, CAMCL_OK);
    assert_true(card.std[0] >= 0.25f && card.std[0] <= 0.25f);
    cc_model_card_free(&card);
    cc_safetensors_free(&file);
    free(before);
    free(after);
}

/* A checkpoint whose metadata `key` is `value` (NULL: missing). */
static camcl_status read_with(const char *folder, const char *key, const char *value)
{
    static const char *const keys[] = { "arch", "stem",       "width", "classes", "class_names", "mean",
                                        "std",  "image_size", "step",  "dataset", "fit" };
    cc_safetensors *original = NULL, *file = NULL;
    cc_st_pair pairs[CC_COUNT(keys)];
    size_t n = 0;
    cc_model_card card;
    OK(cc_safetensors_read(scratch_path(folder, "best.safetensors"), &original, &err));
    for (size_t i = 0; i < CC_COUNT(keys); i++) {
        const char *text = strcmp(keys[i], key) == 0 ? value : cc_safetensors_metadata(original, keys[i]);
        if (text) pairs[n++] = (cc_st_pair){ keys[i], text };
    }
    const char *path = scratch_path(folder, "changed.safetensors");
    OK(cc_safetensors_write(path, NULL, 0, pairs, n, &err));
    camcl_status status = cc_checkpoint_read(path, &file, &card, &err);
    if (status == CAMCL_OK) cc_model_card_free(&card);
    cc_safetensors_free(&original);
    cc_safetensors_free(&file);
    return status;
}

static void wrong_metadata_is_named(void **state)
{
    static const struct {
        const char *key, *value;
    } wrong[] = {
        { "arch", NULL },
        { "arch", "an architecture of much too long a name" },
        { "stem", NULL },
        { "width", NULL },
        { "width", "-1" },
        { "width", "2x" },
        { "width", "" },
        { "width", "99999999999999999999999" },
        { "classes", "0" },
        { "classes", "4" },
        { "classes", NULL },
        { "mean", "0.1,0.2" },
        { "mean", "" },
        { "mean", "0.1,,0.2" },
        { "mean", "1,2,3,4,5" },
        { "mean", NULL },
        { "mean", "nan,0,0" },
        { "mean", "1e39,0,0" },
        { "std", "1,2" },
        { "std", "1,0,1" },
        { "std", "1,-1,1" },
        { "std", NULL },
        { "class_names", NULL },
        { "class_names", "[\"a\",\"b\"]" },
        { "class_names", "[1,2,3]" },
        { "class_names", "cat,dog,bug" },
        { "image_size", "0" },
        { "image_size", NULL },
        { "image_size", "1e3" },
        { "step", NULL },
        { "step", "-3" },
        { "dataset", "the name of a data set that is much too long" },
        { "fit", "squeeze" },
    };
    write_checkpoint(*state, &spec);
    OK(read_with(*state, "nothing", NULL));
    OK(read_with(*state, "dataset", NULL)); /* as in checkpoints from before there was one */
    OK(read_with(*state, "fit", NULL));
    for (size_t i = 0; i < CC_COUNT(wrong); i++) {
        if (read_with(*state, wrong[i].key, wrong[i].value) != CAMCL_BAD_DATA)
            fail_msg("%s = %s was taken", wrong[i].key, wrong[i].value ? wrong[i].value : "(missing)");
        /* Another number of classes or channels shows in what has one entry for each. */
        const char *named = strcmp(wrong[i].key, "classes") == 0 && wrong[i].value && *wrong[i].value == '4' ? "class_names" : wrong[i].key;
        if (strcmp(wrong[i].key, "mean") == 0 && wrong[i].value && strcmp(wrong[i].value, "0.1,0.2") == 0) named = "std";
        if (!strstr(err.message, named))
            fail_msg("%s = %s: \"%s\"", wrong[i].key, wrong[i].value ? wrong[i].value : "(missing)", err.message);
    }
}

static void other_files_are_no_checkpoints(void **state)
{
    const char *path = scratch_path(*state, "x.safetensors");
    cc_safetensors *file = NULL;
    cc_model_card card;
    assert_int_equal(cc_checkpoint_read(path, &file, &card, &err), CAMCL_IO);
    scratch_write(path, "not tensors", 11);
    assert_int_equal(cc_checkpoint_read(path, &file, &card, &err), CAMCL_BAD_DATA);
    assert_null(file);
    const cc_st_pair pytorch[] = { { "format", "pt" } };
    OK(cc_safetensors_write(path, NULL, 0, pytorch, 1, &err));
    assert_int_equal(cc_checkpoint_read(path, &file, &card, &err), CAMCL_BAD_DATA);
    assert_non_null(strstr(err.message, "model.init")); /* what such a file is good for */
    assert_null(file);
}

/* ---- weights to start from */

static bool is_head(const cc_param *p) { return strncmp(p->name, "fc.", 3) == 0; }

static void start_from_weights(camcl_device *device, void *context)
{
    const char *path = write_checkpoint(context, &spec);
    cc_graph_spec ten = spec;
    ten.classes = 10;
    const cc_graph_spec *const specs[] = { &spec, &ten };
    for (int redraw = 0; redraw < 2; redraw++) {
        cc_model *model = NULL;
        cc_safetensors *file = NULL;
        cc_snapshot fresh = { NULL, NULL, 0 }, got = { NULL, NULL, 0 };
        cc_init_report report;
        char done[256];
        OK(cc_safetensors_read(path, &file, &err));
        OK(cc_model_create(device, specs[redraw], &model, &err));
        const cc_graph *g = model->graph;
        OK(cc_model_init(model, 7, &err));
        OK(cc_snapshot_take(&fresh, model, 0, &err));
        OK(cc_model_init(model, 8, &err));
        OK(cc_checkpoint_init(path, model, 7, &report, &err));
        assert_int_equal(report.redrawn, redraw);
        assert_int_equal(report.head_classes, 3);
        assert_int_equal(report.taken, redraw ? 100 : 102);
        assert_int_equal(report.counters, 20);
        assert_string_equal(report.prefix, "");
        cc_init_describe(&report, g->spec.classes, done, sizeof done);
        assert_string_equal(done, redraw ? "100 tensors, 20 num_batches_tracked left out, the head of 3 classes redrawn for 10"
                                         : "102 tensors, 20 num_batches_tracked left out");
        OK(cc_snapshot_take(&got, model, 0, &err));
        for (size_t i = 0; i < g->param_count; i++) {
            const cc_param *p = &g->params[i];
            const float *value = (cc_param_is_statistic(p) ? got.statistics : got.weights) + p->offset;
            float *want = calloc(p->count, sizeof *want), *flat = calloc(p->count, sizeof *flat);
            assert_true(want && flat);
            if (redraw && is_head(p))
                memcpy(flat, fresh.weights + p->offset, p->count * sizeof *flat);
            else {
                OK(cc_safetensors_get_f32(file, p->name, p->rank, p->dim, want, &err));
                cc_param_to_flat(p, want, flat);
            }
            if (memcmp(value, flat, p->count * sizeof *flat) != 0) fail_msg("%s is not what it should be", p->name);
            free(want);
            free(flat);
        }
        cc_safetensors_free(&file);
        cc_snapshot_free(&fresh);
        cc_snapshot_free(&got);
        cc_model_destroy(&model);
    }
}

static void weights_to_start_from(void **state) { for_each_device(start_from_weights, *state); }

static void refuse_weights(camcl_device *device, void *context)
{
    const char *path = write_checkpoint(context, &spec);
    const struct {
        cc_graph_spec spec;
        const char *mentions[3];
    } cases[] = {
        { { .arch = "resnet18", .stem = "cifar", .width = 4, .classes = 3, .channels = 3 }, { "conv1.weight", "[2,3,3,3]", "[4,3,3,3]" } },
        { { .arch = "resnet34", .stem = "cifar", .width = 2, .classes = 3, .channels = 3 }, { "layer1.2.conv1.weight", "", "" } },
        { { .arch = "resnet18", .stem = "imagenet", .width = 2, .classes = 3, .channels = 3 },
          { "conv1.weight", "[2,3,3,3]", "model.stem = cifar" } },
    };
    cc_init_report report;
    for (size_t i = 0; i < CC_COUNT(cases); i++) {
        cc_model *model = NULL;
        OK(cc_model_create(device, &cases[i].spec, &model, &err));
        assert_int_equal(cc_checkpoint_init(path, model, 1, &report, &err), CAMCL_BAD_DATA);
        for (int m = 0; m < 3; m++)
            if (!strstr(err.message, cases[i].mentions[m])) fail_msg("\"%s\" does not mention %s", err.message, cases[i].mentions[m]);
        cc_model_destroy(&model);
    }
    cc_model *model = NULL;
    OK(cc_model_create(device, &spec, &model, &err));
    assert_int_equal(cc_checkpoint_init(scratch_path(context, "none"), model, 1, &report, &err), CAMCL_IO);
    cc_model_destroy(&model);
    assert_int_equal(cc_device_bytes(device), 0);
}

static void weights_of_other_models(void **state) { for_each_device(refuse_weights, *state); }

/* The checkpoint's tensors, to be changed before they are written again. */
typedef struct edited_file {
    cc_safetensors *source;
    cc_st_tensor all[128];
    size_t count;
} edited_file;

static void tensors_read(edited_file *t, const char *path)
{
    OK(cc_safetensors_read(path, &t->source, &err));
    t->count = cc_safetensors_count(t->source);
    assert_true(t->count < CC_COUNT(t->all));
    for (size_t i = 0; i < t->count; i++)
        t->all[i] = *cc_safetensors_at(t->source, i);
}

static void tensors_drop(edited_file *t, const char *ending)
{
    size_t kept = 0;
    for (size_t i = 0; i < t->count; i++) {
        const size_t length = strlen(t->all[i].name), tail = strlen(ending);
        if (length < tail || strcmp(t->all[i].name + length - tail, ending) != 0) t->all[kept++] = t->all[i];
    }
    assert_true(kept < t->count);
    t->count = kept;
}

/* model.init from the edited tensors: what it returns, and that they arrive. */
static void init_from(camcl_device *device, void *context, void (*edit)(edited_file *), camcl_status want, cc_init_report *report)
{
    edited_file *t = calloc(1, sizeof *t);
    cc_model *model = NULL;
    const char *path = scratch_path(context, "edited.safetensors");
    assert_non_null(t);
    tensors_read(t, write_checkpoint(context, &spec));
    edit(t);
    OK(cc_safetensors_write(path, t->all, t->count, NULL, 0, &err));
    OK(cc_model_create(device, &spec, &model, &err));
    if (cc_checkpoint_init(path, model, 1, report, &err) != want) fail_msg("%s", err.message);
    if (want == CAMCL_OK) {
        cc_snapshot got = { NULL, NULL, 0 }, written = { NULL, NULL, 0 };
        OK(cc_snapshot_from_file(t->source, "", model->graph, &written, &err));
        OK(cc_snapshot_take(&got, model, written.batches, &err));
        assert_same(&written, &got, model->graph);
        cc_snapshot_free(&got);
        cc_snapshot_free(&written);
    }
    cc_model_destroy(&model);
    cc_safetensors_free(&t->source);
    free(t);
}

static void without_counters(edited_file *t) { tensors_drop(t, ".num_batches_tracked"); }
static void without_statistics(edited_file *t) { tensors_drop(t, "layer3.0.bn1.running_var"); }

static void with_another_layer(edited_file *t)
{
    t->all[t->count] = t->all[0];
    t->all[t->count++].name = "layer5.0.conv1.weight";
}

/* A counter without a batch norm is no counter. */
static void with_a_stray_counter(edited_file *t)
{
    for (size_t i = 0; i < t->count; i++)
        if (strcmp(t->all[i].name, "bn1.num_batches_tracked") == 0) t->all[i].name = "bn7.num_batches_tracked";
}

static void with_half_a_head(edited_file *t)
{
    for (size_t i = 0; i < t->count; i++)
        if (strcmp(t->all[i].name, "fc.bias") == 0) t->all[i].shape[0] = 2;
}

static float unfit[64];

static void with_one_value(edited_file *t, const char *name, float value)
{
    for (size_t i = 0; i < t->count; i++) {
        if (strcmp(t->all[i].name, name) != 0) continue;
        assert_true(cc_st_elements(&t->all[i]) <= CC_COUNT(unfit));
        memcpy(unfit, t->all[i].data, cc_st_elements(&t->all[i]) * sizeof *unfit);
        unfit[1] = value;
        t->all[i].data = unfit;
    }
}

static void with_nan(edited_file *t) { with_one_value(t, "layer4.1.bn2.bias", NAN); }
static void with_infinity(edited_file *t) { with_one_value(t, "fc.bias", INFINITY); }
static void with_negative_variance(edited_file *t) { with_one_value(t, "bn1.running_var", -1e-6f); }

/* The model stays as it was, also where other tensors come before the unfit one. */
static void unfit_weights_change_nothing(camcl_device *device, void *context)
{
    static void (*const edits[])(edited_file *) = { with_nan, with_infinity, with_negative_variance };
    static const char *const named[] = { "layer4.1.bn2.bias", "fc.bias", "bn1.running_var" };
    for (size_t i = 0; i < CC_COUNT(edits); i++) {
        cc_init_report r;
        cc_model *model = NULL;
        cc_snapshot before = { NULL, NULL, 0 }, after = { NULL, NULL, 0 };
        init_from(device, context, edits[i], CAMCL_BAD_DATA, &r);
        if (!strstr(err.message, named[i])) fail_msg("\"%s\" does not name %s", err.message, named[i]);
        OK(cc_model_create(device, &spec, &model, &err));
        OK(cc_model_init(model, 3, &err));
        OK(cc_snapshot_take(&before, model, 0, &err));
        assert_int_equal(cc_checkpoint_init(scratch_path(context, "edited.safetensors"), model, 1, &r, &err), CAMCL_BAD_DATA);
        OK(cc_snapshot_take(&after, model, 0, &err));
        assert_same(&before, &after, model->graph);
        cc_snapshot_free(&before);
        cc_snapshot_free(&after);
        cc_model_destroy(&model);
    }
}

static void unfit_weights_are_refused(void **state) { for_each_device(unfit_weights_change_nothing, *state); }

static void init_variants(camcl_device *device, void *context)
{
    cc_init_report r;
    init_from(device, context, without_counters, CAMCL_OK, &r);
    assert_int_equal(r.counters, 0);
    init_from(device, context, without_statistics, CAMCL_BAD_DATA, &r);
    assert_non_null(strstr(err.message, "layer3.0.bn1.running_var is missing, it should be [8]"));
    init_from(device, context, with_another_layer, CAMCL_BAD_DATA, &r);
    assert_non_null(strstr(err.message, "layer5.0.conv1.weight"));
    init_from(device, context, with_a_stray_counter, CAMCL_BAD_DATA, &r);
    assert_non_null(strstr(err.message, "bn7.num_batches_tracked"));
    init_from(device, context, with_half_a_head, CAMCL_BAD_DATA, &r);
    assert_non_null(strstr(err.message, "fc.bias is [2], not [3]"));
}

static void weights_as_pytorch_users_have_them(void **state) { for_each_device(init_variants, *state); }

/* ---- the state of a run */

typedef struct run {
    cc_run_state state;
    cc_split split;
} run;

static uint32_t *indices(size_t n, uint32_t first)
{
    uint32_t *out = calloc(n ? n : 1, sizeof *out);
    assert_non_null(out);
    for (size_t i = 0; i < n; i++)
        out[i] = first + (uint32_t)i * 2654435u;
    return out;
}

/* Of a run whose objective keeps nothing. */
#define SHAPE(graph, average) (&(cc_run_shape){ (graph), (average), &cc_objective_supervised, { 3, 4, 4, 20, 20 } })

static char *copy(const char *text)
{
    char *out = NULL;
    OK(cc_copy_text(text, &out, &err));
    return out;
}

static void fill_run(run *r, const cc_graph *g, bool average, bool best)
{
    memset(r, 0, sizeof *r);
    r->state.step = 9007199254740993u; /* not a double */
    fill(&r->state.now, g, 10, 55);
    r->state.has_best = best;
    if (best) fill(&r->state.best, g, 20, 33);
    r->state.velocity = calloc(g->trained, sizeof(float));
    fill_floats(r->state.velocity, g->trained, 30);
    if (average) fill(&r->state.average, g, 40, 55);
    r->state.best_epoch = 12;
    r->state.best_step = 345;
    r->state.best_score = 1.0 / 3;
    r->state.seconds = 12345.6789;
    for (size_t i = 0; i < CC_INTERVAL_SUMS; i++)
        r->state.interval.sums[i] = 1e-17 * (double)i + 1.0 / (double)(i + 1);
    r->state.plan = copy("conv2d forward n1 = tile\nother = gemm\n");
    r->state.device = copy("a | \"b\" | \xc3\xa9");
    r->state.config = copy("[data]\nseed = 1\n");
    r->state.data = copy("{\"names\": \"\xc3\xa9\"}");
    r->split = (cc_split){ .labeled = indices(5, 1),
                           .unlabeled = indices(11, 7),
                           .validation = indices(3, 4294967000u),
                           .test = indices(2, 30),
                           .labeled_count = 5,
                           .unlabeled_count = 11,
                           .validation_count = 3,
                           .test_count = 2 };
}

static void free_run(run *r)
{
    cc_run_state_free(&r->state);
    cc_split_free(&r->split);
}

static void assert_same_bits(const double *a, const double *b, size_t n) { assert_memory_equal(a, b, n * sizeof *a); }

static void states_round_trip(void **state)
{
    const char *path = scratch_path(*state, "state.safetensors");
    cc_graph *g = build(&spec);
    for (int kind = 0; kind < 4; kind++) {
        bool average = kind & 1, best = kind & 2;
        run r, back;
        fill_run(&r, g, average, best);
        OK(cc_run_state_write(path, SHAPE(g, false), &r.state, &r.split, &err));
        OK(cc_run_state_read(path, SHAPE(g, average), &back.state, &back.split, &err));
        assert_true(back.state.step == r.state.step);
        assert_same(&r.state.now, &back.state.now, g);
        assert_int_equal(back.state.has_best, best);
        if (best) assert_same(&r.state.best, &back.state.best, g);
        assert_same_flat(r.state.velocity, back.state.velocity, g, false);
        assert_int_equal(back.state.average.weights != NULL, average);
        if (average) assert_same(&r.state.average, &back.state.average, g);
        assert_int_equal(back.state.best_epoch, 12);
        assert_int_equal(back.state.best_step, 345);
        assert_same_bits(&back.state.best_score, &r.state.best_score, 1);
        assert_same_bits(&back.state.seconds, &r.state.seconds, 1);
        assert_same_bits(back.state.interval.sums, r.state.interval.sums, CC_INTERVAL_SUMS);
        assert_string_equal(back.state.plan, r.state.plan);
        assert_string_equal(back.state.device, r.state.device);
        assert_string_equal(back.state.config, r.state.config);
        assert_string_equal(back.state.data, r.state.data);
        assert_int_equal(back.split.labeled_count, 5);
        assert_int_equal(back.split.unlabeled_count, 11);
        assert_int_equal(back.split.validation_count, 3);
        assert_memory_equal(back.split.labeled, r.split.labeled, 5 * sizeof(uint32_t));
        assert_memory_equal(back.split.unlabeled, r.split.unlabeled, 11 * sizeof(uint32_t));
        assert_memory_equal(back.split.validation, r.split.validation, 3 * sizeof(uint32_t));
        assert_int_equal(back.split.test_count, 2);
        assert_memory_equal(back.split.test, r.split.test, 2 * sizeof(uint32_t));
        free_run(&r);
        free_run(&back);
    }
    cc_graph_destroy(&g);
}

static void a_score_that_is_no_number_stays_one(void **state)
{
    const char *path = scratch_path(*state, "state.safetensors");
    cc_graph *g = build(&spec);
    run r, back;
    fill_run(&r, g, false, true);
    const uint64_t nan_bits = 0x7ff8000000000000u; /* a run without validation images */
    memcpy(&r.state.best_score, &nan_bits, sizeof nan_bits);
    cc_split_free(&r.split);
    r.split = (cc_split){ .labeled = indices(5, 1), .labeled_count = 5 };
    OK(cc_run_state_write(path, SHAPE(g, false), &r.state, &r.split, &err));
    OK(cc_run_state_read(path, SHAPE(g, false), &back.state, &back.split, &err));
    assert_memory_equal(&back.state.best_score, &nan_bits, sizeof nan_bits);
    assert_int_equal(back.split.unlabeled_count, 0);
    assert_int_equal(back.split.validation_count, 0);
    free_run(&r);
    free_run(&back);
    cc_graph_destroy(&g);
}

/* ---- what an objective keeps: a float for each class, two counters, and two sums */

static size_t classes_of(const cc_objective_sizes *sizes) { return sizes->classes; }
static size_t twice_the_images(const cc_objective_sizes *sizes) { return 2 * sizes->images; }
static const cc_objective_state toy_states[] = { { "class_mean", CC_F32, classes_of, NULL }, { "seen", CC_I32, twice_the_images, NULL } };
static const cc_objective_kind toy = {
    .name = "toy", .traits = CC_OBJECTIVE_UNLABELED, .states = toy_states, .state_count = 2, .sum_count = 2
};
enum { TOY_CLASSES = 3, TOY_IMAGES = 20 };

static void fill_toy(run *r, const cc_graph *g)
{
    fill_run(r, g, false, true);
    r->state.objective[0] = calloc(TOY_CLASSES, sizeof(float));
    r->state.objective[1] = calloc(2 * TOY_IMAGES, sizeof(int32_t));
    fill_floats(r->state.objective[0], TOY_CLASSES, 50);
    for (int i = 0; i < 2 * TOY_IMAGES; i++)
        ((int32_t *)r->state.objective[1])[i] = INT32_MAX - i;
    for (int i = 0; i < 8; i++)
        r->state.interval.own[i / 4][i % 4] = 1.0 / (i + 3);
}

/* Copies the tensors of a state, but the one of this name. */
static void write_without(const char *from, const char *to, const char *name)
{
    cc_safetensors *file = NULL;
    OK(cc_safetensors_read(from, &file, &err));
    const size_t count = cc_safetensors_count(file);
    cc_st_tensor *some = calloc(count, sizeof *some);
    assert_non_null(some);
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (strcmp(cc_safetensors_at(file, i)->name, name) != 0) some[n++] = *cc_safetensors_at(file, i);
    assert_int_equal(n, count - 1);
    const cc_st_pair texts[] = {
        { "format", "camcl state" }, { "version", "0.0.1" }, { "plan", "" }, { "device", "d" }, { "config", "c" }
    };
    OK(cc_safetensors_write(to, some, n, texts, CC_COUNT(texts), &err));
    free(some);
    cc_safetensors_free(&file);
}

static void what_an_objective_keeps(void **state)
{
    const char *path = scratch_path(*state, "state.safetensors"), *other = scratch_path(*state, "other.safetensors");
    static const double zeros[8];
    cc_graph *g = build(&spec);
    cc_run_shape shape = { g, false, &toy, { TOY_CLASSES, 4, 4, TOY_IMAGES, TOY_IMAGES } };
    run r, back;
    fill_toy(&r, g);
    OK(cc_run_state_write(path, &shape, &r.state, &r.split, &err));
    OK(cc_run_state_read(path, &shape, &back.state, &back.split, &err));
    assert_memory_equal(back.state.objective[0], r.state.objective[0], 12);
    assert_memory_equal(back.state.objective[1], r.state.objective[1], 160);
    assert_memory_equal(back.state.interval.own, r.state.interval.own, sizeof zeros);
    free_run(&back);

    /* Before objectives had sums of their own, nothing was written of them. */
    write_without(path, other, "interval.objective");
    OK(cc_run_state_read(other, &shape, &back.state, &back.split, &err));
    assert_memory_equal(back.state.interval.own, zeros, sizeof zeros);
    free_run(&back);
    write_without(path, other, "objective.seen");
    assert_int_equal(cc_run_state_read(other, &shape, &back.state, &back.split, &err), CAMCL_BAD_DATA);
    assert_non_null(strstr(err.message, "objective.seen"));
    free_run(&back);
    shape.sizes.images++;
    assert_int_equal(cc_run_state_read(path, &shape, &back.state, &back.split, &err), CAMCL_BAD_DATA);
    assert_non_null(strstr(err.message, "objective.seen"));
    free_run(&back);

    /* Whoever keeps nothing writes nothing and asks for nothing. */
    OK(cc_run_state_read(path, SHAPE(g, false), &back.state, &back.split, &err));
    assert_null(back.state.objective[0]);
    free_run(&back);
    free_run(&r);
    cc_graph_destroy(&g);
}

static void refuse_state(const char *path, const cc_graph *g, bool average, const char *mentions)
{
    run back;
    assert_int_equal(cc_run_state_read(path, SHAPE(g, average), &back.state, &back.split, &err), CAMCL_BAD_DATA);
    if (!strstr(err.message, mentions)) fail_msg("\"%s\" does not mention %s", err.message, mentions);
    free_run(&back); /* also after a failure */
}

static void truncated_states_are_refused(void **state)
{
    const char *path = scratch_path(*state, "state.safetensors"), *cut = scratch_path(*state, "cut.safetensors");
    cc_graph *g = build(&spec);
    size_t size;
    run r, back;
    fill_run(&r, g, true, true);
    OK(cc_run_state_write(path, SHAPE(g, false), &r.state, &r.split, &err));
    char *whole = scratch_read(path, &size);
    /* Every length around the header's start, then in strides that are odd, then the last bytes. */
    for (size_t length = 0; length < size; length += length < 64 || length + 64 > size ? 1 : length < 4096 ? 101 : 20011) {
        scratch_write(cut, whole, length);
        if (cc_run_state_read(cut, SHAPE(g, true), &back.state, &back.split, &err) != CAMCL_BAD_DATA)
            fail_msg("%zu bytes of %zu were taken", length, size);
        free_run(&back);
    }
    scratch_write(cut, whole, size - 1);
    refuse_state(cut, g, true, "cut.safetensors");
    free(whole);
    free_run(&r);
    cc_graph_destroy(&g);
}

/* States from before runs held out test images, and knew their data. */
static void older_states(void **state)
{
    const char *path = scratch_path(*state, "state.safetensors"), *other = scratch_path(*state, "older.safetensors");
    cc_graph *g = build(&spec);
    run r, back;
    fill_run(&r, g, false, true);
    OK(cc_run_state_write(path, SHAPE(g, false), &r.state, &r.split, &err));
    write_without(path, other, "split.test");
    OK(cc_run_state_read(other, SHAPE(g, false), &back.state, &back.split, &err));
    assert_null(back.state.data);
    assert_int_equal(back.split.test_count, 0);
    assert_int_equal(back.split.validation_count, 3);
    free_run(&back);
    /* The texts alone. */
    OK(cc_run_state_read_texts(path, &back.state, &err));
    assert_string_equal(back.state.config, r.state.config);
    assert_string_equal(back.state.data, r.state.data);
    assert_null(back.state.velocity);
    cc_run_state_free(&back.state);
    free_run(&r);
    cc_graph_destroy(&g);
}

static void states_of_other_runs_are_refused(void **state)
{
    const char *path = scratch_path(*state, "state.safetensors");
    cc_graph_spec wide = spec;
    wide.width = 4;
    cc_graph *g = build(&spec), *other = build(&wide);
    run r, back;
    fill_run(&r, g, false, true);
    OK(cc_run_state_write(path, SHAPE(g, false), &r.state, &r.split, &err));
    refuse_state(path, other, false, "model.conv1.weight");
    refuse_state(path, g, true, "ema.conv1.weight");
    /* Any tensor or text that is missing. */
    cc_safetensors *file = NULL;
    OK(cc_safetensors_read(path, &file, &err));
    size_t count = cc_safetensors_count(file);
    cc_st_tensor *some = calloc(count, sizeof *some);
    assert_non_null(some);
    const cc_st_pair texts[] = {
        { "format", "camcl state" }, { "version", "0.0.1" }, { "plan", "" }, { "device", "d" }, { "config", "c" }
    };
    const char *const tensors[] = { "steps",
                                    "numbers",
                                    "interval",
                                    "split.labeled",
                                    "split.unlabeled",
                                    "split.validation",
                                    "momentum.fc.bias",
                                    "best.bn1.running_mean",
                                    "model.layer4.1.conv2.weight" };
    for (size_t missing = 0; missing < CC_COUNT(tensors) + CC_COUNT(texts); missing++) {
        cc_st_pair pairs[CC_COUNT(texts)];
        size_t n = 0, p = 0;
        const char *name = missing < CC_COUNT(tensors) ? tensors[missing] : texts[missing - CC_COUNT(tensors)].key;
        for (size_t i = 0; i < count; i++)
            if (strcmp(cc_safetensors_at(file, i)->name, name) != 0) some[n++] = *cc_safetensors_at(file, i);
        for (size_t i = 0; i < CC_COUNT(texts); i++)
            if (strcmp(texts[i].key, name) != 0) pairs[p++] = texts[i];
        assert_int_equal(n + p, count + CC_COUNT(texts) - 1);
        OK(cc_safetensors_write(scratch_path(*state, "less.safetensors"), some, n, pairs, p, &err));
        refuse_state(scratch_path(*state, "less.safetensors"), g, false, name);
    }
    assert_int_equal(cc_run_state_read(scratch_path(*state, "none"), SHAPE(g, false), &back.state, &back.split, &err), CAMCL_IO);
    free_run(&back);
    free(some);
    cc_safetensors_free(&file);
    free_run(&r);
    cc_graph_destroy(&g);
    cc_graph_destroy(&other);
}

/* Writes the state of fill_run once more, with another version, format or first four numbers. */
static void rewrite_state(const char *from, const char *to, const char *format, const char *version, const int64_t *steps)
{
    cc_safetensors *file = NULL;
    OK(cc_safetensors_read(from, &file, &err));
    const size_t count = cc_safetensors_count(file);
    cc_st_tensor *tensors = calloc(count, sizeof *tensors);
    assert_non_null(tensors);
    for (size_t i = 0; i < count; i++) {
        tensors[i] = *cc_safetensors_at(file, i);
        if (steps && strcmp(tensors[i].name, "steps") == 0) tensors[i].data = steps;
    }
    const cc_st_pair texts[] = { { "format", format }, { "version", version }, { "plan", "" }, { "device", "d" }, { "config", "c" } };
    OK(cc_safetensors_write(to, tensors, count, texts, CC_COUNT(texts), &err));
    free(tensors);
    cc_safetensors_free(&file);
}

/* What is newer may hold what this program would lose, so it is refused; what is older is taken. */
static void versions_of_states(void **state)
{
    const char *path = scratch_path(*state, "state.safetensors"), *other = scratch_path(*state, "other.safetensors");
    cc_graph *g = build(&spec);
    run r, back;
    fill_run(&r, g, false, true);
    OK(cc_run_state_write(path, SHAPE(g, false), &r.state, &r.split, &err));
    rewrite_state(path, other, "pt", "0.0.1", NULL);
    refuse_state(other, g, false, "no state of a run");
    OK(cc_run_state_read(path, SHAPE(g, false), &back.state, &back.split, &err));
    int major, minor, patch;
    assert_int_equal(sscanf(back.state.version, "%d.%d.%d", &major, &minor, &patch), 3);
    free_run(&back);
    const int newer[][3] = { { major, minor, patch + 1 }, { major, minor + 1, 0 }, { major, minor + 10, 0 }, { major + 1, 0, 0 } };
    for (size_t i = 0; i < CC_COUNT(newer); i++) {
        char version[64];
        snprintf(version, sizeof version, "%d.%d.%d", newer[i][0], newer[i][1], newer[i][2]);
        rewrite_state(path, other, "camcl state", version, NULL);
        refuse_state(other, g, false, version);
    }
    static const char *const wrong[] = { "", "0.1", "0.1.0.0", "0.1.x", "-1.0.0" };
    for (size_t i = 0; i < CC_COUNT(wrong); i++) {
        rewrite_state(path, other, "camcl state", wrong[i], NULL);
        refuse_state(other, g, false, "\"version\"");
    }
    rewrite_state(path, other, "camcl state", "0.0.1", NULL);
    OK(cc_run_state_read(other, SHAPE(g, false), &back.state, &back.split, &err));
    assert_string_equal(back.state.version, "0.0.1");
    free_run(&back);
    free_run(&r);
    cc_graph_destroy(&g);
}

static void numbers_below_zero_are_refused(void **state)
{
    const char *path = scratch_path(*state, "state.safetensors"), *other = scratch_path(*state, "other.safetensors");
    cc_graph *g = build(&spec);
    run r;
    fill_run(&r, g, false, true);
    OK(cc_run_state_write(path, SHAPE(g, false), &r.state, &r.split, &err));
    static const struct {
        const char *mentions;
        int64_t steps[4];
    } wrong[] = { { "the step is -1", { -1, 1, 0, 0 } },
                  { "best weights is -1", { 1, -1, 0, 0 } },
                  { "best weights is 2", { 1, 2, 0, 0 } },
                  { "best epoch is -7", { 1, 1, -7, 0 } },
                  { "best step is -9223372036854775808", { 1, 1, 0, INT64_MIN } } };
    for (size_t i = 0; i < CC_COUNT(wrong); i++) {
        rewrite_state(path, other, "camcl state", "0.0.1", wrong[i].steps);
        refuse_state(other, g, false, wrong[i].mentions);
    }
    free_run(&r);
    cc_graph_destroy(&g);
}

int main(void)
{
#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(checkpoints_round_trip),           IN_SCRATCH(metadata_is_complete),
        IN_SCRATCH(other_locales_write_the_same),     IN_SCRATCH(wrong_metadata_is_named),
        IN_SCRATCH(other_files_are_no_checkpoints),   IN_SCRATCH(weights_to_start_from),
        IN_SCRATCH(weights_of_other_models),          IN_SCRATCH(weights_as_pytorch_users_have_them),
        IN_SCRATCH(unfit_weights_are_refused),        IN_SCRATCH(states_round_trip),
        IN_SCRATCH(what_an_objective_keeps),          IN_SCRATCH(a_score_that_is_no_number_stays_one),
        IN_SCRATCH(truncated_states_are_refused),     IN_SCRATCH(older_states),
        IN_SCRATCH(states_of_other_runs_are_refused), IN_SCRATCH(versions_of_states),
        IN_SCRATCH(numbers_below_zero_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
