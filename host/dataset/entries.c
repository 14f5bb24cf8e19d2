#include "dataset/entries.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/memory.h"

/* Longer extensions are parts of a name ("holiday.in Rome"), not a kind of file. */
#define LONGEST_EXTENSION 8

static const char *extension_of(const char *name)
{
    const char *slash = strrchr(name, '/');
    const char *dot = strrchr(slash ? slash : name, '.');
    return dot && dot[1] ? dot : "";
}

static bool is_picture_name(const char *name)
{
    static const char *const extensions[] = { ".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp" };
    const char *extension = extension_of(name);
    for (size_t i = 0; i < CC_COUNT(extensions); i++)
        if (strcasecmp(extension, extensions[i]) == 0) return true;
    return false;
}

static void describe_extension(const char *path, char *kind, size_t size)
{
    const char *extension = extension_of(path);
    size_t length = strlen(extension);
    bool plain = length > 1 && length <= 1 + LONGEST_EXTENSION && length < size;
    for (size_t i = 1; i < length && plain; i++)
        plain = isalnum((unsigned char)extension[i]);
    if (!plain) {
        snprintf(kind, size, "no extension");
        return;
    }
    for (size_t i = 0; i <= length; i++)
        kind[i] = (char)tolower((unsigned char)extension[i]);
}

void cc_entry_describe(const char *path, char *kind, size_t size)
{
    struct stat info;
    bool found = stat(path, &info) == 0;
    if (!found && lstat(path, &info) == 0 && S_ISLNK(info.st_mode))
        snprintf(kind, size, "a broken link");
    else if (found && S_ISFIFO(info.st_mode))
        snprintf(kind, size, "a named pipe");
    else if (found && S_ISSOCK(info.st_mode))
        snprintf(kind, size, "a socket");
    else if (found && (S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode)))
        snprintf(kind, size, "a device");
    else
        describe_extension(path, kind, size);
}

/* Whether an entry cannot be looked at because of what it is: it vanished, leads nowhere, or the folder lets nobody pass. */
static bool is_unknown(int code)
{
    return code == ENOENT || code == ENOTDIR || code == ELOOP || code == ENAMETOOLONG || code == EACCES || code == EPERM;
}

/* What the entry is. One that cannot be looked at goes by its name. *code: an errno if the system failed; the entry might then be a folder
 * of pictures that must not be overlooked. */
static cc_entry look_at(int folder, const char *name, int *code)
{
    cc_entry entry = { NULL, CC_ENTRY_OTHER, 0, 0 };
    struct stat info;
    *code = 0;
    if (fstatat(folder, name, &info, 0) != 0) {
        if (!is_unknown(errno)) *code = errno;
        bool is_link = fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(info.st_mode);
        if (!is_link && is_picture_name(name)) entry.kind = CC_ENTRY_PICTURE;
    } else if (S_ISDIR(info.st_mode)) {
        entry = (cc_entry){ NULL, CC_ENTRY_FOLDER, info.st_dev, info.st_ino };
    } else if (S_ISREG(info.st_mode) && is_picture_name(name)) {
        entry.kind = CC_ENTRY_PICTURE;
    }
    return entry;
}

static int by_name(const void *a, const void *b) { return strcmp(((const cc_entry *)a)->name, ((const cc_entry *)b)->name); }

camcl_status cc_entries_read(const char *folder, cc_entries *out, int *code, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    *out = (cc_entries){ NULL, 0, 0 };
    *code = 0;
    DIR *stream = opendir(folder);
    if (!stream) {
        *code = errno;
        return CAMCL_OK;
    }
    for (;;) {
        errno = 0;
        const struct dirent *found = readdir(stream);
        if (!found) break;
        if (found->d_name[0] == '.') continue;
        CC_TRY(cc_grow((void **)&out->items, &out->capacity, out->count + 1, sizeof *out->items, err));
        cc_entry entry = look_at(dirfd(stream), found->d_name, code);
        if (*code != 0) goto cleanup;
        CC_TRY(cc_copy_text(found->d_name, &entry.name, err));
        out->items[out->count++] = entry;
    }
    *code = errno;
    if (out->count > 1) qsort(out->items, out->count, sizeof *out->items, by_name);
cleanup:
    closedir(stream);
    return status;
}

const cc_entry *cc_entries_find(const cc_entries *entries, const char *name)
{
    const cc_entry like = { .name = (char *)name };
    return entries->count ? bsearch(&like, entries->items, entries->count, sizeof like, by_name) : NULL;
}

void cc_entries_free(cc_entries *entries)
{
    for (size_t i = 0; i < entries->count; i++)
        free(entries->items[i].name);
    free(entries->items);
    *entries = (cc_entries){ NULL, 0, 0 };
}
