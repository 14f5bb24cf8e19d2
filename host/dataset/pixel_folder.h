/* The folder of kept pixels: whether it may be used, and how much may be in it. */
#ifndef CC_DATASET_PIXEL_FOLDER_H
#define CC_DATASET_PIXEL_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CC_PIXEL_SUFFIX ".pixels" /* of its files */
/* What the files take at most: this, or a tenth of the room that the file system has for them, whichever is less. Those that were not used
 * for longest are removed first. Only the one in use may be larger than that. */
#define CC_PIXEL_FOLDER_BYTES ((uint64_t)8 << 30)

/* The folder below cache_dir, created if need be, with a slash at its end. NULL: it cannot be used, for the reason `why`. The caller frees.
 */
char *cc_pixel_folder_open(const char *cache_dir, char *why, size_t size);
/* Removes old files so that one of `bytes` more, or the file `keep` that is there, keeps within the limit. Returns false, with the reason,
 * when the file system has no room for `bytes`. */
bool cc_pixel_folder_make_room(const char *folder, const char *keep, uint64_t bytes, char *why, size_t size);

#endif
