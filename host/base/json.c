#include "base/json.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

#define MAX_DEPTH 64
#define MAX_NUMBER 127 /* characters of one number */

typedef struct parser {
    const char *data;
    size_t length, at;
    unsigned depth;
    camcl_error *err;
} parser;

static camcl_status parse_value(parser *p, cc_json *out);

static camcl_status fail(parser *p, const char *why) { return cc_fail(p->err, CAMCL_BAD_DATA, "bad JSON at byte %zu: %s", p->at, why); }

static int peek(const parser *p) { return p->at < p->length ? (unsigned char)p->data[p->at] : -1; }

static void skip_space(parser *p)
{
    int c = peek(p);
    while (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
        p->at++;
        c = peek(p);
    }
}

static bool is_digit(int c) { return c >= '0' && c <= '9'; }

static bool skip_digits(parser *p)
{
    if (!is_digit(peek(p))) return false;
    while (is_digit(peek(p)))
        p->at++;
    return true;
}

/* `text` is a number in JSON's grammar, of at most MAX_NUMBER characters. strtod expects the current locale's decimal point, which may be
 * another one, of several bytes. */
static double to_double(const char *text)
{
    char local[MAX_NUMBER + 16], *end;
    const double value = strtod(text, &end);
    if (*end != '.') return value;
    snprintf(local, sizeof local, "%.*s%s%s", (int)(end - text), text, localeconv()->decimal_point, end + 1);
    return strtod(local, NULL);
}

static camcl_status parse_number(parser *p, cc_json *out)
{
    size_t start = p->at;
    if (peek(p) == '-') p->at++;
    if (peek(p) == '0')
        p->at++;
    else if (!skip_digits(p))
        return fail(p, "a value was expected");
    if (peek(p) == '.') {
        p->at++;
        if (!skip_digits(p)) return fail(p, "a digit was expected");
    }
    if (peek(p) == 'e' || peek(p) == 'E') {
        p->at++;
        if (peek(p) == '+' || peek(p) == '-') p->at++;
        if (!skip_digits(p)) return fail(p, "a digit was expected");
    }
    char text[MAX_NUMBER + 1];
    size_t length = p->at - start;
    if (length > MAX_NUMBER) return fail(p, "a number of more than 127 characters");
    memcpy(text, p->data + start, length);
    text[length] = '\0';
    out->kind = CC_JSON_NUMBER;
    out->number = to_double(text);
    return isfinite(out->number) ? CAMCL_OK : fail(p, "a number out of range");
}

static camcl_status parse_hex4(parser *p, unsigned *out)
{
    unsigned value = 0;
    for (int i = 0; i < 4; i++, p->at++) {
        int c = peek(p);
        unsigned digit = is_digit(c)            ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10)
                                                : 16;
        if (digit == 16) return fail(p, "four hexadecimal digits were expected");
        value = value * 16 + digit;
    }
    *out = value;
    return CAMCL_OK;
}

/* Reads the code point after "\u", from one escape or from a pair of surrogates. */
static camcl_status parse_code_point(parser *p, unsigned *out)
{
    unsigned code = 0, low = 0;
    CC_RETURN_IF_FAILED(parse_hex4(p, &code));
    if (code >= 0xD800 && code <= 0xDBFF) {
        if (p->length - p->at < 2 || p->data[p->at] != '\\' || p->data[p->at + 1] != 'u') return fail(p, "half a surrogate pair");
        p->at += 2;
        CC_RETURN_IF_FAILED(parse_hex4(p, &low));
        if (low < 0xDC00 || low > 0xDFFF) return fail(p, "half a surrogate pair");
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    } else if (code >= 0xDC00 && code <= 0xDFFF) {
        return fail(p, "half a surrogate pair");
    }
    if (code == 0) return fail(p, "a NUL character inside a string");
    *out = code;
    return CAMCL_OK;
}

static size_t put_utf8(char *to, unsigned code)
{
    if (code < 0x80) {
        to[0] = (char)code;
        return 1;
    }
    size_t tail = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const unsigned char lead[4] = { 0, 0xC0, 0xE0, 0xF0 };
    to[0] = (char)(lead[tail] | (code >> (6 * tail)));
    for (size_t i = 1; i <= tail; i++)
        to[i] = (char)(0x80 | ((code >> (6 * (tail - i))) & 0x3F));
    return tail + 1;
}

/* Reads the escape after a backslash and writes at most 4 bytes. No escape is shorter than the bytes that it stands for. */
static camcl_status parse_escape(parser *p, char *to, size_t *written)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    int c = peek(p);
    const char *found = c > 0 ? strchr(names, c) : NULL;
    *written = 1;
    if (found != NULL) {
        *to = values[found - names];
        p->at++;
        return CAMCL_OK;
    }
    if (c != 'u') return fail(p, "an unknown escape");
    p->at++;
    unsigned code = 0;
    CC_RETURN_IF_FAILED(parse_code_point(p, &code));
    *written = put_utf8(to, code);
    return CAMCL_OK;
}

/* Reads a string. The parser stands at the opening quote. */
static camcl_status parse_string(parser *p, char **out)
{
    size_t end = ++p->at;
    while (end < p->length && p->data[end] != '"')
        end += p->data[end] == '\\' ? 2 : 1;
    if (end >= p->length) return fail(p, "a string without an end");
    CC_RETURN_IF_FAILED(CC_NEW(end - p->at + 1, out, p->err));
    for (char *to = *out; p->at < end;) {
        size_t n;
        if (peek(p) == '\\') {
            p->at++;
            CC_RETURN_IF_FAILED(parse_escape(p, to, &n));
        } else {
            if (peek(p) < 0x20) return fail(p, "a control character inside a string");
            n = cc_utf8_length(p->data + p->at, end - p->at);
            if (n == 0) return fail(p, "invalid UTF-8 inside a string");
            memcpy(to, p->data + p->at, n);
            p->at += n;
        }
        to += n;
    }
    p->at = end + 1;
    return CAMCL_OK;
}

static int by_name(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

/* Sorts the names first, so that an object with many members does not take quadratic time. */
static camcl_status check_duplicates(parser *p, const cc_json *object)
{
    if (object->count < 2) return CAMCL_OK;
    const char **names = NULL;
    CC_RETURN_IF_FAILED(CC_NEW(object->count, &names, p->err));
    for (size_t i = 0; i < object->count; i++)
        names[i] = object->items[i].name;
    qsort(names, object->count, sizeof *names, by_name);
    camcl_status status = CAMCL_OK;
    for (size_t i = 1; i < object->count && status == CAMCL_OK; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            status = cc_fail(p->err, CAMCL_BAD_DATA, "bad JSON at byte %zu: the member '%s' occurs twice", p->at, names[i]);
    free(names);
    return status;
}

static camcl_status parse_member_name(parser *p, cc_json *item)
{
    if (peek(p) != '"') return fail(p, "a member's name was expected");
    CC_RETURN_IF_FAILED(parse_string(p, &item->name));
    skip_space(p);
    if (peek(p) != ':') return fail(p, "':' was expected");
    p->at++;
    skip_space(p);
    return CAMCL_OK;
}

/* Reads an array's or object's items. The parser stands at the opening bracket. After a failure the items read so far stay in `out`, so
 * that cc_json_free releases them. */
static camcl_status parse_items(parser *p, cc_json *out)
{
    bool object = peek(p) == '{';
    int close = object ? '}' : ']';
    size_t capacity = 0;
    out->kind = object ? CC_JSON_OBJECT : CC_JSON_ARRAY;
    if (++p->depth > MAX_DEPTH) return fail(p, "nested more than 64 deep");
    p->at++;
    skip_space(p);
    while (peek(p) != close) {
        if (out->count > 0) {
            if (peek(p) != ',') return fail(p, object ? "',' or '}' was expected" : "',' or ']' was expected");
            p->at++;
            skip_space(p);
        }
        CC_RETURN_IF_FAILED(cc_grow((void **)&out->items, &capacity, out->count + 1, sizeof *out->items, p->err));
        cc_json *item = &out->items[out->count++];
        *item = (cc_json){ 0 };
        if (object) CC_RETURN_IF_FAILED(parse_member_name(p, item));
        CC_RETURN_IF_FAILED(parse_value(p, item));
        skip_space(p);
    }
    p->at++;
    p->depth--;
    return object ? check_duplicates(p, out) : CAMCL_OK;
}

static camcl_status parse_word(parser *p, cc_json *out)
{
    static const struct {
        const char *text;
        cc_json_kind kind;
        double number;
    } words[] = {
        { "null", CC_JSON_NULL, 0 },
        { "true", CC_JSON_BOOL, 1 },
        { "false", CC_JSON_BOOL, 0 },
    };
    for (size_t i = 0; i < CC_COUNT(words); i++) {
        size_t n = strlen(words[i].text);
        if (p->length - p->at < n || memcmp(p->data + p->at, words[i].text, n) != 0) continue;
        p->at += n;
        out->kind = words[i].kind;
        out->number = words[i].number;
        return CAMCL_OK;
    }
    return fail(p, "a value was expected");
}

static camcl_status parse_value(parser *p, cc_json *out)
{
    switch (peek(p)) {
    case '{':
    case '[': return parse_items(p, out);
    case '"': out->kind = CC_JSON_STRING; return parse_string(p, &out->string);
    case 'n':
    case 't':
    case 'f': return parse_word(p, out);
    case -1: return fail(p, "the text ends too early");
    default: return parse_number(p, out);
    }
}

camcl_status cc_json_parse(const char *data, size_t length, cc_json **out, camcl_error *err)
{
    parser p = { .data = data, .length = length, .err = err };
    *out = NULL;
    CC_RETURN_IF_FAILED(CC_NEW(1, out, err));
    skip_space(&p);
    camcl_status status = parse_value(&p, *out);
    skip_space(&p);
    if (status == CAMCL_OK && p.at < length) status = fail(&p, "something follows the end");
    if (status != CAMCL_OK) cc_json_free(out);
    return status;
}

static void release(cc_json *json)
{
    for (size_t i = 0; i < json->count; i++)
        release(&json->items[i]);
    free(json->items);
    free(json->name);
    free(json->string);
}

void cc_json_free(cc_json **json)
{
    if (json == NULL || *json == NULL) return;
    release(*json);
    free(*json);
    *json = NULL;
}

const cc_json *cc_json_get(const cc_json *json, const char *name)
{
    if (json == NULL || json->kind != CC_JSON_OBJECT) return NULL;
    for (size_t i = 0; i < json->count; i++)
        if (strcmp(json->items[i].name, name) == 0) return &json->items[i];
    return NULL;
}

const char *cc_json_string(const cc_json *json) { return json != NULL && json->kind == CC_JSON_STRING ? json->string : NULL; }

bool cc_json_size(const cc_json *json, size_t *out)
{
    double value;
    if (!cc_json_number(json, &value) || value < 0 || value > 9007199254740992.0 || value != floor(value)) return false;
    if (value >= (double)SIZE_MAX) return false;
    *out = (size_t)value;
    return true;
}

bool cc_json_number_of_text(const char *text, size_t length, double *out)
{
    parser p = { .data = text, .length = length };
    cc_json json = { .kind = CC_JSON_NULL };
    skip_space(&p);
    const int first = peek(&p);
    if (first != '-' && (first < '0' || first > '9')) return false;
    const bool good = parse_number(&p, &json) == CAMCL_OK;
    skip_space(&p);
    return good && p.at == length && cc_json_number(&json, out);
}

bool cc_json_number(const cc_json *json, double *out)
{
    if (json == NULL || json->kind != CC_JSON_NUMBER) return false;
    *out = json->number;
    return true;
}
