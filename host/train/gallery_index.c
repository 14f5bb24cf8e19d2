/* cams/index.json: what the pictures of cams/ show. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "train/gallery.h"

static camcl_status index_path(const cc_run *run, char **path, camcl_error *err)
{
    return cc_path_join(cc_run_dir_file(run->dir, CC_RUN_CAMS), "index.json", path, err);
}

static void add_part(cc_text *text, size_t *count, const char *part) { cc_text_add(text, "%s\"%s\"", (*count)++ ? ", " : "", part); }

static void add_parts(cc_text *text, const cc_run *run, const cc_gallery *g, const cc_gallery_answers *answers,
                      const cc_gallery_views *views, size_t i)
{
    static const char *const of_views[] = { "weak", "seen", "strong", "target" };
    size_t count = 0, place;
    cc_text_add(text, ", \"pictures\": [");
    add_part(text, &count, "image");
    if (camcl_dataset_masks(run->dataset, g->part)) add_part(text, &count, "mask");
    if (cc_gallery_shows_before(g, answers, i)) add_part(text, &count, "before");
    add_part(text, &count, "overlay");
    for (size_t k = 0; cc_gallery_find_views(views, i, &place) && k < CC_COUNT(of_views); k++)
        add_part(text, &count, of_views[k]);
    cc_text_add(text, "]");
}

static void add_entry(cc_text *text, const cc_run *run, const cc_gallery *g, const cc_gallery_answers *answers,
                      const cc_gallery_views *views, size_t i)
{
    const char *const *names = camcl_dataset_class_names(run->dataset);
    const int32_t label = camcl_dataset_labels(run->dataset, g->part)[g->images[i]];
    char stem[CC_STEM];
    size_t place;
    cc_gallery_stem(g, i, stem);
    cc_text_add(text, "  {\"file\": \"%s\", \"index\": %u, \"why\": \"%s\", \"class\": ", stem, (unsigned)g->positions[i],
                i < g->spread ? "spread" : "mistake");
    cc_text_add_json_string(text, label >= 0 ? names[label] : NULL);
    cc_text_add(text, ", \"predicted\": ");
    cc_text_add_json_string(text, names[answers->predicted[i]]);
    cc_text_add(text, ", \"confidence\": ");
    cc_text_add_json_number(text, (double)answers->confidence[i]);
    if (cc_gallery_find_views(views, i, &place)) {
        cc_text_add(text, ", \"explained\": ");
        cc_text_add_json_string(text, names[views->explained[place]]);
        cc_text_add(text, ", \"distance\": ");
        cc_text_add_json_number(text, views->distance[place]);
    }
    add_parts(text, run, g, answers, views, i);
    cc_text_add(text, i + 1 < g->count ? "},\n" : "}\n");
}

/* The images of the index that is there; the caller frees *json. NULL: there is none that can be read. */
static const cc_json *read_index(const cc_run *run, cc_json **json)
{
    char *path = NULL, *text = NULL;
    size_t size;
    *json = NULL;
    if (index_path(run, &path, NULL) == CAMCL_OK && cc_file_exists(path) && cc_file_read(path, &text, &size, NULL) == CAMCL_OK)
        (void)cc_json_parse(text, size, json, NULL);
    free(text);
    free(path);
    const cc_json *images = cc_json_get(*json, "images");
    return images && images->kind == CC_JSON_ARRAY ? images : NULL;
}

bool cc_gallery_is_whole(const cc_run *run, bool *listed)
{
    cc_json *json;
    const cc_json *images = read_index(run, &json);
    bool whole = images != NULL;
    *listed = false;
    for (size_t i = 0; images && i < images->count; i++) {
        const char *stem = cc_json_string(cc_json_get(&images->items[i], "file"));
        const cc_json *list = cc_json_get(&images->items[i], "pictures");
        *listed |= list != NULL;
        for (size_t k = 0; stem && list && k < list->count; k++) {
            const char *part = cc_json_string(&list->items[k]);
            whole = whole && part && cc_gallery_has_picture(run, stem, part);
        }
    }
    cc_json_free(&json);
    return whole;
}

static bool is_in(const cc_gallery *g, const char *stem)
{
    for (size_t i = 0; i < g->count; i++) {
        char own[CC_STEM];
        cc_gallery_stem(g, i, own);
        if (strcmp(own, stem) == 0) return true;
    }
    return false;
}

/* A file may say anything; what is removed must be a picture of this folder. */
static bool is_name(const char *text, const char *characters) { return text && *text && text[strspn(text, characters)] == '\0'; }

static camcl_status remove_pictures(const cc_run *run, const char *stem, const cc_json *list, camcl_error *err)
{
    for (size_t i = 0; list && i < list->count; i++) {
        const char *part = cc_json_string(&list->items[i]);
        char *path = NULL;
        if (!is_name(part, "abcdefghijklmnopqrstuvwxyz")) continue;
        CC_RETURN_IF_FAILED(cc_gallery_path(run, stem, part, &path, err));
        (void)remove(path);
        free(path);
    }
    return CAMCL_OK;
}

/* Pictures of images that an earlier index lists and this one will not: a run that went on makes other mistakes. */
static camcl_status remove_stale(const cc_run *run, const cc_gallery *g, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_json *json;
    const cc_json *images = read_index(run, &json);
    for (size_t i = 0; images && i < images->count; i++) {
        const char *stem = cc_json_string(cc_json_get(&images->items[i], "file"));
        if (!is_name(stem, "0123456789") || is_in(g, stem)) continue;
        CC_TRY(remove_pictures(run, stem, cc_json_get(&images->items[i], "pictures"), err));
    }
cleanup:
    cc_json_free(&json);
    return status;
}

/* {"images": [{"file", "index", "why", "class", "predicted", "confidence", "explained", "distance", "pictures"}]}. file is NNNNN, index the
 * place in the test set, why "spread" (over the classes) or "mistake" (wrong with the highest confidence), class the label or null,
 * confidence the probability of the predicted class, which `overlay` and `before` explain; explained the class that `weak` explains,
 * distance the mean squared difference of the maps of `strong` and `target` over the pixels that count; pictures lists PART of
 * NNNNN_PART.png. */
camcl_status cc_gallery_write_index(const cc_run *run, const cc_gallery *g, const cc_gallery_answers *answers,
                                    const cc_gallery_views *views, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_text text = CC_TEXT_INIT;
    char *path = NULL;
    CC_TRY(remove_stale(run, g, err));
    cc_text_add(&text, "{\"images\": [\n");
    for (size_t i = 0; i < g->count; i++)
        add_entry(&text, run, g, answers, views, i);
    cc_text_add(&text, "]}\n");
    CC_TRY(index_path(run, &path, err));
    status = cc_file_write_built(path, &text, err);
cleanup:
    cc_text_free(&text);
    free(path);
    return status;
}
