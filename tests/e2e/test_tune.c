/* tune, and bench peak and ops, from outside. */
#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/program.h"
#include "support/runs.h"
#include "support/scratch.h"

/* A network that takes no time, in the group's folder. */
#define SMALL                                                                                                                              \
    "model.width=4 data.image_size=16 train.batch_labeled=4 train.batch_unlabeled=4 data.dataset=shapes 'device.cache_dir=%s/cache'"

static size_t lines_of(const char *text)
{
    size_t lines = 0;
    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

/* The number in front of `what` in the last line that has it. */
static size_t number_before(const char *text, const char *what)
{
    const char *at = strstr(text, what);
    if (at == NULL) fail_msg("\"%s\" is not in: %s", what, text);
    while (at > text && at[-1] == ' ')
        at--;
    while (at > text && at[-1] >= '0' && at[-1] <= '9')
        at--;
    return (size_t)strtoul(at, NULL, 10);
}

static void test_tune(void **state)
{
    const char *folder = *state;
    outcome first = program_run(folder, "tune " SMALL, folder);
    if (first.status != 0) fail_msg("%s", first.err);
    const size_t timed = number_before(first.out, " timed in");
    assert_true(timed > 30);
    assert_int_equal(lines_of(first.out), timed + 2);
    assert_non_null(strstr(first.out, "conv2d forward n4 "));
    assert_non_null(strstr(first.out, "conv2d backward-weight n12 "));
    assert_non_null(strstr(first.err, "ETA 0:00"));
    outcome_free(&first);
    char *again = program_prints(folder, "tune " SMALL " 2>/dev/null", folder);
    assert_int_equal(number_before(again, " timed in"), 0);
    assert_int_equal(number_before(again, " known before"), timed);
    free(again);
    char *quiet = program_prints(folder, "tune --again --quiet " SMALL " 2>/dev/null", folder);
    assert_string_equal(quiet, "");
    free(quiet);
    /* Fewer families: what they have was timed with the others. */
    char *direct = program_prints(folder, "tune device.conv=direct " SMALL " 2>/dev/null", folder);
    assert_int_equal(number_before(direct, " timed in"), 0);
    free(direct);
}

/* Interrupted, it says so with 130, and what was timed is there the next time. */
static void test_interrupt(void **state)
{
    const char *folder = *state;
    size_t size = 0;
    pid_t process = program_start(folder, "tune", "tune model.width=32 data.dataset=shapes device.cache_dir=%s/interrupted", folder);
    for (int i = 0; i < 6000; i++) {
        char *out = scratch_read(scratch_path(folder, "tune.out"), &size);
        const bool some = out && lines_of(out) >= 3;
        free(out);
        if (some) break;
        sleep_milliseconds(20);
    }
    assert_int_equal(kill(process, SIGINT), 0);
    assert_int_equal(program_wait(process), 130);
    char *err = scratch_read(scratch_path(folder, "tune.err"), &size);
    assert_non_null(strstr(err, "camcl: timing of kernels: stopped"));
    free(err);
    char *out = scratch_read(scratch_path(folder, "tune.out"), &size);
    const size_t timed = number_before(out, " timed in");
    assert_true(timed >= 2);
    free(out);
    process = program_start(folder, "tune-again", "tune model.width=32 data.dataset=shapes device.cache_dir=%s/interrupted", folder);
    for (int i = 0; i < 6000; i++) {
        out = scratch_read(scratch_path(folder, "tune-again.out"), &size);
        const bool some = out && lines_of(out) >= 2;
        free(out);
        if (some) break;
        sleep_milliseconds(20);
    }
    assert_int_equal(kill(process, SIGTERM), 0);
    assert_int_equal(program_wait(process), 143);
    out = scratch_read(scratch_path(folder, "tune-again.out"), &size);
    const char *known = strstr(out, " s, "); /* "N timed in S s, K of A known before" */
    assert_non_null(known);
    if (strtoul(known + 4, NULL, 10) < timed) fail_msg("%zu were timed before, but: %s", timed, out);
    free(out);
}

static void test_peak(void **state)
{
    static const char *const members[] = { "device", "gflops", "gbytes_per_s", "copy_gbytes_per_s", "triad_gbytes_per_s", NULL };
    char *out = program_prints(*state, "bench peak --json 'device.cache_dir=%s/cache'", (char *)*state);
    cc_json *json = json_parse_text(out);
    assert_members(json, members);
    assert_non_null(cc_json_string(cc_json_get(json, "device")));
    const double gflops = json_number_at(json, "gflops"), copy = json_number_at(json, "copy_gbytes_per_s"),
                 triad = json_number_at(json, "triad_gbytes_per_s");
    assert_true(gflops > 0.01 && gflops < 1e6);
    assert_true(copy > 0.001 && copy < 1e5 && triad > 0.001 && triad < 1e5);
    assert_true(fabs(json_number_at(json, "gbytes_per_s") - (copy > triad ? copy : triad)) < 1e-3 * copy);
    cc_json_free(&json);
    free(out);
    out = program_prints(*state, "bench peak 'device.cache_dir=%s/cache'", (char *)*state);
    assert_non_null(strstr(out, "GFLOP/s"));
    assert_non_null(strstr(out, "GB/s"));
    free(out);
}

static void test_ops(void **state)
{
    static const char *const members[] = { "device", "peak_gflops", "peak_gbytes_per_s", "ms", "other_percent", "ops", "kernels", NULL };
    static const char *const columns[] = { "op", "direction", "shape",        "variant",         "uses",
                                           "ms", "gflops",    "gbytes_per_s", "percent_of_peak", NULL };
    char *out = program_prints(*state, "bench ops --json " SMALL, (char *)*state);
    cc_json *json = json_parse_text(out);
    assert_members(json, members);
    const cc_json *ops = cc_json_get(json, "ops");
    double sum = 0, convolution = 0;
    size_t directions[3] = { 0 };
    for (size_t i = 0; i < ops->count; i++) {
        const cc_json *op = &ops->items[i];
        assert_members(op, columns);
        const char *name = cc_json_string(cc_json_get(op, "op")), *direction = cc_json_string(cc_json_get(op, "direction"));
        sum += json_number_at(op, "ms");
        assert_true(json_number_at(op, "uses") >= 1);
        if (strncmp(name, "conv2d", 6) != 0) continue; /* conv2d, and conv2d_affine of the CAMs' passes */
        convolution += json_number_at(op, "ms");
        if (strcmp(direction, "weight-layouts") == 0) continue;
        assert_non_null(cc_json_string(cc_json_get(op, "variant")));
        assert_non_null(strstr(cc_json_string(cc_json_get(op, "shape")), "stride"));
        assert_true(json_number_at(op, "gflops") > 0 && json_number_at(op, "percent_of_peak") > 0);
        directions[0] += strcmp(direction, "forward") == 0;
        directions[1] += strcmp(direction, "backward-data") == 0;
        directions[2] += strcmp(direction, "backward-weight") == 0;
    }
    assert_true(directions[0] >= 11 && directions[1] >= 10 && directions[2] >= 11);
    const double ms = json_number_at(json, "ms");
    assert_true(fabs(sum - ms) < 1e-4 * ms);
    assert_true(fabs(json_number_at(json, "other_percent") - 100 * (1 - convolution / ms)) < 0.01);
    assert_true(cc_json_get(json, "kernels")->count > 5);
    cc_json_free(&json);
    free(out);
    out = program_prints(*state, "bench ops ssl.mode=supervised " SMALL, (char *)*state);
    assert_non_null(strstr(out, "conv2d backward-weight n4 "));
    assert_null(strstr(out, "grad_cam"));
    assert_non_null(strstr(out, "not convolution"));
    free(out);
}

static void test_selftest(void **state)
{
    static const char *const members[] = { "device", "checks", "checked", "failed", NULL };
    static const char *const columns[] = { "op", "direction", "variant", "shapes", "max_error", "ok", "what", "detail", NULL };
    char *out = program_prints(*state, "selftest --json 'device.cache_dir=%s/cache'", (char *)*state);
    cc_json *json = json_parse_text(out);
    assert_members(json, members);
    const cc_json *checks = cc_json_get(json, "checks");
    size_t checked = 0;
    for (size_t i = 0; i < checks->count; i++) {
        const cc_json *check = &checks->items[i];
        assert_members(check, columns);
        assert_true(cc_json_get(check, "ok")->kind == CC_JSON_BOOL && cc_json_get(check, "ok")->number > 0);
        assert_int_equal(cc_json_get(check, "what")->kind, CC_JSON_NULL);
        checked += json_number_at(check, "shapes") > 0;
    }
    assert_int_equal(checked, json_number_at(json, "checked"));
    assert_true(checked > 40 && json_number_at(json, "failed") == 0);
    cc_json_free(&json);
    free(out);
    out = program_prints(*state, "selftest 'device.cache_dir=%s/cache'", (char *)*state);
    assert_non_null(strstr(out, "variants checked, 0 failed"));
    free(out);
}

/* A run that times first says so, follows the winners, and goes on with its own plan. */
static void test_train_full(void **state)
{
    const char *folder = *state;
    size_t size;
    char *out = program_prints(folder, "train %s/small.ini output.dir=%s/full device.tune=full device.cache_dir=%s/full-cache", folder,
                               folder, folder);
    assert_true(number_before(out, " timed in") > 10);
    free(out);
    out = program_prints(folder, "train %s/small.ini output.dir=%s/second device.tune=full device.cache_dir=%s/full-cache", folder, folder,
                         folder);
    assert_non_null(strstr(out, "kernels: 0 timed"));
    free(out);
    assert_same_run(scratch_path(folder, "full"), scratch_path(folder, "second"));
    char *log = scratch_read(scratch_path(scratch_path(folder, "full"), "train.log"), &size);
    assert_non_null(strstr(log, "plan: conv2d forward"));
    free(log);
}

int main(void)
{
    if (!program_is_named()) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tune), cmocka_unit_test(test_interrupt), cmocka_unit_test(test_peak),
        cmocka_unit_test(test_ops),  cmocka_unit_test(test_selftest),  cmocka_unit_test(test_train_full),
    };
    return cmocka_run_group_tests(tests, runs_setup, runs_teardown);
}
