/* A file holds a header of one page, the pixels, and the notes:
 *   magic, order of bytes, key, bytes of pixels, bytes of notes, hash of header and notes.
 * The header is written last, and the file gets its name after it was synced, so that what has the name is whole. */
#include "dataset/pixel_store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cache_folder.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/memory_left.h"
#include "dataset/pixel_folder.h"

enum { PIXELS_AT = 4096, MOVED_AT_ONCE = 1 << 20, WHY = 512 };

/* Its value read on a machine with another order of bytes is another. */
#define BYTE_ORDER_MARK UINT64_C(0x0102030405060708)

typedef struct header {
    char magic[8];
    uint64_t byte_order;
    cc_pixel_key key;
    uint64_t pixels, notes, hash;
} header;

static const char magic[8] = "camclp1";

struct cc_pixel_store {
    cc_pixel_key key;
    size_t size; /* of the pixels */
    uint8_t *memory;
    /* Where the pixels are in a file: */
    char *folder, *path; /* the folder, with its slash; the file's name once it is whole */
    char *temporary;     /* its name before */
    int file;            /* -1: closed */
    unsigned char *map;  /* of the whole file */
    size_t map_size;
    char *notes;
    size_t notes_size;
    bool found, kept;  /* kept by an earlier start; by this one */
    pthread_t settler; /* syncs and renames the file */
    bool settling;     /* the thread was started */
    atomic_int code;   /* errno of the first write that failed */
    char why[WHY];     /* why the pixels are in memory, or "" */
};

static uint64_t hash_of(const header *head, const void *notes)
{
    return cc_hash_bulk(cc_hash(CC_HASH_START, head, offsetof(header, hash)), notes, (size_t)head->notes);
}

static void close_file(cc_pixel_store *store)
{
    if (store->map) munmap(store->map, store->map_size);
    if (store->file >= 0 && !store->kept) close(store->file); /* of a kept file, the settler has closed it */
    store->map = NULL;
    store->file = -1;
}

static void remove_temporary(cc_pixel_store *store)
{
    if (store->temporary) unlink(store->temporary);
    free(store->temporary);
    store->temporary = NULL; /* another store may get the name */
}

void cc_pixel_store_free(cc_pixel_store *store)
{
    if (!store) return;
    if (store->settling) pthread_join(store->settler, NULL);
    close_file(store);
    if (!store->kept) remove_temporary(store);
    free(store->temporary);
    free(store->folder);
    free(store->path);
    free(store->notes);
    free(store->memory);
    free(store);
}

/* A store in the folder, whose file is not open yet; NULL, with the reason, where the folder cannot be used. */
static cc_pixel_store *new_in_folder(const char *cache_dir, cc_pixel_key key, char *why, size_t size)
{
    cc_pixel_store *store = NULL;
    char name[64];
    if (CC_NEW(1, &store, NULL) != CAMCL_OK) return NULL;
    store->key = key;
    store->file = -1;
    snprintf(name, sizeof name, "%016llx%016llx" CC_PIXEL_SUFFIX, (unsigned long long)key.half[0], (unsigned long long)key.half[1]);
    store->folder = cc_pixel_folder_open(cache_dir, why, size);
    if (store->folder && cc_path_join(store->folder, name, &store->path, NULL) == CAMCL_OK) return store;
    cc_pixel_store_free(store);
    return NULL;
}

/* ---- kept files */

static bool read_at(int file, void *data, size_t size, size_t offset)
{
    for (char *at = data; size > 0;) {
        const ssize_t got = pread(file, at, size, (off_t)offset);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        at += got;
        offset += (size_t)got;
        size -= (size_t)got;
    }
    return true;
}

static bool map_file(cc_pixel_store *store)
{
    store->map_size = PIXELS_AT + store->size + store->notes_size;
    void *map = mmap(NULL, store->map_size, PROT_READ, MAP_SHARED, store->file, 0);
    store->map = map == MAP_FAILED ? NULL : map;
    return store->map != NULL;
}

/* Reads header and notes, and maps the file if it is whole and has the key. */
static bool open_kept(cc_pixel_store *store)
{
    header head;
    struct stat info;
    store->file = open(store->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (store->file < 0 || fstat(store->file, &info) != 0 || !S_ISREG(info.st_mode) || !read_at(store->file, &head, sizeof head, 0))
        return false;
    if (memcmp(head.magic, magic, sizeof magic) != 0 || head.byte_order != BYTE_ORDER_MARK) return false;
    if (memcmp(&head.key, &store->key, sizeof head.key) != 0 || info.st_size < PIXELS_AT) return false;
    const uint64_t content = (uint64_t)info.st_size - PIXELS_AT;
    if (content > SIZE_MAX || head.notes > content || head.pixels != content - head.notes) return false;
    store->size = (size_t)head.pixels;
    store->notes_size = (size_t)head.notes;
    if (CC_NEW(store->notes_size, &store->notes, NULL) != CAMCL_OK) return false;
    if (!read_at(store->file, store->notes, store->notes_size, PIXELS_AT + store->size)) return false;
    return hash_of(&head, store->notes) == head.hash && map_file(store);
}

cc_pixel_store *cc_pixel_store_find(const char *cache_dir, cc_pixel_key key)
{
    char why[WHY];
    cc_pixel_store *store = cache_dir && *cache_dir ? new_in_folder(cache_dir, key, why, sizeof why) : NULL;
    if (!store) return NULL;
    if (open_kept(store)) {
        store->found = true;
        cc_cache_file_used(store->path);
        (void)cc_pixel_folder_make_room(store->folder, strrchr(store->path, '/') + 1, 0, why, sizeof why);
        return store;
    }
    cc_pixel_store_free(store);
    return NULL;
}

/* ---- a new store */

camcl_status cc_pixel_store_use_memory(cc_pixel_store *store, camcl_error *err)
{
    const char *what;
    const size_t available = cc_memory_available("", &what);
    const int code = atomic_load(&store->code);
    if (code != 0) {
        camcl_error failed;
        (void)cc_fail_errno(&failed, "write", store->path, code);
        snprintf(store->why, sizeof store->why, "%.*s", WHY - 1, failed.message);
    }
    close_file(store);
    remove_temporary(store);
    if (store->size > available)
        return cc_fail(
            err, CAMCL_NO_MEMORY,
            "pixels: %zu MiB are needed, and %zu MiB of memory are left by %s%s%s (lower data.image_size, or let device.cache_dir be "
            "a folder that can be written and has room for them)",
            store->size >> 20, available >> 20, what, *store->why ? "; " : "", store->why);
    return CC_NEW(store->size, &store->memory, err);
}

camcl_status cc_pixel_store_new(const char *cache_dir, cc_pixel_key key, size_t size, cc_pixel_store **out, camcl_error *err)
{
    char why[WHY] = "";
    camcl_error failed;
    cc_pixel_store *store = cache_dir && *cache_dir ? new_in_folder(cache_dir, key, why, sizeof why) : NULL;
    *out = NULL;
    if (store && cc_pixel_folder_make_room(store->folder, NULL, size, why, sizeof why)) {
        store->size = size;
        if (cc_file_temporary(store->folder, store->path, &store->temporary, &store->file, &failed) == CAMCL_OK) {
            *out = store;
            return CAMCL_OK;
        }
        store->file = -1;
        snprintf(why, sizeof why, "%.*s", WHY - 1, failed.message);
    }
    cc_pixel_store_free(store);
    CC_RETURN_IF_FAILED(CC_NEW(1, &store, err));
    store->file = -1;
    store->size = size;
    memcpy(store->why, why, sizeof why);
    camcl_status status = cc_pixel_store_use_memory(store, err);
    if (status != CAMCL_OK)
        cc_pixel_store_free(store);
    else
        *out = store;
    return status;
}

static bool write_at(cc_pixel_store *store, const void *data, size_t size, size_t offset)
{
    for (const char *at = data; size > 0;) {
        const ssize_t put = pwrite(store->file, at, size, (off_t)offset);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) {
            int none = 0;
            atomic_compare_exchange_strong(&store->code, &none, put < 0 ? errno : ENOSPC);
            return false;
        }
        at += put;
        offset += (size_t)put;
        size -= (size_t)put;
    }
    return true;
}

bool cc_pixel_store_put(cc_pixel_store *store, size_t offset, const void *bytes, size_t size)
{
    if (store->temporary) return write_at(store, bytes, size, PIXELS_AT + offset);
    memcpy(store->memory + offset, bytes, size);
    return true;
}

bool cc_pixel_store_move(cc_pixel_store *store, size_t to, size_t from, size_t size)
{
    if (!store->temporary) {
        memmove(store->memory + to, store->memory + from, size);
        return true;
    }
    char *buffer;
    bool moved = CC_NEW(cc_min_size(size, MOVED_AT_ONCE), &buffer, NULL) == CAMCL_OK;
    for (size_t done = 0, part; moved && done < size; done += part) {
        part = cc_min_size(size - done, MOVED_AT_ONCE);
        moved = read_at(store->file, buffer, part, PIXELS_AT + from + done) && write_at(store, buffer, part, PIXELS_AT + to + done);
    }
    free(buffer);
    return moved;
}

static void *settle(void *argument)
{
    cc_pixel_store *store = argument;
    (void)cc_file_settle(store->folder, store->temporary, store->file, store->path);
    return NULL;
}

static bool write_rest(cc_pixel_store *store, const void *notes, size_t notes_size)
{
    header head = { .byte_order = BYTE_ORDER_MARK, .key = store->key, .pixels = store->size, .notes = notes_size };
    memcpy(head.magic, magic, sizeof magic);
    head.hash = hash_of(&head, notes);
    store->notes_size = notes_size;
    return ftruncate(store->file, (off_t)(PIXELS_AT + store->size)) == 0 && write_at(store, notes, notes_size, PIXELS_AT + store->size) &&
           write_at(store, &head, sizeof head, 0) && map_file(store);
}

bool cc_pixel_store_finish(cc_pixel_store *store, size_t size, const void *notes, size_t notes_size, bool keep)
{
    const size_t whole = store->size;
    store->size = size;
    if (!store->temporary) return true;
    if (!write_rest(store, notes, notes_size)) {
        store->size = whole; /* all of it is put again */
        return false;
    }
    store->kept = keep;
    if (!keep) {
        remove_temporary(store); /* what is mapped stays until it is unmapped */
        return true;
    }
    store->settling = pthread_create(&store->settler, NULL, settle, store) == 0;
    if (!store->settling) (void)settle(store);
    return true;
}

/* ---- a finished store */

const uint8_t *cc_pixel_store_pixels(const cc_pixel_store *store, size_t *size)
{
    *size = store->size;
    return store->map ? store->map + PIXELS_AT : store->memory;
}

const void *cc_pixel_store_notes(const cc_pixel_store *store, size_t *size)
{
    *size = store->notes_size;
    return store->notes;
}

void cc_pixel_store_describe(const cc_pixel_store *store, cc_text *out)
{
    cc_text_add_mebibytes(out, store->size);
    cc_text_add(out, " of pixels");
    if (store->map && !store->found && !store->kept) {
        cc_text_add(out, " in an unnamed file of ");
        cc_text_add_visible(out, store->folder, 512);
        cc_text_add(out, ", mapped");
    } else if (store->map) {
        cc_text_add(out, "%s in ", store->found ? " of an earlier start" : "");
        cc_text_add_visible(out, store->path, 512);
        cc_text_add(out, ", mapped");
    } else {
        cc_text_add(out, " in memory");
        if (*store->why) cc_text_add(out, ": ");
        cc_text_add_visible(out, store->why, sizeof store->why);
    }
}
