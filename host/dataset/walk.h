/* Finding pictures in a tree of folders. */
#ifndef CC_DATASET_WALK_H
#define CC_DATASET_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/diag.h"
#include "dataset/left_out.h"

/* A set of folders, told apart by device and inode, however they are reached. */
typedef struct cc_folder_id {
    dev_t device;
    ino_t inode;
    bool used;
} cc_folder_id;
typedef struct cc_folder_set {
    cc_folder_id *slots;
    size_t count, capacity;
} cc_folder_set;

/* Adds a folder; *is_new: it was not there. */
camcl_status cc_folder_set_add(cc_folder_set *set, dev_t device, ino_t inode, bool *is_new, camcl_error *err);
/* Adds the folder at path; a path without a folder adds nothing, and *is_new is true. */
camcl_status cc_folder_set_add_path(cc_folder_set *set, const char *path, bool *is_new, camcl_error *err);
void cc_folder_set_free(cc_folder_set *set);

/* A picture file. */
typedef struct cc_found {
    char *path;
    const char *relative; /* the end of path */
} cc_found;

typedef struct cc_walk {
    cc_found *files;
    size_t count, capacity;
    cc_left_out left_out;
} cc_walk;

/* Appends the pictures below a folder, in byte order of names at each level, and counts everything else that is not hidden. `relative`
 * points behind the first `base` bytes of each path. Folders of `known` are not walked into, and every folder below is added to it, so that
 * each is walked once whatever links lead to it. A folder below that cannot be opened is counted; for `folder` itself that is CAMCL_IO. */
camcl_status cc_walk_folder(cc_walk *walk, const char *folder, size_t base, cc_folder_set *known, camcl_error *err);
/* Appends one file as it is, taking over its path, also when it fails. */
camcl_status cc_walk_add(cc_walk *walk, char *path, size_t base, camcl_error *err);
void cc_walk_free(cc_walk *walk);

/* How many bytes of the path of a file in `folder` come before its name. */
size_t cc_walk_base(const char *folder);

#endif
