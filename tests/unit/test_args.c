/* The commands' arguments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/args.h"
#include "cli/output.h"

/* Splits "a b c" at blanks into argv; borrowed until the next call. */
static int split(const char *line, char ***argv)
{
    static char copy[512], *words[64];
    int count = 0;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *save, *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
        words[count++] = word;
    *argv = words;
    return count;
}

static camcl_error err;

#define parse_command(line, args) parse_##command(line, args)
/* parse_<command>(line, args) splits the line and parses it. */
#define PARSER(command)                                                                                                                    \
    static camcl_status parse_##command(const char *line, cli_##command##_args *args)                                                      \
    {                                                                                                                                      \
        char **argv;                                                                                                                       \
        int argc = split(line, &argv);                                                                                                     \
        return cli_parse_##command(argc, argv, args, &err);                                                                                \
    }
PARSER(devices)
PARSER(config)
PARSER(train)
PARSER(eval)
PARSER(predict)
PARSER(cam)
PARSER(inspect)
PARSER(bench)
PARSER(report)

static void assert_refused(camcl_status status, const char *part)
{
    assert_int_equal(status, CAMCL_BAD_CONFIG);
    assert_int_equal(err.status, CAMCL_BAD_CONFIG);
    if (!strstr(err.message, part)) fail_msg("\"%s\" is not in: %s", part, err.message);
}

static void test_train(void **state)
{
    (void)state;
    cli_train_args args;
    assert_int_equal(parse_train("a.ini", &args), CAMCL_OK);
    assert_string_equal(args.config, "a.ini");
    assert_false(args.resume || args.quiet || args.overrides.count);
    cli_list_free(&args.overrides);
    assert_int_equal(parse_train("ssl.mode=gradcam --resume a.ini -q optim.lr=1", &args), CAMCL_OK);
    assert_string_equal(args.config, "a.ini");
    assert_true(args.resume && args.quiet);
    assert_int_equal(args.overrides.count, 2);
    assert_string_equal(args.overrides.items[0], "ssl.mode=gradcam");
    assert_string_equal(args.overrides.items[1], "optim.lr=1");
    cli_list_free(&args.overrides);
    /* A path with '=' is a file; behind "--" so is everything. */
    assert_int_equal(parse_train("dir/a=b.ini x=1", &args), CAMCL_OK);
    assert_string_equal(args.config, "dir/a=b.ini");
    assert_int_equal(args.overrides.count, 1);
    cli_list_free(&args.overrides);
    assert_int_equal(parse_train("x.y=1 -- --resume", &args), CAMCL_OK);
    assert_string_equal(args.config, "--resume");
    assert_false(args.resume);
    cli_list_free(&args.overrides);
    assert_int_equal(parse_train("a.ini --seeds=1,2", &args), CAMCL_OK);
    assert_string_equal(args.seeds, "1,2");
    cli_list_free(&args.overrides);
    /* Without a file it is the defaults. */
    assert_int_equal(parse_train("x.y=1", &args), CAMCL_OK);
    assert_null(args.config);
    cli_list_free(&args.overrides);
    static const char *const wrong[][2] = {
        { "a.ini b.ini", "unexpected argument b.ini" },
        { "a.ini --resum", "did you mean --resume?" },
        { "a.ini --resume=yes", "takes no value" },
        { "a.ini --zzz", "unknown option --zzz (see camcl help train)" },
        { "a.ini -x", "unknown option -x" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_refused(parse_train(wrong[i][0], &args), wrong[i][1]);
        cli_list_free(&args.overrides);
    }
}

static void test_eval(void **state)
{
    (void)state;
    cli_eval_args args;
    assert_int_equal(parse_eval("c.safetensors", &args), CAMCL_OK);
    assert_string_equal(args.split, "test");
    assert_null(args.logits);
    cli_list_free(&args.overrides);
    assert_int_equal(parse_eval("--logits=x.npy --split validation c data.root=d --json", &args), CAMCL_OK);
    assert_string_equal(args.checkpoint, "c");
    assert_string_equal(args.split, "validation");
    assert_string_equal(args.logits, "x.npy");
    assert_true(args.json);
    assert_int_equal(args.overrides.count, 1);
    cli_list_free(&args.overrides);
    static const char *const wrong[][2] = {
        { "", "CHECKPOINT is missing" },
        { "c --split tset", "--split tset: unknown value (did you mean test? test | validation | train)" },
        { "c --split", "the value is missing" },
        { "c --logits=", "the value is empty" },
        { "c d", "unexpected argument d" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_refused(parse_eval(wrong[i][0], &args), wrong[i][1]);
        cli_list_free(&args.overrides);
    }
}

static void test_predict(void **state)
{
    (void)state;
    cli_predict_args args;
    assert_int_equal(parse_predict("c a.png --json ./b=c.png device.select=cpu", &args), CAMCL_OK);
    assert_string_equal(args.checkpoint, "c");
    assert_int_equal(args.paths.count, 2);
    assert_string_equal(args.paths.items[0], "a.png");
    assert_string_equal(args.paths.items[1], "./b=c.png");
    assert_true(args.json);
    assert_int_equal(args.top, 1);
    assert_false(args.csv);
    assert_null(args.pseudo);
    cli_list_free(&args.paths);
    cli_list_free(&args.overrides);
    assert_int_equal(parse_predict("--pseudo p.csv --top 12 c --csv folder ssl.threshold=0.9", &args), CAMCL_OK);
    assert_string_equal(args.pseudo, "p.csv");
    assert_string_equal(args.paths.items[0], "folder");
    assert_int_equal(args.top, 12);
    assert_true(args.csv);
    cli_list_free(&args.paths);
    cli_list_free(&args.overrides);
    static const char *const wrong[][2] = {
        { "", "CHECKPOINT is missing" },
        { "c", "PATH is missing" },
        { "c a.png --top 0", "--top 0: out of range (give a whole number from 1 on)" },
        { "c a.png --top x", "--top x: out of range" },
        { "c a.png --top", "value is missing" },
        { "c a.png --pseudo=", "value is empty" },
        { "c a.png --csv --json", "both --json and --csv" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_refused(parse_predict(wrong[i][0], &args), wrong[i][1]);
        cli_list_free(&args.paths);
        cli_list_free(&args.overrides);
    }
}

static void test_inspect(void **state)
{
    (void)state;
    cli_inspect_args args;
    assert_int_equal(parse_inspect("a.ini data.root=x", &args), CAMCL_OK);
    assert_string_equal(args.config, "a.ini");
    assert_string_equal(args.output, "contact-sheet.png");
    assert_false(args.json);
    cli_list_free(&args.overrides);
    assert_int_equal(parse_inspect("--json -o b.png a.ini", &args), CAMCL_OK);
    assert_string_equal(args.output, "b.png");
    assert_true(args.json);
    cli_list_free(&args.overrides);
    assert_refused(parse_inspect("", &args), "data inspect: CONFIG is missing");
    cli_list_free(&args.overrides);
    assert_refused(parse_inspect("a b", &args), "unexpected argument b");
    cli_list_free(&args.overrides);
}

static void free_cam(cli_cam_args *args)
{
    cli_list_free(&args->paths);
    cli_list_free(&args->overrides);
    free(args->indices);
}

static void test_cam(void **state)
{
    (void)state;
    cli_cam_args args;
    assert_int_equal(parse_cam("c --index 3 17 0 --layer 2 -o out --npy --class cat --index=5 --split train ssl.cam_relu=yes", &args),
                     CAMCL_OK);
    static const size_t expected[] = { 3, 17, 0, 5 };
    assert_int_equal(args.index_count, 4);
    assert_memory_equal(args.indices, expected, sizeof expected);
    assert_int_equal(args.layer, 2);
    assert_string_equal(args.folder, "out");
    assert_true(args.npy);
    assert_string_equal(args.class_name, "cat");
    assert_string_equal(args.split, "train");
    assert_int_equal(args.overrides.count, 1);
    free_cam(&args);
    assert_int_equal(parse_cam("c a.png b.png", &args), CAMCL_OK);
    assert_int_equal(args.paths.count, 2);
    assert_false(args.npy);
    assert_int_equal(args.layer, 0);
    assert_null(args.class_name);
    assert_string_equal(args.folder, ".");
    assert_string_equal(args.split, "test");
    free_cam(&args);
    static const char *const wrong[][2] = {
        { "", "CHECKPOINT is missing" },
        { "c", "nothing to explain" },
        { "c a.png --index 1", "both pictures and --index" },
        { "c --index x", "--index x: not a position" },
        { "c --index -1", "--index -1: not a position" },
        { "c --index", "value is missing" },
        { "c --index 99999999999999999999999", "not a position" },
        { "c a.png --layer 5", "out of range (choose 1 to 4)" },
        { "c a.png --layer 0", "out of range" },
        { "c a.png --layer two", "out of range" },
        { "c a.png --split test", "--split without --index" },
        { "c a.png -O x", "unknown option -O" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_refused(parse_cam(wrong[i][0], &args), wrong[i][1]);
        free_cam(&args);
    }
}

static void test_others(void **state)
{
    (void)state;
    cli_devices_args devices;
    cli_config_args config;
    cli_bench_args bench;
    cli_report_args report;
    assert_int_equal(parse_devices("--json", &devices), CAMCL_OK);
    assert_true(devices.json);
    assert_refused(parse_devices("x=1", &devices), "unexpected argument x=1");
    assert_int_equal(parse_config("", &config), CAMCL_OK);
    assert_null(config.config);
    cli_list_free(&config.overrides);
    cli_list_free(&config.keys);
    assert_int_equal(parse_config("a=1 data.fit f ssl", &config), CAMCL_OK);
    assert_string_equal(config.config, "f");
    assert_int_equal(config.overrides.count, 1);
    assert_int_equal(config.keys.count, 2);
    assert_string_equal(config.keys.items[0], "data.fit");
    assert_string_equal(config.keys.items[1], "ssl");
    cli_list_free(&config.overrides);
    cli_list_free(&config.keys);
    assert_int_equal(parse_bench("--json", &bench), CAMCL_OK);
    assert_null(bench.what);
    cli_list_free(&bench.overrides);
    assert_int_equal(parse_bench("step model.arch=resnet50", &bench), CAMCL_OK);
    assert_string_equal(bench.what, "step");
    cli_list_free(&bench.overrides);
    assert_refused(parse_bench("stop", &bench), "stop: unknown benchmark (did you mean step? peak | ops | step)");
    cli_list_free(&bench.overrides);
    assert_int_equal(parse_report("runs/a runs/b=c", &report), CAMCL_OK);
    assert_int_equal(report.runs.count, 2);
    cli_list_free(&report.runs);
    assert_refused(parse_report("", &report), "RUN_DIR is missing");
    cli_list_free(&report.runs);
}

static void test_bytes(void **state)
{
    (void)state;
    static const struct {
        size_t bytes;
        const char *text;
    } rows[] = {
        { 0, "0 B" }, { 1023, "1023 B" }, { 1024, "1.0 KiB" }, { 32768, "32 KiB" }, { (size_t)5 << 29, "2.5 GiB" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[16];
        cli_bytes(rows[i].bytes, text, sizeof text);
        assert_string_equal(text, rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_train),   cmocka_unit_test(test_eval),   cmocka_unit_test(test_predict), cmocka_unit_test(test_cam),
        cmocka_unit_test(test_inspect), cmocka_unit_test(test_others), cmocka_unit_test(test_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
