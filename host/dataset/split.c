#include "dataset/split.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/rng.h"

typedef enum pool { FREE, LABELED, UNLABELED, VALIDATION, POOLS } pool;

/* The images of class c, in official order, are members[starts[c]] .. members[starts[c + 1] - 1]. */
typedef struct census {
    uint32_t *members; /* [n] */
    size_t *starts;    /* [classes + 1] */
} census;

static camcl_status take_census(const int32_t *labels, size_t n, size_t classes, census *out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    size_t *next = NULL;
    CC_TRY(CC_NEW(n, &out->members, err));
    CC_TRY(CC_NEW(classes + 1, &out->starts, err));
    CC_TRY(CC_NEW(classes, &next, err));
    for (size_t i = 0; i < n; i++)
        out->starts[labels[i] + 1]++;
    for (size_t c = 0; c < classes; c++) {
        out->starts[c + 1] += out->starts[c];
        next[c] = out->starts[c];
    }
    for (size_t i = 0; i < n; i++)
        out->members[next[labels[i]]++] = (uint32_t)i;
cleanup:
    free(next);
    return status;
}

static camcl_status check_divides(const char *key, size_t value, size_t classes, size_t least, camcl_error *err)
{
    size_t below = value / classes * classes, above = below + classes;
    if (value % classes == 0 && value >= least) return CAMCL_OK;
    if (below < least) {
        return cc_fail(err, CAMCL_BAD_CONFIG, "data.%s = %zu: it must divide by the %zu classes (the nearest is %zu)", key, value, classes,
                       least);
    }
    return cc_fail(err, CAMCL_BAD_CONFIG, "data.%s = %zu: it must divide by the %zu classes (the nearest are %zu and %zu)", key, value,
                   classes, below, above);
}

static camcl_status check_room(const int32_t *labels, size_t n, size_t classes, const cc_split_spec *spec, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    size_t *have = NULL, wanted = spec->labeled / classes + spec->validation / classes, c = 0;
    CC_TRY(CC_NEW(classes, &have, err));
    for (size_t i = 0; i < n; i++)
        have[labels[i]]++;
    while (c < classes && have[c] >= wanted)
        c++;
    if (c < classes)
        status = cc_fail(err, CAMCL_BAD_CONFIG,
                         "data.labeled = %zu and data.validation = %zu need %zu + %zu images of each of %zu classes: class %zu has %zu "
                         "(lower one of them)",
                         spec->labeled, spec->validation, spec->labeled / classes, spec->validation / classes, classes, c, have[c]);
cleanup:
    free(have);
    return status;
}

static camcl_status count_unlabeled(const cc_split_spec *spec, size_t left, size_t *out, camcl_error *err)
{
    if (spec->unlabeled == CC_UNLABELED_ALL) {
        *out = left;
        return CAMCL_OK;
    }
    if (spec->unlabeled == CC_UNLABELED_AUTO) {
        double wanted = spec->ratio * (double)spec->labeled + 0.5;
        if (!(spec->ratio >= 0) || wanted >= (double)left + 1.0) {
            return cc_fail(err, CAMCL_BAD_CONFIG,
                           "data.ratio = %g: that many unlabelled images for %zu labelled ones are not there, %zu are left "
                           "(lower it, or set data.unlabeled = all)",
                           spec->ratio, spec->labeled, left);
        }
        *out = (size_t)wanted;
        return CAMCL_OK;
    }
    if (spec->unlabeled_count > left) {
        return cc_fail(err, CAMCL_BAD_CONFIG,
                       "data.unlabeled = %zu: only %zu images are left beside %zu labelled and %zu for validation (lower it, or say all)",
                       spec->unlabeled_count, left, spec->labeled, spec->validation);
    }
    *out = spec->unlabeled_count;
    return CAMCL_OK;
}

camcl_status cc_split_count(const int32_t *labels, size_t n, size_t classes, const cc_split_spec *spec, cc_split_counts *out,
                            camcl_error *err)
{
    *out = (cc_split_counts){ .labeled = spec->labeled, .validation = spec->validation };
    CC_RETURN_IF_FAILED(check_divides("labeled", spec->labeled, classes, classes, err));
    CC_RETURN_IF_FAILED(check_divides("validation", spec->validation, classes, 0, err));
    CC_RETURN_IF_FAILED(check_room(labels, n, classes, spec, err));
    return count_unlabeled(spec, n - spec->labeled - spec->validation, &out->unlabeled, err);
}

/* Draws validation images first, so that they do not depend on the number of labelled images. */
static camcl_status mark_balanced(const census *all, size_t n, size_t classes, const cc_split_spec *spec, uint8_t *pools, camcl_error *err)
{
    uint32_t *order = NULL;
    size_t validation = spec->validation / classes, labeled = spec->labeled / classes;
    CC_RETURN_IF_FAILED(CC_NEW(n, &order, err));
    for (size_t c = 0; c < classes; c++) {
        const uint32_t *members = all->members + all->starts[c];
        cc_rng rng = cc_rng_at(spec->seed, CC_RNG_SPLIT, c);
        cc_rng_permutation(&rng, order, (uint32_t)(all->starts[c + 1] - all->starts[c]));
        for (size_t i = 0; i < validation; i++)
            pools[members[order[i]]] = VALIDATION;
        for (size_t i = validation; i < validation + labeled; i++)
            pools[members[order[i]]] = LABELED;
    }
    free(order);
    return CAMCL_OK;
}

/* Draws from one permutation of all training images, so that the draw does not depend on classes. */
static camcl_status mark_unlabeled(size_t n, size_t classes, uint64_t seed, size_t count, uint8_t *pools, camcl_error *err)
{
    uint32_t *order = NULL;
    cc_rng rng = cc_rng_at(seed, CC_RNG_SPLIT, classes);
    CC_RETURN_IF_FAILED(CC_NEW(n, &order, err));
    cc_rng_permutation(&rng, order, (uint32_t)n);
    for (size_t i = 0; i < n && count > 0; i++) {
        if (pools[order[i]] != FREE) continue;
        pools[order[i]] = UNLABELED;
        count--;
    }
    free(order);
    return CAMCL_OK;
}

static camcl_status reserve(cc_split *split, const cc_split_counts *counts, camcl_error *err)
{
    CC_RETURN_IF_FAILED(CC_NEW(counts->labeled, &split->labeled, err));
    CC_RETURN_IF_FAILED(CC_NEW(counts->unlabeled, &split->unlabeled, err));
    return CC_NEW(counts->validation, &split->validation, err);
}

static void collect(const uint8_t *pools, size_t n, cc_split *split)
{
    for (size_t i = 0; i < n; i++) {
        if (pools[i] == LABELED)
            split->labeled[split->labeled_count++] = (uint32_t)i;
        else if (pools[i] == UNLABELED)
            split->unlabeled[split->unlabeled_count++] = (uint32_t)i;
        else if (pools[i] == VALIDATION)
            split->validation[split->validation_count++] = (uint32_t)i;
    }
}

camcl_status cc_split_make(const int32_t *labels, size_t n, size_t classes, const cc_split_spec *spec, cc_split *out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    census all = { NULL, NULL };
    uint8_t *pools = NULL;
    cc_split_counts counts;
    *out = (cc_split){ 0 };
    CC_TRY(cc_split_count(labels, n, classes, spec, &counts, err));
    CC_TRY(take_census(labels, n, classes, &all, err));
    CC_TRY(CC_NEW(n, &pools, err));
    CC_TRY(mark_balanced(&all, n, classes, spec, pools, err));
    CC_TRY(mark_unlabeled(n, classes, spec->seed, counts.unlabeled, pools, err));
    CC_TRY(reserve(out, &counts, err));
    collect(pools, n, out);
cleanup:
    free(pools);
    free(all.members);
    free(all.starts);
    if (status != CAMCL_OK) cc_split_free(out);
    return status;
}

void cc_split_free(cc_split *split)
{
    free(split->labeled);
    free(split->unlabeled);
    free(split->validation);
    *split = (cc_split){ 0 };
}

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
    cc_text_add(out, "}\n");
}

/* Reads one pool of the file. `pools` [n] holds the pool that each image belongs to. */
static camcl_status read_pool(const char *file, const cc_json *json, const char *name, pool which, uint8_t *pools, size_t n,
                              uint32_t **indices, size_t *count, camcl_error *err)
{
    static const char *const names[POOLS] = { "", "labeled", "unlabeled", "validation" };
    const cc_json *list = cc_json_get(json, name);
    if (!list || list->kind != CC_JSON_ARRAY) return cc_fail(err, CAMCL_BAD_DATA, "%s: no list \"%s\" (not a split file?)", file, name);
    CC_RETURN_IF_FAILED(CC_NEW(list->count, indices, err));
    for (size_t i = 0; i < list->count; i++) {
        size_t index;
        if (!cc_json_size(&list->items[i], &index) || index >= n) {
            return cc_fail(err, CAMCL_BAD_DATA, "%s: entry %zu of \"%s\" is no whole number below the %zu training images", file, i, name,
                           n);
        }
        if (i > 0 && index <= (*indices)[i - 1]) {
            return cc_fail(err, CAMCL_BAD_DATA, "%s: \"%s\" is not sorted: %zu follows %u", file, name, index, (unsigned)(*indices)[i - 1]);
        }
        if (pools[index] != FREE) {
            return cc_fail(err, CAMCL_BAD_DATA, "%s: image %zu is both in \"%s\" and in \"%s\"", file, index, names[pools[index]], name);
        }
        pools[index] = (uint8_t)which;
        (*indices)[i] = (uint32_t)index;
    }
    *count = list->count;
    return CAMCL_OK;
}

camcl_status cc_split_read(const char *file, const char *text, size_t length, size_t n, cc_split *out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_json *json = NULL;
    uint8_t *pools = NULL;
    *out = (cc_split){ 0 };
    status = cc_json_parse(text, length, &json, err);
    if (status != CAMCL_OK) {
        cc_context(err, "%s", file);
        return status;
    }
    CC_TRY(CC_NEW(n, &pools, err));
    CC_TRY(read_pool(file, json, "labeled", LABELED, pools, n, &out->labeled, &out->labeled_count, err));
    CC_TRY(read_pool(file, json, "unlabeled", UNLABELED, pools, n, &out->unlabeled, &out->unlabeled_count, err));
    CC_TRY(read_pool(file, json, "validation", VALIDATION, pools, n, &out->validation, &out->validation_count, err));
cleanup:
    free(pools);
    cc_json_free(&json);
    if (status != CAMCL_OK) cc_split_free(out);
    return status;
}

void cc_split_describe(const cc_split *split, size_t classes, size_t test_count, cc_text *out)
{
    cc_text_add(out, "labelled %zu (%zu per class), unlabelled %zu, validation %zu, test %zu", split->labeled_count,
                split->labeled_count / classes, split->unlabeled_count, split->validation_count, test_count);
}
