/* The values of a pickle, and looking into them. */
#ifndef CC_DATASET_PICKLE_VALUE_H
#define CC_DATASET_PICKLE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"

typedef struct cc_pickle cc_pickle;
typedef struct cc_pickle_value cc_pickle_value;

enum { CC_PICKLE_DIMENSIONS = 4 };

/* A numpy array of whole numbers. */
typedef struct cc_pickle_array {
    size_t dimensions, shape[CC_PICKLE_DIMENSIONS];
    size_t item_size; /* bytes of one number: 1, 2, 4 or 8 */
    bool is_signed, big_endian;
    bool fortran;         /* the first index runs fastest; otherwise the last */
    const uint8_t *bytes; /* all numbers; NULL while the array has no content yet */
} cc_pickle_array;

/* ---- For users; everything is borrowed from the pickle ---- */

/* The value of a key; NULL where there is none, or `from` is no dictionary. */
const cc_pickle_value *cc_pickle_find(const cc_pickle *pickle, const cc_pickle_value *from, const char *key);
/* NULL unless the value is an array with content. */
const cc_pickle_array *cc_pickle_get_array(const cc_pickle_value *value);
/* False unless the value is a text (bytes or str, which have no NUL at their end). */
bool cc_pickle_get_text(const cc_pickle_value *value, const char **text, size_t *length);
/* The elements of a list, a tuple or an array of one dimension; false for anything else. */
bool cc_pickle_get_length(const cc_pickle_value *value, size_t *length);
/* Element i of a list or tuple, as text or whole number; or of an array of one dimension, as whole number. False for other elements. */
bool cc_pickle_text_at(const cc_pickle *pickle, const cc_pickle_value *list, size_t i, const char **text, size_t *length);
bool cc_pickle_integer_at(const cc_pickle *pickle, const cc_pickle_value *list, size_t i, int64_t *number);

/* ---- For the files that read pickles ---- */

typedef enum cc_pickle_kind {
    CC_PICKLE_OTHER, /* None, a float: nothing that a data set needs */
    CC_PICKLE_INTEGER,
    CC_PICKLE_TEXT,
    CC_PICKLE_LIST, /* or tuple */
    CC_PICKLE_DICT,
    CC_PICKLE_DTYPE, /* the type of an array's elements */
    CC_PICKLE_ARRAY,
    CC_PICKLE_NAME /* a function or class */
} cc_pickle_kind;

/* The functions and classes that a pickle may name. */
typedef enum cc_pickle_name { CC_NAME_RECONSTRUCT, CC_NAME_FROMBUFFER, CC_NAME_NDARRAY, CC_NAME_DTYPE, CC_NAME_ENCODE } cc_pickle_name;

/* Values refer to others by index, because a pickle may make cycles and the table of values moves while it grows. */
struct cc_pickle_value {
    cc_pickle_kind kind;
    bool owned; /* text.data was allocated; otherwise it points into the file */
    union {
        int64_t integer;
        struct {
            const uint8_t *data;
            size_t size;
        } text;
        struct {
            uint32_t *items; /* of a dictionary: key, value, key, value, ... */
            uint32_t count, capacity;
        } list;
        cc_pickle_array *array; /* of an array or a dtype */
        cc_pickle_name name;
    } as;
};

struct cc_pickle {
    const char *path;
    const uint8_t *data;
    size_t size, at; /* the next byte to read */
    cc_pickle_value *values;
    size_t count, capacity;
    uint32_t *stack; /* indices of values, or marks */
    size_t depth, stack_capacity;
    uint32_t *memo; /* indices of values that may be used again, or CC_PICKLE_NONE */
    size_t memo_count, memo_capacity;
    size_t decoded; /* bytes that encode() has allocated */
    camcl_error *err;
};

#define CC_PICKLE_NONE UINT32_MAX

/* A new value; *out is its index. */
camcl_status cc_pickle_add(cc_pickle *pickle, cc_pickle_value value, uint32_t *out);
/* CAMCL_BAD_DATA: the pickle is malformed; `what` is wrong. */
camcl_status cc_pickle_malformed(cc_pickle *pickle, const char *what);
/* Element i of a list, or NULL. */
const cc_pickle_value *cc_pickle_item(const cc_pickle *pickle, const cc_pickle_value *list, size_t i);

#endif
