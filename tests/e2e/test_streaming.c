/* How many images stay on the device changes nothing but where they are. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/program.h"
#include "support/runs.h"
#include "support/scratch.h"

/* 1,090 images of 3 KiB each, of which data.resident = 1 keeps 341: the labelled ones, those for validation, and some of the others. */
#define MANY "data.unlabeled=1000 train.epochs=2 train.epoch_steps=8"

static void run_path(char path[512], const char *folder, const char *name) { snprintf(path, 512, "%s/%s", folder, name); }

static void train(const char *folder, const char *name, const char *keys)
{
    free(program_prints(folder, "train '%s/small.ini' 'output.dir=%s/%s' %s", folder, folder, name, keys));
}

static void assert_log_says(const char *run, const char *what)
{
    size_t size;
    char *log = scratch_read(scratch_path(run, "train.log"), &size);
    assert_non_null(log);
    if (strstr(log, what) == NULL) fail_msg("%s/train.log does not say \"%s\":\n%s", run, what, log);
    free(log);
}

static void every_mode_learns_the_same(void **state)
{
    static const struct {
        const char *keys, *says[2]; /* with data.resident = auto and 1 */
    } modes[] = {
        { "ssl.mode=gradcam",
          { "images: 29 MiB, all of them on the device", "images: 3.2 MiB, 1.0 MiB of them on the device, the rest streamed" } },
        { "ssl.mode=gradcam ssl.batch_norm=separate", { "images: 29 MiB", "1.0 MiB of them on the device" } },
        { "ssl.mode=pseudo-label", { "images: 29 MiB", "1.0 MiB of them on the device" } },
        { "ssl.mode=supervised data.labeled=500", { "images: 29 MiB", "images: 1.6 MiB, 1.0 MiB of them on the device" } },
    };
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        char name[2][64], run[2][512], keys[256];
        for (int streamed = 0; streamed < 2; streamed++) {
            snprintf(name[streamed], sizeof name[0], "mode%zu-%d", i, streamed);
            run_path(run[streamed], *state, name[streamed]);
            snprintf(keys, sizeof keys, MANY " %s data.resident=%s", modes[i].keys, streamed ? "1" : "auto");
            train(*state, name[streamed], keys);
            assert_log_says(run[streamed], modes[i].says[streamed]);
        }
        assert_same_run(run[0], run[1]);
    }
}

/* None stays; all that are used stay, but not all of the data set. */
static void every_size_learns_the_same(void **state)
{
    static const struct {
        const char *resident, *says;
    } sizes[] = { { "0", "images: 3.2 MiB, all of them streamed" }, { "4", "images: 3.2 MiB, all of them on the device" } };
    char whole[512], run[512], keys[256];
    run_path(whole, *state, "sizes-auto");
    train(*state, "sizes-auto", MANY);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        run_path(run, *state, sizes[i].resident);
        snprintf(keys, sizeof keys, MANY " data.resident=%s", sizes[i].resident);
        train(*state, sizes[i].resident, keys);
        assert_log_says(run, sizes[i].says);
        assert_same_run(whole, run);
    }
}

/* A streamed run that is stopped and goes on equals one that kept its images on the device all along. */
static void a_stopped_run_goes_on(void **state)
{
    const char *keys = "data.unlabeled=1000 train.epoch_steps=80";
    char whole[512], run[512], more[256];
    run_path(whole, *state, "whole");
    run_path(run, *state, "stopped");
    train(*state, "whole", keys);
    pid_t process =
        program_start(*state, "stopped", "train '%s/small.ini' 'output.dir=%s' %s data.resident=1", (const char *)*state, run, keys);
    wait_for_file(scratch_path(run, "state.safetensors"), process);
    kill(process, SIGTERM);
    assert_int_equal(program_wait(process), 128 + SIGTERM);
    snprintf(more, sizeof more, "%s data.resident=1 --resume", keys);
    train(*state, "stopped", more);
    assert_log_says(run, "resuming after step");
    assert_same_run(whole, run);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_mode_learns_the_same), cmocka_unit_test(every_size_learns_the_same),
                                        cmocka_unit_test(a_stopped_run_goes_on) };
    if (!program_is_named()) return 1;
    return cmocka_run_group_tests(tests, runs_setup, runs_teardown);
}
