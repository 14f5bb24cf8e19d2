#include "dataset/source.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

/* Finds folder/name or folder/name.gz, whichever exists. *path is NULL if neither does. */
static camcl_status find_file(const char *folder, const char *name, char **path, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_text packed = CC_TEXT_INIT;
    *path = NULL;
    CC_TRY(cc_path_join(folder, name, path, err));
    if (cc_file_exists(*path)) return CAMCL_OK;
    free(*path);
    *path = NULL;
    cc_text_add(&packed, "%s/%s.gz", folder, name);
    if (packed.failed)
        status = cc_fail(err, CAMCL_NO_MEMORY, "%s: out of memory", folder);
    else if (cc_file_exists(packed.data))
        status = cc_copy_text(packed.data, path, err);
cleanup:
    cc_text_free(&packed);
    return status;
}

static camcl_status holds_any(const char *folder, const cc_source_file *files, size_t count, bool *found, camcl_error *err)
{
    *found = false;
    for (size_t i = 0; i < count && !*found; i++) {
        char *path = NULL;
        CC_RETURN_IF_FAILED(find_file(folder, files[i].name, &path, err));
        *found = path != NULL && !files[i].optional;
        free(path);
    }
    return CAMCL_OK;
}

/* Finds the folder or archive that `root` refers to. */
static camcl_status locate(const cc_source *source, const char *root, const cc_source_file *files, size_t count, char **place,
                           bool *is_archive, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    char *candidate = NULL;
    bool found = false;
    *is_archive = false;
    if (!cc_file_exists(root) && !cc_is_folder(root)) {
        return cc_fail(err, CAMCL_BAD_DATA, "data set %s: %s: no such file or folder (set data.root; the data is at %s)", source->dataset,
                       root, source->fetch);
    }
    if (!cc_is_folder(root)) {
        *is_archive = true;
        return cc_copy_text(root, place, err);
    }
    CC_TRY(holds_any(root, files, count, &found, err));
    if (found) return cc_copy_text(root, place, err);
    for (size_t i = 0; source->folders[i]; i++) {
        CC_TRY(cc_path_join(root, source->folders[i], &candidate, err));
        CC_TRY(holds_any(candidate, files, count, &found, err));
        if (found) break;
        free(candidate);
        candidate = NULL;
    }
    if (!found && source->archive) {
        CC_TRY(cc_path_join(root, source->archive, &candidate, err));
        found = *is_archive = cc_file_exists(candidate);
    }
    if (!found) {
        status = cc_fail(err, CAMCL_BAD_DATA, "data set %s: %s holds neither %s%s%s (set data.root; the data is at %s)", source->dataset,
                         root, files[0].name, source->archive ? " nor " : " and the like, nor the folder ",
                         source->archive ? source->archive : source->folders[0], source->fetch);
        goto cleanup;
    }
    *place = candidate;
    candidate = NULL;
cleanup:
    free(candidate);
    return status;
}

static camcl_status read_folder(const char *folder, cc_source_file *files, size_t count, camcl_error *err)
{
    for (size_t i = 0; i < count; i++) {
        cc_source_file *file = &files[i];
        CC_RETURN_IF_FAILED(find_file(folder, file->name, &file->path, err));
        if (!file->path) continue;
        size_t length = strlen(file->path), plain = strlen(file->name);
        if (strcmp(file->path + length - plain, file->name) == 0)
            CC_RETURN_IF_FAILED(cc_file_read(file->path, &file->blob.data, &file->blob.size, err));
        else
            CC_RETURN_IF_FAILED(cc_archive_decompress(file->path, &file->blob, err));
    }
    return CAMCL_OK;
}

static camcl_status read_archive(const char *archive, cc_source_file *files, size_t count, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const char **names = NULL;
    cc_blob *blobs = NULL;
    CC_TRY(CC_NEW(count, &names, err));
    CC_TRY(CC_NEW(count, &blobs, err));
    for (size_t i = 0; i < count; i++)
        names[i] = files[i].name;
    status = cc_archive_read(archive, names, count, blobs, err);
    for (size_t i = 0; i < count; i++)
        files[i].blob = blobs[i];
    for (size_t i = 0; i < count && status == CAMCL_OK; i++) {
        cc_text path = CC_TEXT_INIT;
        cc_text_add(&path, "%s: %s", archive, files[i].name);
        if (path.failed) status = cc_fail(err, CAMCL_NO_MEMORY, "%s: out of memory", archive);
        files[i].path = path.data;
    }
cleanup:
    free(names);
    free(blobs);
    return status;
}

static camcl_status check_missing(const cc_source *source, const char *place, const cc_source_file *files, size_t count, camcl_error *err)
{
    cc_text missing = CC_TEXT_INIT;
    camcl_status status = CAMCL_OK;
    for (size_t i = 0; i < count; i++)
        if (!files[i].blob.data && !files[i].optional) cc_text_add(&missing, "%s%s", missing.length ? ", " : "", files[i].name);
    if (missing.length) {
        status = cc_fail(err, CAMCL_BAD_DATA, "data set %s: %s lacks %s (the data is at %s)", source->dataset, place, missing.data,
                         source->fetch);
    }
    cc_text_free(&missing);
    return status;
}

camcl_status cc_source_read(const cc_source *source, const char *root, cc_source_file *files, size_t count, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    char *place = NULL;
    bool is_archive = false;
    CC_TRY(locate(source, root, files, count, &place, &is_archive, err));
    CC_TRY(is_archive ? read_archive(place, files, count, err) : read_folder(place, files, count, err));
    CC_TRY(check_missing(source, place, files, count, err));
cleanup:
    free(place);
    return status;
}

void cc_source_free(cc_source_file *files, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(files[i].blob.data);
        free(files[i].path);
        files[i].blob = (cc_blob){ NULL, 0 };
        files[i].path = NULL;
    }
}
