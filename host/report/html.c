#include "report/html.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

static bool is_control(const char *text, size_t bytes)
{
    const unsigned char c = (unsigned char)*text;
    if (bytes == 2) return c == 0xC2 && (unsigned char)text[1] < 0xA0; /* C1 */
    return c == 0x7F || (c < 0x20 && c != '\n' && c != '\t');
}

void cc_html_escape(cc_text *out, const char *text)
{
    for (size_t n, left = strlen(text); left > 0; text += n, left -= n) {
        n = cc_utf8_length(text, left);
        if (n == 0 || is_control(text, n)) {
            cc_text_add(out, "\xef\xbf\xbd");
            n = cc_max_size(n, 1);
            continue;
        }
        switch (*text) {
        case '&': cc_text_add(out, "&amp;"); break;
        case '<': cc_text_add(out, "&lt;"); break;
        case '>': cc_text_add(out, "&gt;"); break;
        case '"': cc_text_add(out, "&quot;"); break;
        case '\'': cc_text_add(out, "&#39;"); break;
        default: cc_text_add_bytes(out, text, n);
        }
    }
}

/* The code point of a character that JSON may hold and a script element may not, and its bytes; 0: it may stay. */
static unsigned unsafe(const char *text, size_t left, size_t *bytes)
{
    const unsigned char *s = (const unsigned char *)text;
    *bytes = 1;
    if (s[0] == '<' || s[0] == '>' || s[0] == '&' || s[0] == 0x7F) return s[0];
    *bytes = 2;
    if (s[0] == 0xC2 && left > 1 && s[1] >= 0x80 && s[1] < 0xA0) return s[1]; /* C1 */
    *bytes = 3;
    if (s[0] == 0xE2 && left > 2 && s[1] == 0x80 && (s[2] == 0xA8 || s[2] == 0xA9)) return 0x2028u + (s[2] - 0xA8u);
    return 0;
}

void cc_html_add_json(cc_text *out, const char *json, size_t length)
{
    size_t start = 0;
    for (size_t i = 0, bytes; i < length; i++) {
        const unsigned code = unsafe(json + i, length - i, &bytes);
        if (code == 0) continue;
        cc_text_add_bytes(out, json + start, i - start);
        cc_text_add(out, "\\u%04x", code);
        start = i + bytes;
        i = start - 1;
    }
    cc_text_add_bytes(out, json + start, length - start);
}

void cc_html_number(cc_text *out, double value, int decimals)
{
    char number[64];
    if (!isfinite(value)) {
        cc_text_add(out, "\xe2\x80\x93");
        return;
    }
    snprintf(number, sizeof number, fabs(value) < 1e15 ? "%.*f" : "%.*e", decimals, value);
    cc_decimal_point_to_dot(number);
    cc_text_add(out, "%s", number);
}

void cc_html_duration(cc_text *out, double seconds)
{
    if (!(seconds >= 0 && seconds < 1e12)) {
        cc_html_number(out, NAN, 0);
        return;
    }
    const unsigned long long whole = (unsigned long long)(seconds + 0.5);
    if (seconds < 10) {
        cc_html_number(out, seconds, 1);
        cc_text_add(out, " s");
    } else if (whole < 60) {
        cc_text_add(out, "%llu s", whole);
    } else if (whole < 3600) {
        cc_text_add(out, "%llu min %02llu s", whole / 60, whole % 60);
    } else {
        cc_text_add(out, "%llu h %02llu min", whole / 3600, whole / 60 % 60);
    }
}
