/* model.init from files as people have them: without a head, under the prefixes of wrappers and of self-supervised methods, beside other
 * networks, in other number formats; and what is said of files that hold another network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "model/arch.h"
#include "model/param.h"
#include "run/checkpoint.h"
#include "support/devices.h"
#include "support/ok.h"
#include "support/scratch.h"

static camcl_error err;

static const cc_graph_spec small = { .arch = "resnet18", .stem = "cifar", .width = 2, .classes = 3, .channels = 3 };

/* ---- files */

enum { MOST_TENSORS = 1024 };

typedef struct file_in_the_making {
    cc_st_tensor tensors[MOST_TENSORS];
    char names[MOST_TENSORS][96];
    void *data[MOST_TENSORS];
    size_t count;
} making;

static void add(making *m, const char *name, cc_st_dtype dtype, unsigned dims, const size_t *shape, const void *data)
{
    cc_st_tensor *t = &m->tensors[m->count];
    assert_true(m->count < MOST_TENSORS);
    snprintf(m->names[m->count], sizeof m->names[0], "%s", name);
    *t = (cc_st_tensor){ .name = m->names[m->count], .dtype = dtype, .dims = dims };
    if (dims) memcpy(t->shape, shape, dims * sizeof *shape);
    const size_t bytes = cc_st_elements(t) * cc_st_dtype_size(dtype);
    m->data[m->count] = calloc(bytes + 1, 1);
    assert_non_null(m->data[m->count]);
    if (data) memcpy(m->data[m->count], data, bytes);
    t->data = m->data[m->count++];
}

static void add_zeros(making *m, const char *name, size_t rows, size_t columns)
{
    add(m, name, CC_ST_F32, columns ? 2 : 1, (size_t[]){ rows, columns }, NULL);
}

/* Multiples of 1/64 below 2, which every number format keeps, and positive. */
static float value_of(uint32_t seed, size_t param, size_t k)
{
    uint32_t x = seed * 2654435761u + (uint32_t)param * 40503u + (uint32_t)k * 69069u;
    x ^= x >> 15;
    return (float)(x % 127 + 1) / 64;
}

/* "conv1.weight" as torch.nn.Sequential(*children) has it: ReLU and, in the ImageNet stem, the pooling take a number as well. */
static void numbered(const char *name, bool pooling, char *out, size_t size)
{
    static const char *const children[] = { "conv1.", "bn1.", "layer1.", "layer2.", "layer3.", "layer4.", "fc." };
    static const int numbers[2][7] = { { 0, 1, 3, 4, 5, 6, 8 }, { 0, 1, 4, 5, 6, 7, 9 } };
    for (size_t i = 0; i < CC_COUNT(children); i++)
        if (strncmp(name, children[i], strlen(children[i])) == 0)
            snprintf(out, size, "%d.%s", numbers[pooling][i], name + strlen(children[i]));
}

typedef struct network {
    const cc_graph_spec *spec;
    const char *prefix;
    uint32_t seed;
    bool headless, counters, sequential, pooling;
    cc_st_dtype dtype; /* CC_ST_F64: the default; CC_ST_F32 where said so, ... */
} network;

static void encode(const float *from, size_t count, cc_st_dtype dtype, char *out)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        const double wide = (double)from[i];
        memcpy(&bits, &from[i], sizeof bits);
        /* Normal numbers whose fraction has ten bits at most. */
        const uint16_t half = (uint16_t)(((bits >> 23) - 112) << 10 | (bits >> 13 & 1023)), brain = (uint16_t)(bits >> 16);
        if (dtype == CC_ST_F64) memcpy(out + 8 * i, &wide, 8);
        if (dtype == CC_ST_F32) memcpy(out + 4 * i, &bits, 4);
        if (dtype == CC_ST_F16) memcpy(out + 2 * i, &half, 2);
        if (dtype == CC_ST_BF16) memcpy(out + 2 * i, &brain, 2);
    }
}

static void add_network(making *m, const network *n)
{
    cc_graph *g = NULL;
    OK(cc_graph_build(n->spec, 1, &g, &err));
    for (size_t i = 0; i < g->param_count; i++) {
        const cc_param *p = &g->params[i];
        char plain[sizeof p->name], name[96];
        float *values = calloc(p->count, sizeof *values);
        char *bytes = calloc(p->count, 8);
        assert_true(values && bytes);
        for (size_t k = 0; k < p->count; k++)
            values[k] = value_of(n->seed, i, k);
        encode(values, p->count, n->dtype, bytes);
        snprintf(plain, sizeof plain, "%s", p->name);
        if (n->sequential) numbered(p->name, n->pooling, plain, sizeof plain);
        snprintf(name, sizeof name, "%s%s", n->prefix, plain);
        if (!n->headless || p->node != g->node_count - 1) add(m, name, n->dtype, p->rank, p->dim, bytes);
        char *end = strstr(name, "running_var");
        if (n->counters && end) {
            strcpy(end, "num_batches_tracked");
            add(m, name, CC_ST_I64, 0, NULL, &(int64_t){ 7 });
        }
        free(values);
        free(bytes);
    }
    cc_graph_destroy(&g);
}

static const char *write_file(making *m, const char *folder)
{
    const char *path = scratch_path(folder, "weights.safetensors");
    OK(cc_safetensors_write(path, m->tensors, m->count, NULL, 0, &err));
    for (size_t i = 0; i < m->count; i++)
        free(m->data[i]);
    m->count = 0;
    return path;
}

/* ---- what becomes of them */

typedef struct fixture {
    camcl_device *device;
    const char *folder;
    making *file;
    cc_init_report report;
    char said[960];
} fixture;

static camcl_status load(fixture *f, const cc_graph_spec *spec, cc_model **model)
{
    const char *path = write_file(f->file, f->folder);
    OK(cc_model_create(f->device, spec, model, &err));
    OK(cc_model_init(*model, 5, &err));
    const camcl_status status = cc_checkpoint_init(path, *model, 5, &f->report, &err);
    if (status == CAMCL_OK) cc_init_describe(&f->report, spec->classes, f->said, sizeof f->said);
    return status;
}

/* Loads the file: the model has the values of `seed`; a redrawn head has what the model's own seed draws. */
static void expect(fixture *f, const cc_graph_spec *spec, uint32_t seed, bool redrawn)
{
    cc_model *model = NULL;
    cc_snapshot got = { NULL, NULL, 0 };
    OK(load(f, spec, &model));
    OK(cc_snapshot_take(&got, model, 0, &err));
    const cc_graph *g = model->graph;
    for (size_t i = 0; i < g->param_count; i++) {
        const cc_param *p = &g->params[i];
        const bool head = p->node == g->node_count - 1, sum = i == 0 && f->report.summed;
        const size_t taps = p->rank == 4 ? p->dim[2] * p->dim[3] : 1;
        float *want = calloc(p->count, sizeof *want), *flat = calloc(p->count, sizeof *flat);
        assert_true(want && flat);
        for (size_t k = 0; k < p->count; k++)
            for (size_t c = 0; c < (sum ? 3 : 1); c++)
                want[k] += value_of(seed, i, sum ? k / taps * 3 * taps + c * taps + k % taps : k);
        if (head && redrawn) cc_param_draw(g, i, 5, want);
        cc_param_to_flat(p, want, flat);
        if (memcmp((cc_param_is_statistic(p) ? got.statistics : got.weights) + p->offset, flat, p->count * sizeof *flat) != 0)
            fail_msg("%s is not what it should be (%s)", p->name, f->said);
        free(want);
        free(flat);
    }
    assert_int_equal(f->report.redrawn, redrawn);
    assert_int_equal(f->report.taken, redrawn ? g->param_count - 2 : g->param_count);
    cc_snapshot_free(&got);
    cc_model_destroy(&model);
}

/* parts: what message or detail must have, separated by '|'. */
static void expect_failure(fixture *f, const cc_graph_spec *spec, const char *parts)
{
    cc_model *model = NULL;
    char copy[512];
    assert_int_equal(load(f, spec, &model), CAMCL_BAD_DATA);
    snprintf(copy, sizeof copy, "%s", parts);
    for (char *part = strtok(copy, "|"); part; part = strtok(NULL, "|"))
        if (!strstr(err.message, part) && !strstr(err.detail, part)) fail_msg("no \"%s\" in \"%s\"\n%s", part, err.message, err.detail);
    cc_model_destroy(&model);
}

static void on_devices(void (*test)(fixture *), void **state);

static void run_on(camcl_device *device, void *context)
{
    void **both = context;
    fixture f = { .device = device, .folder = both[1], .file = calloc(1, sizeof *f.file) };
    assert_non_null(f.file);
    (*(void (**)(fixture *))both[0])(&f);
    free(f.file);
    assert_int_equal(cc_device_bytes(device), 0);
}

static void on_devices(void (*test)(fixture *), void **state)
{
    void *both[] = { &test, *state };
    for_each_device(run_on, both);
}

/* ---- heads */

static void heads(fixture *f)
{
    cc_graph_spec ten = small;
    ten.classes = 10;
    add_network(f->file, &(network){ .spec = &small, .prefix = "", .seed = 1, .counters = true, .dtype = CC_ST_F32 });
    expect(f, &small, 1, false);
    assert_string_equal(f->said, "102 tensors, 20 num_batches_tracked left out");

    add_network(f->file, &(network){ .spec = &small, .prefix = "", .seed = 2, .headless = true, .dtype = CC_ST_F32 });
    expect(f, &small, 2, true);
    assert_string_equal(f->said, "100 tensors, the head drawn for 3 classes because the file has none");

    add_network(f->file, &(network){ .spec = &ten, .prefix = "", .seed = 3, .dtype = CC_ST_F32 });
    expect(f, &small, 3, true);
    assert_string_equal(f->said, "100 tensors, the head of 10 classes redrawn for 3");

    /* A projection where the classifier was, of another depth and of other features. */
    add_network(f->file, &(network){ .spec = &small, .prefix = "encoder_q.", .seed = 4, .headless = true, .dtype = CC_ST_F32 });
    add_zeros(f->file, "encoder_q.fc.0.weight", 16, 16);
    add_zeros(f->file, "encoder_q.fc.2.weight", 8, 16);
    expect(f, &small, 4, true);
    assert_non_null(strstr(f->said, "left out: 2 of \"encoder_q.fc.\""));

    add_network(f->file, &(network){ .spec = &small, .prefix = "", .seed = 5, .headless = true, .dtype = CC_ST_F32 });
    add_zeros(f->file, "fc.weight", 3, 99);
    add_zeros(f->file, "fc.bias", 3, 0);
    expect(f, &small, 5, true);
    assert_non_null(strstr(f->said, "the head, which does not fit, redrawn for 3 classes"));

    add_network(f->file, &(network){ .spec = &small, .prefix = "", .seed = 6, .headless = true, .dtype = CC_ST_F32 });
    add_zeros(f->file, "fc.weight", 3, 16);
    expect(f, &small, 6, true);

    /* A head that contradicts itself is damage. */
    add_network(f->file, &(network){ .spec = &small, .prefix = "", .seed = 7, .headless = true, .dtype = CC_ST_F32 });
    add_zeros(f->file, "fc.weight", 3, 16);
    add_zeros(f->file, "fc.bias", 4, 0);
    expect_failure(f, &small, "fc.bias is [4], not [3]|0 tensors are missing, 1 have another shape");
}

static void heads_are_taken_redrawn_or_drawn(void **state) { on_devices(heads, state); }

/* ---- names */

static void prefixes(fixture *f)
{
    static const char *const usual[] = {
        "module.",    "model.",        "_orig_mod.",        "backbone.",         "encoder.",
        "encoder_q.", "base_encoder.", "student.",          "teacher.",          "online_network.",
        "net.",       "features.",     "module.encoder_q.", "_orig_mod.module.", "state_dict.module.base_encoder.",
        "my.own.1."
    };
    for (size_t i = 0; i < CC_COUNT(usual); i++) {
        add_network(f->file, &(network){ .spec = &small, .prefix = usual[i], .seed = 11, .counters = true, .dtype = CC_ST_F32 });
        expect(f, &small, 11, false);
        assert_string_equal(f->report.prefix, usual[i]);
        assert_int_equal(f->report.counters, 20);
        assert_int_equal(f->report.left_out, 0);
        assert_string_equal(f->report.rivals, "");
    }
}

static void usual_prefixes_are_found(void **state) { on_devices(prefixes, state); }

static void neighbours(fixture *f)
{
    const struct {
        const char *taken, *other;
    } pairs[] = { { "module.encoder_q.", "module.encoder_k." },
                  { "teacher.backbone.", "student.backbone." },
                  { "online_network.", "target_network." },
                  { "backbone.", "backbone_momentum." },
                  { "", "a." },
                  { "a.", "b." },
                  { "z.", "a.a." } };
    char quoted[64];
    for (size_t i = 0; i < CC_COUNT(pairs); i++)
        for (int order = 0; order < 2; order++) {
            const network taken = { .spec = &small, .prefix = pairs[i].taken, .seed = 21, .dtype = CC_ST_F32 };
            const network other = { .spec = &small, .prefix = pairs[i].other, .seed = 22, .counters = true, .dtype = CC_ST_F32 };
            add_network(f->file, order ? &other : &taken);
            add_network(f->file, order ? &taken : &other);
            add_zeros(f->file, "queue", 4, 4);
            add_zeros(f->file, "queue_ptr", 1, 0);
            expect(f, &small, 21, false);
            assert_string_equal(f->report.prefix, pairs[i].taken);
            snprintf(quoted, sizeof quoted, "\"%s\"", pairs[i].other);
            assert_string_equal(f->report.rivals, quoted);
            assert_int_equal(f->report.left_out, 124);
            snprintf(quoted, sizeof quoted, "the same network of \"%s\"", pairs[i].other);
            if (!strstr(f->said, quoted) || !strstr(f->said, "1 of \"queue\", 1 of \"queue_ptr\"")) fail_msg("%s", f->said);
        }
    /* A larger network beside it is no rival, though it has all of its tensors. */
    cc_graph_spec larger = small;
    snprintf(larger.arch, sizeof larger.arch, "resnet34");
    add_network(f->file, &(network){ .spec = &larger, .prefix = "a.", .seed = 23, .dtype = CC_ST_F32 });
    add_network(f->file, &(network){ .spec = &small, .prefix = "b.", .seed = 24, .dtype = CC_ST_F32 });
    expect(f, &small, 24, false);
    assert_string_equal(f->report.rivals, "");
    assert_string_equal(f->report.others, "182 of \"a.\"");
}

static void the_network_is_chosen_among_others(void **state) { on_devices(neighbours, state); }

static void many_parts(fixture *f)
{
    char name[32];
    add_network(f->file, &(network){ .spec = &small, .prefix = "", .seed = 25, .dtype = CC_ST_F32 });
    add_zeros(f->file, "", 1, 0);
    expect(f, &small, 25, false);
    assert_string_equal(f->report.others, "1 of \"\"");
    add_network(f->file, &(network){ .spec = &small, .prefix = "", .seed = 25, .dtype = CC_ST_F32 });
    for (int i = 0; i < 14; i++) {
        snprintf(name, sizeof name, "part%c.weight", 'a' + i);
        add_zeros(f->file, name, 2, 2);
    }
    expect(f, &small, 25, false);
    assert_int_equal(f->report.left_out, 14);
    assert_non_null(strstr(f->said, "left out: 1 of \"parta.\", 1 of \"partb.\""));
    assert_non_null(strstr(f->said, "1 of \"partj.\" and 4 more"));
}

static void lists_of_parts_stop_after_ten(void **state) { on_devices(many_parts, state); }

static void sequences(fixture *f)
{
    cc_graph_spec imagenet = small;
    snprintf(imagenet.stem, sizeof imagenet.stem, "imagenet");
    for (int pooling = 0; pooling < 2; pooling++)
        for (int headless = 0; headless < 2; headless++) {
            const cc_graph_spec *spec = pooling ? &imagenet : &small;
            add_network(f->file, &(network){ .spec = spec,
                                             .prefix = headless ? "backbone." : "",
                                             .seed = 31,
                                             .headless = headless,
                                             .counters = true,
                                             .sequential = true,
                                             .pooling = pooling,
                                             .dtype = CC_ST_F32 });
            add_zeros(f->file, "projection_head.layers.0.weight", 4, 4);
            expect(f, spec, 31, headless);
            assert_true(f->report.by_number);
            assert_int_equal(f->report.counters, 20);
            assert_string_equal(f->report.others, "1 of \"projection_head.\"");
        }
    /* Numbers that the network has no layers for. */
    add_network(f->file, &(network){ .spec = &small, .prefix = "f.", .seed = 32, .sequential = true, .dtype = CC_ST_F32 });
    add_zeros(f->file, "f.11.weight", 4, 4);
    expect_failure(f, &small, "95 tensors are missing|change model.arch");
}

static void layers_may_be_numbered(void **state) { on_devices(sequences, state); }

/* ---- numbers */

static void formats(fixture *f)
{
    static const cc_st_dtype dtypes[] = { CC_ST_F64, CC_ST_F16, CC_ST_BF16 };
    for (size_t i = 0; i < CC_COUNT(dtypes); i++) {
        add_network(f->file, &(network){ .spec = &small, .prefix = "", .seed = 41, .dtype = dtypes[i] });
        expect(f, &small, 41, false);
    }
}

static void other_number_formats_are_converted(void **state) { on_devices(formats, state); }

static void grey(fixture *f)
{
    cc_graph_spec one = small;
    one.channels = 1;
    add_network(f->file, &(network){ .spec = &small, .prefix = "", .seed = 51, .dtype = CC_ST_F32 });
    expect(f, &one, 51, false);
    assert_true(f->report.summed);
    assert_non_null(strstr(f->said, "the first convolution's three channels summed for grey images"));
    add_network(f->file, &(network){ .spec = &one, .prefix = "", .seed = 52, .dtype = CC_ST_F32 });
    expect_failure(f, &small, "conv1.weight is [2,1,3,3], not [2,3,3,3]");
}

static void colour_weights_serve_grey_images(void **state) { on_devices(grey, state); }

/* ---- other networks */

static void others(fixture *f)
{
    cc_graph_spec found = small;
    snprintf(found.stem, sizeof found.stem, "imagenet");
    add_network(f->file, &(network){ .spec = &found, .prefix = "module.", .seed = 61, .dtype = CC_ST_F32 });
    expect_failure(f, &small, "module.conv1.weight is [2,3,7,7], not [2,3,3,3]|(it holds resnet18: set model.stem = imagenet)");

    found = small;
    snprintf(found.arch, sizeof found.arch, "resnet34");
    add_network(f->file, &(network){ .spec = &found, .prefix = "", .seed = 62, .headless = true, .counters = true, .dtype = CC_ST_F32 });
    expect_failure(f, &small,
                   "0 tensors are missing, 0 have another shape, 96 no place|(it holds resnet34: set model.arch = resnet34)|"
                   "and 86 more");

    snprintf(found.arch, sizeof found.arch, "resnet50");
    found.width = 4;
    add_network(f->file, &(network){ .spec = &found, .prefix = "", .seed = 63, .dtype = CC_ST_F32 });
    expect_failure(f, &small, "(it holds resnet50: set model.arch = resnet50 model.width = 4)");

    snprintf(found.arch, sizeof found.arch, "wrn28-2");
    add_network(f->file, &(network){ .spec = &found, .prefix = "net.", .seed = 64, .dtype = CC_ST_F32 });
    expect_failure(f, &small, "(it holds wrn28-2: set model.arch = wrn28-2 model.width = 4)");

    /* Only the stem differs, as in timm's ResNet-D. */
    add_network(f->file, &(network){ .spec = &small, .prefix = "net.", .seed = 66, .dtype = CC_ST_F32 });
    strcpy(f->file->names[0], "net.conv1.0.weight");
    expect_failure(f, &small,
                   "1 tensors are missing, 0 have another shape, 1 no place|first: net.conv1.weight is missing|net.conv1.0.weight");

    add_zeros(f->file, "embeddings.weight", 4, 4);
    expect_failure(f, &small, "100 tensors are missing|and 90 more|the file has 1 tensors: embeddings.weight|change model.arch");
    size_t lines = 0;
    for (const char *p = err.detail; *p; p++)
        lines += *p == '\n';
    assert_int_equal(lines, 12);
    expect_failure(f, &small, "the file has 0 tensors");

    add_network(f->file, &(network){ .spec = &small, .prefix = "", .seed = 65, .dtype = CC_ST_F32 });
    add_zeros(f->file, "layer1.0.se.fc1.weight", 2, 2);
    expect_failure(f, &small, "layer1.0.se.fc1.weight [2,2] has no place");
}

static void other_networks_are_named(void **state) { on_devices(others, state); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(heads_are_taken_redrawn_or_drawn, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(usual_prefixes_are_found, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(the_network_is_chosen_among_others, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(lists_of_parts_stop_after_ten, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(layers_may_be_numbered, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(other_number_formats_are_converted, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(colour_weights_serve_grey_images, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(other_networks_are_named, scratch_setup, scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
