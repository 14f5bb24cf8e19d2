/* Files that appear whole or not at all, written piece by piece. */
#ifndef CLI_WHOLE_FILE_H
#define CLI_WHOLE_FILE_H

#include <stdbool.h>
#include <stdio.h>

#include "camcl/status.h"

typedef struct cli_file {
    FILE *stream;    /* write here */
    char *path;      /* of the finished file */
    char *temporary; /* NULL where path is a pipe, terminal or device, which is written to directly */
} cli_file;

/* Whether path is another name of an open file, such as /dev/stdout: the system's link, and not the file, would be replaced, even where it
 * leads to a regular file ("-o /dev/stdout >FILE"). */
bool cli_is_open_file(const char *path);
/* CAMCL_EXISTS if a file is there that does not begin with `beginning` and is not empty, so is not of the kind that is written. Pipes and
 * devices are written to. what: "a NumPy array", for the message. */
camcl_status cli_file_refuse_other(const char *path, const void *beginning, size_t size, const char *what, camcl_error *err);
/* Begins a temporary file beside `path`. CAMCL_IO where it cannot be made. Empty the struct before; cli_file_abandon is safe at any time.
 */
camcl_status cli_file_open(cli_file *file, const char *path, camcl_error *err);
/* Syncs, and gives the file its name. After a failure of this or of any write before, path keeps its old content. */
camcl_status cli_file_commit(cli_file *file, camcl_error *err);
/* Removes the temporary file, if the file was not committed. */
void cli_file_abandon(cli_file *file);

/* Whether a folder is there. */
bool cli_is_folder(const char *path);
/* Makes a folder and its parents. */
camcl_status cli_make_folders(const char *path, camcl_error *err);

#endif
