/* Folders of caches: who may write into them, and how large they become. A cache may be deleted, damaged or read-only at any time, so that
 * nothing here has to succeed. */
#ifndef CC_BASE_CACHE_FOLDER_H
#define CC_BASE_CACHE_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether only its owner, who is this user or root, can write into the folder. False: `why` is a reason for the user, with what to do. A
 * path that is no folder is not judged. Write permission of the group is accepted if the group has the owner's number: many systems give
 * every user such a group alone. */
bool cc_cache_folder_is_trusted(const char *path, char *why, size_t size);
/* Creates folder/name, for this user alone, with the folders above it. The caller frees *path, which is NULL when that fails. */
bool cc_cache_make_folder(const char *folder, const char *name, char **path);
/* Notes that the file is used now: the files that were not used for longest are removed first. */
void cc_cache_file_used(const char *path);

typedef struct cc_cache_bounds {
    const char *suffix; /* files whose names end so count; NULL: none do */
    const char *keep;   /* the name of one that counts and stays, or NULL */
    uint64_t bytes;     /* of the files that stay, at most */
    size_t files;       /* that stay, at most */
} cc_cache_bounds;
/* Removes the files that were not used for longest until the rest is within the bounds, and temporary files (base/file.h) that a killed
 * process left an hour ago or earlier. Returns the bytes of the files that stay. */
uint64_t cc_cache_folder_trim(const char *path, const cc_cache_bounds *bounds);

#endif
