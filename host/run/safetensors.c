#include "run/safetensors.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "run/file_kind.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "safetensors data are little-endian: this host needs byte swaps that are not written"
#endif

#define LENGTH_BYTES 8
#define MAX_HEADER ((size_t)100 << 20) /* the format's own limit */

struct cc_safetensors {
    char *path, *data;
    cc_json *header; /* owns the names */
    cc_st_tensor *tensors;
    size_t *by_name; /* [count] places in tensors */
    size_t count;
};

static const struct {
    const char *name;
    size_t size;
} dtypes[] = {
    [CC_ST_F64] = { "F64", 8 },   [CC_ST_F32] = { "F32", 4 },         [CC_ST_F16] = { "F16", 2 },         [CC_ST_BF16] = { "BF16", 2 },
    [CC_ST_I64] = { "I64", 8 },   [CC_ST_I32] = { "I32", 4 },         [CC_ST_I16] = { "I16", 2 },         [CC_ST_I8] = { "I8", 1 },
    [CC_ST_U64] = { "U64", 8 },   [CC_ST_U32] = { "U32", 4 },         [CC_ST_U16] = { "U16", 2 },         [CC_ST_U8] = { "U8", 1 },
    [CC_ST_BOOL] = { "BOOL", 1 }, [CC_ST_F8_E4M3] = { "F8_E4M3", 1 }, [CC_ST_F8_E5M2] = { "F8_E5M2", 1 },
};

const char *cc_st_dtype_name(cc_st_dtype dtype) { return dtypes[dtype].name; }

size_t cc_st_dtype_size(cc_st_dtype dtype) { return dtypes[dtype].size; }

size_t cc_st_elements(const cc_st_tensor *tensor)
{
    size_t count = 1;
    for (unsigned i = 0; i < tensor->dims; i++)
        count *= tensor->shape[i];
    return count;
}

static size_t tensor_bytes(const cc_st_tensor *tensor) { return cc_st_elements(tensor) * cc_st_dtype_size(tensor->dtype); }

/* ---- writing ---- */

static void add_metadata(cc_text *text, const cc_st_pair *metadata, size_t pairs)
{
    if (pairs == 0) return;
    cc_text_add(text, "\"__metadata__\":{");
    for (size_t i = 0; i < pairs; i++) {
        if (i > 0) cc_text_add(text, ",");
        cc_text_add_json_string(text, metadata[i].key);
        cc_text_add(text, ":");
        cc_text_add_json_string(text, metadata[i].value);
    }
    cc_text_add(text, "}");
}

static void add_shape(cc_text *text, unsigned dims, const size_t *shape)
{
    cc_text_add(text, "[");
    for (unsigned i = 0; i < dims; i++)
        cc_text_add(text, "%s%zu", i > 0 ? "," : "", shape[i]);
    cc_text_add(text, "]");
}

/* Header members and data pieces of all tensors, largest elements first; returns how many. */
static size_t add_tensors(cc_text *text, cc_piece *pieces, const cc_st_tensor *tensors, size_t count, bool first)
{
    size_t offset = 0, n = 0;
    for (size_t size = 8; size > 0; size /= 2)
        for (size_t i = 0; i < count; i++) {
            const cc_st_tensor *tensor = &tensors[i];
            if (cc_st_dtype_size(tensor->dtype) != size) continue;
            size_t bytes = tensor_bytes(tensor);
            if (!first) cc_text_add(text, ",");
            first = false;
            cc_text_add_json_string(text, tensor->name);
            cc_text_add(text, ":{\"dtype\":\"%s\",\"shape\":", cc_st_dtype_name(tensor->dtype));
            add_shape(text, tensor->dims, tensor->shape);
            cc_text_add(text, ",\"data_offsets\":[%zu,%zu]}", offset, offset + bytes);
            pieces[n++] = (cc_piece){ tensor->data, bytes };
            offset += bytes;
        }
    return n;
}

camcl_status cc_safetensors_write(const char *path, const cc_st_tensor *tensors, size_t count, const cc_st_pair *metadata, size_t pairs,
                                  camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_text header = CC_TEXT_INIT;
    cc_piece *pieces = NULL;
    unsigned char length[LENGTH_BYTES];
    CC_TRY(CC_NEW(count + 2, &pieces, err));
    cc_text_add(&header, "{");
    add_metadata(&header, metadata, pairs);
    size_t n = add_tensors(&header, pieces + 2, tensors, count, pairs == 0);
    cc_text_add(&header, "}");
    while (!header.failed && header.length % 8 != 0)
        cc_text_add(&header, " ");
    if (header.failed) {
        status = cc_fail(err, CAMCL_NO_MEMORY, "cannot write '%s': no memory for its header (close other programs)", path);
        goto cleanup;
    }
    for (int i = 0; i < LENGTH_BYTES; i++)
        length[i] = (unsigned char)((uint64_t)header.length >> (8 * i));
    pieces[0] = (cc_piece){ length, LENGTH_BYTES };
    pieces[1] = (cc_piece){ header.data, header.length };
    status = cc_file_write(path, pieces, n + 2, err);
cleanup:
    free(pieces);
    cc_text_free(&header);
    return status;
}

/* ---- reading ---- */

/* "path: " + why, and what to do about a damaged file. */
#define DAMAGED(file, err, ...) damaged((file)->path, err, __VA_ARGS__)

static camcl_status damaged(const char *path, camcl_error *err, const char *format, ...) CC_PRINTF(3, 4);

static camcl_status damaged(const char *path, camcl_error *err, const char *format, ...)
{
    char why[512];
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    return cc_fail(err, CAMCL_BAD_DATA, "'%s' is no sound safetensors file: %s (copy or download it again)", path, why);
}

static bool find_dtype(const char *name, cc_st_dtype *dtype)
{
    for (size_t i = 0; name != NULL && i < CC_COUNT(dtypes); i++)
        if (strcmp(dtypes[i].name, name) == 0) {
            *dtype = (cc_st_dtype)i;
            return true;
        }
    return false;
}

/* The shape into tensor, its product times the element size into *bytes. */
static camcl_status parse_shape(const cc_safetensors *file, const cc_json *json, cc_st_tensor *tensor, size_t *bytes, camcl_error *err)
{
    *bytes = cc_st_dtype_size(tensor->dtype);
    if (json == NULL || json->kind != CC_JSON_ARRAY) return DAMAGED(file, err, "tensor '%s' has no shape", tensor->name);
    if (json->count > CC_ST_MAX_DIMS)
        return DAMAGED(file, err, "tensor '%s' has %zu dimensions, at most %d are read", tensor->name, json->count, CC_ST_MAX_DIMS);
    tensor->dims = (unsigned)json->count;
    for (unsigned i = 0; i < tensor->dims; i++)
        if (!cc_json_size(&json->items[i], &tensor->shape[i]) || !cc_mul_size(*bytes, tensor->shape[i], bytes))
            return DAMAGED(file, err, "dimension %u of tensor '%s' is no size", i, tensor->name);
    return CAMCL_OK;
}

/* One member of the header; `data` is where the tensors' bytes start and `size` how many there are. */
static camcl_status parse_tensor(const cc_safetensors *file, const cc_json *json, const char *data, size_t size, cc_st_tensor *tensor,
                                 camcl_error *err)
{
    const cc_json *offsets = cc_json_get(json, "data_offsets");
    const char *dtype = cc_json_string(cc_json_get(json, "dtype"));
    size_t begin, end, bytes;
    tensor->name = json->name;
    if (!find_dtype(dtype, &tensor->dtype))
        return DAMAGED(file, err, "tensor '%s' has the unknown dtype '%s'", tensor->name, dtype == NULL ? "" : dtype);
    CC_RETURN_IF_FAILED(parse_shape(file, cc_json_get(json, "shape"), tensor, &bytes, err));
    if (offsets == NULL || offsets->kind != CC_JSON_ARRAY || offsets->count != 2 || !cc_json_size(&offsets->items[0], &begin) ||
        !cc_json_size(&offsets->items[1], &end) || begin > end)
        return DAMAGED(file, err, "tensor '%s' has no valid data_offsets", tensor->name);
    if (end > size) return DAMAGED(file, err, "tensor '%s' ends at byte %zu of the data, which have %zu", tensor->name, end, size);
    if (end - begin != bytes)
        return DAMAGED(file, err, "tensor '%s' has %zu bytes, its shape and dtype need %zu", tensor->name, end - begin, bytes);
    tensor->data = data + begin;
    return CAMCL_OK;
}

static camcl_status check_metadata(const cc_safetensors *file, const cc_json *json, camcl_error *err)
{
    if (json->kind != CC_JSON_OBJECT) return DAMAGED(file, err, "__metadata__ is no object");
    for (size_t i = 0; i < json->count; i++)
        if (json->items[i].kind != CC_JSON_STRING) return DAMAGED(file, err, "__metadata__ '%s' is no string", json->items[i].name);
    return CAMCL_OK;
}

/* Empty tensors come before the one that starts at the same byte. */
static int by_position(const void *a, const void *b)
{
    const cc_st_tensor *x = a, *y = b;
    const char *x_at = x->data, *y_at = y->data;
    if (x_at != y_at) return x_at < y_at ? -1 : 1;
    size_t x_bytes = tensor_bytes(x), y_bytes = tensor_bytes(y);
    if (x_bytes != y_bytes) return x_bytes < y_bytes ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* Sorted tensors must cover the data without overlap, hole or rest. */
static camcl_status check_cover(const cc_safetensors *file, const char *data, size_t size, camcl_error *err)
{
    size_t covered = 0;
    for (size_t i = 0; i < file->count; i++) {
        const cc_st_tensor *tensor = &file->tensors[i];
        size_t begin = (size_t)((const char *)tensor->data - data);
        if (begin != covered)
            return DAMAGED(file, err, "tensor '%s' starts at byte %zu of the data, %s %zu", tensor->name, begin,
                           begin < covered ? "inside the one that ends at" : "but the one before ends at", covered);
        covered = begin + tensor_bytes(tensor);
    }
    return covered == size ? CAMCL_OK : DAMAGED(file, err, "%zu bytes follow the last tensor", size - covered);
}

typedef struct named {
    const char *name;
    size_t place;
} named;

static int by_text(const void *a, const void *b) { return strcmp(((const named *)a)->name, ((const named *)b)->name); }

/* Files of wrapped models are searched for a network by many names. */
static camcl_status index_names(cc_safetensors *file, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    named *names = NULL;
    CC_TRY(CC_NEW(file->count, &names, err));
    CC_TRY(CC_NEW(file->count, &file->by_name, err));
    for (size_t i = 0; i < file->count; i++)
        names[i] = (named){ file->tensors[i].name, i };
    if (file->count > 0) qsort(names, file->count, sizeof *names, by_text);
    for (size_t i = 0; i < file->count; i++)
        file->by_name[i] = names[i].place;
cleanup:
    free(names);
    return status;
}

/* Checks the length of the header, and that it may be one. */
static camcl_status find_header(const cc_safetensors *file, size_t size, size_t *length, camcl_error *err)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < LENGTH_BYTES && i < size; i++)
        bytes |= (uint64_t)(unsigned char)file->data[i] << (8 * i);
    *length = (size_t)bytes;
    const bool fits = size > LENGTH_BYTES && bytes > 0 && bytes <= size - LENGTH_BYTES && bytes <= MAX_HEADER;
    /* A file that was cut begins as it should, and its length may look like another kind's first bytes. */
    const bool begins = size > LENGTH_BYTES && bytes <= MAX_HEADER && file->data[LENGTH_BYTES] == '{';
    if (fits && begins) return CAMCL_OK;
    if (!begins) CC_RETURN_IF_FAILED(cc_file_kind_check(file->path, file->data, size, err));
    if (size < LENGTH_BYTES) return DAMAGED(file, err, "it has %zu bytes, less than the 8 of the header's length", size);
    if (fits || bytes == 0) return DAMAGED(file, err, "its header is no JSON object");
    return DAMAGED(file, err, "its header would have %llu bytes, the file has %zu", (unsigned long long)bytes, size);
}

static camcl_status parse_file(cc_safetensors *file, size_t size, camcl_error *err)
{
    size_t length;
    CC_RETURN_IF_FAILED(find_header(file, size, &length, err));
    const char *header = file->data + LENGTH_BYTES, *data = header + length;
    size -= LENGTH_BYTES + length;

    camcl_error json = { 0 };
    camcl_status status = cc_json_parse(header, length, &file->header, &json);
    if (status == CAMCL_NO_MEMORY) return cc_fail(err, status, "%s", json.message);
    if (status != CAMCL_OK) return DAMAGED(file, err, "its header: %s", json.message);
    CC_RETURN_IF_FAILED(CC_NEW(file->header->count, &file->tensors, err));
    for (size_t i = 0; i < file->header->count; i++) {
        const cc_json *item = &file->header->items[i];
        if (strcmp(item->name, "__metadata__") == 0)
            CC_RETURN_IF_FAILED(check_metadata(file, item, err));
        else
            CC_RETURN_IF_FAILED(parse_tensor(file, item, data, size, &file->tensors[file->count++], err));
    }
    if (file->count > 0) qsort(file->tensors, file->count, sizeof *file->tensors, by_position);
    CC_RETURN_IF_FAILED(check_cover(file, data, size, err));
    return index_names(file, err);
}

camcl_status cc_safetensors_parse(const char *path, char *data, size_t size, cc_safetensors **out, camcl_error *err)
{
    camcl_status status = CC_NEW(1, out, err);
    if (status != CAMCL_OK) {
        free(data);
        return status;
    }
    (*out)->data = data;
    CC_TRY(cc_copy_text(path, &(*out)->path, err));
    CC_TRY(parse_file(*out, size, err));
cleanup:
    if (status != CAMCL_OK) cc_safetensors_free(out);
    return status;
}

camcl_status cc_safetensors_read(const char *path, cc_safetensors **out, camcl_error *err)
{
    char *data;
    size_t size;
    *out = NULL;
    CC_RETURN_IF_FAILED(cc_file_read(path, &data, &size, err));
    return cc_safetensors_parse(path, data, size, out, err);
}

void cc_safetensors_free(cc_safetensors **file)
{
    if (file == NULL || *file == NULL) return;
    cc_json_free(&(*file)->header);
    free((*file)->by_name);
    free((*file)->tensors);
    free((*file)->data);
    free((*file)->path);
    free(*file);
    *file = NULL;
}

/* ---- access ---- */

size_t cc_safetensors_count(const cc_safetensors *file) { return file->count; }

const cc_st_tensor *cc_safetensors_at(const cc_safetensors *file, size_t i) { return &file->tensors[i]; }

const cc_st_tensor *cc_safetensors_by_name(const cc_safetensors *file, size_t i) { return &file->tensors[file->by_name[i]]; }

size_t cc_safetensors_search(const cc_safetensors *file, const char *name)
{
    size_t low = 0, high = file->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (strcmp(cc_safetensors_by_name(file, middle)->name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const cc_st_tensor *cc_safetensors_find(const cc_safetensors *file, const char *name)
{
    const size_t i = cc_safetensors_search(file, name);
    return i < file->count && strcmp(cc_safetensors_by_name(file, i)->name, name) == 0 ? cc_safetensors_by_name(file, i) : NULL;
}

const char *cc_safetensors_metadata(const cc_safetensors *file, const char *key)
{
    return cc_json_string(cc_json_get(cc_json_get(file->header, "__metadata__"), key));
}

static camcl_status fail_missing(const cc_safetensors *file, const char *name, camcl_error *err)
{
    const char *nearest = NULL;
    unsigned least = 4; /* more edits than that are another name */
    for (size_t i = 0; i < file->count; i++) {
        unsigned distance = cc_edit_distance(name, file->tensors[i].name);
        if (distance >= least) continue;
        least = distance;
        nearest = file->tensors[i].name;
    }
    if (nearest != NULL)
        return cc_fail(err, CAMCL_BAD_DATA, "'%s' has no tensor '%s' (the nearest name is '%s')", file->path, name, nearest);
    return cc_fail(err, CAMCL_BAD_DATA, "'%s' has no tensor '%s' among its %zu (is it a file of another model?)", file->path, name,
                   file->count);
}

static camcl_status find_shaped(const cc_safetensors *file, const char *name, unsigned dims, const size_t *shape, const cc_st_tensor **out,
                                camcl_error *err)
{
    const cc_st_tensor *tensor = cc_safetensors_find(file, name);
    *out = tensor;
    if (tensor == NULL) return fail_missing(file, name, err);
    if (tensor->dims == dims && (dims == 0 || memcmp(tensor->shape, shape, dims * sizeof *shape) == 0)) return CAMCL_OK;
    cc_text has = CC_TEXT_INIT, needs = CC_TEXT_INIT;
    add_shape(&has, tensor->dims, tensor->shape);
    add_shape(&needs, dims, shape);
    camcl_status status =
        has.failed || needs.failed
            ? cc_fail(err, CAMCL_NO_MEMORY, "'%s': tensor '%s': no memory (close other programs)", file->path, name)
            : cc_fail(err, CAMCL_BAD_DATA, "'%s': tensor '%s' has shape %s, the model needs %s (is it a file of another model?)",
                      file->path, name, has.data, needs.data);
    cc_text_free(&has);
    cc_text_free(&needs);
    return status;
}

camcl_status cc_safetensors_get(const cc_safetensors *file, const char *name, cc_st_dtype dtype, unsigned dims, const size_t *shape,
                                void *out, camcl_error *err)
{
    const cc_st_tensor *tensor;
    CC_RETURN_IF_FAILED(find_shaped(file, name, dims, shape, &tensor, err));
    if (tensor->dtype != dtype)
        return cc_fail(err, CAMCL_BAD_DATA, "'%s': tensor '%s' has dtype %s, not %s (is it a file of another model?)", file->path, name,
                       cc_st_dtype_name(tensor->dtype), cc_st_dtype_name(dtype));
    size_t bytes = tensor_bytes(tensor);
    if (bytes > 0) memcpy(out, tensor->data, bytes);
    return CAMCL_OK;
}

static float from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* IEEE 754 binary16; bfloat16 is the upper half of a float. */
static float from_half(uint16_t half)
{
    unsigned exponent = (half >> 10) & 31, fraction = half & 1023;
    uint32_t sign = (uint32_t)(half >> 15) << 31;
    if (exponent == 31) return from_bits(sign | 0x7F800000 | fraction << 13);
    if (exponent > 0) return from_bits(sign | (exponent + 112) << 23 | fraction << 13);
    float value = ldexpf((float)fraction, -24);
    return sign ? -value : value;
}

camcl_status cc_safetensors_get_f32(const cc_safetensors *file, const char *name, unsigned dims, const size_t *shape, float *out,
                                    camcl_error *err)
{
    const cc_st_tensor *tensor;
    CC_RETURN_IF_FAILED(find_shaped(file, name, dims, shape, &tensor, err));
    size_t count = cc_st_elements(tensor), size = cc_st_dtype_size(tensor->dtype);
    const char *at = tensor->data;
    uint16_t half;
    double wide;
    switch (tensor->dtype) {
    case CC_ST_F32:
        if (count > 0) memcpy(out, at, count * size);
        return CAMCL_OK;
    case CC_ST_F16:
    case CC_ST_BF16:
        for (size_t i = 0; i < count; i++, at += size) {
            memcpy(&half, at, sizeof half);
            out[i] = tensor->dtype == CC_ST_F16 ? from_half(half) : from_bits((uint32_t)half << 16);
        }
        return CAMCL_OK;
    case CC_ST_F64:
        for (size_t i = 0; i < count; i++, at += size) {
            memcpy(&wide, at, sizeof wide);
            out[i] = (float)wide;
        }
        return CAMCL_OK;
    default:
        return cc_fail(err, CAMCL_BAD_DATA, "'%s': tensor '%s' has dtype %s, not a floating-point one (is it a file of another model?)",
                       file->path, name, cc_st_dtype_name(tensor->dtype));
    }
}
