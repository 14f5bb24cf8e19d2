/* Small data sets of picture files, made by tests. */
#ifndef TESTS_SUPPORT_TREE_H
#define TESTS_SUPPORT_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "camcl/dataset.h"

/* Writes root/name, a PNG of side x side pixels of one value, whatever its extension; the folders in between are made. */
void tree_picture(const char *root, const char *name, uint32_t side, uint8_t value);
/* Writes `count` of them, side 4, named root/folder/00.png, 01.png, ..., with values first, first + 1, .... */
void tree_pictures(const char *root, const char *folder, int count, uint8_t first);
/* Writes root/name with this text; the folders in between are made. */
void tree_file(const char *root, const char *name, const char *text);
void tree_folder(const char *root, const char *name);

/* Whether this build cannot write pictures, so that a test has nothing to read. */
bool pictures_missing(void);

/* Opens; fails the running test where that fails. */
camcl_dataset *tree_open(const camcl_dataset_spec *spec);
/* Opening must fail with this status, and a message that has both parts. */
void tree_refused(const camcl_dataset_spec *spec, camcl_status expected, const char *part, const char *other);
/* How many were left out of this kind. */
uint32_t tree_left_out(const camcl_dataset *dataset, const char *kind);

#endif
