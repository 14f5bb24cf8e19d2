/* Pictures become the images of a data set: looked up, found among kept pixels or else probed and decoded, and counted. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "dataset/loading.h"

/* ---- steps */

typedef struct step {
    cc_loading *loading;
    void (*run)(void *loading, size_t index);
} step;

static void run_step(void *context, size_t index)
{
    const step *s = context;
    s->run(s->loading, index);
}

static bool watch_step(void *context, size_t done)
{
    const step *s = context;
    cc_loading *loading = s->loading;
    const camcl_dataset_spec *spec = loading->spec;
    const double seconds = cc_seconds() - loading->start;
    const camcl_reading reading = { .what = loading->what,
                                    .done = done,
                                    .total = loading->count,
                                    .seconds = seconds,
                                    .eta = done ? seconds * (double)(loading->count - done) / (double)done : NAN };
    if (spec->progress) spec->progress(spec->context, &reading);
    if (camcl_stop_requested(spec->stop)) loading->stopped = true;
    return !loading->stopped && !atomic_load(&loading->store_failed);
}

camcl_status cc_loading_run(cc_loading *loading, const char *what, void (*run)(void *loading, size_t index), camcl_error *err)
{
    step s = { loading, run };
    loading->what = what;
    loading->start = cc_seconds();
    (void)cc_parallel_watched(loading->count, run_step, watch_step, &s);
    if (!loading->stopped) return CAMCL_OK;
    return cc_fail(err, CAMCL_STOPPED, "data set %s: stopped while its pictures were read", loading->dataset->info.name);
}

void cc_loading_fail(cc_loading *loading, size_t index, camcl_error *why)
{
    cc_loading_picture *picture = &loading->pictures[index];
    cc_picture_context(loading->set, picture->picture, why);
    picture->status = why->status;
    (void)cc_copy_text(why->message, &picture->reason, NULL);
}

void cc_loading_link(cc_loading *loading)
{
    const cc_picture_part *parts = loading->set->parts;
    for (size_t i = 0; i < loading->count; i++) {
        const size_t train = parts[CAMCL_TRAIN_IMAGES].count;
        loading->pictures[i].picture = i < train ? &parts[CAMCL_TRAIN_IMAGES].pictures[i] : &parts[CAMCL_TEST_IMAGES].pictures[i - train];
    }
}

size_t cc_loading_image_bytes(const cc_loading *loading) { return (size_t)loading->width * loading->height * CC_PICTURE_CHANNELS; }

/* ---- decoding */

static void decode(void *context, size_t index)
{
    cc_loading *loading = context;
    const cc_loading_picture *picture = &loading->pictures[index];
    const char *path = picture->picture->path;
    const size_t bytes = cc_loading_image_bytes(loading);
    camcl_image image = CAMCL_IMAGE_INIT;
    camcl_error why;
    if (picture->status != CAMCL_OK) return;
    camcl_status status = camcl_image_read_fit(path, loading->spec->image_size, loading->spec->fit, &image, &why);
    if (status == CAMCL_OK && (image.width != loading->width || image.height != loading->height || image.channels != CC_PICTURE_CHANNELS))
        status = cc_fail(&why, CAMCL_BAD_DATA, "%s: it changed while it was read (start again)", path);
    if (status != CAMCL_OK)
        cc_loading_fail(loading, index, &why);
    else if (!cc_pixel_store_put(loading->store, index * bytes, image.pixels, bytes))
        atomic_store(&loading->store_failed, true);
    camcl_image_free(&image);
}

/* Whether another start would read the same: a file that could not be opened may be there again, unchanged. */
static bool is_repeatable(const cc_loading *loading)
{
    for (size_t i = 0; i < loading->count; i++)
        if (loading->pictures[i].status == CAMCL_IO) return false;
    return true;
}

static bool finish_store(cc_loading *loading)
{
    cc_text notes = CC_TEXT_INIT;
    size_t kept = 0;
    loading->formats = (cc_format_counts){ 0 };
    for (size_t i = 0; i < loading->count; i++) {
        if (loading->pictures[i].status != CAMCL_OK) continue;
        cc_format_counts_add(&loading->formats, loading->pictures[i].about.format);
        kept++;
    }
    cc_loading_write_notes(loading, &notes);
    const bool finished =
        cc_loading_close_gaps(loading) && cc_pixel_store_finish(loading->store, kept * cc_loading_image_bytes(loading), notes.data,
                                                                notes.length, is_repeatable(loading) && !notes.failed);
    cc_text_free(&notes);
    return finished;
}

/* Decodes every picture into a new store. */
static camcl_status fill_store(cc_loading *loading, cc_pixel_key key, camcl_error *err)
{
    size_t size;
    CC_RETURN_IF_FAILED(cc_loading_probe(loading, err));
    if (!cc_mul_size((size_t)loading->width * loading->height, loading->count, &size) || !cc_mul_size(size, CC_PICTURE_CHANNELS, &size))
        return cc_fail(err, CAMCL_NO_MEMORY, "data set %s: %zu pictures of %u x %u do not fit in memory (lower data.image_size)",
                       loading->dataset->info.name, loading->count, (unsigned)loading->width, (unsigned)loading->height);
    CC_RETURN_IF_FAILED(cc_pixel_store_new(loading->spec->cache_dir, key, size, &loading->store, err));
    for (;;) {
        CC_RETURN_IF_FAILED(cc_loading_run(loading, "pictures", decode, err));
        if (!atomic_load(&loading->store_failed)) {
            CC_RETURN_IF_FAILED(cc_loading_judge(loading, err));
            if (finish_store(loading)) return CAMCL_OK;
        }
        atomic_store(&loading->store_failed, false);
        CC_RETURN_IF_FAILED(cc_pixel_store_use_memory(loading->store, err));
    }
}

static camcl_status find_or_fill_store(cc_loading *loading, camcl_error *err)
{
    cc_pixel_key key;
    CC_RETURN_IF_FAILED(cc_loading_identify(loading, &key, err));
    loading->store = cc_pixel_store_find(loading->spec->cache_dir, key);
    if (loading->store && cc_loading_read_notes(loading, loading->store)) return CAMCL_OK;
    cc_pixel_store_free(loading->store);
    loading->store = NULL;
    return fill_store(loading, key, err);
}

/* ---- the data set */

static camcl_status fill_part(cc_loading *loading, camcl_dataset_part part, const cc_loading_picture *pictures, camcl_error *err)
{
    cc_dataset_images *images = &loading->dataset->parts[part];
    cc_picture_part *from = &loading->set->parts[part];
    camcl_dataset_info *info = &loading->dataset->info;
    CC_RETURN_IF_FAILED(CC_NEW(from->count, &images->labels, err));
    CC_RETURN_IF_FAILED(CC_NEW(from->count, &images->files, err));
    *(part == CAMCL_TRAIN_IMAGES ? &info->train_count : &info->test_count) = (uint32_t)from->count;
    for (size_t i = 0; i < from->count; i++) {
        cc_picture *picture = &from->pictures[i];
        images->labels[i] = picture->label;
        images->files[i] = (cc_dataset_file){ picture->path, picture->relative, pictures[i].bytes };
        picture->path = NULL;
        info->unlabeled_count += picture->pool == CC_POOL_UNLABELED;
        info->validation_count += picture->pool == CC_POOL_VALIDATION;
    }
    return CAMCL_OK;
}

static camcl_status write_summary(cc_loading *loading, double seconds, camcl_error *err)
{
    const cc_summary summary = { .pictures = loading->count,
                                 .formats = loading->formats,
                                 .left_out = &loading->dataset->left_out,
                                 .reason = loading->reason,
                                 .store = loading->store,
                                 .seconds = seconds };
    cc_text line = CC_TEXT_INIT;
    cc_summary_write(&summary, &line);
    const camcl_status status = line.failed ? cc_fail(err, CAMCL_NO_MEMORY, "memory: no room for a line of text (close other programs)")
                                            : cc_copy_text(line.data, &loading->dataset->summary, err);
    cc_text_free(&line);
    return status;
}

/* The data set takes over what it keeps. */
static camcl_status fill_dataset(cc_loading *loading, double begin, camcl_error *err)
{
    camcl_dataset *dataset = loading->dataset;
    const size_t train = loading->set->parts[CAMCL_TRAIN_IMAGES].count;
    size_t size;
    dataset->info.width = loading->width;
    dataset->info.height = loading->height;
    dataset->info.channels = CC_PICTURE_CHANNELS;
    CC_RETURN_IF_FAILED(fill_part(loading, CAMCL_TRAIN_IMAGES, loading->pictures, err));
    CC_RETURN_IF_FAILED(fill_part(loading, CAMCL_TEST_IMAGES, loading->pictures + train, err));
    dataset->left_out = loading->set->left_out;
    loading->set->left_out = (cc_left_out){ NULL, 0, 0 };
    CC_RETURN_IF_FAILED(write_summary(loading, cc_seconds() - begin, err));
    dataset->store = loading->store;
    loading->store = NULL;
    dataset->parts[CAMCL_TRAIN_IMAGES].stored = cc_pixel_store_pixels(dataset->store, &size);
    dataset->parts[CAMCL_TEST_IMAGES].stored = dataset->parts[CAMCL_TRAIN_IMAGES].stored + train * cc_loading_image_bytes(loading);
    return CAMCL_OK;
}

static void free_loading(cc_loading *loading)
{
    for (size_t i = 0; loading->pictures && i < loading->count; i++)
        free(loading->pictures[i].reason);
    free(loading->pictures);
    free(loading->reason);
    cc_pixel_store_free(loading->store);
}

camcl_status cc_load_pictures(camcl_dataset *dataset, const camcl_dataset_spec *spec, cc_picture_set *set, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_loading loading = { .dataset = dataset, .spec = spec, .set = set };
    const double begin = cc_seconds();
    atomic_init(&loading.store_failed, false);
    loading.count = set->parts[CAMCL_TRAIN_IMAGES].count + set->parts[CAMCL_TEST_IMAGES].count;
    if (loading.count > INT32_MAX)
        return cc_fail(err, CAMCL_UNSUPPORTED, "data set %s: %zu pictures are more than 2^31 - 1", dataset->info.name, loading.count);
    CC_TRY(CC_NEW(loading.count, &loading.pictures, err));
    cc_loading_link(&loading);
    CC_TRY(find_or_fill_store(&loading, err));
    CC_TRY(cc_loading_drop(&loading, err));
    CC_TRY(fill_dataset(&loading, begin, err));
cleanup:
    free_loading(&loading);
    return status;
}
