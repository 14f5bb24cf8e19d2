/* Reading JSON: the headers of safetensors files, splits.json, result.json. No library is used, because checkpoints must work in a build
 * that has no JSON library. */
#ifndef CC_BASE_JSON_H
#define CC_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"

typedef enum cc_json_kind { CC_JSON_NULL, CC_JSON_BOOL, CC_JSON_NUMBER, CC_JSON_STRING, CC_JSON_ARRAY, CC_JSON_OBJECT } cc_json_kind;

typedef struct cc_json cc_json;
struct cc_json {
    cc_json_kind kind;
    char *name;     /* the member's name inside an object, else NULL */
    char *string;   /* CC_JSON_STRING: UTF-8 */
    double number;  /* CC_JSON_NUMBER, CC_JSON_BOOL (0 or 1) */
    cc_json *items; /* CC_JSON_ARRAY, CC_JSON_OBJECT: count of them, in file order */
    size_t count;
};

/* Parses `length` bytes (need not end in NUL). Depth is bounded at 64; trailing bytes other than white space,
 * duplicate members and malformed UTF-16 escapes are errors (CAMCL_BAD_DATA, with the byte offset). The caller owns *out. */
camcl_status cc_json_parse(const char *data, size_t length, cc_json **out, camcl_error *err);
void cc_json_free(cc_json **json);

/* The member of an object, or NULL (also when json is NULL or no object). Borrowed. */
const cc_json *cc_json_get(const cc_json *json, const char *name);
const char *cc_json_string(const cc_json *json);     /* NULL unless a string */
bool cc_json_size(const cc_json *json, size_t *out); /* false unless a whole number 0..2^53 */
bool cc_json_number(const cc_json *json, double *out);
/* The same of a text that is one number in JSON's grammar, and nothing else; needs no memory, so that false says that it is none. */
bool cc_json_number_of_text(const char *text, size_t length, double *out);

#endif
