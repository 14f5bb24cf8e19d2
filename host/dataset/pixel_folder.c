#include "dataset/pixel_folder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cache_folder.h"
#include "base/file.h"

/* What a new file leaves free for others. */
#define RESERVE ((uint64_t)64 << 20)

char *cc_pixel_folder_open(const char *cache_dir, char *why, size_t size)
{
    char *path = NULL, *folder = NULL;
    if (!cc_cache_folder_is_trusted(cache_dir, why, size)) return NULL;
    errno = 0;
    if (!cc_cache_make_folder(cache_dir, "pictures", &path) || access(path, W_OK) != 0) {
        camcl_error failed;
        (void)cc_fail_errno(&failed, "write into", path ? path : cache_dir, errno);
        snprintf(why, size, "%.*s", (int)size - 1, failed.message);
    } else if (cc_cache_folder_is_trusted(path, why, size)) {
        (void)cc_path_join(path, "", &folder, NULL);
    }
    free(path);
    return folder;
}

bool cc_pixel_folder_make_room(const char *folder, const char *keep, uint64_t bytes, char *why, size_t size)
{
    struct statvfs room;
    cc_cache_bounds bounds = { CC_PIXEL_SUFFIX, keep, UINT64_MAX, SIZE_MAX };
    const uint64_t kept = cc_cache_folder_trim(folder, &bounds);
    if (statvfs(folder, &room) != 0) return true;
    const uint64_t tenth = ((uint64_t)room.f_bavail * room.f_frsize + kept) / 10;
    const uint64_t limit = tenth < CC_PIXEL_FOLDER_BYTES ? tenth : CC_PIXEL_FOLDER_BYTES;
    bounds.bytes = limit > bytes ? limit - bytes : 0;
    (void)cc_cache_folder_trim(folder, &bounds);
    if (bytes == 0 || statvfs(folder, &room) != 0) return true;
    const uint64_t left = (uint64_t)room.f_bavail * room.f_frsize;
    if (bytes <= left && left - bytes >= RESERVE) return true;
    snprintf(why, size, "'%s' has %llu MiB left", folder, (unsigned long long)(left >> 20));
    return false;
}
