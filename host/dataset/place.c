#include "dataset/place.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

camcl_status cc_place_open_folder(const char *path, cc_place *out, camcl_error *err)
{
    *out = (cc_place){ NULL, NULL };
    return cc_copy_text(path, &out->path, err);
}

static camcl_status check_size(const char *path, camcl_error *err)
{
    struct stat info;
    if (stat(path, &info) != 0 || info.st_size < 0 || (uint64_t)info.st_size <= CC_CONTENT_LIMIT) return CAMCL_OK;
    return cc_fail(err, CAMCL_BAD_DATA, "%s: %llu MiB: larger than a file of a published data set", path,
                   (unsigned long long)info.st_size >> 20);
}

camcl_status cc_place_open_archive(const char *path, cc_place *out, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_place_open_folder(path, out, err));
    CC_RETURN_IF_FAILED(check_size(path, err));
    return cc_archive_open(path, &out->archive, err);
}

void cc_place_close(cc_place *place)
{
    cc_archive_close(&place->archive);
    free(place->path);
    place->path = NULL;
}

bool cc_is_plain_file(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

/* Of members with one path, the last counts, as in an archive that was added to. */
static bool find_member(const cc_archive *archive, const char *path, size_t *member)
{
    size_t i = cc_archive_count(archive);
    while (i > 0 && strcmp(cc_archive_member(archive, i - 1), path) != 0)
        i--;
    if (i > 0) *member = i - 1;
    return i > 0;
}

/* Looks for exactly this path below the place. */
static camcl_status find_path(const cc_place *place, const char *path, cc_place_file *file, camcl_error *err)
{
    cc_text full = CC_TEXT_INIT;
    camcl_status status = CAMCL_OK;
    cc_text_add(&full, place->archive ? "%s: %s" : "%s/%s", place->path, path);
    if (full.failed)
        status = cc_fail(err, CAMCL_NO_MEMORY, "%s: out of memory (close other programs)", place->path);
    else if (place->archive ? find_member(place->archive, path, &file->member) : cc_is_plain_file(full.data))
        status = cc_copy_text(full.data, &file->path, err);
    cc_text_free(&full);
    return status;
}

camcl_status cc_place_find(const cc_place *place, const char *folder, const char *name, cc_place_file *file, camcl_error *err)
{
    static const char *const endings[] = { "", ".gz", ".xz", ".bz2", ".zst" };
    camcl_status status = CAMCL_OK;
    *file = (cc_place_file){ NULL, 0, false };
    for (size_t i = 0; i < 2 * CC_COUNT(endings) && !file->path && status == CAMCL_OK; i++) {
        const char *ending = endings[i / 2], *slash = *folder ? "/" : "";
        cc_text path = CC_TEXT_INIT;
        if (i % 2)
            cc_text_add(&path, "%s%s%s/%s%s", folder, slash, name, name, ending);
        else
            cc_text_add(&path, "%s%s%s%s", folder, slash, name, ending);
        status = path.failed ? cc_fail(err, CAMCL_NO_MEMORY, "%s: out of memory (close other programs)", name)
                             : find_path(place, path.data, file, err);
        file->packed = *ending != '\0';
        cc_text_free(&path);
    }
    return status;
}

camcl_status cc_place_read(cc_place *place, const cc_place_file *files, size_t count, cc_blob *blobs, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    size_t *members = NULL;
    CC_TRY(CC_NEW(count, &members, err));
    for (size_t i = 0; i < count; i++) {
        members[i] = files[i].member;
        if (place->archive) continue;
        CC_TRY(check_size(files[i].path, err));
        CC_TRY(cc_file_read(files[i].path, &blobs[i].data, &blobs[i].size, err));
    }
    if (place->archive) CC_TRY(cc_archive_read(place->archive, members, count, blobs, err));
    for (size_t i = 0; i < count; i++)
        if (files[i].packed) CC_TRY(cc_archive_decompress(files[i].path, &blobs[i], err));
cleanup:
    free(members);
    return status;
}

/* ---- Names ---- */

camcl_status cc_names_add(cc_names *names, const char *name, size_t length, camcl_error *err)
{
    char *copy = NULL;
    CC_RETURN_IF_FAILED(cc_grow((void **)&names->names, &names->capacity, names->count + 1, sizeof *names->names, err));
    CC_RETURN_IF_FAILED(CC_NEW(length + 1, &copy, err));
    memcpy(copy, name, length);
    names->names[names->count++] = copy;
    return CAMCL_OK;
}

void cc_names_free(cc_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->names[i]);
    free(names->names);
    *names = (cc_names){ NULL, 0, 0 };
}

static int compare(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static camcl_status list_folder(const char *path, cc_names *out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    DIR *stream = opendir(path);
    if (!stream && errno != ENOENT) return cc_fail_errno(err, "read the folder", path, errno);
    if (!stream) return CAMCL_OK;
    for (struct dirent *entry; status == CAMCL_OK && (entry = readdir(stream)) != NULL;)
        if (entry->d_name[0] != '.') status = cc_names_add(out, entry->d_name, strlen(entry->d_name), err);
    closedir(stream);
    return status;
}

camcl_status cc_place_list(const cc_place *place, const char *folder, cc_names *out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    char *path = NULL;
    if (place->archive) {
        for (size_t i = 0; i < cc_archive_count(place->archive); i++) {
            const char *member = cc_archive_member(place->archive, i);
            CC_TRY(cc_names_add(out, member, strlen(member), err));
        }
    } else {
        CC_TRY(*folder ? cc_path_join(place->path, folder, &path, err) : cc_copy_text(place->path, &path, err));
        CC_TRY(list_folder(path, out, err));
    }
    if (out->count) qsort(out->names, out->count, sizeof *out->names, compare);
cleanup:
    free(path);
    return status;
}
