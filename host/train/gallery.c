/* CAM pictures of test images, and what the network says of each. */
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "camcl/image.h"
#include "dataset/test_images.h"
#include "train/run.h"

enum { ENLARGED_SIDE = 192 };

/* The test images of which a run leaves pictures. */
typedef struct gallery {
    camcl_dataset_part part;
    uint32_t positions[CC_GALLERY_IMAGES]; /* in the test set: what `camcl cam --index` takes, and what files are named by */
    uint32_t images[CC_GALLERY_IMAGES];    /* in the part */
    size_t count;
} gallery;

/* Spread over the classes, because the test set of a folder has all images of a class together. */
static camcl_status choose_gallery(const cc_run *run, gallery *out, camcl_error *err)
{
    const camcl_dataset_info *info = camcl_dataset_get_info(run->dataset);
    const cc_test_images test = cc_dataset_test_images(run->dataset);
    *out = (gallery){ .part = test.part };
    if (test.count == 0 || (info->channels != 1 && info->channels != 3)) return CAMCL_OK;
    out->count = cc_min_size(CC_GALLERY_IMAGES, test.count);
    CC_RETURN_IF_FAILED(
        cc_test_images_spread(&test, camcl_dataset_labels(run->dataset, test.part), info->classes, out->count, out->positions, err));
    for (size_t i = 0; i < out->count; i++)
        out->images[i] = cc_test_image_at(&test, out->positions[i]);
    return CAMCL_OK;
}

/* maps [count,S,S]: CAMs of the gallery. */
static camcl_status compute_cams(const cc_run *run, const gallery *g, float *maps, camcl_error *err)
{
    const cc_session_spec spec = { .kind = CC_SESSION_CAMS,
                                   .batch = g->count,
                                   .cam_layer = run->settings.step.objective.cam_layer,
                                   .cam_relu = run->settings.step.objective.cam_relu };
    const cc_session_input images = { .indices = g->images, .n = g->count, .pixels = camcl_dataset_pixels(run->dataset, g->part) };
    cc_session *session;
    CC_RETURN_IF_FAILED(cc_run_test_session(run, spec, &session, err));
    camcl_status status = cc_session_run(session, &images, &(cc_session_output){ .maps = maps }, err);
    cc_session_destroy(&session);
    return status;
}

static camcl_status picture_path(const cc_run *run, uint32_t position, const char *what, char **path, camcl_error *err)
{
    char name[48];
    snprintf(name, sizeof name, "%05u_%s.png", (unsigned)position, what);
    return cc_path_join(cc_run_dir_file(run->dir, CC_RUN_CAMS), name, path, err);
}

static camcl_status write_png(const cc_run *run, uint32_t position, const char *what, const camcl_image *image, camcl_error *err)
{
    char *path = NULL;
    camcl_status status = picture_path(run, position, what, &path, err);
    if (status == CAMCL_OK) status = camcl_image_write_png(path, image, err);
    free(path);
    return status;
}

/* One plane of bytes, enlarged: pixels of a data set are only read. */
static camcl_status enlarge(const uint8_t *pixels, uint32_t width, uint32_t height, uint32_t channels, camcl_image *out, camcl_error *err)
{
    uint32_t factor = ENLARGED_SIDE / width > 1 ? ENLARGED_SIDE / width : 1;
    camcl_image small = { width, height, channels, (uint8_t *)(uintptr_t)pixels };
    return camcl_image_enlarge(&small, factor, out, err);
}

/* NNNNN_image.png, _overlay.png and, where the data set knows its objects, _mask.png, enlarged so that people can see something. */
static camcl_status write_pictures(const cc_run *run, const gallery *g, size_t i, const float *map, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const camcl_dataset_info *info = camcl_dataset_get_info(run->dataset);
    const uint8_t *masks = camcl_dataset_masks(run->dataset, g->part);
    const size_t area = (size_t)info->height * info->width, at = g->images[i] * area;
    const uint32_t position = g->positions[i];
    uint32_t s = (uint32_t)run->settings.step.image_size;
    camcl_image image = CAMCL_IMAGE_INIT, overlay = CAMCL_IMAGE_INIT, mask = CAMCL_IMAGE_INIT;
    CC_TRY(
        enlarge(camcl_dataset_pixels(run->dataset, g->part) + at * info->channels, info->width, info->height, info->channels, &image, err));
    CC_TRY(camcl_image_overlay(&image, map, s, s, 0.5f, &overlay, err));
    CC_TRY(write_png(run, position, "image", &image, err));
    CC_TRY(write_png(run, position, "overlay", &overlay, err));
    if (masks) {
        CC_TRY(enlarge(masks + at, info->width, info->height, 1, &mask, err));
        CC_TRY(write_png(run, position, "mask", &mask, err));
    }
cleanup:
    camcl_image_free(&image);
    camcl_image_free(&overlay);
    camcl_image_free(&mask);
    return status;
}

/* probabilities [count,classes]: of the gallery. */
static camcl_status predict(const cc_run *run, const gallery *g, float *probabilities, camcl_error *err)
{
    const cc_session_input images = { .indices = g->images, .n = g->count, .pixels = camcl_dataset_pixels(run->dataset, g->part) };
    cc_session *session;
    CC_RETURN_IF_FAILED(cc_run_test_session(run, (cc_session_spec){ .kind = CC_SESSION_PROBABILITIES, .batch = g->count }, &session, err));
    camcl_status status = cc_session_run(session, &images, &(cc_session_output){ .probabilities = probabilities }, err);
    cc_session_destroy(&session);
    return status;
}

/* {"images": [{"file", "index", "class", "predicted", "confidence"}]}: what NNNNN_*.png show. file is NNNNN, index the place in the test
 * set, class the label or null, confidence the probability of the predicted class. */
static camcl_status write_index(const cc_run *run, const gallery *g, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const size_t classes = camcl_dataset_get_info(run->dataset)->classes;
    const char *const *names = camcl_dataset_class_names(run->dataset);
    const int32_t *labels = camcl_dataset_labels(run->dataset, g->part);
    cc_text text = CC_TEXT_INIT;
    float *probabilities = NULL;
    char *path = NULL;
    CC_TRY(CC_NEW(g->count * classes, &probabilities, err));
    CC_TRY(predict(run, g, probabilities, err));
    cc_text_add(&text, "{\"images\": [\n");
    for (size_t i = 0; i < g->count; i++) {
        const float *row = probabilities + i * classes;
        const int32_t label = labels[g->images[i]];
        size_t best = 0;
        for (size_t c = 1; c < classes; c++)
            if (row[c] > row[best]) best = c;
        cc_text_add(&text, "  {\"file\": \"%05u\", \"index\": %u, \"class\": ", (unsigned)g->positions[i], (unsigned)g->positions[i]);
        cc_text_add_json_string(&text, label >= 0 ? names[label] : NULL);
        cc_text_add(&text, ", \"predicted\": ");
        cc_text_add_json_string(&text, names[best]);
        cc_text_add(&text, ", \"confidence\": ");
        cc_text_add_json_number(&text, row[best]);
        cc_text_add(&text, i + 1 < g->count ? "},\n" : "}\n");
    }
    cc_text_add(&text, "]}\n");
    if (text.failed) CC_TRY(cc_fail(err, CAMCL_NO_MEMORY, "cams/index.json: no memory for its text"));
    CC_TRY(cc_path_join(cc_run_dir_file(run->dir, CC_RUN_CAMS), "index.json", &path, err));
    CC_TRY(cc_file_write_text(path, text.data, err));
cleanup:
    cc_text_free(&text);
    free(probabilities);
    free(path);
    return status;
}

camcl_status cc_run_write_cams(cc_run *run, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const size_t pixels = run->settings.step.image_size * run->settings.step.image_size;
    gallery g;
    float *maps = NULL;
    CC_RETURN_IF_FAILED(choose_gallery(run, &g, err));
    if (g.count == 0) return CAMCL_OK;
    CC_TRY(CC_NEW(g.count * pixels, &maps, err));
    CC_TRY(compute_cams(run, &g, maps, err));
    CC_TRY(cc_make_folders(cc_run_dir_file(run->dir, CC_RUN_CAMS), err));
    for (size_t i = 0; i < g.count; i++)
        CC_TRY(write_pictures(run, &g, i, maps + i * pixels, err));
    CC_TRY(write_index(run, &g, err));
cleanup:
    free(maps);
    if (status == CAMCL_UNSUPPORTED) return cc_run_say(run, err, "no CAM pictures: %s", err ? err->message : "PNG support is not built in");
    return status;
}

/* Whether this build can write PNG. Without libpng, a finished run has no pictures. */
static bool writes_png(void)
{
    uint8_t pixel = 0, *data = NULL;
    size_t size;
    const camcl_image image = { 1, 1, 1, &pixel };
    const camcl_status status = camcl_image_encode_png(&image, &data, &size, NULL);
    free(data);
    return status != CAMCL_UNSUPPORTED;
}

static bool has_pictures_of(const cc_run *run, const gallery *g)
{
    static const char *const what[] = { "image", "overlay", "mask" };
    const size_t kinds = camcl_dataset_masks(run->dataset, g->part) ? 3 : 2;
    for (size_t i = 0; i < g->count * kinds; i++) {
        char *path = NULL;
        bool has = picture_path(run, g->positions[i / kinds], what[i % kinds], &path, NULL) == CAMCL_OK && cc_file_exists(path);
        free(path);
        if (!has) return false;
    }
    return true;
}

/* Earlier versions took the first images of the test set. Their runs are finished, too. */
bool cc_run_has_cams(const cc_run *run)
{
    gallery g;
    if (!writes_png()) return true;
    if (choose_gallery(run, &g, NULL) != CAMCL_OK) return false;
    if (has_pictures_of(run, &g)) return true;
    for (size_t i = 0; i < g.count; i++)
        g.positions[i] = (uint32_t)i;
    return has_pictures_of(run, &g);
}
