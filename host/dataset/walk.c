#include "dataset/walk.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "dataset/entries.h"

#define UNOPENED "a folder that cannot be opened"

/* The slot that holds the folder, or the free one where it belongs. The capacity is a power of two with free slots. */
static cc_folder_id *find_slot(const cc_folder_set *set, dev_t device, ino_t inode)
{
    const uint64_t id[2] = { (uint64_t)device, (uint64_t)inode };
    size_t at = (size_t)cc_hash(CC_HASH_START, id, sizeof id);
    for (;; at++) {
        cc_folder_id *slot = &set->slots[at & (set->capacity - 1)];
        if (!slot->used || (slot->device == device && slot->inode == inode)) return slot;
    }
}

static camcl_status make_room(cc_folder_set *set, camcl_error *err)
{
    if (2 * (set->count + 1) <= set->capacity) return CAMCL_OK;
    cc_folder_set larger = { NULL, set->count, set->capacity ? 2 * set->capacity : 64 };
    CC_RETURN_IF_FAILED(CC_NEW(larger.capacity, &larger.slots, err));
    for (size_t i = 0; i < set->capacity; i++)
        if (set->slots[i].used) *find_slot(&larger, set->slots[i].device, set->slots[i].inode) = set->slots[i];
    free(set->slots);
    *set = larger;
    return CAMCL_OK;
}

camcl_status cc_folder_set_add(cc_folder_set *set, dev_t device, ino_t inode, bool *is_new, camcl_error *err)
{
    CC_RETURN_IF_FAILED(make_room(set, err));
    cc_folder_id *slot = find_slot(set, device, inode);
    *is_new = !slot->used;
    if (*is_new) set->count++;
    *slot = (cc_folder_id){ device, inode, true };
    return CAMCL_OK;
}

camcl_status cc_folder_set_add_path(cc_folder_set *set, const char *path, bool *is_new, camcl_error *err)
{
    struct stat info;
    *is_new = true;
    if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode)) return CAMCL_OK;
    return cc_folder_set_add(set, info.st_dev, info.st_ino, is_new, err);
}

void cc_folder_set_free(cc_folder_set *set)
{
    free(set->slots);
    *set = (cc_folder_set){ NULL, 0, 0 };
}

camcl_status cc_walk_add(cc_walk *walk, char *path, size_t base, camcl_error *err)
{
    camcl_status status = cc_grow((void **)&walk->files, &walk->capacity, walk->count + 1, sizeof *walk->files, err);
    if (status == CAMCL_OK)
        walk->files[walk->count++] = (cc_found){ path, path + base };
    else
        free(path);
    return status;
}

size_t cc_walk_base(const char *folder)
{
    size_t length = strlen(folder);
    return length > 0 && folder[length - 1] == '/' ? length : length + 1;
}

static camcl_status walk_entries(cc_walk *walk, const char *folder, const cc_entries *entries, size_t base, cc_folder_set *known,
                                 camcl_error *err);

/* The depth of recursion is bounded by the length of paths, which the system bounds. */
static camcl_status walk_below(cc_walk *walk, const char *folder, size_t base, cc_folder_set *known, camcl_error *err)
{
    cc_entries entries;
    int code;
    camcl_status status = cc_entries_read(folder, &entries, &code, err);
    if (status == CAMCL_OK && code != 0) status = cc_left_out_add(&walk->left_out, UNOPENED, 1, folder, err);
    if (status == CAMCL_OK) status = walk_entries(walk, folder, &entries, base, known, err);
    cc_entries_free(&entries);
    return status;
}

static camcl_status walk_entry(cc_walk *walk, const cc_entry *entry, char **path, size_t base, cc_folder_set *known, camcl_error *err)
{
    bool is_new;
    char kind[64], *taken = *path;
    switch (entry->kind) {
    case CC_ENTRY_PICTURE: *path = NULL; return cc_walk_add(walk, taken, base, err);
    case CC_ENTRY_FOLDER:
        CC_RETURN_IF_FAILED(cc_folder_set_add(known, entry->device, entry->inode, &is_new, err));
        return is_new ? walk_below(walk, *path, base, known, err) : CAMCL_OK;
    case CC_ENTRY_OTHER: break;
    }
    cc_entry_describe(*path, kind, sizeof kind);
    return cc_left_out_add(&walk->left_out, kind, 1, *path, err);
}

static camcl_status walk_entries(cc_walk *walk, const char *folder, const cc_entries *entries, size_t base, cc_folder_set *known,
                                 camcl_error *err)
{
    for (size_t i = 0; i < entries->count; i++) {
        char *path;
        CC_RETURN_IF_FAILED(cc_path_join(folder, entries->items[i].name, &path, err));
        camcl_status status = walk_entry(walk, &entries->items[i], &path, base, known, err);
        free(path);
        if (status != CAMCL_OK) return status;
    }
    return CAMCL_OK;
}

camcl_status cc_walk_folder(cc_walk *walk, const char *folder, size_t base, cc_folder_set *known, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_entries entries;
    bool is_new;
    int code;
    CC_TRY(cc_entries_read(folder, &entries, &code, err));
    if (code != 0) {
        status = cc_fail_errno(err, "open the folder", folder, code);
        goto cleanup;
    }
    CC_TRY(cc_folder_set_add_path(known, folder, &is_new, err));
    CC_TRY(walk_entries(walk, folder, &entries, base, known, err));
cleanup:
    cc_entries_free(&entries);
    return status;
}

void cc_walk_free(cc_walk *walk)
{
    for (size_t i = 0; i < walk->count; i++)
        free(walk->files[i].path);
    free(walk->files);
    cc_left_out_free(&walk->left_out);
    *walk = (cc_walk){ NULL, 0, 0, { NULL, 0, 0 } };
}
