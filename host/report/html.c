#include "report/html.h"

#include <locale.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* The number of bytes of the character at text (of `left` bytes), or 0 if it cannot be shown. */
static size_t character(const char *text, size_t left)
{
    unsigned char c = (unsigned char)*text;
    if (c == 0x7F || (c < 0x20 && c != '\n' && c != '\t')) return 0;
    return cc_utf8_length(text, left);
}

static size_t escape(cc_text *out, const char *text, size_t left, size_t most)
{
    size_t written = 0;
    for (size_t n; left > 0 && written < most; text += n, left -= n, written++) {
        n = character(text, left);
        if (n == 0) {
            cc_text_add(out, "\xef\xbf\xbd");
            n = 1;
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
    return written;
}

void cc_html_escape(cc_text *out, const char *text) { escape(out, text, strlen(text), SIZE_MAX); }

size_t cc_html_length(const char *text)
{
    size_t count = 0, left = strlen(text);
    for (size_t n; left > 0; text += n, left -= n, count++) {
        n = character(text, left);
        if (n == 0) n = 1;
    }
    return count;
}

size_t cc_html_escape_cut(cc_text *out, const char *text, size_t most)
{
    if (cc_html_length(text) <= most) return escape(out, text, strlen(text), most);
    size_t written = escape(out, text, strlen(text), most - 1);
    cc_text_add(out, "\xe2\x80\xa6");
    return written + 1;
}

static void with_point(char *number)
{
    char *comma = strchr(number, localeconv()->decimal_point[0]);
    if (comma != NULL) *comma = '.';
}

void cc_html_number(cc_text *out, double value, int decimals)
{
    char number[64];
    if (!isfinite(value)) {
        cc_text_add(out, "\xe2\x80\x93");
        return;
    }
    snprintf(number, sizeof number, fabs(value) < 1e15 ? "%.*f" : "%.*e", decimals, value);
    with_point(number);
    cc_text_add(out, "%s", number);
}

void cc_html_short(cc_text *out, double value)
{
    static const char units[] = " kMGT";
    char number[64];
    size_t unit = 0;
    while (fabs(value) >= 10000 && unit + 1 < sizeof units - 1) {
        value /= 1000;
        unit++;
    }
    if (unit > 0 || !isfinite(value)) {
        cc_html_number(out, value, fabs(value) >= 100 ? 0 : 1);
        if (isfinite(value)) cc_text_add(out, "%c", units[unit]);
        return;
    }
    snprintf(number, sizeof number, fabs(value) >= 1000 ? "%.0f" : fabs(value) >= 1 ? "%.4g" : "%.3g", value);
    with_point(number);
    cc_text_add(out, "%s", number);
}

void cc_html_count(cc_text *out, double value)
{
    char digits[32];
    if (!(value >= 0 && value < 1e15)) {
        cc_html_number(out, value, 0);
        return;
    }
    int length = snprintf(digits, sizeof digits, "%.0f", value);
    for (int i = 0; i < length; i++)
        cc_text_add(out, i > 0 && (length - i) % 3 == 0 ? ",%c" : "%c", digits[i]);
}

void cc_html_duration(cc_text *out, double seconds)
{
    if (!(seconds >= 0 && seconds < 1e12)) {
        cc_html_number(out, NAN, 0);
        return;
    }
    unsigned long long whole = (unsigned long long)(seconds + 0.5);
    if (seconds < 10) cc_html_number(out, seconds, 1);
    if (seconds < 10)
        cc_text_add(out, " s");
    else if (whole < 60)
        cc_text_add(out, "%llu s", whole);
    else if (whole < 3600)
        cc_text_add(out, "%llu min %02llu s", whole / 60, whole % 60);
    else
        cc_text_add(out, "%llu h %02llu min", whole / 3600, whole / 60 % 60);
}
