/* Whether a split is still the one that a run drew (camcl/model.h). */
#include <stdlib.h>

#include "base/arguments.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "camcl/model.h"

/* The names of cc_split_write. */
static const char *pool_of(camcl_split split)
{
    switch (split) {
    case CAMCL_SPLIT_TEST: return "test";
    case CAMCL_SPLIT_VALIDATION: return "validation";
    case CAMCL_SPLIT_UNLABELED: return "unlabeled";
    default: return "labeled";
    }
}

static bool is_same(const cc_json *pool, const uint32_t *indices, size_t count)
{
    if (pool == NULL || pool->kind != CC_JSON_ARRAY || pool->count != count) return false;
    for (size_t i = 0; i < count; i++) {
        size_t index;
        if (!cc_json_size(&pool->items[i], &index) || index != indices[i]) return false;
    }
    return true;
}

camcl_status camcl_split_check(const char *splits, camcl_split split, const uint32_t *indices, size_t count, camcl_error *err)
{
    CC_CHECK_GIVEN(splits, err);
    if (count > 0) CC_CHECK_GIVEN(indices, err);
    camcl_status status = CAMCL_OK;
    char *text = NULL;
    size_t size;
    cc_json *json = NULL;
    CC_TRY(cc_file_read(splits, &text, &size, err));
    status = cc_json_parse(text, size, &json, err);
    if (status != CAMCL_OK) {
        cc_context(err, "%s", splits);
        goto cleanup;
    }
    if (!is_same(cc_json_get(json, pool_of(split)), indices, count))
        status = cc_fail(
            err, CAMCL_BAD_DATA,
            "%s: the data set is another one than it was: other images are drawn as \"%s\" now, and the run may have trained on some of "
            "them (put the pictures back as they were, or name pictures that it did not see with data.root)",
            splits, pool_of(split));
cleanup:
    cc_json_free(&json);
    free(text);
    return status;
}
