/* The functions that a pickle of numpy arrays names. Protocols 2 to 4 make an array in two steps: _reconstruct makes an empty one, and its
 * state gives it shape, type and content. Protocol 5 has _frombuffer, which does both. Python 3 writes bytes in protocol 2 as text that
 * encode(text, 'latin1') turns back. */
#include "dataset/pickle_numpy.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

static bool equals(const char *text, size_t length, const char *word) { return length == strlen(word) && memcmp(text, word, length) == 0; }

/* strchr would find the NUL byte as well. */
static bool is_one_of(char letter, const char *letters) { return letter != '\0' && strchr(letters, letter); }

static camcl_status refuse_name(cc_pickle *pickle, const char *module, size_t module_length, const char *name, size_t length)
{
    char *copy = NULL;
    cc_text shown = CC_TEXT_INIT;
    CC_RETURN_IF_FAILED(CC_NEW(module_length + length + 2, &copy, pickle->err));
    for (size_t i = 0; i < module_length; i++)
        copy[i] = (char)(module[i] ? module[i] : '?');
    copy[module_length] = '.';
    for (size_t i = 0; i < length; i++)
        copy[module_length + 1 + i] = (char)(name[i] ? name[i] : '?');
    cc_text_add_visible(&shown, copy, 80);
    camcl_status status = cc_fail(pickle->err, CAMCL_BAD_DATA,
                                  "%s: the pickle calls '%s', which is refused: data need only numpy's arrays (fetch "
                                  "the published one)",
                                  pickle->path, shown.data ? shown.data : "?");
    cc_text_free(&shown);
    free(copy);
    return status;
}

camcl_status cc_pickle_resolve(cc_pickle *pickle, const char *module, size_t module_length, const char *name, size_t length, uint32_t *out)
{
    static const struct {
        const char *module, *name;
        cc_pickle_name value;
    } known[] = {
        { "numpy.core.multiarray", "_reconstruct", CC_NAME_RECONSTRUCT },  /* numpy 1 */
        { "numpy._core.multiarray", "_reconstruct", CC_NAME_RECONSTRUCT }, /* numpy 2 */
        { "numpy.core.numeric", "_frombuffer", CC_NAME_FROMBUFFER },
        { "numpy._core.numeric", "_frombuffer", CC_NAME_FROMBUFFER },
        { "numpy", "ndarray", CC_NAME_NDARRAY },
        { "numpy", "dtype", CC_NAME_DTYPE },
        { "_codecs", "encode", CC_NAME_ENCODE },
    };
    for (size_t i = 0; i < CC_COUNT(known); i++)
        if (equals(module, module_length, known[i].module) && equals(name, length, known[i].name))
            return cc_pickle_add(pickle, (cc_pickle_value){ .kind = CC_PICKLE_NAME, .as.name = known[i].value }, out);
    return refuse_name(pickle, module, module_length, name, length);
}

/* ---- Types and shapes ---- */

static camcl_status refuse_type(cc_pickle *pickle, const char *text, size_t length)
{
    return cc_fail(pickle->err, CAMCL_BAD_DATA, "%s: an array of type '%.*s' where whole numbers of up to 64 bits belong (no CIFAR file)",
                   pickle->path, (int)cc_min_size(length, 8), text);
}

/* dtype('u1', ...) */
static camcl_status make_dtype(cc_pickle *pickle, const cc_pickle_value *arguments, uint32_t *out)
{
    const char *text = NULL;
    size_t length = 0;
    cc_pickle_value value = { .kind = CC_PICKLE_DTYPE };
    if (!cc_pickle_text_at(pickle, arguments, 0, &text, &length)) return cc_pickle_malformed(pickle, "a dtype without a name");
    if (length != 2 || (text[0] != 'u' && text[0] != 'i') || !is_one_of(text[1], "1248")) return refuse_type(pickle, text, length);
    CC_RETURN_IF_FAILED(CC_NEW(1, &value.as.array, pickle->err));
    value.as.array->is_signed = text[0] == 'i';
    value.as.array->item_size = (size_t)(text[1] - '0');
    camcl_status status = cc_pickle_add(pickle, value, out);
    if (status != CAMCL_OK) free(value.as.array);
    return status;
}

/* (version, byte order, ...) */
static camcl_status set_dtype_state(cc_pickle *pickle, cc_pickle_array *type, const cc_pickle_value *state)
{
    const char *order = NULL;
    size_t length = 0;
    if (!cc_pickle_text_at(pickle, state, 1, &order, &length) || length != 1 || !is_one_of(order[0], "<>|="))
        return cc_pickle_malformed(pickle, "a dtype without a byte order");
    type->big_endian = order[0] == '>';
    return CAMCL_OK;
}

static camcl_status set_shape(cc_pickle *pickle, cc_pickle_array *array, const cc_pickle_value *shape)
{
    size_t dimensions = 0;
    if (!cc_pickle_get_length(shape, &dimensions) || dimensions > CC_PICKLE_DIMENSIONS)
        return cc_pickle_malformed(pickle, "an array's shape of more than four dimensions, or none");
    array->dimensions = dimensions;
    for (size_t i = 0; i < dimensions; i++) {
        int64_t side = 0;
        if (!cc_pickle_integer_at(pickle, shape, i, &side) || side < 0 || (uint64_t)side > SIZE_MAX)
            return cc_pickle_malformed(pickle, "an array's shape that is no list of sizes");
        array->shape[i] = (size_t)side;
    }
    return CAMCL_OK;
}

/* Gives an array its content, after checking that the bytes are as many as its shape and type ask for. */
static camcl_status fill_array(cc_pickle *pickle, cc_pickle_array *array, const cc_pickle_value *shape, const cc_pickle_value *type,
                               const cc_pickle_value *content, bool fortran)
{
    cc_pickle_array filled = { .fortran = fortran };
    const char *bytes = NULL;
    size_t size = 0, expected = 0;
    if (!type || type->kind != CC_PICKLE_DTYPE) return cc_pickle_malformed(pickle, "an array without a type");
    if (!cc_pickle_get_text(content, &bytes, &size)) return cc_pickle_malformed(pickle, "an array without content");
    CC_RETURN_IF_FAILED(set_shape(pickle, &filled, shape));
    filled.is_signed = type->as.array->is_signed;
    filled.item_size = expected = type->as.array->item_size;
    filled.big_endian = type->as.array->big_endian;
    for (size_t i = 0; i < filled.dimensions; i++)
        if (!cc_mul_size(expected, filled.shape[i], &expected)) return cc_pickle_malformed(pickle, "an array larger than the memory");
    if (size != expected) {
        return cc_fail(pickle->err, CAMCL_BAD_DATA, "%s: truncated or corrupt: an array has %zu bytes where its shape asks for %zu",
                       pickle->path, size, expected);
    }
    filled.bytes = (const uint8_t *)bytes;
    *array = filled;
    return CAMCL_OK;
}

/* ---- Functions ---- */

/* _reconstruct(ndarray, (0,), b'b') */
static camcl_status make_array(cc_pickle *pickle, uint32_t *out)
{
    cc_pickle_value value = { .kind = CC_PICKLE_ARRAY };
    CC_RETURN_IF_FAILED(CC_NEW(1, &value.as.array, pickle->err));
    camcl_status status = cc_pickle_add(pickle, value, out);
    if (status != CAMCL_OK) free(value.as.array);
    return status;
}

/* _frombuffer(content, dtype, shape, 'C' or 'F') */
static camcl_status make_array_from_buffer(cc_pickle *pickle, const cc_pickle_value *arguments, uint32_t *out)
{
    const char *order = NULL;
    size_t length = 0;
    cc_pickle_array filled = { 0 };
    if (!cc_pickle_text_at(pickle, arguments, 3, &order, &length) || length != 1 || !is_one_of(order[0], "CF"))
        return cc_pickle_malformed(pickle, "an array without an order");
    CC_RETURN_IF_FAILED(fill_array(pickle, &filled, cc_pickle_item(pickle, arguments, 2), cc_pickle_item(pickle, arguments, 1),
                                   cc_pickle_item(pickle, arguments, 0), order[0] == 'F'));
    CC_RETURN_IF_FAILED(make_array(pickle, out));
    *pickle->values[*out].as.array = filled;
    return CAMCL_OK;
}

/* encode(text, 'latin1'): the text's characters, which are below 256, as bytes. */
static camcl_status encode(cc_pickle *pickle, const cc_pickle_value *arguments, uint32_t *out)
{
    const char *text = NULL, *codec = NULL;
    size_t length = 0, codec_length = 0, size = 0;
    uint8_t *bytes = NULL;
    if (!cc_pickle_text_at(pickle, arguments, 0, &text, &length) || !cc_pickle_text_at(pickle, arguments, 1, &codec, &codec_length) ||
        !(equals(codec, codec_length, "latin1") || equals(codec, codec_length, "latin-1")))
        return cc_pickle_malformed(pickle, "encode() of something that is no latin1 text");
    /* Each text of the file is encoded once, so more than the file's size is an attempt to exhaust the memory. */
    pickle->decoded += length;
    if (pickle->decoded > pickle->size) return cc_pickle_malformed(pickle, "one text encoded again and again");
    CC_RETURN_IF_FAILED(CC_NEW(length + 1, &bytes, pickle->err));
    for (size_t i = 0; i < length; size++) {
        const uint8_t lead = (uint8_t)text[i];
        bool two = (lead == 0xC2 || lead == 0xC3) && i + 1 < length && ((uint8_t)text[i + 1] & 0xC0) == 0x80;
        if (lead >= 0x80 && !two) {
            free(bytes);
            return cc_pickle_malformed(pickle, "encode() of characters that are not in latin1");
        }
        bytes[size] = two ? (uint8_t)((unsigned)lead << 6 | ((uint8_t)text[i + 1] & 0x3F)) : lead;
        i += two ? 2 : 1;
    }
    const cc_pickle_value value = { .kind = CC_PICKLE_TEXT, .owned = true, .as.text = { bytes, size } };
    camcl_status status = cc_pickle_add(pickle, value, out);
    if (status != CAMCL_OK) free(bytes);
    return status;
}

camcl_status cc_pickle_call(cc_pickle *pickle, uint32_t function, uint32_t arguments, uint32_t *out)
{
    const cc_pickle_value *values = pickle->values;
    if (values[function].kind != CC_PICKLE_NAME || values[arguments].kind != CC_PICKLE_LIST)
        return cc_pickle_malformed(pickle, "a call of something that is no function");
    switch (values[function].as.name) {
    case CC_NAME_RECONSTRUCT: return make_array(pickle, out);
    case CC_NAME_FROMBUFFER: return make_array_from_buffer(pickle, &values[arguments], out);
    case CC_NAME_DTYPE: return make_dtype(pickle, &values[arguments], out);
    case CC_NAME_ENCODE: return encode(pickle, &values[arguments], out);
    case CC_NAME_NDARRAY: break;
    }
    return cc_pickle_malformed(pickle, "a call of ndarray");
}

/* An array's state: (version, shape, dtype, in Fortran's order, content) */
camcl_status cc_pickle_set_state(cc_pickle *pickle, uint32_t object, uint32_t state)
{
    const cc_pickle_value *target = &pickle->values[object], *from = &pickle->values[state];
    if (target->kind == CC_PICKLE_DTYPE) return set_dtype_state(pickle, target->as.array, from);
    if (target->kind != CC_PICKLE_ARRAY) return cc_pickle_malformed(pickle, "a state for something that has none");
    const cc_pickle_value *fortran = cc_pickle_item(pickle, from, 3);
    if (!fortran || fortran->kind != CC_PICKLE_INTEGER) return cc_pickle_malformed(pickle, "an array without an order");
    return fill_array(pickle, target->as.array, cc_pickle_item(pickle, from, 1), cc_pickle_item(pickle, from, 2),
                      cc_pickle_item(pickle, from, 4), fortran->as.integer != 0);
}
