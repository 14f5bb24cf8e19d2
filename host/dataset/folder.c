/* Pictures in folders: root/train/CLASS/ with root/test/CLASS/ or root/val/CLASS/ or both, or root/CLASS/ alone; and root/unlabeled/. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "dataset/entries.h"
#include "dataset/layout.h"
#include "dataset/own_pictures.h"
#include "dataset/walk.h"

#define NO_CLASS "a picture without a class folder"
#define NO_PART "a folder that is no part of the data set"

/* What has been found so far. */
typedef struct search {
    camcl_dataset *dataset;
    const char *root;
    cc_layout layout;
    cc_entries classes; /* the folders of the training classes, whose positions are the labels */
    cc_picture_set set;
} search;

static camcl_status open_root(const char *root, cc_entries *entries, camcl_error *err)
{
    int code;
    CC_RETURN_IF_FAILED(cc_entries_read(root, entries, &code, err));
    switch (code) {
    case 0: return CAMCL_OK;
    case ENOENT:
        return cc_fail(err, CAMCL_BAD_DATA, "data set folder: %s: no such folder (set data.root to the folder of train/ or of the classes)",
                       root);
    case ENOTDIR:
        return cc_fail(err, CAMCL_BAD_DATA,
                       "data set folder: %s is no folder (unpack an archive; data.dataset = list reads a list of pictures)", root);
    default: return cc_fail_errno(err, "open the folder", root, code);
    }
}

/* Counts one entry that belongs to no class. */
static camcl_status count_stray(search *s, const char *folder, const cc_entry *entry, camcl_error *err)
{
    char *path, kind[64];
    CC_RETURN_IF_FAILED(cc_path_join(folder, entry->name, &path, err));
    if (entry->kind == CC_ENTRY_OTHER)
        cc_entry_describe(path, kind, sizeof kind);
    else
        snprintf(kind, sizeof kind, "%s", entry->kind == CC_ENTRY_PICTURE ? NO_CLASS : NO_PART);
    camcl_status status = cc_left_out_add(&s->set.left_out, kind, 1, path, err);
    free(path);
    return status;
}

/* Beside train/ and the like, the root holds nothing that is read. */
static camcl_status count_root_strays(search *s, const cc_entries *entries, camcl_error *err)
{
    for (size_t i = 0; i < entries->count && !s->layout.is_flat; i++) {
        const cc_entry *entry = &entries->items[i];
        if (entry->kind == CC_ENTRY_FOLDER && cc_role_of(entry->name) != CC_ROLES) continue;
        CC_RETURN_IF_FAILED(count_stray(s, s->root, entry, err));
    }
    return CAMCL_OK;
}

static camcl_status no_classes(const search *s, const char *folder, size_t pictures, camcl_error *err)
{
    const char *part = s->layout.is_flat ? "" : strrchr(folder, '/') + 1;
    cc_text found = CC_TEXT_INIT;
    if (pictures) cc_text_add(&found, ", and %zu pictures directly in it, which have no class", pictures);
    camcl_status status = cc_fail(err, CAMCL_BAD_DATA,
                                  "data set folder: %s holds no folders of classes%s (what is read is %s%sCLASS/..., %sand unlabeled/ for "
                                  "pictures without labels)",
                                  folder, found.data ? found.data : "", part, *part ? "/" : "",
                                  s->layout.is_flat ? "or train/CLASS/... with test/CLASS/..., " : "");
    cc_text_free(&found);
    return status;
}

/* Reads the folders of classes in `folder`, and counts what else there is. */
static camcl_status find_class_folders(search *s, const char *folder, cc_entries *out, camcl_error *err)
{
    int code;
    size_t kept = 0, pictures = 0;
    CC_RETURN_IF_FAILED(cc_entries_read(folder, out, &code, err));
    if (code != 0) return cc_fail_errno(err, "open the folder", folder, code);
    for (size_t i = 0; i < out->count; i++) {
        cc_entry *entry = &out->items[i];
        bool is_unlabeled = entry->kind == CC_ENTRY_FOLDER && cc_role_of(entry->name) == CC_ROLE_UNLABELED;
        if (is_unlabeled && !s->layout.is_flat)
            return cc_fail(err, CAMCL_BAD_DATA, "data set folder: %s/%s would be a class of that name (move it to %s/unlabeled)", folder,
                           entry->name, s->root);
        if (entry->kind == CC_ENTRY_FOLDER && !is_unlabeled) {
            cc_entry swapped = out->items[kept];
            out->items[kept++] = *entry;
            *entry = swapped;
            continue;
        }
        pictures += entry->kind == CC_ENTRY_PICTURE;
        if (!is_unlabeled) CC_RETURN_IF_FAILED(count_stray(s, folder, entry, err));
    }
    for (size_t i = kept; i < out->count; i++)
        free(out->items[i].name);
    out->count = kept;
    return kept ? CAMCL_OK : no_classes(s, folder, pictures, err);
}

/* An archive of a data set often unpacks to a folder in a folder. */
static camcl_status check_nested(const search *s, camcl_error *err)
{
    char *inner = NULL, *train = NULL;
    camcl_status status = CAMCL_OK;
    if (!s->layout.is_flat || s->classes.count != 1) return CAMCL_OK;
    CC_TRY(cc_path_join(s->root, s->classes.items[0].name, &inner, err));
    CC_TRY(cc_path_join(inner, "train", &train, err));
    if (cc_is_folder(train))
        status = cc_fail(err, CAMCL_BAD_DATA, "data set folder: train/ is not in %s itself (set data.root to %s)", s->root, inner);
cleanup:
    free(inner);
    free(train);
    return status;
}

static camcl_status find_classes(search *s, camcl_error *err)
{
    const char **names;
    CC_RETURN_IF_FAILED(find_class_folders(s, s->layout.paths[CC_ROLE_TRAIN], &s->classes, err));
    CC_RETURN_IF_FAILED(check_nested(s, err));
    CC_RETURN_IF_FAILED(CC_NEW(s->classes.count, &names, err));
    for (size_t i = 0; i < s->classes.count; i++)
        names[i] = s->classes.items[i].name;
    camcl_status status = cc_own_classes(s->dataset, s->layout.paths[CC_ROLE_TRAIN], names, s->classes.count, err);
    free(names);
    return status;
}

static camcl_status find_label(const search *s, const char *folder, const cc_entry *entry, int32_t *label, camcl_error *err)
{
    const cc_entry *found = cc_entries_find(&s->classes, entry->name);
    if (!found)
        return cc_fail(err, CAMCL_BAD_DATA,
                       "data set folder: %s/%s has no counterpart among the training classes (add %s/%s, or remove it)", folder,
                       entry->name, s->layout.paths[CC_ROLE_TRAIN], entry->name);
    *label = (int32_t)(found - s->classes.items);
    return CAMCL_OK;
}

static camcl_status no_pictures(const char *folder, const cc_left_out *left_out, camcl_error *err)
{
    cc_text kinds = CC_TEXT_INIT;
    for (size_t i = 0; i < left_out->count; i++)
        cc_text_add(&kinds, "%s%u %s", i ? ", " : "", (unsigned)left_out->rows[i].count, left_out->rows[i].kind);
    camcl_status status = cc_fail(err, CAMCL_BAD_DATA, "data set folder: %s holds no pictures%s%s (PNG, JPEG and WebP files are read)",
                                  folder, kinds.data ? ", but " : "", kinds.data ? kinds.data : "");
    cc_text_free(&kinds);
    return status;
}

/* Adds the pictures below a folder to the set. One with files but no pictures is refused, and so is an empty one that must not be. */
static camcl_status add_pictures(search *s, const char *folder, cc_picture like, bool may_be_empty, cc_folder_set *known, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_walk walk = { NULL, 0, 0, { NULL, 0, 0 } };
    camcl_dataset_part part = like.pool == CC_POOL_TEST ? CAMCL_TEST_IMAGES : CAMCL_TRAIN_IMAGES;
    CC_TRY(cc_walk_folder(&walk, folder, cc_walk_base(s->root), known, err));
    if (walk.count == 0 && (walk.left_out.count > 0 || !may_be_empty)) {
        status = no_pictures(folder, &walk.left_out, err);
        goto cleanup;
    }
    for (size_t i = 0; i < walk.count; i++) {
        like.path = walk.files[i].path;
        like.relative = walk.files[i].relative;
        walk.files[i].path = NULL;
        CC_TRY(cc_picture_set_add(&s->set, part, like, err));
    }
    CC_TRY(cc_left_out_merge(&s->set.left_out, walk.left_out.rows, walk.left_out.count, err));
cleanup:
    cc_walk_free(&walk);
    return status;
}

/* A link from within a class to its own folder, another class's, or one above leads nowhere new. */
static camcl_status note_known(const search *s, const char *folder, const cc_entries *classes, cc_folder_set *known, camcl_error *err)
{
    bool is_new;
    CC_RETURN_IF_FAILED(cc_folder_set_add_path(known, s->root, &is_new, err));
    CC_RETURN_IF_FAILED(cc_folder_set_add_path(known, folder, &is_new, err));
    for (size_t i = 0; i < classes->count; i++) {
        CC_RETURN_IF_FAILED(cc_folder_set_add(known, classes->items[i].device, classes->items[i].inode, &is_new, err));
        if (!is_new)
            return cc_fail(err, CAMCL_BAD_DATA, "data set folder: %s/%s leads to a folder that is read by another name (remove the link)",
                           folder, classes->items[i].name);
    }
    return CAMCL_OK;
}

/* Adds the pictures of every class of one part. */
static camcl_status add_classes(search *s, const char *folder, const cc_entries *classes, cc_picture_pool pool, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_folder_set known = { NULL, 0, 0 };
    cc_picture like = { NULL, NULL, 0, 0, pool };
    CC_TRY(note_known(s, folder, classes, &known, err));
    for (size_t i = 0; i < classes->count; i++) {
        char *path;
        CC_TRY(find_label(s, folder, &classes->items[i], &like.label, err));
        CC_TRY(cc_path_join(folder, classes->items[i].name, &path, err));
        status = add_pictures(s, path, like, pool != CC_POOL_LABELED, &known, err);
        free(path);
        CC_TRY(status);
    }
cleanup:
    cc_folder_set_free(&known);
    return status;
}

/* Adds a test or validation set, if there is one. */
static camcl_status add_given(search *s, cc_role role, cc_picture_pool pool, camcl_error *err)
{
    const char *folder = s->layout.paths[role];
    const size_t *counts[] = { &s->set.parts[CAMCL_TRAIN_IMAGES].count, &s->set.parts[CAMCL_TEST_IMAGES].count };
    const size_t before = *counts[0] + *counts[1];
    cc_entries classes = { NULL, 0, 0 };
    camcl_status status = CAMCL_OK;
    if (!folder) return CAMCL_OK;
    CC_TRY(find_class_folders(s, folder, &classes, err));
    CC_TRY(add_classes(s, folder, &classes, pool, err));
    if (*counts[0] + *counts[1] == before)
        status = cc_fail(err, CAMCL_BAD_DATA, "data set folder: %s holds no pictures in any class (fill or remove it)", folder);
cleanup:
    cc_entries_free(&classes);
    return status;
}

/* Pictures at any depth; folders in it are no classes. */
static camcl_status add_unlabeled(search *s, camcl_error *err)
{
    const cc_picture like = { NULL, NULL, 0, -1, CC_POOL_UNLABELED };
    const char *folder = s->layout.paths[CC_ROLE_UNLABELED];
    cc_folder_set known = { NULL, 0, 0 };
    bool is_new;
    if (!folder) return CAMCL_OK;
    camcl_status status = cc_folder_set_add_path(&known, s->root, &is_new, err);
    if (status == CAMCL_OK) status = add_pictures(s, folder, like, true, &known, err);
    cc_folder_set_free(&known);
    return status;
}

static camcl_status read_folder(camcl_dataset *dataset, const camcl_dataset_spec *spec, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_entries entries = { NULL, 0, 0 };
    search s = { dataset, spec->root, { { NULL }, false }, { NULL, 0, 0 }, CC_PICTURE_SET_INIT };
    CC_TRY(open_root(spec->root, &entries, err));
    CC_TRY(cc_layout_find(spec->root, &entries, &s.layout, err));
    CC_TRY(count_root_strays(&s, &entries, err));
    CC_TRY(find_classes(&s, err));
    CC_TRY(add_classes(&s, s.layout.paths[CC_ROLE_TRAIN], &s.classes, CC_POOL_LABELED, err));
    CC_TRY(add_given(&s, CC_ROLE_TEST, CC_POOL_TEST, err));
    CC_TRY(add_given(&s, CC_ROLE_VALIDATION, CC_POOL_VALIDATION, err));
    CC_TRY(add_unlabeled(&s, err));
    CC_TRY(cc_own_pictures_read(dataset, spec, &s.set, err));
cleanup:
    cc_entries_free(&entries);
    cc_layout_free(&s.layout);
    cc_entries_free(&s.classes);
    cc_picture_set_free(&s.set);
    return status;
}

const cc_dataset_kind cc_dataset_folder = { .read = read_folder, .has_statistics = false };
