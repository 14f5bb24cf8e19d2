#include "base/text.h"

#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "camcl/text.h"

static bool reserve(cc_text *text, size_t more)
{
    size_t need;
    if (text->failed || !cc_add_size(text->length, more, &need) || !cc_add_size(need, 1, &need) ||
        cc_grow((void **)&text->data, &text->capacity, need, 1, NULL) != CAMCL_OK) {
        text->failed = true;
        return false;
    }
    return true;
}

void cc_text_add_bytes(cc_text *text, const void *bytes, size_t n)
{
    if (!reserve(text, n)) return;
    if (n) memcpy(text->data + text->length, bytes, n);
    text->length += n;
    text->data[text->length] = '\0';
}

void cc_text_add(cc_text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0 || !reserve(text, (size_t)n)) {
        text->failed = true;
        return;
    }
    va_start(args, format);
    vsnprintf(text->data + text->length, (size_t)n + 1, format, args);
    va_end(args);
    text->length += (size_t)n;
}

size_t cc_utf8_length(const char *data, size_t left)
{
    const unsigned char *s = (const unsigned char *)data;
    static const unsigned least[4] = { 0, 0x80, 0x800, 0x10000 };
    size_t tail = s[0] < 0x80 ? 0 : (s[0] & 0xE0) == 0xC0 ? 1 : (s[0] & 0xF0) == 0xE0 ? 2 : (s[0] & 0xF8) == 0xF0 ? 3 : 4;
    if (tail == 0) return 1;
    if (tail == 4 || tail >= left) return 0;
    unsigned code = s[0] & (0x3Fu >> tail);
    for (size_t i = 1; i <= tail; i++) {
        if ((s[i] & 0xC0) != 0x80) return 0;
        code = (code << 6) | (s[i] & 0x3F);
    }
    return code >= least[tail] && code <= 0x10FFFF && !(code >= 0xD800 && code <= 0xDFFF) ? tail + 1 : 0;
}

/* ---- texts for programs and for people */

static void put(camcl_sink sink, void *context, const char *text) { sink(context, text, strlen(text)); }

void camcl_write_json_string(const char *value, camcl_sink sink, void *context)
{
    if (value == NULL) {
        put(sink, context, "null");
        return;
    }
    put(sink, context, "\"");
    size_t left = strlen(value), n = 1;
    for (const char *p = value; left > 0; p += n, left -= n) {
        const unsigned char c = (unsigned char)*p;
        const size_t valid = cc_utf8_length(p, left);
        char escape[8];
        n = valid > 0 ? valid : 1;
        if (valid == 0)
            snprintf(escape, sizeof escape, "\\ufffd"); /* file names may hold bytes that are not UTF-8, which JSON readers refuse */
        else if (c == '"' || c == '\\')
            snprintf(escape, sizeof escape, "\\%c", c);
        else if (c == '\n' || c == '\t')
            snprintf(escape, sizeof escape, "\\%c", c == '\n' ? 'n' : 't');
        else if (c < 0x20)
            snprintf(escape, sizeof escape, "\\u%04x", c);
        else
            *escape = '\0';
        if (*escape)
            put(sink, context, escape);
        else
            sink(context, p, n);
    }
    put(sink, context, "\"");
}

void cc_decimal_point_to_dot(char *number)
{
    const char *point = localeconv()->decimal_point;
    char *at = strstr(number, point);
    if (at == NULL || *point == '\0') return;
    *at = '.';
    memmove(at + 1, at + strlen(point), strlen(at + strlen(point)) + 1);
}

void camcl_write_json_number(double value, camcl_sink sink, void *context)
{
    char number[40];
    snprintf(number, sizeof number, "%.9g", value);
    cc_decimal_point_to_dot(number);
    put(sink, context, isfinite(value) ? number : "null");
}

static bool is_control(const unsigned char *p, size_t length)
{
    return p[0] < 0x20 || p[0] == 0x7f || (length == 2 && p[0] == 0xc2 && p[1] < 0xa0);
}

void camcl_write_visible(const char *text, size_t size, camcl_sink sink, void *context)
{
    size_t n = 0;
    for (size_t at = 0; at < size; at += n) {
        const size_t valid = cc_utf8_length(text + at, size - at);
        n = valid ? valid : 1;
        if (valid && !is_control((const unsigned char *)text + at, valid)) {
            sink(context, text + at, n);
            continue;
        }
        for (size_t i = 0; i < n; i++) {
            char escape[8];
            snprintf(escape, sizeof escape, "\\x%02x", (unsigned char)text[at + i]);
            put(sink, context, escape);
        }
    }
}

static void append(void *text, const char *bytes, size_t count) { cc_text_add_bytes(text, bytes, count); }

void cc_text_add_json_string(cc_text *text, const char *value) { camcl_write_json_string(value, append, text); }

void cc_text_add_json_number(cc_text *text, double value) { camcl_write_json_number(value, append, text); }

void cc_text_add_visible(cc_text *text, const char *value, size_t most)
{
    const size_t size = strlen(value);
    size_t shown = 0;
    while (shown < size && shown < most) {
        const size_t valid = cc_utf8_length(value + shown, size - shown);
        shown += valid ? valid : 1;
    }
    camcl_write_visible(value, shown, append, text);
    if (shown < size) cc_text_add(text, "...");
}

void cc_text_add_quoted(cc_text *text, const char *word)
{
    cc_text_add(text, "'");
    for (const char *at = word; *at; at++)
        cc_text_add(text, *at == '\'' ? "'\\''" : "%c", *at);
    cc_text_add(text, "'");
}

void cc_text_add_shell_word(cc_text *text, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./=:,+-@%";
    if (*word && word[strspn(word, plain)] == '\0')
        cc_text_add(text, "%s", word);
    else
        cc_text_add_quoted(text, word);
}

void cc_text_add_count(cc_text *text, size_t count)
{
    char digits[32];
    const size_t length = (size_t)snprintf(digits, sizeof digits, "%zu", count);
    for (size_t i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) cc_text_add(text, ",");
        cc_text_add_bytes(text, digits + i, 1);
    }
}

void cc_text_add_mebibytes(cc_text *text, size_t bytes)
{
    const size_t whole = (bytes >> 20) + (bytes >> 19 & 1);
    if (whole < 10) {
        cc_text_add(text, "%.1f MiB", (double)bytes / 1048576);
        return;
    }
    cc_text_add_count(text, whole);
    cc_text_add(text, " MiB");
}

void cc_text_free(cc_text *text)
{
    free(text->data);
    *text = (cc_text)CC_TEXT_INIT;
}

unsigned cc_edit_distance(const char *a, const char *b)
{
    /* Only the first ROW - 1 characters of `b` are compared. That is enough for suggestions. */
    enum { ROW = 64 };
    unsigned row[ROW];
    size_t na = strlen(a), nb = strlen(b);
    if (nb >= ROW) nb = ROW - 1;
    for (size_t j = 0; j <= nb; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= na; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= nb; j++) {
            unsigned best = diagonal + (a[i - 1] != b[j - 1]);
            if (row[j] + 1 < best) best = row[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[nb];
}
