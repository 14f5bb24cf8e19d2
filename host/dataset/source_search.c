#include "dataset/source_search.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void cc_source_match_free(cc_source_match *match)
{
    for (size_t i = 0; i < CC_SOURCE_FILES; i++)
        free(match->files[i].path);
    free(match->folder);
    *match = (cc_source_match){ 0 };
}

/* Looks for a form's files in one folder of the place. */
static camcl_status match_folder(const cc_place *place, const cc_source_form *form, const char *folder, cc_source_match *out,
                                 camcl_error *err)
{
    *out = (cc_source_match){ .form = form };
    CC_RETURN_IF_FAILED(cc_copy_text(folder, &out->folder, err));
    for (size_t i = 0; i < CC_SOURCE_FILES && form->names[i].name; i++) {
        const cc_source_name *name = &form->names[i];
        CC_RETURN_IF_FAILED(cc_place_find(place, folder, name->name, &out->files[i], err));
        if (!out->files[i].path && name->alias) CC_RETURN_IF_FAILED(cc_place_find(place, folder, name->alias, &out->files[i], err));
        if (name->optional) continue;
        out->needed++;
        if (out->files[i].path) out->found++;
    }
    return CAMCL_OK;
}

/* *best becomes *match if that is better; the other one is freed. */
static void keep_better(cc_source_match *best, cc_source_match *match)
{
    if (!cc_source_is_complete(best) && (cc_source_is_complete(match) || match->found > best->found)) {
        cc_source_match_free(best);
        *best = *match;
    } else {
        cc_source_match_free(match);
    }
}

static camcl_status try_folder(const cc_place *place, const cc_source_form *form, const char *folder, cc_source_match *best,
                               camcl_error *err)
{
    cc_source_match match = { 0 };
    camcl_status status = match_folder(place, form, folder, &match, err);
    keep_better(best, &match);
    return status;
}

static camcl_status search_folder(const cc_place *place, const cc_source_form *form, cc_source_match *best, camcl_error *err)
{
    CC_RETURN_IF_FAILED(try_folder(place, form, "", best, err));
    for (size_t i = 0; form->folders[i] && !cc_source_is_complete(best); i++)
        CC_RETURN_IF_FAILED(try_folder(place, form, form->folders[i], best, err));
    return CAMCL_OK;
}

/* ---- Archives ---- */

static bool is_named(const char *base, size_t length, const char *name)
{
    size_t plain = name ? strlen(name) : 0;
    return name && length >= plain && memcmp(base, name, plain) == 0 && (length == plain || base[plain] == '.');
}

/* Whether a member is one of the form's files: then the length of the folder that the form is in. */
static bool find_form_folder(const cc_source_form *form, const char *member, size_t *length)
{
    const char *slash = strrchr(member, '/'), *base = slash ? slash + 1 : member;
    for (size_t i = 0; i < CC_SOURCE_FILES && form->names[i].name; i++) {
        const cc_source_name *name = &form->names[i];
        const char *used = is_named(base, strlen(base), name->name) ? name->name : name->alias;
        if (name->optional || !is_named(base, strlen(base), used)) continue;
        size_t end = slash ? (size_t)(slash - member) : 0, own = strlen(used);
        /* A folder of the file's own name belongs to the file. */
        if (end >= own && memcmp(member + end - own, used, own) == 0 && (end == own || member[end - own - 1] == '/'))
            end = end == own ? 0 : end - own - 1;
        *length = end;
        return true;
    }
    return false;
}

/* The folders of the archive that hold files of the form, each once, in the order of the archive. More than `most` are not looked at. */
static camcl_status list_form_folders(const cc_place *place, const cc_source_form *form, cc_names *out, camcl_error *err)
{
    enum { most = 64 };
    for (size_t i = 0; i < cc_archive_count(place->archive) && out->count < most; i++) {
        const char *member = cc_archive_member(place->archive, i);
        size_t length = 0, known = 0;
        if (!find_form_folder(form, member, &length)) continue;
        while (known < out->count && (strlen(out->names[known]) != length || memcmp(out->names[known], member, length) != 0))
            known++;
        if (known == out->count) CC_RETURN_IF_FAILED(cc_names_add(out, member, length, err));
    }
    return CAMCL_OK;
}

/* Whether folder is `name`, or ends in it. */
static bool ends_in(const char *folder, const char *name)
{
    size_t length = strlen(folder), tail = strlen(name);
    return length >= tail && strcmp(folder + length - tail, name) == 0 && (length == tail || folder[length - tail - 1] == '/');
}

/* Looks in the folders that end in `ending` (NULL: in all). One that is complete must be the only one. */
static camcl_status try_folders(const cc_source *source, const cc_place *place, const cc_source_form *form, const cc_names *folders,
                                const char *ending, cc_source_match *best, camcl_error *err)
{
    for (size_t i = 0; i < folders->count; i++) {
        cc_source_match match = { 0 };
        if (ending && !ends_in(folders->names[i], ending)) continue;
        camcl_status status = match_folder(place, form, folders->names[i], &match, err);
        if (status == CAMCL_OK && cc_source_is_complete(&match) && cc_source_is_complete(best)) {
            status = cc_fail(err, CAMCL_BAD_DATA,
                             "data set %s: %s holds the files twice, in '%s' and in '%s' (unpack it, and set data.root to one)",
                             source->dataset, place->path, best->folder, match.folder);
        }
        keep_better(best, &match);
        CC_RETURN_IF_FAILED(status);
    }
    return CAMCL_OK;
}

static camcl_status search_archive(const cc_source *source, const cc_place *place, const cc_source_form *form, cc_source_match *best,
                                   camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_names folders = { NULL, 0, 0 };
    CC_TRY(list_form_folders(place, form, &folders, err));
    for (size_t i = 0; form->folders[i] && !cc_source_is_complete(best); i++)
        CC_TRY(try_folders(source, place, form, &folders, form->folders[i], best, err));
    if (!cc_source_is_complete(best)) CC_TRY(try_folders(source, place, form, &folders, NULL, best, err));
cleanup:
    cc_names_free(&folders);
    return status;
}

camcl_status cc_source_search(const cc_source *source, const cc_place *place, cc_source_match *best, camcl_error *err)
{
    *best = (cc_source_match){ 0 };
    for (size_t i = 0; i < source->form_count && !cc_source_is_complete(best); i++) {
        const cc_source_form *form = &source->forms[i];
        CC_RETURN_IF_FAILED(place->archive ? search_archive(source, place, form, best, err) : search_folder(place, form, best, err));
    }
    return CAMCL_OK;
}
