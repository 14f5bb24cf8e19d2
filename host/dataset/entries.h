/* What one folder holds. */
#ifndef CC_DATASET_ENTRIES_H
#define CC_DATASET_ENTRIES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/diag.h"

typedef enum cc_entry_kind {
    CC_ENTRY_PICTURE, /* by its extension, .png .jpg .jpeg .jpe .jfif .webp in any case; also one that cannot be looked at, so that reading
                         it says why */
    CC_ENTRY_FOLDER,
    CC_ENTRY_OTHER
} cc_entry_kind;

/* Links stand for what they lead to. */
typedef struct cc_entry {
    char *name; /* the file system's bytes, which need not be UTF-8 */
    cc_entry_kind kind;
    dev_t device; /* with inode: which folder it is; folders only */
    ino_t inode;
} cc_entry;

/* In byte order of names, without hidden ones. */
typedef struct cc_entries {
    cc_entry *items;
    size_t count, capacity;
} cc_entries;

/* Reads a folder. One that cannot be opened is no failure: *code is then the errno, and 0 otherwise. Nothing but folders is opened. The
 * caller frees with cc_entries_free, also after an error. */
camcl_status cc_entries_read(const char *folder, cc_entries *out, int *code, camcl_error *err);
void cc_entries_free(cc_entries *entries);

/* The entry of that name, or NULL. */
const cc_entry *cc_entries_find(const cc_entries *entries, const char *name);

/* Says what an entry that is neither picture nor folder is, as camcl_left_out has it: ".gif", "no extension", "a named pipe", .... */
void cc_entry_describe(const char *path, char *kind, size_t size);

#endif
