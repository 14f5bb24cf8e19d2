#include "base/cache_folder.h"

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
#include "base/memory.h"

bool cc_cache_folder_is_trusted(const char *path, char *why, size_t size)
{
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode)) return true;
    if (info.st_uid != geteuid() && info.st_uid != 0) {
        snprintf(why, size, "'%s' belongs to another user (set device.cache_dir to a folder of your own)", path);
        return false;
    }
    const bool group = (info.st_mode & S_IWGRP) && (uintmax_t)info.st_gid != (uintmax_t)info.st_uid;
    if (!group && !(info.st_mode & S_IWOTH)) return true;
    snprintf(why, size, "other users can write into '%s' (chmod go-w, after removing what is in it)", path);
    return false;
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

void cc_cache_file_used(const char *path)
{
    /* Said here, because many file systems are mounted so that reading does not change the time of access. */
    (void)utimensat(AT_FDCWD, path, (const struct timespec[]){ { 0, UTIME_NOW }, { 0, UTIME_OMIT } }, 0);
}

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

static void add_entry(entry_list *list, const char *name, const struct stat *info)
{
    entry fresh = { .bytes = (uint64_t)info->st_size, .used = info->st_atime };
    if (strlen(name) >= sizeof fresh.name) return;
    if (cc_grow((void **)&list->entries, &list->capacity, list->count + 1, sizeof fresh, NULL) != CAMCL_OK) return;
    memcpy(fresh.name, name, strlen(name) + 1);
    list->entries[list->count++] = fresh;
    list->bytes += fresh.bytes;
}

/* Removes the stale temporary files of a folder and lists the files with the suffix. */
static void scan(DIR *folder, const char *suffix, entry_list *list)
{
    const time_t now = time(NULL);
    struct stat info;
    for (struct dirent *file; (file = readdir(folder)) != NULL;) {
        const bool temporary = cc_file_is_temporary(file->d_name, NULL), listed = suffix && ends_with(file->d_name, suffix);
        if (!temporary && !listed) continue;
        if (fstatat(dirfd(folder), file->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(info.st_mode)) continue;
        if (listed)
            add_entry(list, file->d_name, &info);
        else if (now - info.st_mtime >= STALE)
            (void)unlinkat(dirfd(folder), file->d_name, 0);
    }
}

static void remove_oldest(DIR *folder, entry_list *list, const cc_cache_bounds *bounds)
{
    size_t left = list->count;
    if (list->bytes <= bounds->bytes && left <= bounds->files) return;
    if (left > 0) qsort(list->entries, left, sizeof *list->entries, by_use);
    for (size_t i = 0; i < list->count && (list->bytes > bounds->bytes || left > bounds->files); i++) {
        if (bounds->keep && strcmp(list->entries[i].name, bounds->keep) == 0) continue;
        (void)unlinkat(dirfd(folder), list->entries[i].name, 0);
        list->bytes -= list->entries[i].bytes;
        left--;
    }
}

uint64_t cc_cache_folder_trim(const char *path, const cc_cache_bounds *bounds)
{
    entry_list list = { NULL, 0, 0, 0 };
    DIR *folder = opendir(path);
    if (!folder) return 0;
    scan(folder, bounds->suffix, &list);
    remove_oldest(folder, &list, bounds);
    closedir(folder);
    free(list.entries);
    return list.bytes;
}
