/* Reading compressed files in memory. The only place that knows libarchive. */
#ifndef CC_DATASET_ARCHIVE_H
#define CC_DATASET_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"

/* A file's content. One NUL byte follows it in data. */
typedef struct cc_blob {
    char *data;
    size_t size;
} cc_blob;

/* Whether this build can read archives. */
bool cc_archive_supported(void);

/* Reads the members of the archive at path (tar, zip, ..., compressed or not) whose last path component is names[i] into blobs[i], all
 * in one walk. The blob of a missing member stays empty (data NULL). The caller frees every data, also after an error. CAMCL_BAD_DATA:
 * truncated or corrupt. CAMCL_UNSUPPORTED: built without libarchive. */
camcl_status cc_archive_read(const char *path, const char *const *names, size_t count, cc_blob *blobs, camcl_error *err);

/* Reads the content of one compressed file (.gz and others). */
camcl_status cc_archive_decompress(const char *path, cc_blob *blob, camcl_error *err);

#endif
