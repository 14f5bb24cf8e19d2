/* One device of several fails, before training or in the middle of it. The program is camcl_faults, in which OpenCL calls that concern one
 * device fail from a moment on (tests/faults/inject.h), as they do where a driver has lost it; the devices are halves of one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/halves.h"
#include "support/program.h"
#include "support/runs.h"
#include "support/scratch.h"

static const char *const variables[] = { "FAULTS_KIND", "FAULTS_HOW",  "FAULTS_DEVICE", "FAULTS_AT",
                                         "FAULTS_CODE", "FAULTS_CALL", "FAULTS_AFTER" };

static void all_is_well(void)
{
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        unsetenv(variables[i]);
}

/* From its `at`-th call on after the file is there (NULL: from the start), all of `device` fail with this code; call: only those of this
 * function (NULL: of all). */
static void lose(const char *device, const char *after, const char *at, const char *code, const char *call)
{
    all_is_well();
    setenv("FAULTS_KIND", "device", 1);
    setenv("FAULTS_HOW", "on", 1);
    setenv("FAULTS_DEVICE", device, 1);
    setenv("FAULTS_AT", at, 1);
    setenv("FAULTS_CODE", code, 1);
    if (call) setenv("FAULTS_CALL", call, 1);
    if (after) setenv("FAULTS_AFTER", after, 1);
}

#define TRAIN "train '%s/small.ini' 'output.dir=%s/%s' 'device.select=%s' --quiet train.epochs=4 "

static char *path_in(const char *folder, const char *run, const char *name)
{
    static char paths[4][1024];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s%s%s", folder, run, *name ? "/" : "", name);
    return path;
}

/* ---- while it trains */

/* It goes on without the device, or with both, and then to the same bits. */
static void check_goes_on(const char *folder, const char *run, const halves *h, const char *rest)
{
    const bool alone = strcmp(rest, h->list) != 0;
    all_is_well();
    char *out = program_prints(folder, "train '%s/config.ini' --resume 'device.select=%s'%s", path_in(folder, run, ""), rest,
                               alone ? " device.share=auto" : "");
    assert_true((strstr(out, "results may differ in the last bits") != NULL) == alone);
    free(out);
    if (!alone) assert_same_run(path_in(folder, "unbroken", ""), path_in(folder, run, ""));
}

static void a_device_that_is_lost_is_named(void **state)
{
    const char *folder = *state;
    const halves *h = halves_or_skip();
    const struct {
        const char *run, *device, *at, *code, *parts, *share, *rest; /* rest: to go on with; NULL: it does not */
    } cases[] = {
        { "first-call", "2", "1", "-5", "CL_OUT_OF_RESOURCES", "auto", h->first },
        { "in-a-pass", "2", "150", "-2", "CL_DEVICE_NOT_AVAILABLE", "auto", h->list },
        { "the-first", "1", "300", "-6", "CL_OUT_OF_HOST_MEMORY", "auto", NULL },
        { "shared", "2", "333", "-36", "CL_INVALID_COMMAND_QUEUE|the driver has lost the device", "3,1", h->first },
    };
    free(program_prints(folder, TRAIN, folder, folder, "unbroken", h->list));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const bool is_first = cases[i].device[0] == '1';
        char parts[512];
        snprintf(parts, sizeof parts,
                 "camcl: device %s of the list, %s (|%s|Saved before, and kept: step |state.safetensors|To go on from there: camcl train "
                 "|config.ini --resume device.select=%s%s\n",
                 cases[i].device, is_first ? h->first : h->second, cases[i].parts, is_first ? h->second : h->first,
                 strcmp(cases[i].share, "auto") == 0 ? "" : " device.share=auto");
        lose(cases[i].device, path_in(folder, cases[i].run, "state.safetensors"), cases[i].at, cases[i].code, NULL);
        program_fails(folder, 1, parts, TRAIN "output.save_every=1 device.share=%s", folder, folder, cases[i].run, h->list, cases[i].share);
        if (cases[i].rest) check_goes_on(folder, cases[i].run, h, cases[i].rest);
    }
}

/* The second device in a step; the first when the weights are read to be saved. */
static void nothing_was_saved_yet(void **state)
{
    const char *folder = *state;
    const halves *h = halves_or_skip();
    const struct {
        const char *run, *device, *at, *every;
    } cases[] = { { "unsaved", "2", "100", "100" }, { "while-saving", "1", "1", "1" } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char parts[256];
        snprintf(parts, sizeof parts, "camcl: device %s of the list, |CL_OUT_OF_RESOURCES|Nothing was saved|To begin again: camcl train ",
                 cases[i].device);
        lose(cases[i].device, path_in(folder, cases[i].run, "metrics.csv"), cases[i].at, "-5", NULL);
        program_fails(folder, 1, parts, TRAIN "output.save_every=%s", folder, folder, cases[i].run, h->list, cases[i].every);
        if (i == 0) check_goes_on(folder, cases[i].run, h, h->list);
    }
}

/* While the devices' gradients are added up. */
static void a_device_is_lost_in_the_exchange(void **state)
{
    const char *folder = *state;
    const halves *h = halves_or_skip();
    const char *const cases[][3] = { /* run, device, call */
                                     { "not-mapped", "2", "clEnqueueMapBuffer" },
                                     { "not-unmapped", "1", "clEnqueueUnmapMemObject" }
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char parts[128];
        snprintf(parts, sizeof parts, "camcl: device %s of the list, |%s|CL_OUT_OF_RESOURCES|Saved before, and kept: step ", cases[i][1],
                 cases[i][2]);
        lose(cases[i][1], path_in(folder, cases[i][0], "state.safetensors"), "3", "-5", cases[i][2]);
        program_fails(folder, 1, parts, TRAIN "output.save_every=1", folder, folder, cases[i][0], h->list);
        check_goes_on(folder, cases[i][0], h, h->list);
    }
}

/* One that is alone has no name, but the rest is said as well. */
static void the_only_device_is_lost(void **state)
{
    const char *folder = *state;
    const halves *h = halves_or_skip();
    lose("1", path_in(folder, "only", "state.safetensors"), "200", "-5", NULL);
    program_fails(folder, 1, "camcl: OpenCL: CL_OUT_OF_RESOURCES|Saved before, and kept: step |config.ini --resume",
                  TRAIN "output.save_every=1", folder, folder, "only", h->device);
    all_is_well();
    free(program_prints(folder, "train '%s/config.ini' --resume", path_in(folder, "only", "")));
}

/* ---- before */

static void a_device_has_no_room(void **state)
{
    const char *folder = *state;
    const halves *h = halves_or_skip();
    /* Its first buffers are those of the network, later ones those of the step. */
    const char *const cases[][2] = { { "1", "1" }, { "1", "9" }, { "2", "1" }, { "2", "9" } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char parts[256];
        snprintf(parts, sizeof parts, "camcl: device %s of the list, |device memory: |needs|CL_MEM_OBJECT_ALLOCATION_FAILURE", cases[i][0]);
        lose(cases[i][0], NULL, cases[i][1], "-4", "clCreateBuffer");
        program_fails(folder, 1, parts, TRAIN, folder, folder, "no-room", h->list);
        assert_int_not_equal(access(path_in(folder, "no-room", ""), F_OK), 0);
    }
    all_is_well();
}

static void a_device_cannot_build_kernels(void **state)
{
    const char *folder = *state;
    const halves *h = halves_or_skip();
    for (int device = 1; device <= 2; device++) {
        char number[8], parts[128];
        snprintf(number, sizeof number, "%d", device);
        snprintf(parts, sizeof parts, "camcl: device %d of the list, |CL_BUILD_PROGRAM_FAILURE", device);
        lose(number, NULL, "1", "-11", "clBuildProgram");
        program_fails(folder, 1, parts, TRAIN, folder, folder, "no-kernels", h->list);
        assert_int_not_equal(access(path_in(folder, "no-kernels", ""), F_OK), 0);
    }
    all_is_well();
}

/* ---- under mpirun */

static void a_rank_loses_its_device(void **state)
{
    const char *folder = *state;
    const halves *h = halves_and_mpirun_or_skip();
    char expected[256], host[128] = "";
    size_t size;
    gethostname(host, sizeof host - 1);
    snprintf(expected, sizeof expected, "camcl: rank 1 (host %s): device %s (", host, h->second);
    all_is_well();
    setenv("FAULTS_RUN", path_in(folder, "ranks", "state.safetensors"), 1);
    const int status = halves_run_ranks(folder, 2,
                                        EACH_A_HALF "; if [ $OMPI_COMM_WORLD_RANK = 1 ]; then export FAULTS_KIND=device FAULTS_HOW=on "
                                                    "FAULTS_DEVICE=1 FAULTS_AT=77 FAULTS_AFTER=\"$FAULTS_RUN\"; fi",
                                        "ranks", "train.epochs=4 output.save_every=1");
    char *err = scratch_read(scratch_path(folder, "err"), &size);
    assert_non_null(err);
    if (status != 1 || !strstr(err, expected) || !strstr(err, "CL_OUT_OF_RESOURCES") || !strstr(err, "Saved before, and kept: step "))
        fail_msg("exit %d: %s", status, err);
    free(err);
    check_goes_on(folder, "ranks", h, h->first);
}

int main(void)
{
    const char *program = getenv("CAMCL_FAULTS_PROGRAM");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_that_is_lost_is_named),
        cmocka_unit_test(nothing_was_saved_yet),
        cmocka_unit_test(a_device_is_lost_in_the_exchange),
        cmocka_unit_test(the_only_device_is_lost),
        cmocka_unit_test(a_device_has_no_room),
        cmocka_unit_test(a_device_cannot_build_kernels),
        cmocka_unit_test(a_rank_loses_its_device),
    };
    if (program == NULL) {
        fprintf(stderr, "CAMCL_FAULTS_PROGRAM is not set: it names the program whose calls fail\n");
        return 1;
    }
    setenv("CAMCL_PROGRAM", program, 1);
    return cmocka_run_group_tests(tests, runs_setup, runs_teardown);
}
