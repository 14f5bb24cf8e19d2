/* NumPy's files of float32 in C order. */
#ifndef CLI_NPY_H
#define CLI_NPY_H

#include <stddef.h>

#include "whole_file.h"

/* Writes the header for an array of `dims` sizes; it is equally long for every array, so that one may be written first and corrected
 * later. */
void cli_npy_header(FILE *stream, const size_t *shape, size_t dims);

#endif
