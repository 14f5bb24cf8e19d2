/* Evaluation: sums over batches against what plain C makes of the logits. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/evaluation.h"
#include "base/memory.h"
#include "support/devices.h"
#include "infer/evaluator.h"

enum { IMAGES = 23, SIDE = 8, CLASSES = 7 };

static camcl_error err;

#define OK(call)                                                                                                                           \
    do {                                                                                                                                   \
        if ((call) != CAMCL_OK) fail_msg("%s: %s\n%s", #call, err.message, err.detail);                                                    \
    } while (0)

typedef struct fixture {
    camcl_device *device;
    cc_model *model;
    cc_resident *data, *unlabeled;
    int32_t labels[IMAGES];
} fixture;

static void open_fixture(fixture *f, camcl_device *device)
{
    static const float mean[3] = { 0.5f, 0.4f, 0.3f }, std[3] = { 0.2f, 0.3f, 0.25f };
    static uint8_t pixels[IMAGES * SIDE * SIDE * 3];
    const cc_graph_spec spec = { .arch = "resnet18", .stem = "cifar", .width = 4, .classes = CLASSES, .channels = 3 };
    uint32_t bits = 12345;
    for (size_t i = 0; i < sizeof pixels; i++) {
        bits = bits * 1664525u + 1013904223u;
        /* Each image with a brightness of its own, so that classes differ. */
        pixels[i] = (uint8_t)((bits >> 24) / 2 + 127 * (i / (SIDE * SIDE * 3)) / IMAGES);
    }
    for (int i = 0; i < IMAGES; i++)
        f->labels[i] = i * 5 % CLASSES;
    f->labels[3] = f->labels[11] = -1; /* unknown: left out of loss and accuracies */
    f->device = device;
    OK(cc_model_create(device, &spec, &f->model, &err));
    OK(cc_model_init(f->model, 3, &err));
    cc_images_spec images = { pixels, f->labels, IMAGES, SIDE, SIDE, 3, mean, std, "images" };
    OK(cc_resident_create(device, &images, &f->data, &err));
    images.labels = NULL;
    OK(cc_resident_create(device, &images, &f->unlabeled, &err));
}

static void close_fixture(fixture *f)
{
    cc_resident_destroy(&f->data);
    cc_resident_destroy(&f->unlabeled);
    cc_model_destroy(&f->model);
    assert_int_equal(cc_device_bytes(f->device), 0);
}

typedef struct session {
    cc_arena *arena;
    cc_evaluator *evaluator;
} session;

static session begin(const fixture *f, const cc_resident *data, size_t batch)
{
    session s = { NULL, NULL };
    OK(cc_arena_create(f->device, &s.arena, &err));
    OK(cc_evaluator_create(f->model, data, SIDE, batch, s.arena, &s.evaluator, &err));
    OK(cc_arena_commit(s.arena, &err));
    OK(cc_model_refresh(f->model, &err));
    return s;
}

static void end(session *s)
{
    cc_arena_destroy(&s->arena);
    cc_evaluator_destroy(&s->evaluator);
}

/* From the definition, in double. */
static camcl_evaluation plain(const fixture *f, const float *logits, const uint32_t *indices, size_t n)
{
    size_t count = 0;
    double loss = 0, top[3] = { 0, 0, 0 };
    const int within[3] = { 1, 3, 5 };
    for (size_t i = 0; i < n; i++) {
        const float *row = logits + i * CLASSES;
        int label = f->labels[indices ? indices[i] : i], better = 0;
        if (label < 0) continue;
        double sum = 0;
        for (int c = 0; c < CLASSES; c++) {
            sum += exp((double)row[c]);
            better += row[c] > row[label];
        }
        loss += log(sum) - (double)row[label];
        for (int k = 0; k < 3; k++)
            top[k] += better < within[k];
        count++;
    }
    camcl_evaluation e = cc_evaluation_nothing();
    e.n = count;
    *cc_evaluation_at(&e, "loss") = loss / (double)count;
    *cc_evaluation_at(&e, "top1") = 100 * top[0] / (double)count;
    *cc_evaluation_at(&e, "top3") = 100 * top[1] / (double)count;
    *cc_evaluation_at(&e, "top5") = 100 * top[2] / (double)count;
    return e;
}

static void agree(const camcl_evaluation *got, const camcl_evaluation *want)
{
    size_t count;
    const camcl_metric *metrics = camcl_metric_list(&count);
    assert_int_equal(got->n, want->n);
    for (size_t i = 0; i < count; i++) {
        const double g = got->values[i], w = want->values[i];
        if (!(fabs(g - w) <= (metrics[i].unit == CAMCL_NATS ? 1e-5 * fabs(w) : 1e-9)))
            fail_msg("%s is %.9g, should be %.9g", metrics[i].label, g, w);
    }
}

static double value(const camcl_evaluation *e, const char *metric) { return camcl_evaluation_get(e, metric); }

static void near_logits(const float *a, const float *b)
{
    for (int c = 0; c < CLASSES; c++)
        if (!(fabs((double)a[c] - (double)b[c]) <= 1e-4)) fail_msg("class %d: %.9g and %.9g", c, (double)a[c], (double)b[c]);
}

static void whole_set(camcl_device *device, void *context)
{
    (void)context;
    static const size_t batches[] = { IMAGES, 7, 1 };
    float all[IMAGES * CLASSES], logits[IMAGES * CLASSES];
    camcl_evaluation e, first;
    fixture f;
    open_fixture(&f, device);
    for (size_t b = 0; b < CC_COUNT(batches); b++) {
        session s = begin(&f, f.data, batches[b]);
        OK(cc_evaluator_run(s.evaluator, NULL, IMAGES, &e, logits, &err));
        camcl_evaluation want = plain(&f, logits, NULL, IMAGES);
        agree(&e, &want);
        assert_int_equal(e.n, IMAGES - 2);
        if (b == 0) {
            memcpy(all, logits, sizeof all);
            first = e;
            /* The network tells images apart, or else this test would show nothing. */
            assert_true(memcmp(all, all + CLASSES, CLASSES * sizeof *all) != 0);
            assert_true(value(&e, "top1") < value(&e, "top5") && value(&e, "top5") < 100);
        }
        /* However images fall into batches, and though the last one is not full. */
        for (size_t i = 0; i < IMAGES; i++)
            near_logits(logits + i * CLASSES, all + i * CLASSES);
        if (!(fabs(value(&e, "loss") - value(&first, "loss")) <= 1e-4))
            fail_msg("batches of %zu: loss %.9g, not %.9g", batches[b], value(&e, "loss"), value(&first, "loss"));
        /* Again without logits: the same to the bit. */
        camcl_evaluation again;
        OK(cc_evaluator_run(s.evaluator, NULL, IMAGES, &again, NULL, &err));
        assert_memory_equal(&again, &e, sizeof e);
        end(&s);
    }
    close_fixture(&f);
}

static void partial_batches(camcl_device *device, void *context)
{
    (void)context;
    static const size_t counts[] = { 1, 6, 7, 8, 14, 15, 22 };
    float all[IMAGES * CLASSES], logits[(IMAGES + 1) * CLASSES];
    camcl_evaluation e;
    fixture f;
    open_fixture(&f, device);
    session s = begin(&f, f.data, 7);
    OK(cc_evaluator_run(s.evaluator, NULL, IMAGES, &e, all, &err));
    for (size_t i = 0; i < CC_COUNT(counts); i++) {
        const size_t n = counts[i];
        for (size_t k = 0; k < CC_COUNT(logits); k++)
            logits[k] = 123;
        OK(cc_evaluator_run(s.evaluator, NULL, n, &e, logits, &err));
        /* What is left in the rows behind the last image has no say in anything, and is not handed out. */
        assert_memory_equal(logits, all, n * CLASSES * sizeof *all);
        for (size_t k = n * CLASSES; k < CC_COUNT(logits); k++)
            assert_true(logits[k] >= 123 && logits[k] <= 123);
        camcl_evaluation want = plain(&f, logits, NULL, n);
        agree(&e, &want);
    }
    OK(cc_evaluator_run(s.evaluator, NULL, 0, &e, logits, &err));
    assert_int_equal(e.n, 0);
    assert_true(value(&e, "loss") >= 0 && value(&e, "loss") <= 0 && value(&e, "top1") >= 0 && value(&e, "top1") <= 0);
    end(&s);
    close_fixture(&f);
}

static void chosen_images(camcl_device *device, void *context)
{
    (void)context;
    static const uint32_t indices[] = { 22, 0, 5, 5, 3, 17, 1, 2, 11, 8, 21 };
    float all[IMAGES * CLASSES], logits[CC_COUNT(indices) * CLASSES];
    camcl_evaluation e;
    fixture f;
    open_fixture(&f, device);
    session s = begin(&f, f.data, 4), u = begin(&f, f.unlabeled, 4);
    OK(cc_evaluator_run(s.evaluator, NULL, IMAGES, &e, all, &err));
    OK(cc_evaluator_run(s.evaluator, indices, CC_COUNT(indices), &e, logits, &err));
    for (size_t i = 0; i < CC_COUNT(indices); i++)
        near_logits(logits + i * CLASSES, all + indices[i] * CLASSES);
    camcl_evaluation want = plain(&f, logits, indices, CC_COUNT(indices));
    agree(&e, &want);
    assert_int_equal(e.n, CC_COUNT(indices) - 2);
    /* Without labels there are logits, and nothing to count. */
    OK(cc_evaluator_run(u.evaluator, indices, CC_COUNT(indices), &e, logits, &err));
    for (size_t i = 0; i < CC_COUNT(indices); i++)
        near_logits(logits + i * CLASSES, all + indices[i] * CLASSES);
    assert_int_equal(e.n, 0);
    assert_true(value(&e, "loss") >= 0 && value(&e, "loss") <= 0);
    end(&u);
    end(&s);
    close_fixture(&f);
}

static void the_whole_set_in_any_batches(void **state)
{
    (void)state;
    for_each_device(whole_set, NULL);
}

static void batches_that_are_not_full(void **state)
{
    (void)state;
    for_each_device(partial_batches, NULL);
}

static void images_by_index(void **state)
{
    (void)state;
    for_each_device(chosen_images, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_whole_set_in_any_batches),
        cmocka_unit_test(batches_that_are_not_full),
        cmocka_unit_test(images_by_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
