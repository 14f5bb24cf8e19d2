/* Files: reading whole files, and writing files atomically. */
#ifndef CC_BASE_FILE_H
#define CC_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "base/text.h"

/* Reads the whole file; one NUL byte follows the content in *data. A file that cannot be read is CAMCL_IO, with its path and the reason.
 * The caller frees *data. */
camcl_status cc_file_read(const char *path, char **data, size_t *size, camcl_error *err);

/* Writes the pieces one after another to a temporary file in the same folder, syncs it, renames it to path and syncs the folder. On any
 * failure (no space left, ...) path keeps its old content and the temporary file is removed. If path is a device, pipe or terminal, the
 * pieces are written into it instead. */
typedef struct cc_piece {
    const void *data;
    size_t size;
} cc_piece;
camcl_status cc_file_write(const char *path, const cc_piece *pieces, size_t count, camcl_error *err);
/* The same for many files of a folder: syncing the folder is left to one cc_folder_sync at the end. Until then the system may still lose
 * some of the files, but none of them is ever half there. */
camcl_status cc_file_write_among(const char *path, const cc_piece *pieces, size_t count, camcl_error *err);
camcl_status cc_folder_sync(const char *folder, camcl_error *err);
camcl_status cc_file_write_text(const char *path, const char *text, camcl_error *err);
/* Writes a text that was built, and frees it in any case; CAMCL_NO_MEMORY if building it failed. */
camcl_status cc_file_write_built(const char *path, cc_text *text, camcl_error *err);

camcl_status cc_make_folders(const char *path, camcl_error *err); /* mkdir -p */
/* Whether something is there, of any kind. What cannot be looked at counts as there, so that reading it says why. */
bool cc_file_exists(const char *path);
/* The first bytes of a regular file that is to be written over, at most `size`; *got is their number, 0 if there is no such file. A link
 * that leads nowhere is somebody's, and CAMCL_EXISTS. */
camcl_status cc_file_beginning(const char *path, char *out, size_t size, size_t *got, camcl_error *err);
bool cc_is_folder(const char *path);

/* The name of the temporary file that a killed writer leaves: this prefix, then "PID-N", then the suffix. */
#define CC_TEMPORARY_PREFIX ".camcl-"
#define CC_TEMPORARY_SUFFIX ".tmp"
/* Whether name, without a folder, is that of such a file. `writer` (NULL: not asked): its PID. */
bool cc_file_is_temporary(const char *name, long *writer);
/* Creates such a file, open for reading and writing, in `folder` ("": the working directory; else its name ends in a slash). `path` is the
 * file that it becomes, for messages. The caller frees *temporary and closes *file. */
camcl_status cc_file_temporary(const char *folder, const char *path, char **temporary, int *file, camcl_error *err);
/* Syncs the file's content, closes it, renames it to path and syncs the folder. On failure (an errno, else 0) it removes the temporary
 * file. */
int cc_file_settle(const char *folder, const char *temporary, int file, const char *path);

/* CAMCL_IO with "cannot ACTION 'path': reason of the errno `code` (what to do)". */
camcl_status cc_fail_errno(camcl_error *err, const char *action, const char *path, int code);

/* folder + "/" + name; the caller frees. */
camcl_status cc_path_join(const char *folder, const char *name, char **out, camcl_error *err);
/* The absolute form of path, which need not exist; the caller frees. */
camcl_status cc_path_absolute(const char *path, char **out, camcl_error *err);

/* path, with ~ or ~/ at its head replaced by the user's home folder ($HOME); ~user stays as it is. CAMCL_BAD_CONFIG where HOME is not set.
 * The caller frees. */
camcl_status cc_path_expand(const char *path, char **out, camcl_error *err);
/* camcl in the user's cache folder: $XDG_CACHE_HOME/camcl, else ~/.cache/camcl. *out is NULL where the environment names neither; the
 * caller frees. */
camcl_status cc_cache_folder(char **out, camcl_error *err);

/* Seconds of a monotonic clock. */
double cc_seconds(void);

#endif
