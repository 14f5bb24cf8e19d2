/* Finding and reading a published data set's files, wherever a user may have put them. */
#ifndef CC_DATASET_SOURCE_H
#define CC_DATASET_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "dataset/archive.h"

typedef struct cc_source {
    const char *dataset;        /* for messages */
    const char *const *folders; /* where the files may be below the root, besides the root itself; NULL-terminated */
    const char *archive;        /* the official archive's name, or NULL */
    const char *fetch;          /* where to get it, for messages */
} cc_source;

typedef struct cc_source_file {
    const char *name;
    bool optional;
    cc_blob blob; /* result; data NULL: optional and not there */
    char *path;   /* result: where it was found, for messages */
} cc_source_file;

/* Reads every file from the folder or archive that `root` refers to. A file `name` may also be there as `name`.gz. CAMCL_BAD_DATA if the
 * root, the folder or a file that is not optional is missing; the message names every missing file. The caller frees results with
 * cc_source_free, also after an error. */
camcl_status cc_source_read(const cc_source *source, const char *root, cc_source_file *files, size_t count, camcl_error *err);
void cc_source_free(cc_source_file *files, size_t count);

#endif
