/* docs/own-pictures.md: every command of the page is run as it stands there, in order, on drawn pictures. The page calls build/camcl; here
 * that is a script which runs the program and puts `shorter` behind each training. Nothing else is changed. A block that begins with
 * "```sh download" needs the network and is not run; what it makes is there before. */
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

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "camcl/image.h"
#include "model/arch.h"
#include "model/param.h"
#include "run/safetensors.h"
#include "support/program.h"
#include "support/scratch.h"
#include "support/tree.h"

#define PAGE "docs/own-pictures.md"

static const char shorter[] =
    "model.width=8 data.image_size=32 train.epochs=2 train.epoch_steps=20 train.batch_labeled=8 train.batch_unlabeled=8 "
    "optim.warmup=0";

static camcl_error err;

#define OK(call)                                                                                                                           \
    do {                                                                                                                                   \
        if ((call) != CAMCL_OK) fail_msg("%s: %s\n%s", #call, err.message, err.detail);                                                    \
    } while (0)

/* ---- what the page takes for granted */

/* Of the class's colour, with noise; no two of one size. */
static void draw_picture(const char *folder, const char *name, int class, int number)
{
    static const int colours[3][3] = { { 200, 60, 40 }, { 40, 180, 60 }, { 40, 80, 200 } };
    camcl_image image = CAMCL_IMAGE_INIT;
    uint32_t noise = (uint32_t)(class * 1000 + number);
    OK(camcl_image_create((uint32_t)(40 + 7 * number), (uint32_t)(90 - 4 * number), 3, &image, &err));
    for (size_t i = 0; i < (size_t)image.width * image.height * 3; i++) {
        noise = noise * 1664525u + 1013904223u;
        image.pixels[i] = (uint8_t)(colours[class][i % 3] + (int)(noise >> 26) - 32);
    }
    OK(camcl_image_write_png(scratch_path(folder, name), &image, &err));
    camcl_image_free(&image);
}

static void draw_pictures(const char *folder)
{
    static const char *const classes[] = { "beetle", "fern", "river" };
    static const int counts[] = { 12, 6, 4 };
    char name[64];
    for (int place = 0; place < 3; place++)
        for (int class = 0; class < 3; class ++)
            for (int i = 0; i < counts[place]; i++) {
                if (place == 0) snprintf(name, sizeof name, "photos/train/%s/%02d.png", classes[class], i);
                if (place == 1) snprintf(name, sizeof name, "photos/unlabeled/%s%02d.png", classes[class], i);
                if (place == 2) snprintf(name, sizeof name, "new/%s-%02d.png", classes[class], i);
                draw_picture(folder, name, class, i);
            }
}

/* Weights as torchvision would have them, of a narrow network that nobody trained. */
static void write_weights(const char *path)
{
    cc_graph *g = NULL;
    cc_st_tensor *tensors = NULL;
    const cc_graph_spec spec = { .arch = "resnet18", .stem = "imagenet", .width = 8, .classes = 1000, .channels = 3 };
    OK(cc_graph_build(&spec, 1, &g, &err));
    OK(CC_NEW(g->param_count, &tensors, &err));
    for (size_t i = 0; i < g->param_count; i++) {
        const cc_param *p = &g->params[i];
        float *values = NULL;
        OK(CC_NEW(p->count, &values, &err));
        cc_param_draw(g, i, 1, values);
        tensors[i] = (cc_st_tensor){ .name = p->name, .dtype = CC_ST_F32, .dims = p->rank, .data = values };
        memcpy(tensors[i].shape, p->dim, sizeof p->dim);
    }
    OK(cc_safetensors_write(path, tensors, g->param_count, NULL, 0, &err));
    for (size_t i = 0; i < g->param_count; i++)
        free((void *)(uintptr_t)tensors[i].data);
    free(tensors);
    cc_graph_destroy(&g);
}

static void write_program(const char *folder)
{
    cc_text script = CC_TEXT_INIT;
    const char *path = scratch_path(folder, "build/camcl");
    cc_text_add(&script, "#!/bin/sh\n[ \"$1\" != train ] || set -- \"$@\" %s\nexec '%s' \"$@\"\n", shorter, getenv("CAMCL_PROGRAM"));
    assert_false(script.failed);
    scratch_write(path, script.data, script.length);
    assert_int_equal(chmod(path, 0755), 0);
    cc_text_free(&script);
}

static int set_up(void **state)
{
    static const char *const folders[] = { "build", "photos/train/beetle", "photos/train/fern", "photos/train/river", "photos/unlabeled",
                                           "new" };
    if (scratch_setup(state) != 0) return -1;
    char configs[4096];
    if (getcwd(configs, sizeof configs - 16) == NULL) return -1;
    strcat(configs, "/configs");
    for (size_t i = 0; i < CC_COUNT(folders); i++)
        if (cc_make_folders(scratch_path(*state, folders[i]), NULL) != CAMCL_OK) return -1;
    return symlink(configs, scratch_path(*state, "configs"));
}

/* ---- the page */

static void run_command(const char *folder, const char *command)
{
    cc_text line = CC_TEXT_INIT;
    cc_text_add(
        &line,
        "cd '%s' && XDG_CACHE_HOME='%s/cache' POCL_CACHE_DIR='%s/pocl' && export XDG_CACHE_HOME POCL_CACHE_DIR && { %s\n} >out 2>err",
        folder, folder, folder, command);
    assert_false(line.failed);
    const int status = system(line.data);
    cc_text_free(&line);
    size_t size;
    char *out = scratch_read(scratch_path(folder, "out"), &size), *said = scratch_read(scratch_path(folder, "err"), &size);
    assert_true(out && said);
    if (status != 0 || strstr(out, "nan")) fail_msg("%s: %s\n%s%s", PAGE, command, out, said);
    free(out);
    free(said);
}

static bool starts_with(const char *text, const char *start) { return strncmp(text, start, strlen(start)) == 0; }

/* Runs what stands in `...` and begins with build/camcl; adds key=value in such quotes to keys. */
static size_t run_quoted(const char *folder, char *line, cc_text *keys)
{
    size_t count = 0;
    for (char *start = strchr(line, '`'); start; start = strchr(start, '`')) {
        char *end = strchr(++start, '`');
        if (end == NULL) fail_msg("%s: a quote does not end: %s", PAGE, line);
        *end = '\0';
        const size_t section = strspn(start, "abcdefghijklmnopqrstuvwxyz"), key = strcspn(start, "= ");
        if (starts_with(start, "build/camcl ")) {
            run_command(folder, start);
            count++;
        } else if (start[section] == '.' && start[key] == '=')
            cc_text_add(keys, " %s", start);
        start = end + 1;
    }
    return count;
}

/* Returns how many commands were run; *downloads: blocks that were not. */
static size_t run_page(const char *folder, char *page, size_t *downloads, cc_text *keys)
{
    enum { PROSE, COMMANDS, OTHER } in = PROSE;
    size_t count = 0;
    for (char *line = strtok(page, "\n"); line; line = strtok(NULL, "\n")) {
        if (starts_with(line, "```") && in == PROSE) {
            const bool download = strcmp(line, "```sh download") == 0;
            *downloads += download;
            in = strcmp(line, "```sh") == 0 ? COMMANDS : OTHER;
            if (in == OTHER && !download && strcmp(line, "```text") != 0) fail_msg("%s: what kind of block is %s?", PAGE, line);
        } else if (starts_with(line, "```"))
            in = PROSE;
        else if (in == COMMANDS) {
            run_command(folder, line);
            count++;
        } else if (in == PROSE)
            count += run_quoted(folder, line, keys);
    }
    assert_int_equal(in, PROSE);
    return count;
}

static void there_is(const char *folder, const char *name)
{
    if (access(scratch_path(folder, name), R_OK) != 0) fail_msg("%s is not there", name);
}

static size_t count_lines(const char *folder, const char *name)
{
    size_t count = 0, size;
    char *text = scratch_read(scratch_path(folder, name), &size);
    assert_non_null(text);
    for (const char *p = text; *p; p++)
        count += *p == '\n';
    free(text);
    return count;
}

static void every_command_of_the_page_works(void **state)
{
    const char *folder = *state;
    static const char *const left[] = {
        "contact-sheet.png",      "runs/own-supervised/report.html", "runs/own-pictures/report.html", "runs/own-pictures/best.safetensors",
        "cams/beetle-00_cam.png", "cams/river-03_overlay.png",       "runs/own-second/result.json"
    };
    if (pictures_missing()) skip();
    draw_pictures(folder);
    write_weights(scratch_path(folder, "resnet18.safetensors"));
    write_program(folder);
    size_t downloads = 0, size;
    cc_text keys = CC_TEXT_INIT, command = CC_TEXT_INIT;
    char *page = scratch_read(PAGE, &size);
    assert_non_null(page);
    const size_t count = run_page(folder, page, &downloads, &keys);
    free(page);
    print_message("%zu commands\n", count);
    assert_true(count >= 15);
    assert_int_equal(downloads, 1);
    for (size_t i = 0; i < CC_COUNT(left); i++)
        there_is(folder, left[i]);
    assert_int_equal(count_lines(folder, "answers.csv"), 13);
    assert_true(count_lines(folder, "confident.csv") > 6);
    /* Keys that the text names are keys. */
    assert_false(keys.failed);
    assert_non_null(keys.data);
    cc_text_add(&command, "build/camcl config configs/own-pictures.ini%s", keys.data);
    run_command(folder, command.data);
    cc_text_free(&command);
    cc_text_free(&keys);
}

int main(void)
{
    if (!program_is_named()) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_command_of_the_page_works, set_up, scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
