/* What a new metric costs: one file and one row. The program of this test is built with one more of each (tests/toy, tests/CMakeLists.txt),
 * and the metric is everywhere that metrics are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run/metrics.h"
#include "support/program.h"
#include "support/report_page.h"
#include "support/runs.h"
#include "support/scratch.h"

static cc_json *parse(const char *text)
{
    camcl_error err;
    cc_json *json;
    if (cc_json_parse(text, strlen(text), &json, &err) != CAMCL_OK) fail_msg("%s in %s", err.message, text);
    return json;
}

/* The metrics of an object, in the catalogue's order, the new one made on the host as good as the device's. */
static void check_metrics(const cc_json *object, const char *text)
{
    static const char *const names[] = { "\"loss\"", "\"top1\"", "\"top3\"", "\"toy\"", "\"top5\"" };
    const char *at = text;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        at = strstr(at, names[i]);
        if (at == NULL) fail_msg("%s is missing or out of order: %s", names[i], text);
    }
    const double toy = json_number_at(object, "toy"), top1 = json_number_at(object, "top1");
    if (!(toy > 0 && toy >= top1 - 1e-9 && toy <= top1 + 1e-9)) fail_msg("toy %.9g, top-1 %.9g", toy, top1);
}

static void a_new_metric_is_everywhere(void **state)
{
    const char *run = scratch_path(*state, "run");
    size_t size;
    free(program_prints(*state, "train '%s' output.dir='%s' ssl.mode=supervised", scratch_path(*state, "small.ini"), run));

    char *text = program_prints(*state, "eval '%s/best.safetensors' --json", run);
    cc_json *json = parse(text);
    check_metrics(json, text);
    cc_json_free(&json);
    free(text);

    text = program_prints(*state, "eval '%s/best.safetensors' --split validation", run);
    assert_non_null(strstr(text, "  top-3 "));
    assert_non_null(strstr(text, "  toy score "));
    free(text);

    text = scratch_read(scratch_path(run, "result.json"), &size);
    assert_non_null(text);
    json = parse(text);
    check_metrics(cc_json_get(json, "test"), strstr(text, "\"test\""));
    cc_json_free(&json);
    free(text);

    json = report_document(scratch_path(run, "report.html"));
    assert_string_equal(json_string_of(json, "metrics/3/label"), "toy score");
    json_number_of(report_run(json, 0), "test/toy");
    assert_string_equal(json_string_of(json, "columns/15/label"), "Validation toy score");
    assert_int_equal(json_at(report_run(json, 0), "curves/val_toy")->count, 3);
    cc_json_free(&json);

    cc_metrics metrics;
    assert_int_equal(cc_metrics_read(scratch_path(run, "metrics.csv"), NULL, &metrics, NULL), CAMCL_OK);
    assert_lines_are_rows(run);
    assert_string_equal(metrics.columns.names[cc_columns_first().count], "val_toy");
    assert_int_equal(metrics.count, 3);
    for (size_t i = 0; i < metrics.count; i++) {
        const double toy = cc_metrics_get(&metrics, &metrics.rows[i], "val_toy"),
                     top1 = cc_metrics_get(&metrics, &metrics.rows[i], "val_top1");
        if (!(toy >= top1 - 1e-6 && toy <= top1 + 1e-6)) fail_msg("row %zu: val_toy %.9g, val_top1 %.9g", i, toy, top1);
    }
    cc_metrics_free(&metrics);

    text = scratch_read(scratch_path(run, "train.log"), &size);
    assert_non_null(text);
    assert_non_null(strstr(text, ", toy score "));
    free(text);
}

int main(void)
{
    if (!program_is_named()) return 1;
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_new_metric_is_everywhere) };
    return cmocka_run_group_tests(tests, runs_setup, runs_teardown);
}
