/* The pixels of a data set's pictures, scaled: in a file that is mapped and serves the next start as well, or in memory.
 *
 * A new store is written by any number of threads, then finished, then read. It is a file of the folder "pictures" in the cache folder
 * where that is possible, so that the system can drop pages of it when memory is short; else it is memory. */
#ifndef CC_DATASET_PIXEL_STORE_H
#define CC_DATASET_PIXEL_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/text.h"

/* A hash of everything on which the pixels depend. */
typedef struct cc_pixel_key {
    uint64_t half[2];
} cc_pixel_key;

typedef struct cc_pixel_store cc_pixel_store;

/* The finished store that an earlier start kept under the key; NULL where there is none that is whole. cache_dir may be NULL or "". */
cc_pixel_store *cc_pixel_store_find(const char *cache_dir, cc_pixel_key key);

/* A new store of `size` bytes. CAMCL_NO_MEMORY where neither the folder nor the memory has room; the message says how much is needed. */
camcl_status cc_pixel_store_new(const char *cache_dir, cc_pixel_key key, size_t size, cc_pixel_store **out, camcl_error *err);
/* Copies bytes to their place. Any thread may call it, for places of its own. False: the disk is full or fails; the store can then only be
 * moved into memory. */
bool cc_pixel_store_put(cc_pixel_store *store, size_t offset, const void *bytes, size_t size);
/* Moves `size` bytes that were put at `from` down to `to`. False: as above. */
bool cc_pixel_store_move(cc_pixel_store *store, size_t to, size_t from, size_t size);
/* Gives the file up and begins again, in memory, with nothing put. CAMCL_NO_MEMORY as above. */
camcl_status cc_pixel_store_use_memory(cc_pixel_store *store, camcl_error *err);
/* Shortens the store to `size` bytes, which were put, and makes them readable. keep: the file serves later starts; it is synced by a thread
 * of its own, so that nothing waits for the disk. `notes` are bytes of the caller that are kept with it. False: as above. */
bool cc_pixel_store_finish(cc_pixel_store *store, size_t size, const void *notes, size_t notes_size, bool keep);

/* Of a finished store, until it is freed. */
const uint8_t *cc_pixel_store_pixels(const cc_pixel_store *store, size_t *size);
/* Of a found store. */
const void *cc_pixel_store_notes(const cc_pixel_store *store, size_t *size);
/* Writes where the pixels are: "1,505 MiB of pixels in FILE, mapped". */
void cc_pixel_store_describe(const cc_pixel_store *store, cc_text *out);
/* Waits until a kept file is whole. NULL is allowed. */
void cc_pixel_store_free(cc_pixel_store *store);

#endif
