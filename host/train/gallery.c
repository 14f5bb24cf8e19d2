/* CAM pictures of test images, and what the network says of each. */
#include "train/gallery.h"

#include <stdlib.h>

#include "base/confidence.h"
#include "base/file.h"
#include "base/memory.h"
#include "camcl/image.h"
#include "dataset/test_images.h"

/* ---- which images */

/* Spread over the classes, because the test set of a folder has all images of a class together. */
static camcl_status choose_spread(const cc_run *run, cc_gallery *out, camcl_error *err)
{
    const camcl_dataset_info *info = camcl_dataset_get_info(run->dataset);
    const cc_test_images test = cc_dataset_test_images(run->dataset);
    *out = (cc_gallery){ .part = test.part };
    if (test.count == 0 || (info->channels != 1 && info->channels != 3)) return CAMCL_OK;
    out->spread = out->count = cc_min_size(CC_GALLERY_IMAGES, test.count);
    CC_RETURN_IF_FAILED(
        cc_test_images_spread(&test, camcl_dataset_labels(run->dataset, test.part), info->classes, out->count, out->positions, err));
    for (size_t i = 0; i < out->count; i++)
        out->images[i] = cc_test_image_at(&test, out->positions[i]);
    return CAMCL_OK;
}

typedef struct mistake {
    double confidence;
    size_t at;
} mistake;

/* Keeps the list sorted by falling confidence; of equal ones, the earlier image comes first. */
static void keep_worst(mistake *worst, size_t *count, mistake one)
{
    size_t i = *count < CC_GALLERY_MISTAKES ? (*count)++ : CC_GALLERY_MISTAKES;
    for (; i > 0 && worst[i - 1].confidence < one.confidence; i--)
        if (i < CC_GALLERY_MISTAKES) worst[i] = worst[i - 1];
    if (i < CC_GALLERY_MISTAKES) worst[i] = one;
}

/* Adds the images that are classified wrong with the highest confidence. logits [test images,classes] */
static void choose_mistakes(const cc_run *run, const float *logits, cc_gallery *g)
{
    const size_t classes = camcl_dataset_get_info(run->dataset)->classes;
    const cc_test_images test = cc_dataset_test_images(run->dataset);
    const int32_t *labels = camcl_dataset_labels(run->dataset, test.part);
    mistake worst[CC_GALLERY_MISTAKES];
    size_t count = 0;
    for (size_t i = 0; i < test.count; i++) {
        const int32_t label = labels[cc_test_image_at(&test, i)];
        mistake one = { 0, i };
        if (label >= 0 && cc_predicted(logits + i * classes, classes, &one.confidence) != (size_t)label) keep_worst(worst, &count, one);
    }
    for (size_t i = 0; i < count; i++) {
        g->positions[g->count] = (uint32_t)worst[i].at;
        g->images[g->count++] = cc_test_image_at(&test, worst[i].at);
    }
}

/* ---- what the network says */

static cc_session_input input_of(const cc_run *run, const cc_gallery *g)
{
    return (cc_session_input){ .indices = g->images, .n = g->count, .pixels = camcl_dataset_pixels(run->dataset, g->part) };
}

static camcl_status predict(const cc_run *run, const cc_gallery *g, cc_gallery_answers *out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const size_t classes = camcl_dataset_get_info(run->dataset)->classes;
    const cc_session_spec spec = { .kind = CC_SESSION_PROBABILITIES, .batch = g->spread };
    const cc_session_input images = input_of(run, g);
    float *probabilities = NULL;
    cc_session *session = NULL;
    CC_TRY(CC_NEW(g->count * classes, &probabilities, err));
    CC_TRY(cc_run_test_session(run, spec, &session, err));
    CC_TRY(cc_session_run(session, &images, &(cc_session_output){ .probabilities = probabilities }, err));
    for (size_t i = 0; i < g->count; i++) {
        const float *row = probabilities + i * classes;
        size_t best = 0;
        for (size_t c = 1; c < classes; c++)
            if (row[c] > row[best]) best = c;
        out->predicted[i] = (int32_t)best;
        out->confidence[i] = row[best];
    }
cleanup:
    cc_session_destroy(&session);
    free(probabilities);
    return status;
}

/* CAMs of the classes that the trained network predicts, of the weights that the model holds. */
static camcl_status explain(const cc_run *run, const cc_gallery *g, const int32_t *classes, float **maps, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const size_t pixels = run->settings.step.image_size * run->settings.step.image_size;
    const cc_session_spec spec = { .kind = CC_SESSION_CAMS,
                                   .batch = g->spread,
                                   .cam_layer = run->settings.step.objective.cam_layer,
                                   .cam_relu = run->settings.step.objective.cam_relu,
                                   .cam_class = true };
    cc_session_input images = input_of(run, g);
    cc_session *session = NULL;
    images.cam_classes = classes;
    CC_TRY(CC_NEW(g->count * pixels, maps, err));
    CC_TRY(cc_run_test_session(run, spec, &session, err));
    CC_TRY(cc_session_run(session, &images, &(cc_session_output){ .maps = *maps }, err));
cleanup:
    cc_session_destroy(&session);
    return status;
}

/* ---- both */

/* While the run trains, its step may have left too little memory for them. */
static camcl_status make_views(cc_run *run, const cc_gallery *g, cc_gallery_views *views, camcl_error *err)
{
    camcl_error problem = { 0 };
    const camcl_status status = cc_gallery_views_make(run, g, views, &problem);
    if (status == CAMCL_OK) return CAMCL_OK;
    cc_gallery_views_free(views);
    if (status == CAMCL_NO_MEMORY) return cc_run_say(run, err, "no pictures of strong views: %s", problem.message);
    if (err) *err = problem;
    return status;
}

static camcl_status write_gallery(cc_run *run, const cc_gallery *g, bool before, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_gallery_answers answers = { .maps = NULL };
    cc_gallery_views views = { .count = 0 };
    bool known = false;
    CC_TRY(predict(run, g, &answers, err));
    CC_TRY(explain(run, g, answers.predicted, &answers.maps, err));
    CC_TRY(make_views(run, g, &views, err));
    if (before) CC_TRY(cc_gallery_load_start(run, &known, err));
    if (known) CC_TRY(explain(run, g, answers.predicted, &answers.before, err));
    CC_TRY(cc_gallery_write(run, g, &answers, &views, err));
cleanup:
    cc_gallery_views_free(&views);
    free(answers.maps);
    free(answers.before);
    return status;
}

/* A run goes on, and ends, without pictures where PNG is not built in and where there is too little memory for them. */
static camcl_status excuse(cc_run *run, camcl_status status, const camcl_error *problem, camcl_error *err)
{
    if (status == CAMCL_OK) return CAMCL_OK;
    if (status == CAMCL_UNSUPPORTED || status == CAMCL_NO_MEMORY) return cc_run_say(run, err, "no CAM pictures: %s", problem->message);
    if (err) *err = *problem;
    return status;
}

static camcl_status write_cams(cc_run *run, camcl_error *err)
{
    cc_gallery g;
    CC_RETURN_IF_FAILED(choose_spread(run, &g, err));
    if (g.count == 0) return CAMCL_OK;
    CC_RETURN_IF_FAILED(write_gallery(run, &g, false, err));
    return cc_run_show_cams(run, err);
}

camcl_status cc_run_write_cams(cc_run *run, camcl_error *err)
{
    camcl_error problem = { 0 };
    const camcl_status status = write_cams(run, &problem);
    return excuse(run, status, &problem, err);
}

camcl_status cc_run_write_last_cams(cc_run *run, const float *logits, camcl_error *err)
{
    camcl_error problem = { 0 };
    cc_gallery g;
    CC_RETURN_IF_FAILED(choose_spread(run, &g, err));
    if (g.count == 0) return CAMCL_OK;
    choose_mistakes(run, logits, &g);
    const camcl_status status = write_gallery(run, &g, true, &problem);
    CC_RETURN_IF_FAILED(excuse(run, status, &problem, err));
    return cc_snapshot_apply(&run->state.best, run->model, err);
}

/* ---- what is there */

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

static bool has_pictures_of(const cc_run *run, const cc_gallery *g)
{
    const bool masks = camcl_dataset_masks(run->dataset, g->part) != NULL;
    for (size_t i = 0; i < g->count; i++) {
        char stem[CC_STEM];
        cc_gallery_stem(g, i, stem);
        if (!cc_gallery_has_picture(run, stem, "image") || !cc_gallery_has_picture(run, stem, "overlay")) return false;
        if (masks && !cc_gallery_has_picture(run, stem, "mask")) return false;
    }
    return true;
}

/* Earlier versions did not list their pictures, and the first of them took the first images of the test set. Their runs are finished,
 * too. */
bool cc_run_has_cams(const cc_run *run)
{
    cc_gallery g;
    bool listed;
    if (!writes_png()) return true;
    if (choose_spread(run, &g, NULL) != CAMCL_OK) return false;
    const bool whole = cc_gallery_is_whole(run, &listed);
    if (g.count == 0 || listed) return g.count == 0 || whole;
    if (has_pictures_of(run, &g)) return true;
    for (size_t i = 0; i < g.count; i++)
        g.positions[i] = (uint32_t)i;
    return has_pictures_of(run, &g);
}
