#include "dataset/dataset.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

camcl_status cc_dataset_reserve(camcl_dataset *dataset, camcl_dataset_part part, size_t count, int with_masks, camcl_error *err)
{
    const camcl_dataset_info *info = &dataset->info;
    cc_dataset_images *images = &dataset->parts[part];
    size_t plane, all;
    if (count > INT32_MAX) return cc_fail(err, CAMCL_UNSUPPORTED, "data set %s: %zu images are more than 2^31 - 1", info->name, count);
    if (!cc_mul_size(info->height, info->width, &plane) || !cc_mul_size(plane, count, &plane) || !cc_mul_size(plane, info->channels, &all))
        return cc_fail(err, CAMCL_NO_MEMORY, "data set %s: %zu images of %u x %u do not fit in memory", info->name, count,
                       (unsigned)info->width, (unsigned)info->height);
    CC_RETURN_IF_FAILED(CC_NEW(all, &images->pixels, err));
    CC_RETURN_IF_FAILED(CC_NEW(count, &images->labels, err));
    if (with_masks) CC_RETURN_IF_FAILED(CC_NEW(plane, &images->masks, err));
    *(part == CAMCL_TRAIN_IMAGES ? &dataset->info.train_count : &dataset->info.test_count) = (uint32_t)count;
    return CAMCL_OK;
}

camcl_status cc_dataset_set_classes(camcl_dataset *dataset, const char *const *names, size_t count, camcl_error *err)
{
    CC_RETURN_IF_FAILED(CC_NEW(count, &dataset->class_names, err));
    dataset->info.classes = (uint32_t)count;
    for (size_t i = 0; i < count; i++)
        CC_RETURN_IF_FAILED(cc_copy_text(names[i], &dataset->class_names[i], err));
    return CAMCL_OK;
}

camcl_status cc_dataset_parse_classes(camcl_dataset *dataset, const char *file, const char *text, size_t count, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    char *copy = NULL;
    const char **names = NULL;
    size_t found = 0;
    CC_TRY(cc_copy_text(text, &copy, err));
    CC_TRY(CC_NEW(count, &names, err));
    for (char *save = NULL, *line = strtok_r(copy, "\r\n", &save); line; line = strtok_r(NULL, "\r\n", &save)) {
        line[strcspn(line, " \t")] = '\0';
        if (!*line) continue;
        if (found < count) names[found] = line;
        found++;
    }
    if (found != count) {
        status = cc_fail(err, CAMCL_BAD_DATA, "%s: it names %zu classes where %zu belong (remove it for the built-in names)", file, found,
                         count);
        goto cleanup;
    }
    CC_TRY(cc_dataset_set_classes(dataset, names, count, err));
cleanup:
    free(names);
    free(copy);
    return status;
}

static void free_images(cc_dataset_images *images, size_t count)
{
    if (images->files)
        for (size_t i = 0; i < count; i++)
            free(images->files[i].path);
    free(images->files);
    free(images->pixels);
    free(images->labels);
    free(images->masks);
}

void camcl_dataset_close(camcl_dataset **dataset)
{
    if (!dataset || !*dataset) return;
    for (int part = 0; part < 2; part++)
        free_images(&(*dataset)->parts[part], cc_dataset_count(*dataset, part));
    if ((*dataset)->class_names)
        for (uint32_t i = 0; i < (*dataset)->info.classes; i++)
            free((*dataset)->class_names[i]);
    free((*dataset)->class_names);
    free((*dataset)->held_out);
    free((*dataset)->summary);
    cc_left_out_free(&(*dataset)->left_out);
    cc_pixel_store_free((*dataset)->store);
    free(*dataset);
    *dataset = NULL;
}

const camcl_dataset_info *camcl_dataset_get_info(const camcl_dataset *dataset) { return &dataset->info; }

const char *const *camcl_dataset_class_names(const camcl_dataset *dataset) { return (const char *const *)dataset->class_names; }

const uint8_t *camcl_dataset_pixels(const camcl_dataset *dataset, camcl_dataset_part part)
{
    const cc_dataset_images *images = &dataset->parts[part];
    return images->stored ? images->stored : images->pixels;
}

const int32_t *camcl_dataset_labels(const camcl_dataset *dataset, camcl_dataset_part part) { return dataset->parts[part].labels; }

const uint8_t *camcl_dataset_masks(const camcl_dataset *dataset, camcl_dataset_part part) { return dataset->parts[part].masks; }

const uint32_t *camcl_dataset_held_out(const camcl_dataset *dataset) { return dataset->held_out; }

const char *camcl_dataset_file(const camcl_dataset *dataset, camcl_dataset_part part, size_t index)
{
    const cc_dataset_file *files = dataset->parts[part].files;
    return files ? files[index].relative : NULL;
}

const camcl_left_out *camcl_dataset_left_out(const camcl_dataset *dataset, size_t *count)
{
    *count = dataset->left_out.count;
    return dataset->left_out.rows;
}

const char *camcl_dataset_summary(const camcl_dataset *dataset) { return dataset->summary ? dataset->summary : ""; }

camcl_fingerprint camcl_dataset_fingerprint(const camcl_dataset *dataset) { return dataset->fingerprint; }
