/* Splits as text: splits.json, and lines for people. */
#include <stdlib.h>

#include "base/json.h"
#include "base/memory.h"
#include "dataset/split.h"

/* ---- splits.json */

static void write_pool(const char *name, const uint32_t *indices, size_t count, cc_text *out)
{
    cc_text_add(out, "\"%s\": [", name);
    for (size_t i = 0; i < count; i++)
        cc_text_add(out, i ? ", %u" : "%u", (unsigned)indices[i]);
    cc_text_add(out, "]");
}

void cc_split_write(const cc_split *split, cc_text *out)
{
    cc_text_add(out, "{");
    write_pool("labeled", split->labeled, split->labeled_count, out);
    cc_text_add(out, ",\n ");
    write_pool("unlabeled", split->unlabeled, split->unlabeled_count, out);
    cc_text_add(out, ",\n ");
    write_pool("validation", split->validation, split->validation_count, out);
    if (split->test_count) {
        cc_text_add(out, ",\n ");
        write_pool("test", split->test, split->test_count, out);
    }
    cc_text_add(out, "}\n");
}

enum { LABELED, UNLABELED, VALIDATION, TEST, POOLS };
static const char *const names[POOLS] = { "labeled", "unlabeled", "validation", "test" };

/* What is being read. taken [n]: 1 + the pool that each image belongs to, or 0. */
typedef struct reading {
    const char *file;
    const cc_json *json;
    size_t n;
    bool reuse;
    uint8_t *taken;
} reading;

static camcl_status read_pool(const reading *r, int which, uint32_t **indices, size_t *count, camcl_error *err)
{
    const char *file = r->file, *name = names[which];
    const cc_json *list = cc_json_get(r->json, name);
    if (!list && which == TEST) return CAMCL_OK;
    if (!list || list->kind != CC_JSON_ARRAY) return cc_fail(err, CAMCL_BAD_DATA, "%s: no list \"%s\" (not a split file?)", file, name);
    CC_RETURN_IF_FAILED(CC_NEW(list->count, indices, err));
    for (size_t i = 0; i < list->count; i++) {
        size_t index;
        if (!cc_json_size(&list->items[i], &index) || index >= r->n)
            return cc_fail(err, CAMCL_BAD_DATA, "%s: entry %zu of \"%s\" is no whole number below the %zu training images", file, i, name,
                           r->n);
        if (i > 0 && index <= (*indices)[i - 1])
            return cc_fail(err, CAMCL_BAD_DATA, "%s: \"%s\" is not sorted: %zu follows %u", file, name, index, (unsigned)(*indices)[i - 1]);
        const bool again = r->reuse && which == UNLABELED && r->taken[index] == 1 + LABELED;
        if (r->taken[index] && !again)
            return cc_fail(err, CAMCL_BAD_DATA, "%s: image %zu is both in \"%s\" and in \"%s\"", file, index, names[r->taken[index] - 1],
                           name);
        r->taken[index] = (uint8_t)(1 + which);
        (*indices)[i] = (uint32_t)index;
    }
    *count = list->count;
    return CAMCL_OK;
}

camcl_status cc_split_read(const char *file, const char *text, size_t length, size_t n, bool reuse, cc_split *out, camcl_error *err)
{
    cc_json *json = NULL;
    reading r = { .file = file, .n = n, .reuse = reuse };
    *out = (cc_split){ 0 };
    camcl_status status = cc_json_parse(text, length, &json, err);
    if (status != CAMCL_OK) {
        cc_context(err, "%s", file);
        return status;
    }
    r.json = json;
    CC_TRY(CC_NEW(n, &r.taken, err));
    CC_TRY(read_pool(&r, LABELED, &out->labeled, &out->labeled_count, err));
    CC_TRY(read_pool(&r, UNLABELED, &out->unlabeled, &out->unlabeled_count, err));
    CC_TRY(read_pool(&r, VALIDATION, &out->validation, &out->validation_count, err));
    CC_TRY(read_pool(&r, TEST, &out->test, &out->test_count, err));
cleanup:
    free(r.taken);
    cc_json_free(&json);
    if (status != CAMCL_OK) cc_split_free(out);
    return status;
}

/* ---- lines for people */

/* " (50 per class)" or " (9 to 20 per class)". */
static void add_per_class(const cc_split *split, const cc_split_data *data, cc_text *out)
{
    size_t least = SIZE_MAX, most = 0, *counts = NULL;
    if (CC_NEW(data->classes, &counts, NULL) != CAMCL_OK) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < split->labeled_count; i++)
        counts[data->labels[split->labeled[i]]]++;
    for (size_t c = 0; c < data->classes; c++) {
        least = cc_min_size(least, counts[c]);
        most = cc_max_size(most, counts[c]);
    }
    free(counts);
    if (least == most)
        cc_text_add(out, " (%zu per class)", least);
    else
        cc_text_add(out, " (%zu to %zu per class)", least, most);
}

void cc_split_describe(const cc_split *split, const cc_split_data *data, size_t test_count, cc_text *out)
{
    cc_text_add(out, "labelled %zu", split->labeled_count);
    add_per_class(split, data, out);
    cc_text_add(out, ", unlabelled %zu, validation %zu, test %zu", split->unlabeled_count, split->validation_count, test_count);
}

enum { NAMED = 10 }; /* classes that a line names */

camcl_status cc_missing_classes(const int32_t *labels, const uint32_t *indices, size_t count, size_t classes,
                                const char *const *class_names, cc_text *out, camcl_error *err)
{
    bool *seen = NULL;
    size_t missing = 0;
    CC_RETURN_IF_FAILED(CC_NEW(classes, &seen, err));
    for (size_t i = 0; i < count; i++) {
        const int32_t label = labels[indices ? indices[i] : i];
        if (label >= 0) seen[label] = true;
    }
    for (size_t c = 0; c < classes; c++) {
        if (seen[c] || missing++ >= NAMED) continue;
        cc_text_add(out, missing > 1 ? ", " : "");
        cc_text_add_visible(out, class_names[c], 40);
    }
    if (missing > NAMED) cc_text_add(out, " and %zu more", missing - NAMED);
    free(seen);
    return CAMCL_OK;
}
