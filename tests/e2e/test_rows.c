/* The figures of a run in the forms that other programs read: metrics.jsonl and TensorBoard's event files say what metrics.csv says, also
 * after a run was killed, went on, or began to write events late. */
#include <math.h>
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
#include "support/events.h"
#include "support/program.h"
#include "support/runs.h"
#include "support/scratch.h"
#include "support/tree.h"

static void run_path(char out[512], const char *folder, const char *name) { snprintf(out, 512, "%s/%s", folder, name); }

static void train(const char *folder, const char *run, const char *keys)
{
    free(program_prints(folder, "train '%s/small.ini' 'output.dir=%s' %s --quiet", folder, run, keys));
}

/* val_top1 is val/top1, loss is train/loss. */
static void tag_of(const char *column, char tag[64])
{
    if (strncmp(column, "val_", 4) == 0)
        snprintf(tag, 64, "val/%s", column + 4);
    else
        snprintf(tag, 64, "train/%s", strncmp(column, "train_", 6) == 0 ? column + 6 : column);
}

/* Cells have nine digits, events are float32. */
static void check_cell(const event_points *points, const char *tag, uint64_t step, double cell)
{
    const event_point *point = events_find(points, tag, step);
    if (point == NULL) fail_msg("%s at step %llu is not there", tag, (unsigned long long)step);
    if (!(fabs((double)point->value - cell) <= 1e-6 * fabs(cell)))
        fail_msg("%s at step %llu is %.9g, not %.9g", tag, (unsigned long long)step, (double)point->value, cell);
}

/* Every cell of every row once, and no other scalar. */
static void assert_points_are_rows(const event_points *points, const char *run)
{
    cc_metrics m;
    size_t cells = 0, scalars = 0;
    assert_int_equal(cc_metrics_read(scratch_path(run, "metrics.csv"), NULL, &m, NULL), CAMCL_OK);
    for (size_t i = 0; i < points->count; i++)
        scalars += points->items[i].image_bytes == 0;
    for (size_t r = 0; r < m.count; r++) {
        check_cell(points, "train/epoch", m.rows[r].step, (double)m.rows[r].epoch);
        cells++;
        for (size_t c = 0; c < m.columns.count; c++) {
            char tag[64];
            tag_of(m.columns.names[c], tag);
            if (isnan(m.rows[r].values[c])) continue;
            check_cell(points, tag, m.rows[r].step, m.rows[r].values[c]);
            cells++;
        }
    }
    assert_int_equal(cells, scalars);
    assert_true(m.count > 0 && cells > 10 * m.count);
    cc_metrics_free(&m);
}

static size_t images_at(const event_points *points, uint64_t step)
{
    size_t count = 0;
    for (size_t i = 0; i < points->count; i++)
        count += points->items[i].image_bytes > 0 && points->items[i].step == step;
    return count;
}

static void events_say_what_the_rows_say(void **state)
{
    char run[512];
    run_path(run, *state, "events");
    train(*state, run, "output.tensorboard=yes output.cams_every=2");
    event_points points = events_read(run);
    assert_int_equal(points.files, 1);
    assert_points_are_rows(&points, run);
    if (!pictures_missing()) {
        /* Epoch 2 and the end; tagged by the pictures' names. */
        assert_int_equal(images_at(&points, 4), 0);
        assert_int_equal(images_at(&points, 8), 16);
        assert_int_equal(images_at(&points, 12), 16);
        assert_non_null(events_find(&points, "cams/00003", 12));
    }
    events_free(&points);
    /* A finished run stays as it is. */
    const uint64_t before = folder_fingerprint(run);
    train(*state, run, "output.tensorboard=yes output.cams_every=2 --resume");
    assert_true(folder_fingerprint(run) == before);
}

/* Without the key there are none, and no trace of them. */
static void events_are_asked_for(void **state)
{
    char run[512];
    run_path(run, *state, "silent");
    train(*state, run, "train.epochs=1");
    event_points points = events_read(run);
    assert_int_equal(points.files, 0);
    events_free(&points);
    assert_lines_are_rows(run);
    /* From here on: what was before comes along. */
    train(*state, run, "train.epochs=2 output.tensorboard=yes --resume");
    points = events_read(run);
    assert_int_equal(points.files, 1);
    assert_points_are_rows(&points, run);
    events_free(&points);
}

/* How the program is cut is written in interpose/cut.c. */
static int train_cut(const char *folder, const char *run, const char *keys, size_t at)
{
    char program[4096], number[32];
    snprintf(program, sizeof program, "%s", getenv("CAMCL_PROGRAM"));
    snprintf(number, sizeof number, "%zu", at);
    setenv("CAMCL_PROGRAM", getenv("CAMCL_CUT_PROGRAM"), 1);
    setenv("CUT_FOLDER", run, 1);
    setenv("CUT_AT", number, 1);
    setenv("CUT_HOW", "kill", 1);
    setenv("CUT_LIST", scratch_path(folder, "moments"), 1);
    pid_t process = program_start(folder, "cut", "train '%s/small.ini' 'output.dir=%s' %s --quiet", folder, run, keys);
    setenv("CAMCL_PROGRAM", program, 1);
    return program_wait(process);
}

/* The place of the n-th file of this name among those that a run writes. */
static size_t moment_of(const char *folder, const char *name, size_t n)
{
    size_t size, at = 0;
    char *text = scratch_read(scratch_path(folder, "moments"), &size);
    assert_non_null(text);
    for (char *line = strtok(text, "\n"); line && n > 0; line = strtok(NULL, "\n")) {
        const char *slash = strrchr(line, '/');
        at++;
        n -= strcmp(slash + 1, name) == 0;
    }
    free(text);
    assert_int_equal(n, 0);
    return at;
}

/* Killed between a row and its save, so that the row is made again; and between the two files of a row. */
static void a_run_that_was_killed_says_nothing_twice(void **state)
{
    static const struct {
        const char *file;
        size_t nth, forgotten; /* rows that TensorBoard has read, and that are made again */
    } moments[] = { { "state.safetensors", 2, 1 }, { "metrics.jsonl", 2, 1 }, { "metrics.csv", 1, 1 } };
    const char *folder = *state, *keys = "output.tensorboard=yes output.cams_every=1";
    char whole[512], run[512];
    run_path(whole, folder, "whole");
    assert_int_equal(train_cut(folder, whole, keys, 0), 0);
    for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++) {
        char name[32];
        snprintf(name, sizeof name, "killed%zu", i);
        run_path(run, folder, name);
        assert_int_equal(train_cut(folder, run, keys, moment_of(folder, moments[i].file, moments[i].nth)), 128 + SIGKILL);
        char again[128];
        snprintf(again, sizeof again, "%s --resume", keys);
        train(folder, run, again);
        assert_same_run(whole, run);
        event_points points = events_read(run);
        assert_int_equal(points.files, 2);
        assert_points_are_rows(&points, run);
        for (uint64_t step = 4; step <= 12 && !pictures_missing(); step += 4)
            assert_int_equal(images_at(&points, step), 16);
        assert_true(points.forgotten >= moments[i].forgotten);
        events_free(&points);
    }
}

/* ---- seconds */

/* Rows of metrics.csv so far, and the seconds of the last one. */
static size_t rows_so_far(const char *run, double *seconds)
{
    cc_metrics m;
    *seconds = 0;
    if (access(scratch_path(run, "metrics.csv"), F_OK) != 0) return 0;
    assert_int_equal(cc_metrics_read(scratch_path(run, "metrics.csv"), NULL, &m, NULL), CAMCL_OK);
    const size_t count = m.count;
    if (count) *seconds = cc_metrics_get(&m, &m.rows[count - 1], "seconds");
    cc_metrics_free(&m);
    return count;
}

#define IN_PARTS "ssl.mode=supervised train.epochs=40 train.epoch_steps=20 output.save_every=1000"

/* Begins the run or goes on with it, and stops it once it has so many rows and has trained for a third of a second. */
static void train_part(const char *folder, const char *run, size_t rows)
{
    double seconds;
    const pid_t process = program_start(folder, "part", "train '%s/small.ini' 'output.dir=%s' " IN_PARTS " --resume", folder, run);
    wait_for_file(scratch_path(run, "metrics.csv"), process);
    while (rows_so_far(run, &seconds) < rows || seconds < 0.3)
        sleep_milliseconds(2);
    kill(process, SIGTERM);
    assert_int_equal(program_wait(process), 128 + SIGTERM);
}

/* Every start goes on where the one before was stopped. The later ones are shorter than the first, so that seconds that began anew would
 * be less than those of the row before. */
static void seconds_go_on_over_all_starts(void **state)
{
    const char *folder = *state;
    char run[512];
    run_path(run, folder, "in-parts");
    train_part(folder, run, 20);
    train_part(folder, run, 24);
    train(folder, run, IN_PARTS " --resume");
    cc_metrics m;
    assert_int_equal(cc_metrics_read(scratch_path(run, "metrics.csv"), NULL, &m, NULL), CAMCL_OK);
    assert_int_equal(m.count, 40);
    double before = 0;
    for (size_t r = 0; r < m.count; r++) {
        const double seconds = cc_metrics_get(&m, &m.rows[r], "seconds");
        if (!(seconds > before)) fail_msg("row %zu: %.9g s after %.9g s", r, seconds, before);
        before = seconds;
    }
    cc_json *result = json_load(run, "result.json");
    const double all = json_number_at(result, "seconds");
    if (!(all >= before)) fail_msg("result.json: %.9g s, the last row: %.9g s", all, before);
    cc_json_free(&result);
    cc_metrics_free(&m);
}

int main(void)
{
    if (!program_is_named()) return 1;
    if (getenv("CAMCL_CUT_PROGRAM") == NULL) {
        fprintf(stderr, "CAMCL_CUT_PROGRAM is not set: it names camcl_cut\n");
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_say_what_the_rows_say),
        cmocka_unit_test(events_are_asked_for),
        cmocka_unit_test(a_run_that_was_killed_says_nothing_twice),
        cmocka_unit_test(seconds_go_on_over_all_starts),
    };
    return cmocka_run_group_tests(tests, runs_setup, runs_teardown);
}
