/* Reading archives and compressed files in memory. The only place that knows libarchive. Nothing is ever written to the disk, so a member's
 * name cannot lead anywhere, and links are no files; no file or archive may expand to more than 512 MiB, whatever it claims. */
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

/* No file of a published data set is this large. */
#define CC_CONTENT_LIMIT ((size_t)1 << 29)

/* Whether this build can read archives. */
bool cc_archive_supported(void);

typedef struct cc_archive cc_archive;

/* Opens a .tar (compressed or not: gzip, bzip2, xz, lzma, zstd, lz4), .zip or .7z. CAMCL_BAD_DATA: another kind of file, truncated,
 * corrupt, or larger than the limit. CAMCL_UNSUPPORTED: built without libarchive. The caller owns *out. */
camcl_status cc_archive_open(const char *path, cc_archive **out, camcl_error *err);
void cc_archive_close(cc_archive **archive);
/* The plain files in it, as they come: path with '/' between folders. Borrowed. */
size_t cc_archive_count(const cc_archive *archive);
const char *cc_archive_member(const cc_archive *archive, size_t index);
/* Reads members[i] (an index) into blobs[i]. The caller frees every data, also after an error. */
camcl_status cc_archive_read(cc_archive *archive, const size_t *members, size_t count, cc_blob *blobs, camcl_error *err);

/* Replaces the content of one compressed file (.gz and others), named `path` for messages, by what it expands to. */
camcl_status cc_archive_decompress(const char *path, cc_blob *blob, camcl_error *err);

#endif
