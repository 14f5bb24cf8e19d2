/* A picture file that is read piece by piece, so that a look at the header needs no more than that, and what is no picture is not read. */
#ifndef CC_IMAGE_PICTURE_FILE_H
#define CC_IMAGE_PICTURE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"

typedef struct cc_picture_file {
    const char *path;
    int handle;
    char *data;
    size_t size, capacity; /* what has been read */
    bool whole;            /* to the end */
} cc_picture_file;

/* CAMCL_IO where the file cannot be read. After a failure there is nothing to close. */
camcl_status cc_picture_file_open(const char *path, cc_picture_file *out, camcl_error *err);
/* Reads on until there are `size` bytes, or the whole file. */
camcl_status cc_picture_file_read(cc_picture_file *file, size_t size, camcl_error *err);
void cc_picture_file_close(cc_picture_file *file);

#endif
