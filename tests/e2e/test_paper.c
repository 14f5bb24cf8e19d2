/* configs/cifar10-paper.ini, the paper's protocol of 256 x 256 images and a ResNet-50 from given weights: it runs, and a device that is
 * too small for it is told what it takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "camcl/device.h"
#include "support/program.h"
#include "support/runs.h"
#include "support/scratch.h"

enum { RECORD = 3073, RECORDS = 40, TEST_RECORDS = 260 };

/* The six files of CIFAR-10, each with `RECORDS` images, the test's with more than are evaluated at once. */
static void write_cifar(const char *folder)
{
    static const char *const names[] = { "data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                         "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin" };
    const char *root = scratch_path(folder, "cifar");
    unsigned char *records = calloc(TEST_RECORDS, RECORD);
    assert_non_null(records);
    mkdir(root, 0777);
    uint32_t noise = 1;
    for (size_t i = 0; i < TEST_RECORDS * RECORD; i++) {
        noise = noise * 1664525u + 1013904223u;
        records[i] = i % RECORD ? (unsigned char)(noise >> 24) : (unsigned char)(i / RECORD % 10);
    }
    for (size_t f = 0; f < 6; f++)
        scratch_write(scratch_path(root, names[f]), records, (f < 5 ? RECORDS : TEST_RECORDS) * RECORD);
    free(records);
}

/* As shipped but for data, length and the first weights: 4 + 4 images of 256 x 256. */
static const char *const shipped = "train --quiet configs/cifar10-paper.ini 'data.root=%s/cifar' data.labeled=10 data.validation=10 "
                                   "train.epochs=1 train.epoch_steps=1 'output.dir=%s/%s' %s";

/* A narrow ResNet-50, which any device can hold; first from nothing, then from the weights that came of it. */
static void test_protocol(void **state)
{
    const char *folder = *state;
    char keys[512], run[512];
    size_t size;
    if (default_device_is_slow()) skip();
    free(program_prints(folder, shipped, folder, folder, "first", "model.width=2 model.init="));
    snprintf(keys, sizeof keys, "model.width=2 'model.init=%s/first/last.safetensors' ssl.threshold=-100", folder);
    free(program_prints(folder, shipped, folder, folder, "second", keys));
    snprintf(run, sizeof run, "%s/second", folder);
    char *log = scratch_read(scratch_path(run, "train.log"), &size);
    assert_non_null(log);
    if (strstr(log, "267 tensors, 53 num_batches_tracked left out") == NULL) fail_msg("what of model.init? %s", log);
    free(log);
    metrics_table *m = metrics_load(run);
    assert_true(metrics_number(m, 0, "mask_rate") > 99);
    assert_true(metrics_number(m, 0, "loss_c") > 0);
    free(m);
}

/* Gives this process's children a PoCL of one GiB, which it takes from the environment, and says which key selects it; otherwise skips the
 * test. Undone by unsetenv. */
static void limit_memory(char keys[64])
{
    camcl_device_info *infos;
    camcl_error err = { 0 };
    size_t count;
    keys[0] = '\0';
    setenv("POCL_MEMORY_LIMIT", "1", 1);
    assert_int_equal(camcl_device_list(&infos, &count, &err), CAMCL_OK);
    for (size_t i = 0; i < count && keys[0] == '\0'; i++)
        if (infos[i].usable && strstr(infos[i].platform, "Portable Computing Language") && infos[i].global_mem <= (size_t)1 << 30)
            snprintf(keys, 64, "model.init= device.select=%s", infos[i].selector);
    free(infos);
    if (keys[0] != '\0') return;
    unsetenv("POCL_MEMORY_LIMIT");
    print_message("no PoCL that takes a limit\n");
    skip();
}

/* The whole network does not fit. */
static void test_too_small_a_device(void **state)
{
    const char *folder = *state;
    char keys[64];
    limit_memory(keys);
    program_fails(folder, 1,
                  "device memory: activations and workspaces, |bytes in |1073741824 in all|in use|train.batch_labeled|"
                  "train.batch_unlabeled|data.image_size|the largest buffers|bytes  |layer1.0.bn3.weight",
                  shipped, folder, folder, "small", keys);
    unsetenv("POCL_MEMORY_LIMIT");
    assert_int_not_equal(access(scratch_path(folder, "small"), F_OK), 0);
}

/* A network whose training fits is evaluated to the end, the test set included: no more large images at once than fit, too. */
static void test_evaluation_fits(void **state)
{
    const char *folder = *state;
    char keys[64], more[128];
    limit_memory(keys);
    snprintf(more, sizeof more, "model.width=24 %s", keys);
    free(program_prints(folder, shipped, folder, folder, "fits", more));
    unsetenv("POCL_MEMORY_LIMIT");
    assert_int_equal(access(scratch_path(folder, "fits/result.json"), F_OK), 0);
}

int main(void)
{
    if (!program_is_named()) return 1;
    void *folder = NULL;
    runs_setup(&folder);
    write_cifar(folder);
    const struct CMUnitTest tests[] = {
        { "test_too_small_a_device", test_too_small_a_device, NULL, NULL, folder }, /* these before this process has seen PoCL */
        { "test_evaluation_fits", test_evaluation_fits, NULL, NULL, folder },       /* without the limit */
        { "test_protocol", test_protocol, NULL, NULL, folder },
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    runs_teardown(&folder);
    return failed;
}
