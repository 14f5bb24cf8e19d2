#include "dataset/pickle_value.h"

#include <string.h>

#include "base/memory.h"

camcl_status cc_pickle_malformed(cc_pickle *pickle, const char *what)
{
    return cc_fail(pickle->err, CAMCL_BAD_DATA, "%s: truncated or corrupt pickle: %s at byte %zu of %zu (fetch it again)", pickle->path,
                   what, pickle->at, pickle->size);
}

camcl_status cc_pickle_add(cc_pickle *pickle, cc_pickle_value value, uint32_t *out)
{
    CC_RETURN_IF_FAILED(cc_grow((void **)&pickle->values, &pickle->capacity, pickle->count + 1, sizeof value, pickle->err));
    *out = (uint32_t)pickle->count;
    pickle->values[pickle->count++] = value;
    return CAMCL_OK;
}

bool cc_pickle_get_text(const cc_pickle_value *value, const char **text, size_t *length)
{
    if (!value || value->kind != CC_PICKLE_TEXT) return false;
    *text = (const char *)value->as.text.data;
    *length = value->as.text.size;
    return true;
}

/* Of a key that is there twice the last one counts, as in Python. */
const cc_pickle_value *cc_pickle_find(const cc_pickle *pickle, const cc_pickle_value *from, const char *key)
{
    if (!from || from->kind != CC_PICKLE_DICT) return NULL;
    for (size_t i = from->as.list.count; i >= 2; i -= 2) {
        const char *text = NULL;
        size_t length = 0;
        if (cc_pickle_get_text(&pickle->values[from->as.list.items[i - 2]], &text, &length) && length == strlen(key) &&
            memcmp(text, key, length) == 0)
            return &pickle->values[from->as.list.items[i - 1]];
    }
    return NULL;
}

const cc_pickle_array *cc_pickle_get_array(const cc_pickle_value *value)
{
    return value && value->kind == CC_PICKLE_ARRAY && value->as.array->bytes ? value->as.array : NULL;
}

const cc_pickle_value *cc_pickle_item(const cc_pickle *pickle, const cc_pickle_value *list, size_t i)
{
    if (!list || list->kind != CC_PICKLE_LIST || i >= list->as.list.count) return NULL;
    return &pickle->values[list->as.list.items[i]];
}

bool cc_pickle_get_length(const cc_pickle_value *value, size_t *length)
{
    const cc_pickle_array *array = cc_pickle_get_array(value);
    if (array && array->dimensions == 1) {
        *length = array->shape[0];
        return true;
    }
    if (!value || value->kind != CC_PICKLE_LIST) return false;
    *length = value->as.list.count;
    return true;
}

bool cc_pickle_text_at(const cc_pickle *pickle, const cc_pickle_value *list, size_t i, const char **text, size_t *length)
{
    return cc_pickle_get_text(cc_pickle_item(pickle, list, i), text, length);
}

static int64_t read_number(const cc_pickle_array *array, size_t i)
{
    const uint8_t *from = array->bytes + i * array->item_size;
    uint64_t number = 0;
    for (size_t k = 0; k < array->item_size; k++)
        number = number << 8 | from[array->big_endian ? k : array->item_size - 1 - k];
    if (array->is_signed && array->item_size < 8 && number >> (8 * array->item_size - 1)) number |= UINT64_MAX << 8 * array->item_size;
    if (!array->is_signed && number > INT64_MAX) return INT64_MAX;
    return number > INT64_MAX ? -(int64_t)(UINT64_MAX - number) - 1 : (int64_t)number;
}

bool cc_pickle_integer_at(const cc_pickle *pickle, const cc_pickle_value *list, size_t i, int64_t *number)
{
    const cc_pickle_array *array = cc_pickle_get_array(list);
    if (array) {
        if (array->dimensions != 1 || i >= array->shape[0]) return false;
        *number = read_number(array, i);
        return true;
    }
    const cc_pickle_value *item = cc_pickle_item(pickle, list, i);
    if (!item || item->kind != CC_PICKLE_INTEGER) return false;
    *number = item->as.integer;
    return true;
}
