/* Where data sets are published, and what their files are. */
#ifndef CC_DATASET_PUBLISHED_H
#define CC_DATASET_PUBLISHED_H

#include <stddef.h>
#include <stdint.h>

typedef struct cc_published_file {
    const char *name;
    uint64_t size;      /* bytes */
    const char *sha256; /* 64 lower-case hexadecimal digits */
} cc_published_file;

typedef struct cc_published {
    const char *dataset;            /* as data.dataset has it */
    const char *folder;             /* where its files go below data.root, "" for that folder itself; mirrors have the same */
    const cc_published_file *files; /* a file without a name ends them */
    const char *const *addresses;   /* of the folders that hold them, the official one first; NULL ends them */
} cc_published;

/* All of them, and their number. */
extern const cc_published cc_published_sets[];
extern const size_t cc_published_count;

#endif
