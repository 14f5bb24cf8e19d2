/* What a new objective costs: one file and one row. The program of this test is built with one more of each (tests/toy,
 * tests/CMakeLists.txt); what the objective keeps and reports is everywhere where it belongs. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "run/metrics.h"
#include "run/safetensors.h"
#include "support/program.h"
#include "support/report_page.h"
#include "support/runs.h"
#include "support/scratch.h"

#define KEYS "ssl.mode=toy train.epochs=40 train.epoch_steps=3 train.eval_every=5 output.save_every=1"

static cc_metrics read_metrics(const char *run)
{
    cc_metrics metrics;
    camcl_error err = { 0 };
    if (cc_metrics_read(scratch_path(run, "metrics.csv"), NULL, &metrics, &err) != CAMCL_OK) fail_msg("%s", err.message);
    return metrics;
}

static void assert_has(const char *run, const char *file, const char *what)
{
    size_t size;
    char *text = scratch_read(scratch_path(run, file), &size);
    if (text == NULL || strstr(text, what) == NULL) fail_msg("%s lacks %s", file, what);
    free(text);
}

static void its_figures_are_everywhere(void **state)
{
    const char *run = scratch_path(*state, "run");
    char *out = program_prints(*state, "train '%s' output.dir='%s' " KEYS, scratch_path(*state, "small.ini"), run);
    assert_non_null(strstr(out, "  mean mask "));
    free(out);
    assert_has(run, "train.log", "  mean mask ");
    cc_json *report = report_document(scratch_path(run, "report.html"));
    const cc_json *columns = json_at(report, "columns");
    assert_string_equal(json_string_of(&columns->items[columns->count - 1], "label"), "mean mask");
    assert_int_equal(json_at(report_run(report, 0), "curves/mean_mask")->count, 8);
    cc_json_free(&report);
    cc_metrics m = read_metrics(run);
    assert_string_equal(m.columns.names[m.columns.count - 1], "mean_mask");
    assert_int_equal(m.count, 8);
    for (size_t r = 0; r < m.count; r++) {
        const double mean = cc_metrics_get(&m, &m.rows[r], "mean_mask");
        if (!(mean >= 0 && mean <= 100)) fail_msg("row %zu: %g", r, mean);
    }
    cc_metrics_free(&m);
}

/* The average is part of the state, and so are the sums of the rows that are not complete: stopped and resumed, the run gives the same
 * bits. */
static void its_state_survives_a_stop(void **state)
{
    const char *run = scratch_path(*state, "run"), *stopped = scratch_path(*state, "stopped");
    const char *ini = scratch_path(*state, "small.ini"), *kept = scratch_path(stopped, "state.safetensors");
    pid_t process = program_start(*state, "first", "train '%s' output.dir='%s' " KEYS, ini, stopped);
    wait_for_file(kept, process);
    kill(process, SIGTERM);
    assert_int_equal(program_wait(process), 128 + SIGTERM);
    cc_safetensors *file = NULL;
    float average[4];
    double sums[4];
    assert_int_equal(cc_safetensors_read(kept, &file, NULL), CAMCL_OK);
    assert_int_equal(cc_safetensors_get(file, "objective.average", CC_ST_F32, 1, (const size_t[]){ 4 }, average, NULL), CAMCL_OK);
    assert_int_equal(cc_safetensors_get(file, "interval.objective", CC_ST_F64, 2, (const size_t[]){ 1, 4 }, sums, NULL), CAMCL_OK);
    assert_true(average[2] > 0);
    cc_safetensors_free(&file);
    free(program_prints(*state, "train '%s' output.dir='%s' " KEYS " --resume", ini, stopped));
    assert_same_file(run, stopped, "last.safetensors");
    cc_metrics a = read_metrics(run), b = read_metrics(stopped);
    assert_int_equal(a.count, b.count);
    for (size_t r = 0; r < a.count; r++) {
        const double x = cc_metrics_get(&a, &a.rows[r], "mean_mask"), y = cc_metrics_get(&b, &b.rows[r], "mean_mask");
        if (!(x >= y && x <= y)) fail_msg("row %zu: %.9g without a stop, %.9g with one", r, x, y);
    }
    cc_metrics_free(&a);
    cc_metrics_free(&b);
}

int main(void)
{
    if (!program_is_named()) return 1;
    const struct CMUnitTest tests[] = { cmocka_unit_test(its_figures_are_everywhere), cmocka_unit_test(its_state_survives_a_stop) };
    return cmocka_run_group_tests(tests, runs_setup, runs_teardown);
}
