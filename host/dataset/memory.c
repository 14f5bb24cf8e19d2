/* Data sets whose images a program has in memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arguments.h"
#include "base/memory.h"
#include "base/options.h"
#include "base/text.h"
#include "dataset/dataset.h"
#include "dataset/fingerprint.h"
#include "dataset/statistics.h"

/* ---- what can be wrong */

enum { MOST_CLASSES = 1 << 20, MOST_SIDE = 1 << 15 };

static camcl_status check_shape(const camcl_memory_data *d, camcl_error *err)
{
    if (d->height == 0 || d->width == 0 || d->height > MOST_SIDE || d->width > MOST_SIDE)
        return cc_fail(err, CAMCL_BAD_DATA, "data in memory: images of %u x %u pixels (sides are 1 to %d)", (unsigned)d->width,
                       (unsigned)d->height, (int)MOST_SIDE);
    if (d->channels == 0 || d->channels > CAMCL_MAX_CHANNELS)
        return cc_fail(err, CAMCL_BAD_DATA, "data in memory: images of %u channels (1 to %d can be used)", (unsigned)d->channels,
                       (int)CAMCL_MAX_CHANNELS);
    if (d->classes == 0 || d->classes > MOST_CLASSES)
        return cc_fail(err, CAMCL_BAD_DATA, "data in memory: %u classes (1 to %d can be used)", (unsigned)d->classes, (int)MOST_CLASSES);
    if (d->train.count == 0) return cc_fail(err, CAMCL_BAD_DATA, "data in memory: there are no training images (give some)");
    return CAMCL_OK;
}

static camcl_status check_images(const camcl_memory_data *d, const camcl_memory_images *images, const char *what, bool labeled,
                                 camcl_error *err)
{
    if (images->count && images->pixels == NULL)
        return cc_fail(err, CAMCL_BAD_DATA, "data in memory: %zu %s images without pixels (give their bytes, or a count of 0)",
                       images->count, what);
    if (images->count && labeled && images->labels == NULL)
        return cc_fail(err, CAMCL_BAD_DATA, "data in memory: %s images without labels (give them, or count the images as training images)",
                       what);
    for (size_t i = 0; images->labels && i < images->count; i++) {
        const int32_t label = images->labels[i];
        if (label >= (labeled ? 0 : -1) && label < (int32_t)d->classes) continue;
        return cc_fail(err, CAMCL_BAD_DATA, "data in memory: label %d of %s image %zu (labels are 0 to %u%s)", (int)label, what, i,
                       (unsigned)d->classes - 1, labeled ? "" : ", or -1 for none");
    }
    return CAMCL_OK;
}

static int compare_names(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

/* A prediction by name must mean one class. */
static camcl_status check_names(const char *const *names, size_t count, camcl_error *err)
{
    const char **sorted = NULL;
    for (size_t i = 0; i < count; i++)
        if (names[i] == NULL || *names[i] == '\0')
            return cc_fail(err, CAMCL_BAD_DATA, "data in memory: class %zu has no name (give every class one, or give no names)", i);
    CC_RETURN_IF_FAILED(CC_NEW(count, &sorted, err));
    memcpy(sorted, names, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_names);
    size_t at = 1;
    while (at < count && strcmp(sorted[at - 1], sorted[at]) != 0)
        at++;
    camcl_status status = CAMCL_OK;
    if (at < count) {
        cc_text name = CC_TEXT_INIT;
        cc_text_add_visible(&name, sorted[at], 64);
        status = cc_fail(err, CAMCL_BAD_DATA, "data in memory: two classes are called '%s' (give every class another name)",
                         name.data ? name.data : "");
        cc_text_free(&name);
    }
    free(sorted);
    return status;
}

/* ---- copying */

static camcl_status set_numbers_as_names(camcl_dataset *dataset, size_t count, camcl_error *err)
{
    CC_RETURN_IF_FAILED(CC_NEW(count, &dataset->class_names, err));
    dataset->info.classes = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        char name[24];
        snprintf(name, sizeof name, "%zu", i);
        CC_RETURN_IF_FAILED(cc_copy_text(name, &dataset->class_names[i], err));
    }
    return CAMCL_OK;
}

/* Copies those of the images that have a label, or those that have none, behind image `at` of the part; returns how many. */
static size_t take(const camcl_dataset *dataset, const camcl_memory_images *from, bool labeled, cc_dataset_images *to, size_t at)
{
    const camcl_dataset_info *info = &dataset->info;
    const size_t image = (size_t)info->height * info->width * info->channels;
    size_t taken = 0;
    for (size_t i = 0; i < from->count; i++) {
        const int32_t label = from->labels ? from->labels[i] : -1;
        if ((label >= 0) != labeled) continue;
        memcpy(to->pixels + (at + taken) * image, from->pixels + i * image, image);
        to->labels[at + taken] = label;
        taken++;
    }
    return taken;
}

static camcl_status take_test(camcl_dataset *dataset, const camcl_memory_images *test, camcl_error *err)
{
    cc_dataset_images *part = &dataset->parts[CAMCL_TEST_IMAGES];
    if (test->count == 0) return CAMCL_OK;
    CC_RETURN_IF_FAILED(cc_dataset_reserve(dataset, CAMCL_TEST_IMAGES, test->count, 0, err));
    const camcl_dataset_info *info = &dataset->info;
    memcpy(part->pixels, test->pixels, test->count * info->height * info->width * info->channels);
    for (size_t i = 0; i < test->count; i++)
        part->labels[i] = test->labels ? test->labels[i] : -1;
    return CAMCL_OK;
}

static camcl_status fill(camcl_dataset *dataset, const camcl_memory_data *d, camcl_error *err)
{
    cc_dataset_images *part = &dataset->parts[CAMCL_TRAIN_IMAGES];
    size_t all;
    dataset->info.name = "memory";
    dataset->info.height = d->height;
    dataset->info.width = d->width;
    dataset->info.channels = d->channels;
    CC_RETURN_IF_FAILED(d->class_names ? cc_dataset_set_classes(dataset, d->class_names, d->classes, err)
                                       : set_numbers_as_names(dataset, d->classes, err));
    if (!cc_add_size(d->train.count, d->validation.count, &all)) all = SIZE_MAX;
    CC_RETURN_IF_FAILED(cc_dataset_reserve(dataset, CAMCL_TRAIN_IMAGES, all, 0, err));
    const size_t labeled = take(dataset, &d->train, true, part, 0), unlabeled = take(dataset, &d->train, false, part, labeled);
    dataset->info.unlabeled_count = (uint32_t)unlabeled;
    dataset->info.validation_count = (uint32_t)take(dataset, &d->validation, true, part, labeled + unlabeled);
    CC_RETURN_IF_FAILED(take_test(dataset, &d->test, err));
    cc_dataset_take_statistics(dataset);
    return cc_fingerprint_take(dataset, &dataset->fingerprint, err);
}

camcl_status camcl_dataset_from_memory(const camcl_memory_data *given, camcl_dataset **out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    camcl_dataset *dataset = NULL;
    camcl_memory_data data;
    CC_CHECK_GIVEN(out, err);
    *out = NULL;
    CC_CHECK_GIVEN_AS(given, "data", err);
    CC_TRY(CC_TAKE_OPTIONS(camcl_memory_data, test, given, &data, err));
    CC_TRY(check_shape(&data, err));
    if (data.class_names) CC_TRY(check_names(data.class_names, data.classes, err));
    CC_TRY(check_images(&data, &data.train, "training", false, err));
    CC_TRY(check_images(&data, &data.validation, "validation", true, err));
    CC_TRY(check_images(&data, &data.test, "test", false, err));
    CC_TRY(CC_NEW(1, &dataset, err));
    CC_TRY(fill(dataset, &data, err));
    *out = dataset;
    dataset = NULL;
cleanup:
    camcl_dataset_close(&dataset);
    return status;
}

/* ---- by name */

/* A run's configuration says "memory" where a program gave the images. Nobody else can have them. */
static camcl_status read_memory(camcl_dataset *dataset, const camcl_dataset_spec *spec, camcl_error *err)
{
    (void)spec;
    return cc_fail(
        err, CAMCL_UNSUPPORTED,
        "data set %s: only the program that has its images in memory can use it (go on with that program, or set data.dataset and "
        "data.root to files)",
        dataset->info.name);
}

const cc_dataset_kind cc_dataset_memory = { .read = read_memory };
