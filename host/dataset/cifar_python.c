/* The Python version of CIFAR-10 and CIFAR-100. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "dataset/cifar.h"

static camcl_status refuse(const cc_cifar *cifar, const char *path, const char *what, camcl_error *err)
{
    return cc_fail(err, CAMCL_BAD_DATA, "%s: no %s file: %s (the data is at %s)", path, cifar->source.title, what, cifar->source.fetch);
}

/* [n, 3072] or [n, 3, 32, 32] bytes, the latter as re-packed files have it. */
static camcl_status set_pixels(const cc_cifar *cifar, const cc_pickle_array *array, cc_cifar_batch *batch, camcl_error *err)
{
    if (!array) return refuse(cifar, batch->path, "the pickle holds no array 'data'", err);
    const size_t *shape = array->shape;
    bool flat = array->dimensions == 2 && shape[1] == CC_CIFAR_BYTES;
    bool planes = array->dimensions == 4 && shape[1] == 3 && shape[2] == CC_CIFAR_SIDE && shape[3] == CC_CIFAR_SIDE && !array->fortran;
    if (array->item_size != 1 || array->is_signed || !(flat || planes))
        return refuse(cifar, batch->path, "its array 'data' is not bytes of shape [n, 3072]", err);
    if (shape[0] == 0) return refuse(cifar, batch->path, "it holds no images", err);
    batch->count = shape[0];
    batch->pixels = array->bytes;
    batch->image_step = array->fortran ? 1 : CC_CIFAR_BYTES;
    batch->byte_step = array->fortran ? batch->count : 1;
    return CAMCL_OK;
}

static camcl_status set_labels(const cc_cifar *cifar, const cc_pickle_value *labels, cc_cifar_batch *batch, camcl_error *err)
{
    size_t count = 0;
    if (!cc_pickle_get_length(labels, &count)) return refuse(cifar, batch->path, "the pickle holds no list of labels", err);
    if (count != batch->count)
        return cc_fail(err, CAMCL_BAD_DATA, "%s: corrupt: %zu labels for %zu images (fetch it again)", batch->path, count, batch->count);
    CC_RETURN_IF_FAILED(CC_NEW(count, &batch->labels, err));
    for (size_t i = 0; i < count; i++)
        if (!cc_pickle_integer_at(batch->pickle, labels, i, &batch->labels[i]))
            return refuse(cifar, batch->path, "a label is no whole number", err);
    return CAMCL_OK;
}

camcl_status cc_cifar_read_pickle(const cc_cifar *cifar, const cc_source_file *file, cc_cifar_batch *batch, camcl_error *err)
{
    batch->path = file->path;
    CC_RETURN_IF_FAILED(cc_pickle_read(file->path, file->blob.data, file->blob.size, &batch->pickle, err));
    const cc_pickle_value *root = cc_pickle_root(batch->pickle), *labels = cc_pickle_find(batch->pickle, root, cifar->labels_key);
    if (!labels && cc_pickle_find(batch->pickle, root, cifar->other_labels_key)) {
        return cc_fail(err, CAMCL_BAD_DATA, "%s: this is data set %s, not %s (set data.dataset)", file->path, cifar->other,
                       cifar->source.dataset);
    }
    CC_RETURN_IF_FAILED(set_pixels(cifar, cc_pickle_get_array(cc_pickle_find(batch->pickle, root, "data")), batch, err));
    return set_labels(cifar, labels, batch, err);
}

static camcl_status copy_name(const char *text, size_t length, char **out, camcl_error *err)
{
    CC_RETURN_IF_FAILED(CC_NEW(length + 1, out, err));
    memcpy(*out, text, length);
    return CAMCL_OK;
}

camcl_status cc_cifar_read_meta(const cc_cifar *cifar, const cc_source_file *file, camcl_dataset *dataset, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_pickle *pickle = NULL;
    char **names = NULL;
    size_t count = 0, length = 0;
    const char *text = NULL;
    CC_TRY(CC_NEW(cifar->classes, &names, err));
    CC_TRY(cc_pickle_read(file->path, file->blob.data, file->blob.size, &pickle, err));
    const cc_pickle_value *list = cc_pickle_find(pickle, cc_pickle_root(pickle), cifar->names_key);
    if (!cc_pickle_get_length(list, &count) || count != cifar->classes) {
        status = cc_fail(err, CAMCL_BAD_DATA, "%s: '%s' has %zu class names where %zu belong (remove the file for the built-in names)",
                         file->path, cifar->names_key, count, cifar->classes);
        goto cleanup;
    }
    for (size_t i = 0; i < count; i++) {
        if (!cc_pickle_text_at(pickle, list, i, &text, &length) || length == 0 || memchr(text, '\0', length)) {
            status = cc_fail(err, CAMCL_BAD_DATA, "%s: class name %zu is no text (remove the file for the built-in names)", file->path, i);
            goto cleanup;
        }
        CC_TRY(copy_name(text, length, &names[i], err));
    }
    CC_TRY(cc_dataset_set_classes(dataset, (const char *const *)names, count, err));
cleanup:
    for (size_t i = 0; names && i < cifar->classes; i++)
        free(names[i]);
    free(names);
    cc_pickle_free(&pickle);
    return status;
}
