/* Compiled kernels on disk: <cache>/kernels/<hash of the key>.bin = magic, key length, binary length, checksum of the binary, key, binary.
 * The whole key is compared, so a hash collision costs a rebuild and nothing else. */
#include "device/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"

typedef struct header {
    char magic[8];
    uint64_t key_length, binary_length, checksum;
} header;

static const char magic[8] = "camclk1", programs_folder[] = "kernels", entry_suffix[] = ".bin";

static char *entry_path(const char *folder, const cc_cache_key *key)
{
    char name[64], *path = NULL;
    snprintf(name, sizeof name, "%s/%016llx%s", programs_folder, (unsigned long long)cc_hash(CC_HASH_START, key->text, key->length),
             entry_suffix);
    return cc_path_join(folder, name, &path, NULL) == CAMCL_OK ? path : NULL;
}

/* ---- folders */

/* A path that is no folder is not judged here, since reading from it fails. */
static bool is_distrusted(const char *path, char *why, size_t size)
{
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode)) return false;
    if (info.st_uid != geteuid() && info.st_uid != 0) {
        snprintf(why, size, "'%s' belongs to another user (set device.cache_dir to a folder of your own)", path);
        return true;
    }
    const bool group = (info.st_mode & S_IWGRP) && (uintmax_t)info.st_gid != (uintmax_t)info.st_uid;
    if (!group && !(info.st_mode & S_IWOTH)) return false;
    snprintf(why, size, "other users can write into '%s' (chmod go-w, after removing what is in it)", path);
    return true;
}

bool cc_cache_is_trusted(const char *folder, char *why, size_t size)
{
    char *programs = NULL;
    bool trusted = !is_distrusted(folder, why, size) && cc_path_join(folder, programs_folder, &programs, NULL) == CAMCL_OK;
    trusted = trusted && !is_distrusted(programs, why, size);
    free(programs);
    return trusted;
}

static bool make_private(const char *path) { return mkdir(path, S_IRWXU) == 0 || (errno == EEXIST && cc_is_folder(path)); }

bool cc_cache_make_folder(const char *folder, const char *name, char **path)
{
    char *above = NULL, *slash;
    *path = NULL;
    if (!cc_is_folder(folder)) {
        if (cc_copy_text(folder, &above, NULL) != CAMCL_OK) return false;
        slash = strrchr(above, '/');
        if (slash && slash != above) {
            *slash = '\0';
            (void)cc_make_folders(above, NULL);
        }
        free(above);
    }
    if (!make_private(folder) || cc_path_join(folder, name, path, NULL) != CAMCL_OK) return false;
    if (make_private(*path)) return true;
    free(*path);
    *path = NULL;
    return false;
}

bool cc_cache_is_writable(const char *folder)
{
    char *programs = NULL;
    const bool writable = cc_cache_make_folder(folder, programs_folder, &programs) && access(programs, W_OK | X_OK) == 0;
    free(programs);
    return writable;
}

/* ---- entries */

/* Whether the file's content is an entry under this key. */
static bool is_entry_of(const char *data, size_t length, const cc_cache_key *key, header *head)
{
    if (length <= sizeof *head) return false;
    memcpy(head, data, sizeof *head);
    const size_t rest = length - sizeof *head;
    return memcmp(head->magic, magic, sizeof magic) == 0 && head->key_length == key->length && head->key_length <= rest &&
           head->binary_length == rest - key->length && memcmp(data + sizeof *head, key->text, key->length) == 0 &&
           head->checksum == cc_hash(CC_HASH_START, data + sizeof *head + key->length, rest - key->length);
}

bool cc_cache_load(const char *folder, const cc_cache_key *key, unsigned char **binary, size_t *size)
{
    char *path = cc_cache_is_trusted(folder, NULL, 0) ? entry_path(folder, key) : NULL, *data = NULL;
    size_t length = 0;
    header head;
    bool found = false;
    if (path && cc_file_read(path, &data, &length, NULL) == CAMCL_OK && is_entry_of(data, length, key, &head) &&
        CC_NEW((size_t)head.binary_length, binary, NULL) == CAMCL_OK) {
        /* Said here, because many file systems are mounted so that reading does not change the time of access. */
        (void)utimensat(AT_FDCWD, path, (const struct timespec[]){ { 0, UTIME_NOW }, { 0, UTIME_OMIT } }, 0);
        *size = (size_t)head.binary_length;
        memcpy(*binary, data + sizeof head + key->length, *size);
        found = true;
    }
    free(data);
    free(path);
    return found;
}

void cc_cache_store(const char *folder, const cc_cache_key *key, const unsigned char *binary, size_t size)
{
    char *programs = NULL, *path = entry_path(folder, key);
    header head = { .key_length = key->length, .binary_length = size, .checksum = cc_hash(CC_HASH_START, binary, size) };
    memcpy(head.magic, magic, sizeof magic);
    cc_piece pieces[] = { { &head, sizeof head }, { key->text, key->length }, { binary, size } };
    if (path && cc_cache_is_trusted(folder, NULL, 0) && cc_cache_make_folder(folder, programs_folder, &programs) &&
        cc_file_write(path, pieces, CC_COUNT(pieces), NULL) == CAMCL_OK)
        cc_cache_trim(folder, CC_CACHE_BYTES, CC_CACHE_FILES);
    free(programs);
    free(path);
}

/* ---- keeping it small */

enum { STALE = 3600 }; /* seconds after which nobody is still writing a temporary file */

typedef struct entry {
    char name[64];
    uint64_t bytes;
    time_t used;
} entry;

typedef struct entry_list {
    entry *entries;
    size_t count, capacity;
    uint64_t bytes;
} entry_list;

static int by_use(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    if (x->used != y->used) return x->used < y->used ? -1 : 1;
    return strcmp(x->name, y->name);
}

static bool ends_with(const char *name, const char *suffix)
{
    const size_t n = strlen(name), m = strlen(suffix);
    return n >= m && strcmp(name + n - m, suffix) == 0;
}

static bool is_temporary(const char *name)
{
    return strncmp(name, CC_TEMPORARY_PREFIX, sizeof CC_TEMPORARY_PREFIX - 1) == 0 && ends_with(name, CC_TEMPORARY_SUFFIX);
}

static void add_entry(entry_list *list, const char *name, const struct stat *info)
{
    entry fresh = { .bytes = (uint64_t)info->st_size, .used = info->st_atime };
    if (strlen(name) >= sizeof fresh.name) return;
    if (cc_grow((void **)&list->entries, &list->capacity, list->count + 1, sizeof fresh, NULL) != CAMCL_OK) return;
    memcpy(fresh.name, name, strlen(name) + 1);
    list->entries[list->count++] = fresh;
    list->bytes += fresh.bytes;
}

/* Removes the stale temporary files of a folder and, unless `list` is NULL, lists its entries. */
static void scan(DIR *folder, entry_list *list)
{
    const time_t now = time(NULL);
    struct stat info;
    for (struct dirent *file; (file = readdir(folder)) != NULL;) {
        const bool temporary = is_temporary(file->d_name), listed = list && ends_with(file->d_name, entry_suffix);
        if (!temporary && !listed) continue;
        if (fstatat(dirfd(folder), file->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(info.st_mode)) continue;
        if (listed)
            add_entry(list, file->d_name, &info);
        else if (now - info.st_mtime >= STALE)
            (void)unlinkat(dirfd(folder), file->d_name, 0);
    }
}

static void remove_oldest(DIR *folder, entry_list *list, uint64_t bytes, size_t files)
{
    size_t left = list->count;
    if (list->bytes <= bytes && left <= files) return;
    qsort(list->entries, list->count, sizeof *list->entries, by_use);
    for (size_t i = 0; i < list->count && (list->bytes > bytes || left > files); i++, left--) {
        (void)unlinkat(dirfd(folder), list->entries[i].name, 0);
        list->bytes -= list->entries[i].bytes;
    }
}

static DIR *open_folder(const char *folder, const char *name)
{
    char *path;
    if (cc_path_join(folder, name, &path, NULL) != CAMCL_OK) return NULL;
    DIR *opened = opendir(path);
    free(path);
    return opened;
}

void cc_cache_trim(const char *folder, uint64_t bytes, size_t files)
{
    entry_list list = { NULL, 0, 0, 0 };
    DIR *programs = open_folder(folder, programs_folder), *timings = open_folder(folder, CC_CACHE_TIMINGS);
    if (programs) {
        scan(programs, &list);
        remove_oldest(programs, &list, bytes, files);
        closedir(programs);
    }
    if (timings) {
        scan(timings, NULL);
        closedir(timings);
    }
    free(list.entries);
}
