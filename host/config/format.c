/* Configurations as text: config.ini, the annotated listing, the reference page. */
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "base/arguments.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "camcl/config.h"
#include "config/ini.h"
#include "config/older.h"
#include "config/value.h"
#include "config/config_internal.h"
#include "config/written.h"

static bool opens_section(const camcl_config_key *schema, size_t i)
{
    return i == 0 || strcmp(schema[i].section, schema[i - 1].section) != 0;
}

/* Writes the value as a file holds it: yes or no for booleans, absolute paths if asked for, quotes where needed. The caller frees *out. */
static camcl_status file_value(const camcl_config *config, const camcl_config_key *key, bool absolute, char **out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_text text = CC_TEXT_INIT;
    const char *value = cc_value_text(config, key);
    char *path = NULL;
    bool yes;
    if (key->type == CAMCL_KEY_BOOL && cc_parse_bool(value, &yes)) value = yes ? "yes" : "no";
    if (key->type == CAMCL_KEY_PATH && absolute && *value) {
        CC_TRY(cc_path_absolute(value, &path, err));
        value = path;
        const char *why = cc_ini_cannot_hold(value);
        if (why) {
            status = cc_fail(err, CAMCL_BAD_CONFIG, "%s.%s = %s: %s (choose another place)", key->section, key->name, value, why);
            goto cleanup;
        }
    }
    char quote[2] = { cc_ini_quote(value), '\0' };
    cc_text_add(&text, "%s%s%s", quote, value, quote);
    if (text.failed)
        status = cc_fail(err, CAMCL_NO_MEMORY, "configuration: no memory to write it (close other programs)");
    else
        *out = text.data;
cleanup:
    free(path);
    if (status != CAMCL_OK) cc_text_free(&text);
    return status;
}

static camcl_status hand_over(cc_text *text, camcl_status status, char **out, camcl_error *err)
{
    if (status == CAMCL_OK && text->failed)
        status = cc_fail(err, CAMCL_NO_MEMORY, "configuration: no memory to write it (close other programs)");
    if (status == CAMCL_OK)
        *out = text->data;
    else
        cc_text_free(text);
    return status;
}

camcl_status camcl_config_write(const camcl_config *config, char **out, camcl_error *err)
{
    CC_CHECK_GIVEN(config, err);
    CC_CHECK_GIVEN_AS(out, "text", err);
    camcl_status status = CAMCL_OK;
    cc_text text = CC_TEXT_INIT;
    size_t count;
    const camcl_config_key *schema = camcl_config_schema(&count);
    *out = NULL;
    for (size_t i = 0; i < count; i++) {
        char *value = NULL;
        CC_TRY(file_value(config, &schema[i], true, &value, err));
        if (opens_section(schema, i)) cc_text_add(&text, "%s[%s]\n", i ? "\n" : "", schema[i].section);
        cc_text_add(&text, "%s = %s\n", schema[i].name, value);
        free(value);
    }
cleanup:
    return hand_over(&text, status, out, err);
}

/* "key = value" without the line's end; the value's quotes are those that file_value set. false: of another form. */
static bool read_line(const char *line, size_t length, const char *section, char *name, size_t name_room, char *value, size_t value_room)
{
    const char *equals = memchr(line, '=', length);
    if (*section == '\0' || equals == NULL || equals - line < 2 || equals[-1] != ' ') return false;
    const char *begin = equals + 1, *end = line + length;
    if (begin < end && *begin == ' ') begin++;
    if (end - begin >= 2 && (*begin == '"' || *begin == '\'') && end[-1] == *begin) begin++, end--;
    int n = snprintf(name, name_room, "%s.%.*s", section, (int)(equals - line - 1), line);
    int m = snprintf(value, value_room, "%.*s", (int)(end - begin), begin);
    return n > 0 && (size_t)n < name_room && m >= 0 && (size_t)m < value_room;
}

camcl_status cc_config_read_written(camcl_config *config, const char *file, const char *text, camcl_error *err)
{
    char section[64] = "", name[128], value[CC_INI_LINE + 1];
    for (size_t length; *text; text += length + (text[length] == '\n')) {
        length = strcspn(text, "\n");
        if (length == 0) continue;
        if (*text == '[' && text[length - 1] == ']' && length - 2 < sizeof section) {
            snprintf(section, sizeof section, "%.*s", (int)(length - 2), text + 1);
            continue;
        }
        if (!read_line(text, length, section, name, sizeof name, value, sizeof value))
            return cc_fail(err, CAMCL_BAD_DATA,
                           "%s: its configuration has the line \"%.*s\", which is no key = value "
                           "(restore an older copy of the file, or choose another output.dir)",
                           file, (int)cc_min_size(length, 80), text);
        camcl_status status = camcl_config_set(config, name, value, file, err);
        if (status == CAMCL_NO_MEMORY) return status;
        if (status != CAMCL_OK)
            return cc_fail(err, CAMCL_BAD_DATA,
                           "%s: its configuration has %s = %.80s, which this program does not know "
                           "(restore an older copy of the file, or choose another output.dir)",
                           file, name, value);
    }
    return cc_config_read_older(config, err);
}

bool cc_default_matters(const camcl_config_key *key, const camcl_config_default *row)
{
    for (; row->key; row++)
        if (strcmp(row->value, key->initial) != 0) return true;
    return false;
}

/* Adds the default and those that depend on another key, for example "500, all with data.dataset = folder | list"; on a page, values stand
 * in backquotes, and each dependence has its reason. */
static void add_defaults(cc_text *text, const camcl_config_key *key, bool page)
{
    const char *quote = page && *key->initial ? "`" : "";
    cc_text_add(text, "%s%s%s", quote, *key->initial ? key->initial : "empty", quote);
    for (const camcl_config_default *d = key->defaults; d && d->key; d++) {
        if (!cc_default_matters(key, d)) continue;
        if (page)
            cc_text_add(text, "; `%s` with `%s = %s` (%s)", d->value, d->key, d->words, d->why);
        else
            cc_text_add(text, ", %s with %s = %s", d->value, d->key, d->words);
    }
}

/* Adds where a value that is not the plain default came from, and why. */
static void add_origin(cc_text *text, const camcl_config *config, const camcl_config_key *key)
{
    char name[96];
    snprintf(name, sizeof name, "%s.%s", key->section, key->name);
    const char *origin = camcl_config_origin(config, name);
    const camcl_config_default *further = cc_value_of(config, key)->text ? NULL : cc_default_in_force(config, key);
    if (further)
        cc_text_add(text, "; set by %s = %s: %s", further->key, camcl_config_string(config, further->key), further->why);
    else if (strcmp(origin, "default") != 0)
        cc_text_add(text, "; set by %s", origin);
}

camcl_status camcl_config_describe(const camcl_config *config, char **out, camcl_error *err)
{
    CC_CHECK_GIVEN(config, err);
    CC_CHECK_GIVEN_AS(out, "text", err);
    camcl_status status = CAMCL_OK;
    cc_text text = CC_TEXT_INIT;
    size_t count;
    const camcl_config_key *schema = camcl_config_schema(&count);
    *out = NULL;
    for (size_t i = 0; i < count; i++) {
        const camcl_config_key *key = &schema[i];
        char *value = NULL, range[256];
        CC_TRY(file_value(config, key, false, &value, err));
        camcl_config_range(key, range, sizeof range);
        if (opens_section(schema, i)) cc_text_add(&text, "%s[%s]\n", i ? "\n" : "", key->section);
        cc_text_add(&text, "%-15s = %-14s ; %s; default ", key->name, value, range);
        add_defaults(&text, key, false);
        cc_text_add(&text, "; %s", key->help);
        add_origin(&text, config, key);
        cc_text_add(&text, "\n");
        free(value);
    }
cleanup:
    return hand_over(&text, status, out, err);
}

/* Appends a table cell. | is escaped, because it would end the cell. */
static void add_cell(cc_text *text, const char *cell)
{
    cc_text_add(text, " ");
    for (const char *p = cell; *p; p++) {
        if (*p == '|') cc_text_add(text, "\\");
        cc_text_add_bytes(text, p, 1);
    }
    cc_text_add(text, " |");
}

camcl_status camcl_config_reference(char **out, camcl_error *err)
{
    CC_CHECK_GIVEN_AS(out, "text", err);
    cc_text text = CC_TEXT_INIT;
    size_t count;
    const camcl_config_key *schema = camcl_config_schema(&count);
    *out = NULL;
    cc_text_add(&text,
                "# Configuration keys\n\nWritten by `camcl config --markdown`. A file gives them in sections; `section.key=value` "
                "on the\ncommand line wins over the file. Values that contain `;` or `#` need quotes. `CAMCL_DEVICE` in the environment\n"
                "is the default of `device.select`. `~/` at the head of a path is the home folder. Some defaults depend on another key.\n");
    for (size_t i = 0; i < count; i++) {
        const camcl_config_key *key = &schema[i];
        char range[256];
        cc_text initial = CC_TEXT_INIT;
        camcl_config_range(key, range, sizeof range);
        add_defaults(&initial, key, true);
        if (opens_section(schema, i))
            cc_text_add(&text, "\n## [%s]\n\n| key | type and range | default | what it does |\n|---|---|---|---|\n", key->section);
        cc_text_add(&text, "| `%s` |", key->name);
        add_cell(&text, range);
        add_cell(&text, initial.data ? initial.data : "");
        add_cell(&text, key->help);
        cc_text_add(&text, "\n");
        text.failed = text.failed || initial.failed;
        cc_text_free(&initial);
    }
    return hand_over(&text, CAMCL_OK, out, err);
}

camcl_status camcl_config_default_dir(const char *path, char **dir, camcl_error *err)
{
    CC_CHECK_GIVEN(path, err);
    CC_CHECK_GIVEN(dir, err);
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
    size_t length = dot && dot > name ? (size_t)(dot - name) : strlen(name);
    size_t room = length + sizeof "runs/";
    CC_RETURN_IF_FAILED(CC_NEW(room, dir, err));
    snprintf(*dir, room, "runs/%.*s", (int)length, name);
    return CAMCL_OK;
}
