/* root/train/CLASS/ and root/test/CLASS/ with pictures of one size. */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/memory.h"
#include "camcl/image.h"
#include "dataset/dataset.h"

/* One path in a folder, and the label that its picture or pictures get. */
typedef struct entry {
    char *path;
    int32_t label;
} entry;

typedef struct listing {
    entry *entries;
    size_t count, capacity;
} listing;

static void listing_free(listing *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->entries[i].path);
    free(list->entries);
    *list = (listing){ NULL, 0, 0 };
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool is_picture(const char *path)
{
    const char *dot = strrchr(name_of(path), '.');
    return dot && (strcasecmp(dot, ".png") == 0 || strcasecmp(dot, ".jpg") == 0 || strcasecmp(dot, ".jpeg") == 0);
}

static int by_path(const void *a, const void *b) { return strcmp(((const entry *)a)->path, ((const entry *)b)->path); }

/* Appends either the folder's sub-folders or its pictures, in byte order of their names. Hidden entries and other files are left out. */
static camcl_status list_folder(const char *folder, bool folders, int32_t label, listing *list, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    char *path = NULL;
    size_t first = list->count;
    DIR *stream = opendir(folder);
    if (!stream && (errno == ENOENT || errno == ENOTDIR)) {
        return cc_fail(err, CAMCL_BAD_DATA, "data set folder: %s: no such folder (set data.root to the folder of train/ and test/)",
                       folder);
    }
    if (!stream) return cc_fail_errno(err, "read the folder", folder, errno);
    for (struct dirent *found; (found = readdir(stream)) != NULL;) {
        if (found->d_name[0] == '.') continue;
        CC_TRY(cc_path_join(folder, found->d_name, &path, err));
        if (folders ? cc_is_folder(path) : is_picture(path) && !cc_is_folder(path)) {
            CC_TRY(cc_grow((void **)&list->entries, &list->capacity, list->count + 1, sizeof(entry), err));
            list->entries[list->count++] = (entry){ path, label };
        } else {
            free(path);
        }
        path = NULL;
    }
    if (list->count > first) qsort(list->entries + first, list->count - first, sizeof(entry), by_path);
cleanup:
    free(path);
    closedir(stream);
    return status;
}

/* Lists the class folders below root/part. With `classes`, every folder must be one of those, and its label is the class's position
 * there. */
static camcl_status list_classes(const char *root, const char *part, const listing *classes, listing *out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    char *folder = NULL;
    CC_TRY(cc_path_join(root, part, &folder, err));
    CC_TRY(list_folder(folder, true, 0, out, err));
    if (out->count == 0) {
        status = cc_fail(err, CAMCL_BAD_DATA, "data set folder: %s holds no folders (one for each class belongs there)", folder);
        goto cleanup;
    }
    for (size_t i = 0; i < out->count; i++) {
        size_t label = i;
        if (classes) {
            const char *name = name_of(out->entries[i].path);
            for (label = 0; label < classes->count && strcmp(name_of(classes->entries[label].path), name) != 0;)
                label++;
            if (label == classes->count) {
                status =
                    cc_fail(err, CAMCL_BAD_DATA, "data set folder: %s has no counterpart among the training classes", out->entries[i].path);
                goto cleanup;
            }
        }
        out->entries[i].label = (int32_t)label;
    }
cleanup:
    free(folder);
    return status;
}

static camcl_status read_picture(camcl_dataset *dataset, camcl_dataset_part part, size_t index, const entry *from, camcl_error *err)
{
    const camcl_dataset_info *info = &dataset->info;
    size_t bytes = (size_t)info->height * info->width * info->channels;
    camcl_image image = CAMCL_IMAGE_INIT;
    camcl_status status = camcl_image_read(from->path, &image, err);
    if (status == CAMCL_OK && (image.width != info->width || image.height != info->height)) {
        status = cc_fail(err, CAMCL_BAD_DATA, "%s: %u x %u pixels where the first picture has %u x %u (scale all to one size)", from->path,
                         (unsigned)image.width, (unsigned)image.height, (unsigned)info->width, (unsigned)info->height);
    }
    if (status == CAMCL_OK) {
        memcpy(dataset->parts[part].pixels + index * bytes, image.pixels, bytes);
        dataset->parts[part].labels[index] = from->label;
    }
    camcl_image_free(&image);
    return status;
}

/* The first training picture sets the size for all. */
static camcl_status set_size(camcl_dataset *dataset, const listing *pictures, camcl_error *err)
{
    camcl_image image = CAMCL_IMAGE_INIT;
    CC_RETURN_IF_FAILED(camcl_image_read(pictures->entries[0].path, &image, err));
    dataset->info.width = image.width;
    dataset->info.height = image.height;
    dataset->info.channels = image.channels;
    camcl_image_free(&image);
    return CAMCL_OK;
}

static camcl_status read_pictures(camcl_dataset *dataset, camcl_dataset_part part, const listing *classes, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    listing pictures = { NULL, 0, 0 };
    for (size_t i = 0; i < classes->count; i++) {
        size_t before = pictures.count;
        CC_TRY(list_folder(classes->entries[i].path, false, classes->entries[i].label, &pictures, err));
        if (pictures.count == before) {
            status = cc_fail(err, CAMCL_BAD_DATA, "data set folder: %s holds no .png, .jpg or .jpeg files", classes->entries[i].path);
            goto cleanup;
        }
    }
    if (part == CAMCL_TRAIN_IMAGES) CC_TRY(set_size(dataset, &pictures, err));
    CC_TRY(cc_dataset_reserve(dataset, part, pictures.count, 0, err));
    for (size_t i = 0; i < pictures.count; i++)
        CC_TRY(read_picture(dataset, part, i, &pictures.entries[i], err));
cleanup:
    listing_free(&pictures);
    return status;
}

static camcl_status set_class_names(camcl_dataset *dataset, const listing *classes, camcl_error *err)
{
    const char **names = NULL;
    CC_RETURN_IF_FAILED(CC_NEW(classes->count, &names, err));
    for (size_t i = 0; i < classes->count; i++)
        names[i] = name_of(classes->entries[i].path);
    camcl_status status = cc_dataset_set_classes(dataset, names, classes->count, err);
    free(names);
    return status;
}

static camcl_status read_folder(camcl_dataset *dataset, const camcl_dataset_spec *spec, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    listing train = { NULL, 0, 0 }, test = { NULL, 0, 0 };
    CC_TRY(list_classes(spec->root, "train", NULL, &train, err));
    CC_TRY(list_classes(spec->root, "test", &train, &test, err));
    CC_TRY(set_class_names(dataset, &train, err));
    CC_TRY(read_pictures(dataset, CAMCL_TRAIN_IMAGES, &train, err));
    CC_TRY(read_pictures(dataset, CAMCL_TEST_IMAGES, &test, err));
cleanup:
    listing_free(&train);
    listing_free(&test);
    return status;
}

const cc_dataset_kind cc_dataset_folder = { .read = read_folder, .has_statistics = false };
