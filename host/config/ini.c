/* iniparser reads the values. It reports no line numbers, tells a process-wide callback its complaints, joins lines that end in a
 * backslash, stops at 1024 bytes and reads malformed lines somehow, so a scan of the text comes first: it refuses all of that, and knows
 * the lines. */
#include "config/ini.h"

#include <ctype.h>
#include <iniparser.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

/* Bytes begin..end-1 of the file's text. */
typedef struct span {
    const char *begin, *end;
} span;

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f'; }

static span strip(span text)
{
    while (text.begin < text.end && is_blank(*text.begin))
        text.begin++;
    while (text.end > text.begin && is_blank(text.end[-1]))
        text.end--;
    return text;
}

/* Keys may hold dots, so that [a] b.c = 1 is an unknown key rather than a malformed line. */
static bool is_name(span text, const char *marks)
{
    for (const char *p = text.begin; p < text.end; p++) {
        if (!isalnum((unsigned char)*p) && (*p == '\0' || !strchr(marks, *p))) return false;
    }
    return text.begin < text.end;
}

const char *cc_ini_cannot_hold(const char *value)
{
    size_t n = strlen(value);
    if (n > CC_INI_LINE / 2) return "it is too long";
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)value[i] < 0x20 || value[i] == 0x7f) return "it holds a control character";
    }
    if (n > 0 && value[n - 1] == '\\') return "it ends in a backslash";
    char quote = cc_ini_quote(value);
    if (quote && strchr(value, quote)) return "it needs quotes and holds both kinds of them";
    return NULL;
}

char cc_ini_quote(const char *value)
{
    size_t n = strlen(value);
    if (n == 0) return 0;
    bool needed = strpbrk(value, ";#") || is_blank(value[0]) || is_blank(value[n - 1]) || value[0] == '"' || value[0] == '\'';
    if (!needed) return 0;
    return strchr(value, '"') ? '\'' : '"';
}

/* Why the value after '=' is not what iniparser would make of it, or NULL. */
static const char *bad_value(span value)
{
    value = strip(value);
    if (value.begin == value.end || (*value.begin != '"' && *value.begin != '\'')) return NULL;
    const char *close = memchr(value.begin + 1, *value.begin, (size_t)(value.end - value.begin - 1));
    if (close == NULL) return "the quote is not closed";
    span rest = strip((span){ close + 1, value.end });
    if (rest.begin < rest.end && *rest.begin != ';' && *rest.begin != '#') return "text after the closing quote";
    return NULL;
}

static camcl_status copy_span(span text, char **out, camcl_error *err)
{
    size_t n = (size_t)(text.end - text.begin);
    CC_RETURN_IF_FAILED(CC_NEW(n + 1, out, err));
    memcpy(*out, text.begin, n);
    return CAMCL_OK;
}

static camcl_status add_entry(cc_ini *ini, const char *path, const char *section, span key, size_t line, camcl_error *err)
{
    cc_text name = CC_TEXT_INIT;
    cc_text_add(&name, "%s.%.*s", section, (int)(key.end - key.begin), key.begin);
    camcl_status status = CAMCL_OK;
    if (name.failed) {
        status = cc_fail(err, CAMCL_NO_MEMORY, "%s: no memory to read it (close other programs)", path);
        goto cleanup;
    }
    for (char *p = name.data; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    for (size_t i = 0; i < ini->count; i++) {
        if (strcmp(ini->entries[i].name, name.data) == 0) {
            status = cc_fail(err, CAMCL_BAD_CONFIG, "%s:%zu: %s: given twice, first in line %zu (keep one)", path, line, name.data,
                             ini->entries[i].line);
            goto cleanup;
        }
    }
    CC_TRY(cc_grow((void **)&ini->entries, &ini->capacity, ini->count + 1, sizeof *ini->entries, err));
    ini->entries[ini->count++] = (cc_ini_entry){ name.data, NULL, line };
    return CAMCL_OK;
cleanup:
    cc_text_free(&name);
    return status;
}

/* One line without its newline; *section is replaced by a section's line. */
static camcl_status scan_line(cc_ini *ini, const char *path, size_t line, span text, char **section, camcl_error *err)
{
    if (text.end - text.begin > CC_INI_LINE)
        return cc_fail(err, CAMCL_BAD_CONFIG, "%s:%zu: the line is longer than %d bytes (shorten it)", path, line, CC_INI_LINE);
    text = strip(text);
    if (text.begin == text.end) return CAMCL_OK;
    if (text.end[-1] == '\\')
        return cc_fail(err, CAMCL_BAD_CONFIG, "%s:%zu: the line ends in a backslash (lines cannot be continued: remove it)", path, line);
    if (*text.begin == ';' || *text.begin == '#') return CAMCL_OK;
    if (*text.begin == '[') {
        span name = strip((span){ text.begin + 1, text.end - 1 });
        if (text.end[-1] != ']' || !is_name(name, "_-"))
            return cc_fail(err, CAMCL_BAD_CONFIG, "%s:%zu: not a section: %.*s (write [name] alone on the line, comments on their own)",
                           path, line, (int)(text.end - text.begin), text.begin);
        free(*section);
        *section = NULL;
        return copy_span(name, section, err);
    }
    const char *equals = memchr(text.begin, '=', (size_t)(text.end - text.begin));
    span key = strip((span){ text.begin, equals ? equals : text.end });
    if (equals == NULL || !is_name(key, "_-."))
        return cc_fail(err, CAMCL_BAD_CONFIG, "%s:%zu: neither section, key = value nor comment: %.*s (mend the line)", path, line,
                       (int)(text.end - text.begin), text.begin);
    if (*section == NULL)
        return cc_fail(err, CAMCL_BAD_CONFIG, "%s:%zu: %.*s: a key before the first section (put its [section] above)", path, line,
                       (int)(key.end - key.begin), key.begin);
    const char *why = bad_value((span){ equals + 1, text.end });
    if (why)
        return cc_fail(err, CAMCL_BAD_CONFIG, "%s:%zu: %s.%.*s: %s (quote the whole value, or remove the quotes)", path, line, *section,
                       (int)(key.end - key.begin), key.begin, why);
    return add_entry(ini, path, *section, key, line, err);
}

static camcl_status scan(cc_ini *ini, const char *path, const char *data, size_t size, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    char *section = NULL;
    const char *end = data + size;
    size_t line = 1;
    if (size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0)
        return cc_fail(err, CAMCL_BAD_CONFIG, "%s:1: the file begins with a byte order mark (save it as plain UTF-8)", path);
    if (size > 0 && memchr(data, '\0', size))
        return cc_fail(err, CAMCL_BAD_CONFIG, "%s: not a text file: it holds a NUL byte (name an INI file, saved as UTF-8)", path);
    for (const char *begin = data; begin < end; line++) {
        const char *newline = memchr(begin, '\n', (size_t)(end - begin));
        span text = { begin, newline ? newline : end };
        CC_TRY(scan_line(ini, path, line, text, &section, err));
        begin = newline ? newline + 1 : end;
    }
cleanup:
    free(section);
    return status;
}

/* Takes the values of the scanned keys from iniparser. Its error callback is one per process and cannot be read, so that it could not be
 * put back: it stays the host's. What the scan let through gives iniparser nothing to complain of, unless the file changes in between. */
static camcl_status fetch_values(cc_ini *ini, const char *path, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    dictionary *values = iniparser_load(path);
    if (values == NULL) return cc_fail(err, CAMCL_BAD_CONFIG, "%s: cannot be read as an INI file (check it)", path);
    for (size_t i = 0; i < ini->count; i++) {
        cc_ini_entry *entry = &ini->entries[i];
        char *dot = strchr(entry->name, '.');
        *dot = ':';
        const char *value = iniparser_getstring(values, entry->name, NULL);
        *dot = '.';
        if (value == NULL) {
            status = cc_fail(err, CAMCL_BAD_CONFIG, "%s:%zu: %s: the file changed while it was read (try again)", path, entry->line,
                             entry->name);
            goto cleanup;
        }
        CC_TRY(cc_copy_text(value, &entry->value, err));
    }
cleanup:
    iniparser_freedict(values);
    return status;
}

camcl_status cc_ini_read(const char *path, cc_ini *ini, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    char *data = NULL;
    size_t size = 0;
    struct stat info;
    *ini = (cc_ini){ NULL, 0, 0 };
    /* The file is read twice, which a pipe cannot serve. */
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode))
        return cc_fail(err, CAMCL_BAD_CONFIG, "configuration: %s is not a regular file (name one)", path);
    status = cc_file_read(path, &data, &size, err);
    if (status == CAMCL_IO) {
        /* Which file a configuration is read from is usage, not running. */
        if (err) err->status = CAMCL_BAD_CONFIG;
        cc_context(err, "configuration");
        return CAMCL_BAD_CONFIG;
    }
    if (status != CAMCL_OK) goto cleanup;
    CC_TRY(scan(ini, path, data, size, err));
    CC_TRY(fetch_values(ini, path, err));
cleanup:
    free(data);
    if (status != CAMCL_OK) cc_ini_free(ini);
    return status;
}

void cc_ini_free(cc_ini *ini)
{
    for (size_t i = 0; i < ini->count; i++) {
        free(ini->entries[i].name);
        free(ini->entries[i].value);
    }
    free(ini->entries);
    *ini = (cc_ini){ NULL, 0, 0 };
}
