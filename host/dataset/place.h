/* A folder or an archive in which a data set's files are looked for. Both are asked in the same way. */
#ifndef CC_DATASET_PLACE_H
#define CC_DATASET_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "dataset/archive.h"

typedef struct cc_place {
    char *path;
    cc_archive *archive; /* NULL: a folder */
} cc_place;

/* A file of a place. */
typedef struct cc_place_file {
    char *path;    /* to open, or for messages "ARCHIVE: MEMBER" */
    size_t member; /* of an archive */
    bool packed;   /* compressed by itself: .gz and the like */
} cc_place_file;

/* Folders need not exist. Of an archive, see cc_archive_open for errors. The caller frees with cc_place_close. */
camcl_status cc_place_open_folder(const char *path, cc_place *out, camcl_error *err);
camcl_status cc_place_open_archive(const char *path, cc_place *out, camcl_error *err);
void cc_place_close(cc_place *place);

/* Looks for a file in a folder below the place ("": the place itself): as NAME, or in a folder of its own name, as Kaggle packs it; either
 * may be compressed. file->path is NULL where there is none. The caller frees it. */
camcl_status cc_place_find(const cc_place *place, const char *folder, const char *name, cc_place_file *file, camcl_error *err);
/* Reads files of the place. The caller frees every blob's data, also after an error. */
camcl_status cc_place_read(cc_place *place, const cc_place_file *files, size_t count, cc_blob *blobs, camcl_error *err);

/* Names for messages, sorted: a folder's entries, or an archive's members with their folders. The caller frees with cc_names_free. */
typedef struct cc_names {
    char **names;
    size_t count, capacity;
} cc_names;
camcl_status cc_place_list(const cc_place *place, const char *folder, cc_names *out, camcl_error *err);
camcl_status cc_names_add(cc_names *names, const char *name, size_t length, camcl_error *err);
void cc_names_free(cc_names *names);

/* Whether there is a plain file at path, or where its link leads: no folder, device or pipe. */
bool cc_is_plain_file(const char *path);

#endif
