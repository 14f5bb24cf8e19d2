/* The program from outside: what it prints where, and how it exits. CAMCL_PROGRAM names it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/json.h"
#include "camcl/config.h"
#include "camcl/device.h"
#include "support/scratch.h"

static const char *program;

/* What a command left. */
typedef struct outcome {
    int status;
    char *out, *err;
    size_t out_size, err_size;
} outcome;

/* Runs "ENVIRONMENT program ARGUMENTS" in the shell; redirections in `arguments` win over the capturing ones. */
static outcome run(void **state, const char *environment, const char *arguments)
{
    const char *folder = *state, *out = scratch_path(folder, "out"), *err = scratch_path(folder, "err");
    char command[2048];
    int n = snprintf(command, sizeof command, "%s '%s' >'%s' 2>'%s' %s", environment, program, out, err, arguments);
    assert_true(n > 0 && (size_t)n < sizeof command);
    int status = system(command);
    assert_true(WIFEXITED(status));
    outcome result = { .status = WEXITSTATUS(status) };
    result.out = scratch_read(out, &result.out_size);
    result.err = scratch_read(err, &result.err_size);
    assert_non_null(result.out);
    assert_non_null(result.err);
    return result;
}

static void free_outcome(outcome *result)
{
    free(result->out);
    free(result->err);
}

/* Fails with "camcl: what: why (what to do)" on the first line of stderr, nothing on stdout, and the given status. */
static void assert_fails(void **state, const char *environment, const char *arguments, int status, const char *part)
{
    outcome result = run(state, environment, arguments);
    if (result.status != status) fail_msg("%s: exit %d, not %d: %s", arguments, result.status, status, result.err);
    assert_int_equal(result.out_size, 0);
    char *line_end = strchr(result.err, '\n');
    assert_non_null(line_end);
    for (const char *line = line_end + 1; *line; line = strchr(line, '\n') + 1)
        assert_memory_equal(line, "    ", 4);
    *line_end = '\0';
    assert_memory_equal(result.err, "camcl: ", 7);
    if (!strstr(result.err, part)) fail_msg("%s: \"%s\" is not in: %s", arguments, part, result.err);
    assert_int_equal(line_end[-1], ')');
    free_outcome(&result);
}

static void assert_prints(void **state, const char *arguments, const char *part)
{
    outcome result = run(state, "", arguments);
    if (result.status != 0) fail_msg("%s: exit %d: %s", arguments, result.status, result.err);
    assert_int_equal(result.err_size, 0);
    if (!strstr(result.out, part)) fail_msg("%s: \"%s\" is not in: %s", arguments, part, result.out);
    free_outcome(&result);
}

static void test_help(void **state)
{
    assert_prints(state, "--help", "usage: camcl COMMAND");
    assert_prints(state, "-h", "devices");
    assert_prints(state, "help", "config");
    assert_prints(state, "help --help", "usage: camcl COMMAND");
    assert_prints(state, "help help", "usage: camcl COMMAND");
    assert_prints(state, "help config", "usage: camcl config [CONFIG] [key=value ...] [KEY ...]");
    assert_prints(state, "train --resume --help",
                  "usage: camcl train [CONFIG | RUN_DIR] [key=value ...] [--resume]\n                   [--seeds N,N,...] [--quiet]\n");
    assert_prints(state, "--version", "camcl 0.");
    assert_prints(state, "version", "camcl 0.");
    assert_prints(state, "version --help", "usage: camcl version\n");
    outcome result = run(state, "", "");
    assert_int_equal(result.status, 2);
    assert_int_equal(result.out_size, 0);
    assert_non_null(strstr(result.err, "usage: camcl COMMAND"));
    free_outcome(&result);
}

static void test_help_fits_a_terminal(void **state)
{
    static const char *const commands[] = { "",     "devices",  "train", "eval", "predict", "cam",    "config", "bench",
                                            "tune", "selftest", "init",  "data", "report",  "export", "version" };
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        char arguments[32];
        snprintf(arguments, sizeof arguments, "help %s", commands[i]);
        outcome result = run(state, "", arguments);
        assert_int_equal(result.status, 0);
        for (const char *line = result.out; *line; line += strcspn(line, "\n"), line += *line == '\n')
            if (strcspn(line, "\n") > 80) fail_msg("%s: wider than 80 columns: %s", arguments, line);
        free_outcome(&result);
    }
}

static void test_usage_errors(void **state)
{
    assert_fails(state, "", "confg", 2, "confg: unknown command (did you mean config?");
    assert_fails(state, "", "xyzzy", 2, "xyzzy: unknown command (see camcl --help)");
    assert_fails(state, "", "help confg", 2, "did you mean config?");
    assert_fails(state, "", "devices --jsn", 2, "did you mean --json?");
    assert_fails(state, "", "devices now", 2, "unexpected argument now");
    assert_fails(state, "", "config a b", 2, "unexpected argument b");
    assert_fails(state, "", "tune now", 2, "unexpected argument now");
    assert_fails(state, "", "tune --agian", 2, "did you mean --again?");
    assert_fails(state, "", "tune device.tune=sometimes", 2, "off | cache | full");
    assert_fails(state, "", "selftest --quiet", 2, "selftest: unknown option --quiet");
}

/* One key or one section, with its value in force. */
static void test_config_of_some_keys(void **state)
{
    outcome result = run(state, "CAMCL_DEVICE=", "config data.fit=pad train optim.lr data.fit");
    assert_int_equal(result.status, 0);
    assert_memory_equal(result.out, "[data]\nfit             = pad ", 27);
    assert_non_null(strstr(result.out, "\n\n[optim]\nlr              = "));
    assert_non_null(strstr(result.out, "\n\n[train]\nepochs          = "));
    assert_non_null(strstr(result.out, "\nseed            = "));
    assert_null(strstr(result.out, "momentum"));
    assert_null(strstr(result.out, "root"));
    assert_null(strstr(result.out, "[output]"));
    free_outcome(&result);
    assert_fails(state, "", "config data.fitt", 2, "did you mean data.fit?");
    assert_fails(state, "", "config data.fit a b", 2, "unexpected argument b");
}

static void test_config_listing(void **state)
{
    outcome result = run(state, "CAMCL_DEVICE=", "config");
    assert_int_equal(result.status, 0);
    assert_int_equal(result.err_size, 0);
    /* Every key has its line, and the listing is itself a configuration. */
    size_t count;
    const camcl_config_key *schema = camcl_config_schema(&count);
    for (size_t i = 0; i < count; i++) {
        char line[64];
        snprintf(line, sizeof line, "\n%-15s = ", schema[i].name);
        if (!strstr(result.out, line)) fail_msg("%s.%s is not listed", schema[i].section, schema[i].name);
    }
    const char *copy = scratch_path(*state, "copy.ini");
    scratch_write(copy, result.out, result.out_size);
    char arguments[512];
    snprintf(arguments, sizeof arguments, "config optim.lr=0.5 '%s' train.epochs=7", copy);
    outcome again = run(state, "", arguments);
    assert_int_equal(again.status, 0);
    assert_non_null(strstr(again.out, "\nlr              = 0.5 "));
    assert_non_null(strstr(again.out, "\nepochs          = 7 "));
    assert_non_null(strstr(again.out, "set by command line"));
    free_outcome(&again);
    free_outcome(&result);
    assert_prints(state, "config ssl.preset=paper-code", "\nconfidence      = logit ");
    result = run(state, "CAMCL_DEVICE=Xe", "config");
    assert_non_null(strstr(result.out, "\nselect          = Xe "));
    assert_non_null(strstr(result.out, "set by CAMCL_DEVICE"));
    free_outcome(&result);
}

/* The shell leaves ~/ alone in quotes and behind '='. */
static void test_home_folder(void **state)
{
    char environment[512], expected[600];
    snprintf(environment, sizeof environment, "HOME='%s'", (const char *)*state);
    snprintf(expected, sizeof expected, "\ndir             = %s/runs/x ", (const char *)*state);
    scratch_write(scratch_path(*state, "home.ini"), "[output]\ndir = ~/runs/x\n", 24);
    outcome result = run(state, environment, "config '~/home.ini' data.root=~/data");
    if (result.status != 0 || !strstr(result.out, expected)) fail_msg("%s%s", result.err, result.out);
    snprintf(expected, sizeof expected, "\nroot            = %s/data ", (const char *)*state);
    assert_non_null(strstr(result.out, expected));
    free_outcome(&result);
    snprintf(expected, sizeof expected, "%s/none.safetensors", (const char *)*state);
    assert_fails(state, environment, "eval '~/none.safetensors'", 1, expected);
    assert_fails(state, environment, "eval '~nobody/none.safetensors'", 1, "'~nobody/none.safetensors'");
    assert_fails(state, "HOME=", "config '~/home.ini'", 2, "~/home.ini: the home folder is not known (set HOME");
}

static void test_config_errors(void **state)
{
    const char *file = scratch_path(*state, "bad.ini"), text[] = "[ssl]\nmode = gradcam\nalhpa = 2\n";
    scratch_write(file, text, sizeof text - 1);
    char arguments[512], expected[512];
    snprintf(arguments, sizeof arguments, "config '%s'", file);
    snprintf(expected, sizeof expected, "camcl: %s:3: ssl.alhpa: unknown key (did you mean ssl.alpha?", file);
    assert_fails(state, "", arguments, 2, expected);
    assert_fails(state, "", "config nowhere.ini", 2, "nowhere.ini");
    assert_fails(state, "", "config optim.lrr", 2, "optim.lrr: neither a file nor a key (did you mean optim.lr?)");
    assert_fails(state, "", "config epochs", 2, "did you mean train.epochs?");
    assert_fails(state, "", "config .", 2, "'.'");
    assert_fails(state, "", "config ssl.mode=gradcan", 2, "did you mean gradcam? supervised | pseudo-label | gradcam");
    assert_fails(state, "", "config lr=3", 2, "did you mean optim.lr?");
    assert_fails(state, "", "config train.epochs=0", 2, "out of range (whole number, 1 to");
    assert_fails(state, "", "config ssl.mode=supervised ssl.beta=2", 2, "supervised has no unlabelled images");
    assert_fails(state, "CAMCL_DEVICE=0:0,0:1", "config device.share=3", 2, "device.share = 3: 1 share for the 2 devices");
    assert_fails(state, "", "config device.select=cpu,gpu,all device.share=1,2", 2, "device.share");
    assert_fails(state, "", "config \"data.root=$(printf 'a\\nb')\"", 2, "control character");
}

static void test_config_warning(void **state)
{
    outcome result = run(state, "", "config ssl.threshold=95");
    assert_int_equal(result.status, 0);
    assert_memory_equal(result.err, "camcl: warning: ssl.threshold: above 1", 38);
    free_outcome(&result);
}

/* The configurations that come along are good, and so is the page made of the schema. Tests run in the source folder. */
static void test_shipped_files(void **state)
{
    static const char *const files[] = { "quickstart",      "cifar10-supervised", "cifar10-pseudo-label",
                                         "cifar10-gradcam", "cifar10-fixmatch",   "cifar10-paper" };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char arguments[64];
        snprintf(arguments, sizeof arguments, "config configs/%s.ini", files[i]);
        assert_prints(state, arguments, "set by configs/");
    }
    outcome result = run(state, "", "config --markdown");
    size_t size;
    char *page = scratch_read("configs/reference.md", &size);
    assert_non_null(page);
    if (size != result.out_size || memcmp(page, result.out, size) != 0)
        fail_msg("configs/reference.md is not what camcl config --markdown prints: write it again");
    free(page);
    free_outcome(&result);
}

static void test_output_errors(void **state)
{
    outcome result = run(state, "", "--version >/dev/full");
    assert_int_equal(result.status, 1);
    assert_memory_equal(result.err, "camcl: standard output: No space left on device (", 49);
    free_outcome(&result);
    result = run(state, "", "config >/dev/full");
    assert_int_equal(result.status, 1);
    assert_memory_equal(result.err, "camcl: standard output: ", 24);
    free_outcome(&result);
    result = run(state, "", "--help >&-");
    assert_int_equal(result.status, 1);
    free_outcome(&result);
}

static void test_devices(void **state)
{
    camcl_device_info *infos;
    camcl_error err;
    size_t count, picked;
    assert_int_equal(camcl_device_list(&infos, &count, &err), CAMCL_OK);
    if (camcl_device_select(infos, count, "auto", &picked, &err) != CAMCL_OK) fail_msg("%s", err.message);
    outcome result = run(state, "", "devices");
    assert_int_equal(result.status, 0);
    for (size_t i = 0; i < count; i++) {
        char row[32];
        snprintf(row, sizeof row, "\n%c %-8s  ", i == picked ? '*' : ' ', infos[i].selector);
        assert_non_null(strstr(result.out, row));
        assert_non_null(strstr(result.out, infos[i].name));
        snprintf(row, sizeof row, " driver %.20s", infos[i].driver);
        assert_non_null(strstr(result.out, row));
        assert_non_null(strstr(result.out, infos[i].fp16 ? "fp16 yes" : "fp16 no"));
    }
    free_outcome(&result);

    result = run(state, "", "devices --json");
    assert_int_equal(result.status, 0);
    assert_int_equal(result.err_size, 0);
    cc_json *json = NULL;
    assert_int_equal(cc_json_parse(result.out, result.out_size, &json, &err), CAMCL_OK);
    assert_int_equal(json->kind, CC_JSON_ARRAY);
    assert_int_equal(json->count, count);
    static const char *const texts[] = { "selector", "platform", "vendor", "name", "driver", "type", "opencl_c" };
    static const char *const sizes[] = { "compute_units", "global_mem", "local_mem", "max_alloc", "max_work_group" };
    for (size_t i = 0; i < count; i++) {
        const cc_json *device = &json->items[i];
        size_t value;
        for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++)
            assert_non_null(cc_json_string(cc_json_get(device, texts[k])));
        for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++)
            assert_true(cc_json_size(cc_json_get(device, sizes[k]), &value));
        assert_int_equal(cc_json_get(device, "fp16")->kind, CC_JSON_BOOL);
        assert_int_equal(cc_json_get(device, "fp64")->kind, CC_JSON_BOOL);
        assert_int_equal(device->count, 14);
        assert_string_equal(cc_json_string(cc_json_get(device, "selector")), infos[i].selector);
        assert_string_equal(cc_json_string(cc_json_get(device, "name")), infos[i].name);
        assert_true(cc_json_size(cc_json_get(device, "max_alloc"), &value));
        assert_int_equal(value, infos[i].max_alloc);
    }
    cc_json_free(&json);
    free_outcome(&result);
    free(infos);
}

/* A folder without drivers stands for a machine without OpenCL. */
static void test_no_device(void **state)
{
    char environment[512];
    snprintf(environment, sizeof environment, "OCL_ICD_VENDORS='%s/'", (const char *)*state);
    outcome result = run(state, environment, "devices");
    assert_int_equal(result.status, 3);
    assert_int_equal(result.out_size, 0);
    assert_memory_equal(result.err, "camcl: device: OCL_ICD_VENDORS = ", 33);
    assert_non_null(strstr(result.err, "pocl-opencl-icd"));
    free_outcome(&result);
    result = run(state, environment, "devices --json");
    assert_int_equal(result.status, 3);
    assert_string_equal(result.out, "[]\n");
    free_outcome(&result);
}

int main(void)
{
    program = getenv("CAMCL_PROGRAM");
    if (program == NULL) {
        fprintf(stderr, "CAMCL_PROGRAM is not set: it names the program to test\n");
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_help, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_help_fits_a_terminal, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_usage_errors, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_config_of_some_keys, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_config_listing, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_home_folder, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_config_errors, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_config_warning, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_shipped_files, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_output_errors, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_devices, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_no_device, scratch_setup, scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
