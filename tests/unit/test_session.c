/* Sessions: metrics against what plain C makes of the logits; probabilities and CAMs; images on the device and in host memory. */
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
#include "support/ok.h"
#include "infer/session_cache.h"

enum { IMAGES = 23, SIDE = 8, CLASSES = 7 };

static camcl_error err;

typedef struct fixture {
    camcl_device *device;
    cc_model *model;
    cc_resident *data, *unlabeled;
    int32_t labels[IMAGES];
    uint8_t pixels[IMAGES * SIDE * SIDE * 3];
} fixture;

static const float mean[3] = { 0.5f, 0.4f, 0.3f }, deviation[3] = { 0.2f, 0.3f, 0.25f };

static void open_fixture(fixture *f, camcl_device *device, size_t classes)
{
    const cc_graph_spec spec = { .arch = "resnet18", .stem = "cifar", .width = 4, .classes = classes, .channels = 3 };
    uint32_t bits = 12345;
    for (size_t i = 0; i < sizeof f->pixels; i++) {
        bits = bits * 1664525u + 1013904223u;
        /* Each image with a brightness of its own, so that classes differ. */
        f->pixels[i] = (uint8_t)((bits >> 24) / 2 + 127 * (i / (SIDE * SIDE * 3)) / IMAGES);
    }
    for (size_t i = 0; i < IMAGES; i++)
        f->labels[i] = (int32_t)(i * 5 % classes);
    f->labels[3] = f->labels[11] = -1; /* unknown: left out of loss and accuracies */
    f->device = device;
    OK(cc_model_create(device, &spec, &f->model, &err));
    OK(cc_model_init(f->model, 3, &err));
    cc_resident_spec images = { f->pixels, f->labels, IMAGES, SIDE, SIDE, 3, mean, deviation, "images" };
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

/* A session whose tape is on an arena of the test. */
typedef struct shared {
    cc_arena *arena;
    cc_session *session;
} shared;

static shared begin(const fixture *f, cc_resident *data, size_t batch)
{
    const cc_session_spec spec = { .kind = CC_SESSION_EVALUATION, .batch = batch, .image_size = SIDE };
    shared s = { NULL, NULL };
    OK(cc_arena_create(f->device, &s.arena, &err));
    OK(cc_session_create(f->model, &spec, data, s.arena, &s.session, &err));
    OK(cc_arena_commit(s.arena, &err));
    OK(cc_model_refresh(f->model, &err));
    return s;
}

static void end(shared *s)
{
    cc_arena_destroy(&s->arena);
    cc_session_destroy(&s->session);
}

static void evaluate(cc_session *s, const uint32_t *indices, size_t n, camcl_evaluation *e, float *logits)
{
    OK(cc_session_run(s, &(cc_session_input){ .indices = indices, .n = n }, &(cc_session_output){ .evaluation = e, .logits = logits },
                      &err));
}

/* The calibration error from its definition: sums over the images of each of 15 bins. */
static double plain_ece(const fixture *f, const float *logits, const uint32_t *indices, size_t n)
{
    double gap = 0, images = 0;
    for (int b = 0; b < 15; b++) {
        double confidence = 0, right = 0, in_bin = 0;
        for (size_t i = 0; i < n; i++) {
            const float *row = logits + i * CLASSES;
            const int label = f->labels[indices ? indices[i] : i];
            int best = 0;
            double sum = 0;
            for (int c = 0; c < CLASSES; c++) {
                sum += exp((double)row[c]);
                if (row[c] > row[best]) best = c;
            }
            const double p = exp((double)row[best]) / sum;
            if (label < 0 || !(p > b / 15.0 && p <= (b + 1) / 15.0)) continue;
            confidence += p;
            right += best == label;
            in_bin += 1;
        }
        images += in_bin;
        if (in_bin > 0) gap += in_bin * fabs(confidence / in_bin - right / in_bin);
    }
    return 100 * gap / images;
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
    *cc_evaluation_at(&e, "ece") = plain_ece(f, logits, indices, n);
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
    open_fixture(&f, device, CLASSES);
    for (size_t b = 0; b < CC_COUNT(batches); b++) {
        shared s = begin(&f, f.data, batches[b]);
        evaluate(s.session, NULL, IMAGES, &e, logits);
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
        evaluate(s.session, NULL, IMAGES, &again, NULL);
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
    open_fixture(&f, device, CLASSES);
    shared s = begin(&f, f.data, 7);
    evaluate(s.session, NULL, IMAGES, &e, all);
    for (size_t i = 0; i < CC_COUNT(counts); i++) {
        const size_t n = counts[i];
        for (size_t k = 0; k < CC_COUNT(logits); k++)
            logits[k] = 123;
        evaluate(s.session, NULL, n, &e, logits);
        /* What is left in the rows behind the last image has no say in anything, and is not handed out. */
        assert_memory_equal(logits, all, n * CLASSES * sizeof *all);
        for (size_t k = n * CLASSES; k < CC_COUNT(logits); k++)
            assert_true(logits[k] >= 123 && logits[k] <= 123);
        camcl_evaluation want = plain(&f, logits, NULL, n);
        agree(&e, &want);
    }
    evaluate(s.session, NULL, 0, &e, logits);
    assert_int_equal(e.n, 0);
    assert_true(isnan(value(&e, "loss")) && isnan(value(&e, "top1")) && isnan(value(&e, "ece")));
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
    open_fixture(&f, device, CLASSES);
    shared s = begin(&f, f.data, 4), u = begin(&f, f.unlabeled, 4);
    evaluate(s.session, NULL, IMAGES, &e, all);
    evaluate(s.session, indices, CC_COUNT(indices), &e, logits);
    for (size_t i = 0; i < CC_COUNT(indices); i++)
        near_logits(logits + i * CLASSES, all + indices[i] * CLASSES);
    camcl_evaluation want = plain(&f, logits, indices, CC_COUNT(indices));
    agree(&e, &want);
    assert_int_equal(e.n, CC_COUNT(indices) - 2);
    /* Without labels there are logits, and nothing to count. */
    evaluate(u.session, indices, CC_COUNT(indices), &e, logits);
    for (size_t i = 0; i < CC_COUNT(indices); i++)
        near_logits(logits + i * CLASSES, all + indices[i] * CLASSES);
    assert_int_equal(e.n, 0);
    assert_true(isnan(value(&e, "loss")) && isnan(value(&e, "ece")));
    end(&u);
    end(&s);
    close_fixture(&f);
}

/* A spec for images in host memory. */
static cc_session_spec host_spec(cc_session_kind kind, size_t batch)
{
    return (cc_session_spec){
        .kind = kind, .batch = batch, .image_size = SIDE, .cam_layer = 3, .height = SIDE, .width = SIDE, .mean = mean, .std = deviation
    };
}

#define REFUSED(session, ...) assert_int_equal(cc_session_run(session, __VA_ARGS__, &err), CAMCL_FAILED)

/* What callers must not ask. */
static void wrong_calls(camcl_device *device, void *context)
{
    (void)context;
    const uint32_t beyond[] = { 0, IMAGES };
    float values[IMAGES * SIDE * SIDE];
    camcl_evaluation e;
    fixture f;
    open_fixture(&f, device, CLASSES);
    cc_session_spec spec = host_spec(CC_SESSION_PROBABILITIES, 5);
    cc_session *session;
    shared s = begin(&f, f.data, 5);
    REFUSED(s.session, &(cc_session_input){ .indices = beyond, .n = 2 }, &(cc_session_output){ .evaluation = &e });
    REFUSED(s.session, &(cc_session_input){ .n = IMAGES + 1 }, &(cc_session_output){ .evaluation = &e });
    REFUSED(s.session, &(cc_session_input){ .n = 2, .pixels = f.pixels }, &(cc_session_output){ .evaluation = &e });
    OK(cc_session_create(f.model, &spec, NULL, NULL, &session, &err));
    REFUSED(session, &(cc_session_input){ .n = 2 }, &(cc_session_output){ .probabilities = values });
    REFUSED(session, &(cc_session_input){ .n = 2, .pixels = f.pixels }, &(cc_session_output){ .maps = values });
    OK(cc_session_run(session, &(cc_session_input){ .n = 2, .pixels = f.pixels }, &(cc_session_output){ .probabilities = values }, &err));
    cc_session_destroy(&session);
    spec.batch = 0;
    assert_int_equal(cc_session_create(f.model, &spec, NULL, NULL, &session, &err), CAMCL_FAILED);
    assert_null(session);
    end(&s);
    close_fixture(&f);
}

/* Images in host memory give the bits that resident ones give, by range and by index, with labels and without. */
static void host_memory(camcl_device *device, void *context)
{
    (void)context;
    static const uint32_t indices[] = { 22, 0, 5, 5, 3, 17, 1, 2, 11, 8, 21 };
    float wanted[IMAGES * CLASSES], logits[IMAGES * CLASSES];
    camcl_evaluation want, got;
    fixture f;
    open_fixture(&f, device, CLASSES);
    const cc_session_spec spec = host_spec(CC_SESSION_EVALUATION, 7);
    cc_session *session;
    shared s = begin(&f, f.data, 7);
    OK(cc_session_create(f.model, &spec, NULL, NULL, &session, &err));
    for (int turn = 0; turn < 4; turn++) {
        const bool chosen = turn % 2;
        const cc_session_input in = {
            .indices = chosen ? indices : NULL, .n = chosen ? CC_COUNT(indices) : IMAGES, .pixels = f.pixels, .labels = f.labels
        };
        evaluate(s.session, in.indices, in.n, &want, wanted);
        OK(cc_session_run(session, &in, &(cc_session_output){ .evaluation = &got, .logits = logits }, &err));
        assert_memory_equal(&got, &want, sizeof got);
        assert_memory_equal(logits, wanted, in.n * CLASSES * sizeof *logits);
    }
    const cc_session_input unlabeled = { .n = IMAGES, .pixels = f.pixels };
    OK(cc_session_run(session, &unlabeled, &(cc_session_output){ .evaluation = &got }, &err));
    assert_int_equal(got.n, 0);
    cc_session_destroy(&session);
    end(&s);
    close_fixture(&f);
}

static void probabilities_of(camcl_device *device, void *context)
{
    (void)context;
    float logits[IMAGES * CLASSES], p[(IMAGES + 1) * CLASSES];
    camcl_evaluation e;
    fixture f;
    open_fixture(&f, device, CLASSES);
    const cc_session_spec spec = host_spec(CC_SESSION_PROBABILITIES, 5);
    cc_session *session;
    shared s = begin(&f, f.data, 5);
    evaluate(s.session, NULL, IMAGES, &e, logits);
    OK(cc_session_create(f.model, &spec, NULL, NULL, &session, &err));
    p[IMAGES * CLASSES] = 123;
    OK(cc_session_run(session, &(cc_session_input){ .n = IMAGES, .pixels = f.pixels }, &(cc_session_output){ .probabilities = p }, &err));
    for (size_t i = 0; i < IMAGES; i++) {
        double sum = 0;
        for (size_t c = 0; c < CLASSES; c++)
            sum += exp((double)logits[i * CLASSES + c]);
        for (size_t c = 0; c < CLASSES; c++)
            assert_true(fabs((double)p[i * CLASSES + c] - exp((double)logits[i * CLASSES + c]) / sum) <= 1e-5);
    }
    assert_true(p[IMAGES * CLASSES] >= 123 && p[IMAGES * CLASSES] <= 123);
    cc_session_destroy(&session);
    end(&s);
    close_fixture(&f);
}

static size_t arg_max(const float *row)
{
    size_t best = 0;
    for (size_t c = 1; c < CLASSES; c++)
        if (row[c] > row[best]) best = c;
    return best;
}

/* One session explains any class; another explains each image's own arg-max, and the two agree where they explain the same. */
static void cams_of(camcl_device *device, void *context)
{
    enum { PIXELS = SIDE * SIDE };
    (void)context;
    float logits[IMAGES * CLASSES], own[IMAGES * PIXELS], asked[IMAGES * PIXELS];
    int32_t explained[IMAGES], predicted[IMAGES];
    camcl_evaluation e;
    fixture f;
    open_fixture(&f, device, CLASSES);
    cc_session_spec spec = host_spec(CC_SESSION_CAMS, 6);
    cc_session *of_arg_max, *of_class;
    shared s = begin(&f, f.data, 6);
    evaluate(s.session, NULL, IMAGES, &e, logits);
    OK(cc_session_create(f.model, &spec, NULL, NULL, &of_arg_max, &err));
    spec.cam_class = true;
    OK(cc_session_create(f.model, &spec, NULL, NULL, &of_class, &err));
    const cc_session_input in = { .n = IMAGES, .pixels = f.pixels };
    OK(cc_session_run(of_arg_max, &in, &(cc_session_output){ .maps = own, .explained = explained, .predicted = predicted }, &err));
    for (size_t i = 0; i < IMAGES; i++) {
        assert_int_equal(predicted[i], arg_max(logits + i * CLASSES));
        assert_int_equal(explained[i], predicted[i]);
    }
    size_t agreeing = 0, others = 0;
    for (int32_t c = 0; c < CLASSES; c++) {
        const cc_session_input of_c = { .n = IMAGES, .pixels = f.pixels, .cam_class = c };
        OK(cc_session_run(of_class, &of_c, &(cc_session_output){ .maps = asked, .explained = explained }, &err));
        for (size_t i = 0; i < IMAGES; i++) {
            const bool same = memcmp(asked + i * PIXELS, own + i * PIXELS, PIXELS * sizeof *own) == 0;
            assert_int_equal(explained[i], c);
            if (predicted[i] == c) assert_true(same);
            agreeing += predicted[i] == c;
            others += !same;
        }
    }
    assert_int_equal(agreeing, IMAGES);
    assert_true(others > 0);
    cc_session_destroy(&of_arg_max);
    cc_session_destroy(&of_class);
    spec.cam_layer = 5;
    assert_int_equal(cc_session_create(f.model, &spec, NULL, NULL, &of_class, &err), CAMCL_BAD_CONFIG);
    assert_null(of_class);
    end(&s);
    close_fixture(&f);
}

/* What was asked before needs no new session, whatever was asked in between, and goes on to give the same bits. */
static void kept_sessions(camcl_device *device, void *context)
{
    (void)context;
    float before[IMAGES * CLASSES], after[IMAGES * CLASSES];
    fixture f;
    open_fixture(&f, device, CLASSES);
    cc_session_cache cache = { 0 };
    const cc_session_spec specs[] = { host_spec(CC_SESSION_PROBABILITIES, 5), host_spec(CC_SESSION_EVALUATION, 7),
                                      host_spec(CC_SESSION_CAMS, 6), host_spec(CC_SESSION_PROBABILITIES, 4) };
    cc_session *first, *sessions[CC_COUNT(specs)];
    const cc_session_input in = { .n = IMAGES, .pixels = f.pixels };
    OK(cc_session_cache_get(&cache, f.model, &specs[0], &first, &err));
    OK(cc_session_run(first, &in, &(cc_session_output){ .probabilities = before }, &err));
    for (size_t i = 0; i < CC_KEPT_SESSIONS; i++)
        OK(cc_session_cache_get(&cache, f.model, &specs[i], &sessions[i], &err));
    assert_ptr_equal(sessions[0], first);
    const size_t bytes = cc_device_bytes(f.device);
    for (size_t turn = 0; turn < 2 * CC_KEPT_SESSIONS; turn++) {
        cc_session *again;
        OK(cc_session_cache_get(&cache, f.model, &specs[turn % CC_KEPT_SESSIONS], &again, &err));
        assert_ptr_equal(again, sessions[turn % CC_KEPT_SESSIONS]);
    }
    assert_int_equal(cc_device_bytes(f.device), bytes);
    OK(cc_session_run(sessions[0], &in, &(cc_session_output){ .probabilities = after }, &err));
    assert_memory_equal(after, before, sizeof before);
    /* Another one takes the place of the evaluation, which was not used for the longest time. */
    OK(cc_session_cache_get(&cache, f.model, &specs[0], &first, &err));
    OK(cc_session_cache_get(&cache, f.model, &specs[3], &sessions[3], &err));
    for (size_t i = 0; i < CC_KEPT_SESSIONS; i++)
        assert_true(cache.kept[i].session && cache.kept[i].spec.kind != CC_SESSION_EVALUATION);
    OK(cc_session_cache_get(&cache, f.model, &specs[0], &first, &err));
    assert_ptr_equal(first, sessions[0]);
    cc_session_cache_drop(&cache);
    close_fixture(&f);
}

/* With three classes every image is right within three: top-3 and top-5 say nothing. */
static void three_classes(camcl_device *device, void *context)
{
    (void)context;
    camcl_evaluation e;
    fixture f;
    open_fixture(&f, device, 3);
    shared s = begin(&f, f.data, 8);
    evaluate(s.session, NULL, IMAGES, &e, NULL);
    assert_true(isfinite(value(&e, "loss")) && value(&e, "top1") >= 0 && value(&e, "top1") <= 100);
    assert_true(isnan(value(&e, "top3")) && isnan(value(&e, "top5")));
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

static void images_in_host_memory(void **state)
{
    (void)state;
    for_each_device(host_memory, NULL);
}

static void probabilities(void **state)
{
    (void)state;
    for_each_device(probabilities_of, NULL);
}

static void cams(void **state)
{
    (void)state;
    for_each_device(cams_of, NULL);
}

static void sessions_are_kept(void **state)
{
    (void)state;
    for_each_device(kept_sessions, NULL);
}

static void calls_that_are_refused(void **state)
{
    (void)state;
    for_each_device(wrong_calls, NULL);
}

static void metrics_that_say_nothing(void **state)
{
    (void)state;
    for_each_device(three_classes, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_whole_set_in_any_batches),
        cmocka_unit_test(batches_that_are_not_full),
        cmocka_unit_test(images_by_index),
        cmocka_unit_test(images_in_host_memory),
        cmocka_unit_test(probabilities),
        cmocka_unit_test(cams),
        cmocka_unit_test(sessions_are_kept),
        cmocka_unit_test(metrics_that_say_nothing),
        cmocka_unit_test(calls_that_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
