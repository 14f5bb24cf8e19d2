/* Training on one's own pictures: classes alone in a folder, with pictures that have no label, and the same pictures by a list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "support/program.h"
#include "support/runs.h"
#include "support/scratch.h"
#include "support/tree.h"

/* The folder of the test thrice. */
#define TRAIN(dataset, at, to) "train '%s/small.ini' data.dataset=" dataset " data.root='%s/" at "' output.dir='%s/" to "' " SETTINGS
#define SETTINGS "data.labeled=all data.unlabeled=all data.validation=auto train.epochs=1 -q"

/* Numbers in a pool of splits.json. */
static size_t pool_size(const cc_json *split, const char *pool)
{
    const cc_json *numbers = cc_json_get(split, pool);
    assert_non_null(numbers);
    return numbers->count;
}

static void a_folder_and_a_list_of_the_same_pictures_train_alike(void **state)
{
    static const char *const folders[] = { "cat", "dog", "unlabeled" };
    const char *root = *state;
    cc_text list = CC_TEXT_INIT;
    if (pictures_missing()) skip();
    cc_text_add(&list, "\xEF\xBB\xBFprobability,path,label\r\n");
    for (int i = 0; i < 3; i++) {
        char folder[32];
        snprintf(folder, sizeof folder, "d/%s/more", folders[i]);
        tree_pictures(root, folder, 12, (uint8_t)(80 * i));
        for (int k = 0; k < 12; k++)
            cc_text_add(&list, "0.5,\"%s/more/%02d.png\",%s\r\n", folders[i], k, i < 2 ? folders[i] : "");
    }
    tree_file(root, "d/cat/notes.gif", "x");
    tree_file(root, "d/list.csv", list.data);
    cc_text_free(&list);
    free(program_prints(root, TRAIN("folder", "d", "folder"), root, root, root));
    free(program_prints(root, TRAIN("list", "d/list.csv", "list"), root, root, root));
    assert_same_metrics(scratch_path(root, "folder"), scratch_path(root, "list"));
    assert_same_file(scratch_path(root, "folder"), scratch_path(root, "list"), "splits.json");
    assert_same_file(scratch_path(root, "folder"), scratch_path(root, "list"), "confusion.csv");
    cc_json *split = json_load(scratch_path(root, "list"), "splits.json");
    assert_int_equal(pool_size(split, "test"), 4); /* 15 % of 24 are 3.6 */
    assert_int_equal(pool_size(split, "unlabeled"), 12);
    assert_int_equal(pool_size(split, "labeled") + pool_size(split, "validation"), 20);
    cc_json_free(&split);
}

static void what_is_wrong_is_said_at_once(void **state)
{
    const char *root = *state;
    if (pictures_missing()) skip();
    tree_pictures(root, "e/train/cat", 2, 0);
    tree_file(root, "e/train/dog/1.gif", "x");
    program_fails(root, 1, "e/train/dog holds no pictures, but 1 .gif", TRAIN("folder", "e", "none"), root, root, root);
    tree_file(root, "list.csv", "path,label\ne/train/cat/00.png,cat\ne/gone.png,\"dog\n");
    program_fails(root, 1, "list.csv:3: a quote that is not closed", TRAIN("list", "list.csv", "none"), root, root, root);
    tree_file(root, "list.csv", "path,label\ne/train/cat/00.png,cat\ne/gone.png,dog\n");
    outcome result = program_run(root, TRAIN("list", "list.csv", "none"), root, root, root);
    assert_int_equal(result.status, 1);
    assert_non_null(strstr(result.err, "list.csv:3: "));
    assert_non_null(strstr(result.err, "No such file"));
    assert_null(strstr(result.err, "relative to the list's folder")); /* the other one is there */
    outcome_free(&result);
    /* A list without its pictures, whatever is said of damaged ones. */
    tree_file(root, "list.csv", "path,label\n00.png,cat\n01.png,dog\n");
    program_fails(root, 1, "2 of 2 pictures|\n    paths in a list are relative to the list's folder", TRAIN("list", "list.csv", "none"),
                  root, root, root);
    program_fails(root, 1, "none of 2 pictures|\n    paths in a list are relative to the list's folder",
                  TRAIN("list", "list.csv", "none") " data.corrupt=skip", root, root, root);
}

/* The held-out test set is drawn from the pictures that are there: with one more, another set is drawn, of pictures that the run trained
 * on. */
static void pictures_that_came_later_are_no_test(void **state)
{
    const char *root = *state;
    if (pictures_missing()) skip();
    tree_pictures(root, "f/cat", 12, 0);
    tree_pictures(root, "f/dog", 12, 90);
    free(program_prints(root, TRAIN("folder", "f", "grown") " ssl.mode=supervised", root, root, root));
    free(program_prints(root, "eval '%s/grown/best.safetensors'", root));
    free(program_prints(root, "eval '%s/grown/best.safetensors' --split validation", root));
    tree_pictures(root, "f/cat/more", 3, 30);
    program_fails(root, 1, "grown/splits.json: the data set is another one|\"test\"|data.root", "eval '%s/grown/best.safetensors'", root);
    program_fails(root, 1, "grown/splits.json: the data set is another one|\"validation\"",
                  "cam '%s/grown/best.safetensors' --index 0 --split validation -o '%s/maps'", root, root);
    /* Who names the pictures says so. */
    free(program_prints(root, "eval '%s/grown/best.safetensors' 'data.root=%s/f'", root, root));
    /* Away from its run, what the draw depends on is not known. */
    size_t size;
    char *weights = scratch_read(scratch_path(root, "grown/best.safetensors"), &size);
    assert_non_null(weights);
    scratch_write(scratch_path(root, "alone.safetensors"), weights, size);
    free(weights);
    program_fails(root, 1, "alone.safetensors: which images it was trained on is unknown|data.test_share and data.seed",
                  "eval '%s/alone.safetensors' 'data.root=%s/f'", root, root);
    free(program_prints(root, "eval '%s/alone.safetensors' 'data.root=%s/f' data.test_share=0.15 data.seed=1", root, root));
}

int main(void)
{
    if (!program_is_named()) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_and_a_list_of_the_same_pictures_train_alike),
        cmocka_unit_test(what_is_wrong_is_said_at_once),
        cmocka_unit_test(pictures_that_came_later_are_no_test),
    };
    return cmocka_run_group_tests(tests, runs_setup, runs_teardown);
}
