/* camcl report from outside: where the page goes, what is left alone, and what a run says of the images that it shows. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/program.h"
#include "support/report_page.h"
#include "support/runs.h"
#include "support/scratch.h"

enum { CLASSES = 10, TEST_IMAGES = 2000, GALLERY = 16, MISTAKES = 6 };

static int setup(void **state)
{
    if (runs_setup(state) != 0) return -1;
    outcome result = program_run(*state, "train --quiet '%s/small.ini' 'output.dir=%s/run' train.epochs=1", (char *)*state, (char *)*state);
    if (result.status != 0) fprintf(stderr, "%s", result.err);
    const int failed = result.status != 0;
    outcome_free(&result);
    return failed;
}

static void test_output(void **state)
{
    const char *folder = *state;
    char page[512], *said;
    snprintf(page, sizeof page, "%s/page.html", folder);
    said = program_prints(folder, "report '%s/run' -o '%s'", folder, page);
    assert_int_equal(strncmp(said, page, strlen(page)), 0);
    free(said);
    cc_json *document = report_document(page);
    assert_string_equal(json_string_of(report_run(document, 0), "name"), "run");
    cc_json_free(&document);
    free(program_prints(folder, "report '%s/run' --output='%s'", folder, page)); /* its own page may be replaced */

    scratch_write(page, "mine", 4);
    program_fails(folder, 1, "page.html|no report of camcl|choose another file", "report '%s/run' -o '%s'", folder, page);
    size_t size;
    char *kept = scratch_read(page, &size);
    assert_string_equal(kept, "mine");
    free(kept);
    program_fails(folder, 2, "-o", "report '%s/run' -o", folder);

    /* The page would take the place of a link that is meant to lead somewhere. */
    assert_int_equal(unlink(page), 0);
    assert_int_equal(symlink("nowhere", page), 0);
    program_fails(folder, 1, "page.html|a link that leads nowhere|choose another file", "report '%s/run' -o '%s'", folder, page);
    assert_int_equal(unlink(page), 0);
}

/* logits [TEST_IMAGES,CLASSES] of the test set, by `eval`. */
static float *test_logits(const char *folder)
{
    const size_t bytes = sizeof(float) * TEST_IMAGES * CLASSES;
    size_t size;
    free(program_prints(folder, "eval '%s/run/best.safetensors' --logits '%s/logits.npy'", folder, folder));
    char *file = scratch_read(scratch_path(folder, "logits.npy"), &size);
    assert_non_null(file);
    assert_true(size > bytes);
    float *logits = malloc(bytes);
    assert_non_null(logits);
    memcpy(logits, file + size - bytes, bytes); /* behind the header */
    free(file);
    return logits;
}

/* The gallery's entry of this file. */
static const cc_json *shown_as(const cc_json *gallery, const char *file)
{
    for (size_t i = 0; i < gallery->count; i++)
        if (strcmp(json_string_of(&gallery->items[i], "file"), file) == 0) return &gallery->items[i];
    fail_msg("the page does not show %s", file);
    return NULL;
}

/* Class and confidence in cams/index.json are what `eval` makes of the same images, and the page has them. */
static void test_gallery(void **state)
{
    const char *folder = *state;
    cc_json *index = json_load(scratch_path(folder, "run/cams"), "index.json");
    cc_json *document = report_document(scratch_path(folder, "run/report.html"));
    const cc_json *images = json_at(index, "images"), *gallery = json_at(document, "gallery"),
                  *classes = json_at(document, "runs/0/confusion/classes");
    float *logits = test_logits(folder);
    assert_int_equal(images->count, GALLERY + MISTAKES);
    for (size_t i = 0; i < images->count; i++) {
        const cc_json *image = &images->items[i], *shown = shown_as(gallery, json_string_of(image, "file"));
        const float *row = logits + (size_t)json_number_of(image, "index") * CLASSES;
        double sum = 0;
        size_t best = 0;
        for (size_t c = 0; c < CLASSES; c++)
            if (row[c] > row[best]) best = c;
        for (size_t c = 0; c < CLASSES; c++)
            sum += exp((double)row[c] - row[best]);
        assert_string_equal(json_string_of(image, "predicted"), cc_json_string(&classes->items[best]));
        const double confidence = json_number_of(image, "confidence");
        if (!(fabs(confidence - 1 / sum) < 1e-3)) fail_msg("image %zu: confidence %g instead of %g", i, confidence, 1 / sum);
        assert_string_equal(json_string_of(shown, "class"), json_string_of(image, "class"));
        assert_string_equal(json_string_of(shown, "runs/0/predicted"), json_string_of(image, "predicted"));
        assert_true(json_number_of(shown, "runs/0/confidence") == confidence);
        assert_int_equal(json_at(shown, "parts")->count, 2); /* image and mask */
        if (i < GALLERY) assert_int_equal(json_at(shown, "runs/0/parts")->count, cc_json_get(image, "distance") ? 6 : 2);
        if (i >= GALLERY) assert_string_not_equal(json_string_of(image, "class"), json_string_of(image, "predicted"));
    }
    free(logits);
    cc_json_free(&document);
    cc_json_free(&index);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_output), cmocka_unit_test(test_gallery) };
    if (!program_is_named()) return 1;
    return cmocka_run_group_tests(tests, setup, runs_teardown);
}
