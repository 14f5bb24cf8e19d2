/* camcl_picture_list: the pictures of files and folders that were given. */
#include <stdlib.h>
#include <string.h>

#include "base/arguments.h"
#include "base/file.h"
#include "base/memory.h"
#include "dataset/walk.h"

struct camcl_picture_list {
    cc_walk walk;
};

static camcl_status add_file(cc_walk *walk, const char *path, camcl_error *err)
{
    char *copy;
    const char *slash = strrchr(path, '/');
    CC_RETURN_IF_FAILED(cc_copy_text(path, &copy, err));
    return cc_walk_add(walk, copy, slash ? (size_t)(slash - path) + 1 : 0, err);
}

static camcl_status add_folder(cc_walk *walk, const char *path, camcl_error *err)
{
    cc_folder_set known = { NULL, 0, 0 };
    camcl_status status = cc_walk_folder(walk, path, cc_walk_base(path), &known, err);
    cc_folder_set_free(&known);
    return status;
}

camcl_status camcl_pictures_list(const char *const *paths, size_t count, camcl_picture_list **out, camcl_error *err)
{
    if (count > 0) CC_CHECK_GIVEN(paths, err);
    CC_CHECK_GIVEN(out, err);
    camcl_status status = CAMCL_OK;
    camcl_picture_list *list = NULL;
    *out = NULL;
    CC_TRY(CC_NEW(1, &list, err));
    for (size_t i = 0; i < count; i++)
        CC_TRY(cc_is_folder(paths[i]) ? add_folder(&list->walk, paths[i], err) : add_file(&list->walk, paths[i], err));
    *out = list;
    list = NULL;
cleanup:
    camcl_pictures_free(&list);
    return status;
}

void camcl_pictures_free(camcl_picture_list **list)
{
    if (!list || !*list) return;
    cc_walk_free(&(*list)->walk);
    free(*list);
    *list = NULL;
}

size_t camcl_pictures_count(const camcl_picture_list *list) { return list->walk.count; }

const char *camcl_pictures_path(const camcl_picture_list *list, size_t index) { return list->walk.files[index].path; }

const char *camcl_pictures_relative(const camcl_picture_list *list, size_t index) { return list->walk.files[index].relative; }

const camcl_left_out *camcl_pictures_left_out(const camcl_picture_list *list, size_t *count)
{
    *count = list->walk.left_out.count;
    return *count ? list->walk.left_out.rows : NULL;
}
