/* Pictures without a label: training learns from them, and nobody says how many
 * of their pseudo-labels are right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "camcl/image.h"
#include "support/program.h"
#include "support/runs.h"
#include "support/scratch.h"

enum { SIDE = 16, IN_CLASS = 12, UNLABELED = 20 };

static void write_picture(const char *path, uint32_t seed)
{
    uint8_t pixels[SIDE * SIDE * 3];
    const camcl_image image = { SIDE, SIDE, 3, pixels };
    camcl_error err = { 0 };
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)((seed = seed * 1664525u + 1013904223u) >> 24);
    const camcl_status status = camcl_image_write_png(path, &image, &err);
    if (status == CAMCL_UNSUPPORTED) skip();
    if (status != CAMCL_OK) fail_msg("%s", err.message);
}

static void write_pictures(const char *folder, const char *below, int count)
{
    char path[512], name[64];
    static uint32_t seed = 1;
    for (const char *slash = below; slash; slash = strchr(slash + 1, '/')) {
        snprintf(path, sizeof path, "%s/%.*s", folder, (int)(slash - below), below);
        (void)mkdir(path, 0700);
    }
    (void)mkdir(scratch_path(folder, below), 0700);
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%s/%02d.png", below, i);
        write_picture(scratch_path(folder, name), seed++);
    }
}

static char *train(const char *folder, const char *name, const char *keys)
{
    return program_prints(folder,
                          "train '%s/small.ini' 'output.dir=%s/%s' data.dataset=folder "
                          "'data.root=%s/pictures' data.validation=2 "
                          "ssl.threshold=0 ssl.threshold_end=0 %s",
                          folder, folder, name, folder, keys);
}

static void the_figure_is_over_known_labels(void **state)
{
    const char *folder = *state;
    char run[512];
    write_pictures(folder, "pictures/train/cat", IN_CLASS);
    write_pictures(folder, "pictures/train/dog", IN_CLASS);
    write_pictures(folder, "pictures/test/cat", 2);
    write_pictures(folder, "pictures/test/dog", 2);
    write_pictures(folder, "pictures/unlabeled", UNLABELED);

    /* All labelled pictures are in the labelled pool, so those of the unlabelled
     * pool have none. */
    char *out = train(folder, "unknown", "data.labeled=all data.unlabeled=all");
    assert_non_null(strstr(out, "  mask 100.0 %"));
    assert_null(strstr(out, "  pseudo "));
    free(out);
    snprintf(run, sizeof run, "%s/unknown", folder);
    metrics_table *m = metrics_load(run);
    for (size_t r = 0; r < m->rows; r++) {
        assert_true(metrics_empty(m, r, "pseudo_acc"));
        assert_true(metrics_number(m, r, "mask_rate") >= 100);
    }
    free(m);

    /* Some have one: the figure is there again. */
    out = train(folder, "mixed",
                "data.labeled=8 data.balanced=yes data.unlabeled=all "
                "train.epoch_steps=12");
    assert_non_null(strstr(out, "  pseudo "));
    free(out);
    snprintf(run, sizeof run, "%s/mixed", folder);
    m = metrics_load(run);
    for (size_t r = 0; r < m->rows; r++)
        assert_true(metrics_number(m, r, "pseudo_acc") > 0 && metrics_number(m, r, "pseudo_acc") <= 100);
    free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(the_figure_is_over_known_labels) };
    if (!program_is_named()) return 1;
    return cmocka_run_group_tests(tests, runs_setup, runs_teardown);
}
