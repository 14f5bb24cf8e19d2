#include "dataset/source.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "dataset/source_missing.h"

/* The next archive of the form in the folder, from *which on, or NULL. */
static camcl_status find_archive(const char *folder, const cc_source_form *form, size_t *which, char **path, camcl_error *err)
{
    static const char *const endings[] = { ".tar.gz", ".tgz", ".tar", ".tar.xz", ".tar.bz2", ".tar.zst", ".zip", ".7z" };
    camcl_status status = CAMCL_OK;
    *path = NULL;
    for (; !*path && status == CAMCL_OK && form->archives[*which / CC_COUNT(endings)]; ++*which) {
        cc_text text = CC_TEXT_INIT;
        cc_text_add(&text, "%s/%s%s", folder, form->archives[*which / CC_COUNT(endings)], endings[*which % CC_COUNT(endings)]);
        if (text.failed)
            status = cc_fail(err, CAMCL_NO_MEMORY, "%s: out of memory (close other programs)", folder);
        else if (cc_is_plain_file(text.data))
            status = cc_copy_text(text.data, path, err);
        cc_text_free(&text);
    }
    return status;
}

static camcl_status open_archive(const cc_source *source, const char *path, cc_place *place, cc_source_match *match, camcl_error *err)
{
    camcl_status status = cc_place_open_archive(path, place, err);
    if (status == CAMCL_BAD_DATA || status == CAMCL_UNSUPPORTED) return cc_source_no_archive(source, path, status, err);
    return status == CAMCL_OK ? cc_source_search(source, place, match, err) : status;
}

/* If neither the folder nor an archive in it is complete, *place and *match are the first of them that holds any file. */
static camcl_status search_root(const cc_source *source, const char *root, cc_place *place, cc_source_match *match, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    char *path = NULL;
    cc_place archive = { NULL, NULL };
    cc_source_match inside = { 0 };
    if (cc_is_plain_file(root)) return open_archive(source, root, place, match, err);
    CC_TRY(cc_place_open_folder(root, place, err));
    CC_TRY(cc_source_search(source, place, match, err));
    for (size_t i = 0; i < source->form_count; i++)
        for (size_t which = 0; !cc_source_is_complete(match);) {
            CC_TRY(find_archive(root, &source->forms[i], &which, &path, err));
            if (!path) break;
            CC_TRY(open_archive(source, path, &archive, &inside, err));
            if (cc_source_is_complete(&inside) || !match->form) {
                cc_place_close(place);
                cc_source_match_free(match);
                *place = archive;
                *match = inside;
                archive = (cc_place){ NULL, NULL };
                inside = (cc_source_match){ 0 };
            }
            cc_place_close(&archive);
            cc_source_match_free(&inside);
            free(path);
            path = NULL;
        }
cleanup:
    free(path);
    cc_place_close(&archive);
    cc_source_match_free(&inside);
    return status;
}

static camcl_status read_files(cc_place *place, cc_source_match *match, cc_source_result *out, camcl_error *err)
{
    cc_place_file files[CC_SOURCE_FILES];
    cc_blob blobs[CC_SOURCE_FILES] = { { NULL, 0 } };
    size_t indices[CC_SOURCE_FILES], count = 0;
    out->form = match->form;
    for (size_t i = 0; i < CC_SOURCE_FILES; i++) {
        out->files[i].path = match->files[i].path;
        match->files[i].path = NULL;
        if (!out->files[i].path) continue;
        files[count] = match->files[i];
        files[count].path = out->files[i].path;
        indices[count++] = i;
    }
    camcl_status status = cc_place_read(place, files, count, blobs, err);
    for (size_t i = 0; i < count; i++)
        out->files[indices[i]].blob = blobs[i];
    return status;
}

camcl_status cc_source_read(const cc_source *source, const char *root, cc_source_result *out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_place place = { NULL, NULL };
    cc_source_match match = { 0 };
    *out = (cc_source_result){ 0 };
    if (!cc_is_folder(root) && !cc_is_plain_file(root)) {
        return cc_fail(err, CAMCL_BAD_DATA, "data set %s: %s: %s (set data.root; the data is at %s, camcl data fetch %s gets it)",
                       source->dataset, root, cc_file_exists(root) ? "neither a folder nor a plain file" : "no such file or folder",
                       source->fetch, source->dataset);
    }
    CC_TRY(search_root(source, root, &place, &match, err));
    CC_TRY(cc_source_is_complete(&match) ? read_files(&place, &match, out, err) : cc_source_missing(source, &place, &match, err));
    for (size_t i = 0; i < CC_SOURCE_FILES; i++)
        CC_TRY(cc_source_check_mishap(source, out->files[i].path, out->files[i].blob.data, out->files[i].blob.size, err));
cleanup:
    cc_place_close(&place);
    cc_source_match_free(&match);
    return status;
}

void cc_source_free(cc_source_result *result)
{
    for (size_t i = 0; i < CC_SOURCE_FILES; i++) {
        free(result->files[i].blob.data);
        free(result->files[i].path);
    }
    *result = (cc_source_result){ 0 };
}
