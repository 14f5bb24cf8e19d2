#include "infer/classes.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

enum { LISTED = 10, NAME_BYTES = 64 };

static void list_names(cc_text *text, const char *owner, const cc_classes *classes)
{
    cc_text_add(text, "%s: ", owner);
    for (size_t i = 0; i < classes->count && i < LISTED; i++) {
        if (i) cc_text_add(text, ", ");
        cc_text_add_visible(text, classes->names[i], NAME_BYTES);
    }
    if (classes->count > LISTED) cc_text_add(text, " and %zu more", classes->count - LISTED);
    cc_text_add(text, "\n");
}

/* `stranger` is the first class of the data set that the model has not, or NULL where the numbers of classes differ. */
static camcl_status refuse(const cc_classes *data, const cc_classes *model, const char *what, const char *stranger, camcl_error *err)
{
    cc_text why = CC_TEXT_INIT, lists = CC_TEXT_INIT;
    if (stranger) {
        cc_text_add(&why, "class '");
        cc_text_add_visible(&why, stranger, NAME_BYTES);
        cc_text_add(&why, "' is none of the model's");
    } else {
        cc_text_add(&why, "it has %zu classes, the model %zu", data->count, model->count);
    }
    list_names(&lists, "data set", data);
    list_names(&lists, "model", model);
    camcl_status status =
        why.failed || lists.failed
            ? cc_fail(err, CAMCL_NO_MEMORY, "%s: no memory to compare its classes with the model's (close other programs)", what)
            : cc_fail(err, CAMCL_BAD_DATA, "%s: %s (set data.dataset and data.root to data of the model's classes)", what, why.data);
    if (status == CAMCL_BAD_DATA) cc_detail(err, "%s", lists.data);
    cc_text_free(&why);
    cc_text_free(&lists);
    return status;
}

camcl_status cc_classes_match(const cc_classes *data, const cc_classes *model, const char *what, int32_t *map, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    size_t n = data->count;
    bool *taken = NULL;
    if (n != model->count) return refuse(data, model, what, NULL, err);
    CC_TRY(CC_NEW(n, &taken, err));
    for (size_t c = 0; c < n; c++) {
        /* The search starts at the same place, where the class is found at once unless the order differs. */
        size_t k = c, tried = 0;
        while (tried < n && (taken[k] || strcmp(data->names[c], model->names[k]) != 0)) {
            k = (k + 1) % n;
            tried++;
        }
        if (tried == n) {
            status = refuse(data, model, what, data->names[c], err);
            goto cleanup;
        }
        taken[k] = true;
        map[c] = (int32_t)k;
    }
cleanup:
    free(taken);
    return status;
}
