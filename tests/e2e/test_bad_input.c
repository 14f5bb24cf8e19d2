/* Bad input and hard times: exit status, one line that says what, why and what to do, and nothing lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "camcl/device.h"
#include "support/program.h"
#include "support/runs.h"
#include "support/scratch.h"

/* Training as `keys` say fails, with `parts` in the message, and leaves no run directory. */
static void train_fails(const char *folder, int status, const char *parts, const char *keys)
{
    const char *run = scratch_path(folder, "refused");
    program_fails(folder, status, parts, "train --quiet '%s/small.ini' 'output.dir=%s' %s", folder, run, keys);
    if (access(run, F_OK) == 0) fail_msg("%s left a run directory", keys);
}

/* ---- data */

enum { RECORD = 3073, RECORDS = 40 };

/* The six files of CIFAR-10, each with `RECORDS` images. */
static const char *write_cifar(const char *folder)
{
    static const char *const names[] = { "data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                         "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin" };
    const char *root = scratch_path(folder, "cifar");
    unsigned char *records = calloc(RECORDS, RECORD);
    assert_non_null(records);
    mkdir(root, 0777);
    for (size_t i = 0; i < RECORDS; i++) {
        records[i * RECORD] = (unsigned char)(i % 10);
        memset(records + i * RECORD + 1, (int)(i * 6), RECORD - 1);
    }
    for (size_t f = 0; f < 6; f++)
        scratch_write(scratch_path(root, names[f]), records, RECORDS * RECORD);
    free(records);
    return root;
}

static void cifar_fails(const char *folder, const char *root, const char *parts)
{
    char keys[1024];
    snprintf(keys, sizeof keys, "data.dataset=cifar10 'data.root=%s'", root);
    train_fails(folder, 1, parts, keys);
}

static void test_data(void **state)
{
    const char *folder = *state;
    char root[512], file[600];
    snprintf(root, sizeof root, "%s", write_cifar(folder));
    snprintf(file, sizeof file, "%s/data_batch_3.bin", root);
    free(program_prints(folder, "train --quiet '%s/small.ini' 'output.dir=%s/cifar-run' data.dataset=cifar10 'data.root=%s' train.epochs=1",
                        folder, folder, root));

    cifar_fails(folder, scratch_path(folder, "nowhere"), "nowhere|data.root");
    size_t size;
    char *good = scratch_read(file, &size);
    assert_non_null(good);
    scratch_write(file, good, size - 100);
    cifar_fails(folder, root, "data_batch_3.bin|122820 bytes|3073");
    scratch_write(file, good, 0);
    cifar_fails(folder, root, "data_batch_3.bin");
    good[7 * RECORD] = 10;
    scratch_write(file, good, size);
    cifar_fails(folder, root, "data_batch_3.bin: record 7 has label 10");
    free(good);
    assert_int_equal(unlink(file), 0);
    cifar_fails(folder, root, "data_batch_3.bin");
    train_fails(folder, 1, "nowhere", "data.dataset=mnist data.root=nowhere");
    train_fails(folder, 1, "nowhere", "data.dataset=folder data.root=nowhere");
}

/* ---- configuration */

static void test_configuration(void **state)
{
    static const struct {
        int status;
        const char *parts, *keys;
    } cases[] = {
        { 2, "ssl.beta = 1|ssl.beta = 0", "ssl.mode=supervised ssl.beta=1" },
        { 2, "optim.ema = 0|average", "ssl.mode=mean-teacher optim.ema=0" },
        { 2, "ssl.cam_layer = 5|1 to 4", "ssl.cam_layer=5" },
        { 2, "ssl.cam_layer = 4|1 to 3", "ssl.cam_layer=4 model.arch=wrn28-2" },
        { 2, "data.labeled = 41|multiple of 10", "data.labeled=41" },
        { 2, "data.validation = 55|10 classes", "data.validation=55" },
        { 2, "data.labeled", "data.labeled=20000" },
        { 2, "data.unlabeled", "data.unlabeled=0" },
        { 2, "ssl.thrshold|ssl.threshold", "ssl.thrshold=1" },
        { 2, "data.mean|3 channels", "data.mean=0.5,0.5" },
        { 2, "data.image_size", "data.image_size=-1" },
        { 2, "1 share for the 2 devices", "device.select=0:0,0:1 device.share=1" },
        { 3, "device.select = no such device|matches no device", "'device.select=no such device'" },
        { 3, "device.select = 97:3|no such device", "device.select=97:3" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        train_fails(*state, cases[i].status, cases[i].parts, cases[i].keys);
    program_fails(*state, 2, "cannot read 'nowhere.ini'|the folder of a run", "train nowhere.ini");
    program_fails(*state, 2, "config.ini", "train configs");
}

/* A single letter that two devices share picks neither. */
static void test_ambiguous_device(void **state)
{
    camcl_device_info *infos;
    camcl_error err = { 0 };
    size_t count, picked;
    char letter[2] = "";
    assert_int_equal(camcl_device_list(&infos, &count, &err), CAMCL_OK);
    for (char c = 'a'; c <= 'z' && letter[0] == '\0'; c++) {
        const char text[2] = { c, '\0' };
        if (camcl_device_select(infos, count, text, &picked, &err) == CAMCL_NO_DEVICE && strstr(err.message, "several")) letter[0] = c;
    }
    free(infos);
    if (letter[0] == '\0') {
        print_message("no letter stands in the names of two devices\n");
        skip();
    }
    char keys[64];
    snprintf(keys, sizeof keys, "device.select=%s", letter);
    train_fails(*state, 3, "matches several devices|0:0", keys);
}

/* Sides so small that the network's later stages see one pixel train, or are refused; they do not crash. */
static void test_small_images(void **state)
{
    static const char *const keys[] = { "data.image_size=1", "data.image_size=2", "data.image_size=4 model.stem=imagenet" };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        outcome result = program_run(*state, "train --quiet '%s/small.ini' 'output.dir=%s/side-%zu' train.epochs=1 %s", (char *)*state,
                                     (char *)*state, i, keys[i]);
        if (result.status != 0 && (result.status > 2 || !strstr(result.err, "data.image_size")))
            fail_msg("%s: exit %d: %s", keys[i], result.status, result.err);
        outcome_free(&result);
    }
}

/* ---- checkpoints */

static void test_checkpoints(void **state)
{
    const char *folder = *state;
    char run[512], bad[512];
    size_t size;
    snprintf(run, sizeof run, "%s/good", folder);
    snprintf(bad, sizeof bad, "%s/bad.safetensors", folder);
    free(program_prints(folder, "train --quiet '%s/small.ini' 'output.dir=%s' train.epochs=1", folder, run));
    program_fails(folder, 1, "nowhere.safetensors", "eval nowhere.safetensors");
    program_fails(folder, 1, "nowhere.safetensors", "predict nowhere.safetensors nowhere.png");
    program_fails(folder, 1, "nowhere.safetensors", "cam nowhere.safetensors --index 0");
    program_fails(folder, 1, "state.safetensors|no checkpoint", "eval '%s/state.safetensors'", run);

    char *good = scratch_read(scratch_path(run, "best.safetensors"), &size);
    assert_non_null(good);
    const size_t lengths[] = { 0, 5, 1000, size - 1 };
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        scratch_write(bad, good, lengths[i]);
        program_fails(folder, 1, "bad.safetensors|copy or download it again", "eval '%s'", bad);
    }
    memset(good + 20, 0xff, 30);
    scratch_write(bad, good, size);
    program_fails(folder, 1, "bad.safetensors", "eval '%s'", bad);
    free(good);

    /* Sound, but of another network: the tensor, its shape, the shape that is needed. */
    char keys[1024];
    snprintf(keys, sizeof keys, "model.width=8 'model.init=%s/best.safetensors'", run);
    train_fails(folder, 1, "conv1.weight|[4,3,3,3]|[8,3,3,3]", keys);
    free(program_prints(folder, "config model.init=%s/best.safetensors", run));

    /* A file that is not there is missed before anything else is read. */
    train_fails(folder, 1, "model.init: cannot read 'gone.safetensors'|model.init= on the command line",
                "model.init=gone.safetensors data.dataset=folder data.root=gone");

    /* Another kind of file is named for what it is, with the command that converts it. */
    static const char saved[] = "PK\3\4\0\0\10\10----resnet/data.pkl";
    scratch_write(bad, saved, sizeof saved - 1);
    snprintf(keys, sizeof keys, "'model.init=%s'", bad);
    train_fails(folder, 1, "bad.safetensors: it is a PyTorch file|python3 -c|bad-converted.safetensors", keys);
    program_fails(folder, 1, "it is a PyTorch file", "eval '%s'", bad);
}

/* ---- output */

static void test_unwritable_output(void **state)
{
    const char *folder = *state;
    program_fails(folder, 1, "small.ini|Not a directory", "train --quiet '%s/small.ini' 'output.dir=%s/small.ini/below'", folder, folder);
    program_fails(folder, 1, "small.ini", "train --quiet '%s/small.ini' 'output.dir=%s/small.ini'", folder, folder);
    free(program_prints(folder, "train --quiet '%s/small.ini' 'output.dir=%s/writes' train.epochs=1", folder, folder));
    program_fails(folder, 1, "logits.npy", "eval '%s/writes/best.safetensors' --logits '%s/small.ini/logits.npy'", folder, folder);
    program_fails(folder, 1, "small.ini", "cam '%s/writes/best.safetensors' --index 0 -o '%s/small.ini'", folder, folder);
}

/* Files may not grow beyond a limit, as on a full disk: the run stops and says so, and what was saved before stays good. */
static void test_disk_full(void **state)
{
    const char *folder = *state;
    char run[512];
    snprintf(run, sizeof run, "%s/full", folder);
    free(program_prints(folder, "train --quiet '%s/small.ini' 'output.dir=%s' train.epochs=1 optim.schedule=constant", folder, run));
    size_t size;
    char *before = scratch_read(scratch_path(run, "state.safetensors"), &size);
    const size_t entries = scratch_entries(run);
    scratch_limit_files(size - 1000);
    outcome result =
        program_run(folder, "train --quiet '%s/small.ini' 'output.dir=%s' train.epochs=2 optim.schedule=constant --resume", folder, run);
    scratch_unlimit_files();
    assert_int_equal(result.status, 1);
    if (strstr(result.err, "state.safetensors") == NULL || strchr(result.err, '(') == NULL)
        fail_msg("what could not be written? %s", result.err);
    outcome_free(&result);
    size_t after_size;
    char *after = scratch_read(scratch_path(run, "state.safetensors"), &after_size);
    assert_non_null(after);
    assert_int_equal(after_size, size);
    assert_memory_equal(after, before, size);
    assert_int_equal(scratch_entries(run), entries - 1); /* result.json went when the run went on; no temporary file stayed */
    free(before);
    free(after);
    free(program_prints(folder, "eval '%s/best.safetensors'", run));
    /* With room again, the run goes on. */
    free(program_prints(folder, "train --quiet '%s/small.ini' 'output.dir=%s' train.epochs=2 optim.schedule=constant --resume", folder,
                        run));
    metrics_table *m = metrics_load(run);
    assert_int_equal(m->rows, 2);
    free(m);
}

/* ---- limits of the device and of numbers */

static void test_device_memory(void **state)
{
    train_fails(*state, 1, "device memory|bytes|train.batch_labeled|the largest buffers|training step",
                "train.batch_labeled=1000000 model.width=8");
}

/* A process that may not have what the device says it has: PoCL would end it, so it is not asked. Sanitizers need all of the address space.
 */
static void test_process_memory(void **state)
{
    const char *folder = *state;
    struct rlimit before, lower;
    if (default_device_is_slow()) skip();
    char *devices = program_prints(folder, "devices --json");
    const bool is_cpu = strstr(devices, "\"type\": \"cpu\"") && !strstr(devices, "\"type\": \"gpu\"");
    free(devices);
#ifdef __SANITIZE_ADDRESS__
    skip();
#endif
    if (!is_cpu) skip();
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    lower = before;
    lower.rlim_cur = (rlim_t)1500 << 20;
    assert_int_equal(setrlimit(RLIMIT_AS, &lower), 0);
    outcome result =
        program_run(folder, "train '%s/small.ini' 'output.dir=%s/limited' --quiet model.width=32 data.image_size=128", folder, folder);
    assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
    if (result.status != 1 || !strstr(result.err, "camcl: device memory: ") || !strstr(result.err, "ulimit -v") ||
        !strstr(result.err, "lower train.batch_labeled"))
        fail_msg("exit %d: %s", result.status, result.err);
    outcome_free(&result);
}

static void test_not_finite(void **state)
{
    const char *folder = *state;
    char run[512];
    snprintf(run, sizeof run, "%s/diverges", folder);
    /* The rate rises with every step until nothing is finite any more. */
    program_fails(
        folder, 1,
        "NaN|step|optim.lr = 1e6|/diverges/config.ini optim.lr=100000 output.dir=|/diverges-lr100000|Saved before, and kept: step",
        "train --quiet '%s/small.ini' 'output.dir=%s' ssl.mode=supervised optim.lr=1e6 optim.schedule=constant "
        "optim.warmup=10000000 optim.weight_decay=1 "
        "train.epochs=1000001 train.epoch_steps=10",
        folder, run);
    assert_int_not_equal(access(scratch_path(run, "result.json"), F_OK), 0);
    char *out = program_prints(folder, "eval '%s/last.safetensors' --json", run);
    cc_json *json = json_parse_text(out);
    assert_true(json_number_at(json, "n") > 0);
    cc_json_free(&json);
    free(out);
    free(program_prints(folder, "eval '%s/best.safetensors' --json", run));
    size_t size;
    char *log = scratch_read(scratch_path(run, "train.log"), &size);
    assert_non_null(strstr(log, "optim.lr"));
    free(log);
}

/* The command that the message gives, without the name of the program. */
static char *advised(const char *folder, const char *name)
{
    size_t size;
    char *text = scratch_read(scratch_path(folder, name), &size), *start = strstr(text, "(lower it: camcl "), *end = NULL;
    if (start) end = strstr(start, ")\n");
    if (end == NULL) fail_msg("no command in: %s", text);
    *end = '\0';
    memmove(text, start + strlen("(lower it: camcl "), strlen(start + strlen("(lower it: camcl ")) + 1);
    return text;
}

/* Nothing was saved, and that is what is said; the command given begins again in the same folder, whatever its name. */
static void test_not_finite_at_once(void **state)
{
    const char *folder = *state;
    outcome result =
        program_run(folder, "train --quiet '%s/small.ini' \"output.dir=%s/it's there\" optim.lr=1e6 train.epoch_steps=100 2>'%s/said'",
                    folder, folder, folder);
    assert_int_equal(result.status, 1);
    outcome_free(&result);
    size_t size;
    char *said = scratch_read(scratch_path(folder, "said"), &size);
    if (!strstr(said, "Nothing was saved") || strstr(said, "last.safetensors")) fail_msg("not what happened: %s", said);
    free(said);
    assert_int_not_equal(access(scratch_path(folder, "it's there/state.safetensors"), F_OK), 0);
    char *command = advised(folder, "said");
    free(program_prints(folder, "%s --quiet train.epochs=1 optim.lr=1e-3", command));
    free(command);
    assert_int_equal(access(scratch_path(folder, "it's there/result.json"), F_OK), 0);
}

/* No learning rate makes the first loss what it is. */
static void test_not_finite_from_the_start(void **state)
{
    program_fails(*state, 1, "in the first step|check data.mean and data.std",
                  "train --quiet '%s/small.ini' 'output.dir=%s/impossible' data.std=1e-38,1e-38,1e-38", (char *)*state, (char *)*state);
}

int main(void)
{
    if (!program_is_named()) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_data),         cmocka_unit_test(test_configuration),      cmocka_unit_test(test_ambiguous_device),
        cmocka_unit_test(test_small_images), cmocka_unit_test(test_checkpoints),        cmocka_unit_test(test_unwritable_output),
        cmocka_unit_test(test_disk_full),    cmocka_unit_test(test_device_memory),      cmocka_unit_test(test_process_memory),
        cmocka_unit_test(test_not_finite),   cmocka_unit_test(test_not_finite_at_once), cmocka_unit_test(test_not_finite_from_the_start),
    };
    return cmocka_run_group_tests(tests, runs_setup, runs_teardown);
}
