#include "config/value.h"

#include <assert.h>
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "config/ini.h"
#include "base/words.h"

bool cc_parse_int(const char *text, long long *out)
{
    size_t n = strlen(text);
    if (n == 0 || strspn(text, "+-0123456789") != n) return false;
    char *end;
    errno = 0;
    *out = strtoll(text, &end, 10);
    return errno == 0 && *end == '\0' && end != text;
}

bool cc_parse_number(const char *text, double *out)
{
    char local[128];
    size_t n = strlen(text);
    /* Other bytes are refused, because strtod would accept hexadecimal numbers, nan, inf and leading white space. */
    if (n == 0 || strspn(text, "+-.eE0123456789") != n) return false;
    const char *point = strchr(text, '.'), *local_point = localeconv()->decimal_point;
    int length = point ? snprintf(local, sizeof local, "%.*s%s%s", (int)(point - text), text, local_point, point + 1)
                       : snprintf(local, sizeof local, "%s", text);
    if (length < 0 || (size_t)length >= sizeof local) return false;
    char *end;
    *out = strtod(local, &end);
    return end != local && *end == '\0' && isfinite(*out);
}

bool cc_parse_bool(const char *text, bool *out)
{
    static const char *const yes[] = { "yes", "true", "on", "1" }, *const no[] = { "no", "false", "off", "0" };
    for (size_t i = 0; i < CC_COUNT(yes); i++) {
        *out = strcasecmp(text, yes[i]) == 0;
        if (*out || strcasecmp(text, no[i]) == 0) return true;
    }
    return false;
}

size_t cc_parse_numbers(const char *text, double *out, size_t room)
{
    size_t count = 0;
    for (const char *p = text;; p++) {
        char one[64];
        double value;
        p += strspn(p, " \t");
        size_t n = strcspn(p, ", \t");
        if (n == 0 || n >= sizeof one) return 0;
        memcpy(one, p, n);
        one[n] = '\0';
        if (!cc_parse_number(one, &value)) return 0;
        if (count < room) out[count] = value;
        count++;
        p += n + strspn(p + n, " \t");
        if (*p == '\0') return count;
        if (*p != ',') return 0;
    }
}

static bool in_range(const camcl_config_key *key, double value)
{
    if (key->above_minimum ? value <= key->minimum : value < key->minimum) return false;
    return key->below_maximum ? value < key->maximum : value <= key->maximum;
}

/* Returns why `text` is not a valid value of `key`, or NULL if it is valid. */
static const char *objection(const camcl_config_key *key, const char *text)
{
    long long integer;
    double number, numbers[CC_MOST_NUMBERS];
    bool boolean;
    size_t count;
    if (*text == '\0') return key->optional ? NULL : "the value is missing";
    if (cc_words_have(key->words, text)) return NULL;
    switch (key->type) {
    case CAMCL_KEY_TEXT:
    case CAMCL_KEY_PATH: return cc_ini_cannot_hold(text);
    case CAMCL_KEY_CHOICE: return "unknown value";
    case CAMCL_KEY_BOOL: return cc_parse_bool(text, &boolean) ? NULL : "neither yes nor no";
    case CAMCL_KEY_INT:
        if (!cc_parse_int(text, &integer)) return "not a whole number";
        return in_range(key, (double)integer) ? NULL : "out of range";
    case CAMCL_KEY_NUMBER:
        if (!cc_parse_number(text, &number)) return "not a number";
        return in_range(key, number) ? NULL : "out of range";
    case CAMCL_KEY_NUMBERS:
        count = cc_parse_numbers(text, numbers, CC_MOST_NUMBERS);
        if (count == 0) return "not numbers with commas between";
        if (count > CC_MOST_NUMBERS) return "too many numbers";
        for (size_t i = 0; i < count; i++) {
            if (!in_range(key, numbers[i])) return "out of range";
        }
        return NULL;
    }
    return NULL;
}

camcl_status cc_value_check(const camcl_config_key *key, const char *text, const char *origin, camcl_error *err)
{
    const char *why = objection(key, text);
    if (why == NULL) return CAMCL_OK;
    char range[256], nearest[64];
    camcl_config_range(key, range, sizeof range);
    bool guess = cc_words_nearest(key->words, text, nearest, sizeof nearest);
    return cc_fail(err, CAMCL_BAD_CONFIG, "%s: %s.%s = %s: %s (%s%s%s%s)", origin, key->section, key->name, text, why,
                   guess ? "did you mean " : "", guess ? nearest : "", guess ? "? " : "", range);
}

int cc_value_of_word(const camcl_config *config, const char *key, const cc_word_value *table, size_t count)
{
    size_t i = 0;
    while (i < count && !camcl_config_is(config, key, table[i].word))
        i++;
    assert(i < count && "the table has the schema's words");
    return table[i].value;
}
