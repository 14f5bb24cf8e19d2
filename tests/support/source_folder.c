#include "support/source_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "camcl/image.h"
#include "model/arch.h"
#include "model/param.h"
#include "run/safetensors.h"
#include "support/ok.h"
#include "support/scratch.h"

static camcl_error err;
static char *caches; /* the group's folder */

/* *state stays NULL, so that a test's own initial state counts. */
int source_folders_setup(void **state)
{
    void *folder;
    (void)state;
    if (scratch_setup(&folder) != 0) return -1;
    caches = folder;
    return 0;
}

int source_folders_teardown(void **state)
{
    void *folder = caches;
    (void)state;
    caches = NULL;
    return scratch_teardown(&folder);
}

/* ---- pictures and weights */

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

/* ---- programs */

static void write_script(const char *folder, const char *name, cc_text *script)
{
    const char *path = scratch_path(folder, name);
    assert_false(script->failed);
    scratch_write(path, script->data, script->length);
    assert_int_equal(chmod(path, 0755), 0);
    cc_text_free(script);
}

static void write_program(const char *folder, const char *page, const source_shorter *rows, size_t count)
{
    cc_text script = CC_TEXT_INIT;
    cc_text_add(&script, "#!/bin/sh\ncase \"$*\" in\n");
    for (size_t i = 0; i < count; i++) {
        if (rows[i].page && strcmp(rows[i].page, page) != 0) continue;
        for (const char *p = rows[i].pattern; *p; p++)
            cc_text_add(&script, *p == ' ' ? "\\ " : "%c", *p);
        cc_text_add(&script, ") set -- \"$@\" %s ;;\n", rows[i].more);
    }
    cc_text_add(&script, "esac\nexec '%s' \"$@\"\n", getenv("CAMCL_PROGRAM"));
    write_script(folder, "build/camcl", &script);
    assert_int_equal(symlink("../build/camcl", scratch_path(folder, "bin/camcl")), 0);
}

/* The program's own build is done; other projects are built, and what is installed is what was built. */
static void write_tools(const char *folder)
{
    cc_text script = CC_TEXT_INIT;
    const char *program = getenv("CAMCL_PROGRAM"), *slash = strrchr(program, '/');
    cc_text_add(&script, "#!/bin/sh\ncase \"$1 $2 $3\" in '-S . -B' | '--build build '*) exit 0 ;; esac\n");
    cc_text_add(&script, "if [ \"$1 $2\" = '--install build' ]; then shift 2; set -- --install '%.*s' \"$@\"; fi\n",
                (int)(slash ? slash - program : 0), program);
    cc_text_add(&script, "PATH=${PATH#*:} exec cmake \"$@\"\n");
    write_script(folder, "bin/cmake", &script);
    cc_text_add(&script, "#!/bin/sh\n");
    write_script(folder, "bin/ctest", &script);
}

char *source_folder_create(const char *page, const source_shorter *rows, size_t count)
{
    static const char *const made[] = {
        "build", "bin", "photos/train/beetle", "photos/train/fern", "photos/train/river", "photos/unlabeled", "new"
    };
    static const char *const linked[] = { "cl", "configs", "docs", "host", "include", "run", "tests", "CMakeLists.txt", "LICENSE" };
    void *folder;
    char source[4096], target[4200];
    assert_int_equal(scratch_setup(&folder), 0);
    assert_non_null(getcwd(source, sizeof source));
    for (size_t i = 0; i < CC_COUNT(made); i++)
        OK(cc_make_folders(scratch_path(folder, made[i]), &err));
    for (size_t i = 0; i < CC_COUNT(linked); i++) {
        snprintf(target, sizeof target, "%s/%s", source, linked[i]);
        assert_int_equal(symlink(target, scratch_path(folder, linked[i])), 0);
    }
    write_program(folder, page, rows, count);
    write_tools(folder);
    draw_pictures(folder);
    write_weights(scratch_path(folder, "resnet18.safetensors"));
    return folder;
}

void source_folder_destroy(char **folder)
{
    void *state = *folder;
    if (state) scratch_teardown(&state);
    *folder = NULL;
}

int source_folder_run(const char *folder, const char *script, char **printed, char **said)
{
    cc_text command = CC_TEXT_INIT;
    size_t size;
    scratch_write(scratch_path(folder, "commands"), script, strlen(script));
    cc_text_add(&command,
                "cd '%s' && HOME='%s' XDG_CACHE_HOME='%s/cache' POCL_CACHE_DIR='%s/pocl' PATH='%s/bin':\"$PATH\" CAMCL_INSTALL=no "
                "sh -ev commands >out 2>err </dev/null",
                folder, folder, caches, caches, folder);
    assert_false(command.failed);
    const int status = system(command.data);
    cc_text_free(&command);
    *printed = scratch_read(scratch_path(folder, "out"), &size);
    *said = scratch_read(scratch_path(folder, "err"), &size);
    assert_true(*printed && *said);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
