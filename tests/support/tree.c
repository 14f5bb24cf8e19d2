#include "support/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "camcl/image.h"
#include "support/scratch.h"

static void make_parents(const char *path)
{
    char folder[4096];
    snprintf(folder, sizeof folder, "%s", path);
    *strrchr(folder, '/') = '\0';
    assert_int_equal(cc_make_folders(folder, NULL), CAMCL_OK);
}

void tree_picture(const char *root, const char *name, uint32_t side, uint8_t value)
{
    const char *path = scratch_path(root, name);
    camcl_image image = CAMCL_IMAGE_INIT;
    make_parents(path);
    assert_int_equal(camcl_image_create(side, side, 3, &image, NULL), CAMCL_OK);
    memset(image.pixels, value, (size_t)side * side * 3);
    assert_int_equal(camcl_image_write_png(path, &image, NULL), CAMCL_OK);
    camcl_image_free(&image);
}

void tree_pictures(const char *root, const char *folder, int count, uint8_t first)
{
    char name[512];
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%s/%02d.png", folder, i);
        tree_picture(root, name, 4, (uint8_t)(first + i));
    }
}

void tree_file(const char *root, const char *name, const char *text)
{
    const char *path = scratch_path(root, name);
    make_parents(path);
    scratch_write(path, text, strlen(text));
}

void tree_folder(const char *root, const char *name) { assert_int_equal(cc_make_folders(scratch_path(root, name), NULL), CAMCL_OK); }

bool pictures_missing(void)
{
    camcl_image dot = { 1, 1, 3, (uint8_t[]){ 1, 2, 3 } };
    uint8_t *png = NULL;
    size_t size = 0;
    camcl_status status = camcl_image_encode_png(&dot, &png, &size, NULL);
    free(png);
    return status == CAMCL_UNSUPPORTED;
}

camcl_dataset *tree_open(const camcl_dataset_spec *spec)
{
    camcl_dataset *dataset = NULL;
    camcl_error err = { 0 };
    camcl_status status = camcl_dataset_open(spec, &dataset, &err);
    if (status != CAMCL_OK) print_error("%s\n", err.message);
    assert_int_equal(status, CAMCL_OK);
    return dataset;
}

void tree_refused(const camcl_dataset_spec *spec, camcl_status expected, const char *part, const char *other)
{
    camcl_dataset *dataset = NULL;
    camcl_error err = { 0 };
    camcl_status status = camcl_dataset_open(spec, &dataset, &err);
    if (status != expected || !strstr(err.message, part) || !strstr(err.message, other))
        print_error("%s: %s\n", camcl_status_name(status), err.message);
    assert_int_equal(status, expected);
    assert_null(dataset);
    assert_non_null(strstr(err.message, part));
    assert_non_null(strstr(err.message, other));
    assert_non_null(strstr(err.message, ": "));
}

uint32_t tree_left_out(const camcl_dataset *dataset, const char *kind)
{
    size_t count;
    const camcl_left_out *rows = camcl_dataset_left_out(dataset, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].kind, kind) == 0) return rows[i].count;
    return 0;
}
