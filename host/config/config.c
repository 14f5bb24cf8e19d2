/* A configuration's values: the texts that were set, and the values in force (set, else by a default that depends on another key, else the
 * default). */
#include "camcl/config.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arguments.h"
#include "base/file.h"
#include "base/memory.h"
#include "config/use_mode.h"
#include "config/value.h"
#include "base/words.h"
#include "config/config_internal.h"

camcl_status camcl_config_create(camcl_config **out, camcl_error *err)
{
    CC_CHECK_GIVEN_AS(out, "config", err);
    camcl_status status = CAMCL_OK;
    camcl_config *config = NULL;
    size_t count;
    camcl_config_schema(&count);
    *out = NULL;
    CC_TRY(CC_NEW(1, &config, err));
    CC_TRY(CC_NEW(count, &config->values, err));
    CC_TRY(cc_cache_folder(&config->user_cache, err));
    const char *device = getenv("CAMCL_DEVICE");
    if (device && *device) CC_TRY(camcl_config_set(config, "device.select", device, "CAMCL_DEVICE", err));
    *out = config;
    return CAMCL_OK;
cleanup:
    camcl_config_destroy(&config);
    return status;
}

static void unset(cc_value *value)
{
    free(value->text);
    free(value->origin);
    *value = (cc_value){ NULL, NULL };
}

camcl_status camcl_config_copy(const camcl_config *config, camcl_config **out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    camcl_config *copy = NULL;
    size_t count;
    camcl_config_schema(&count);
    CC_CHECK_GIVEN(out, err);
    *out = NULL;
    CC_CHECK_GIVEN(config, err);
    CC_TRY(CC_NEW(1, &copy, err));
    CC_TRY(CC_NEW(count, &copy->values, err));
    if (config->user_cache) CC_TRY(cc_copy_text(config->user_cache, &copy->user_cache, err));
    for (size_t i = 0; i < count; i++) {
        if (config->values[i].text == NULL) continue;
        CC_TRY(cc_copy_text(config->values[i].text, &copy->values[i].text, err));
        CC_TRY(cc_copy_text(config->values[i].origin, &copy->values[i].origin, err));
    }
    *out = copy;
    copy = NULL;
cleanup:
    camcl_config_destroy(&copy);
    return status;
}

void camcl_config_destroy(camcl_config **config)
{
    if (config == NULL || *config == NULL) return;
    size_t count;
    camcl_config_schema(&count);
    for (size_t i = 0; (*config)->values && i < count; i++)
        unset(&(*config)->values[i]);
    free((*config)->values);
    free((*config)->user_cache);
    free(*config);
    *config = NULL;
}

/* "did you mean ssl.alpha?" for an unknown key: the same name in another section first, then the nearest full name. */
static const camcl_config_key *nearest_key(const char *key)
{
    enum { MOST = 128, LONGEST = 64 };
    char names[MOST][LONGEST];
    const char *candidates[MOST], *dot = strchr(key, '.'), *bare = dot ? dot + 1 : key;
    size_t count;
    const camcl_config_key *schema = camcl_config_schema(&count);
    assert(count <= MOST);
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(bare, schema[i].name) == 0) return &schema[i];
        if (dot)
            snprintf(names[i], LONGEST, "%s.%s", schema[i].section, schema[i].name);
        else
            snprintf(names[i], LONGEST, "%s", schema[i].name);
        candidates[i] = names[i];
    }
    const char *nearest = camcl_nearest(key, candidates, count);
    for (size_t i = 0; nearest && i < count; i++) {
        if (candidates[i] == nearest) return &schema[i];
    }
    return NULL;
}

/* The names of one section's keys, or of all sections. */
static void list_names(camcl_error *err, const char *section)
{
    size_t count;
    const camcl_config_key *schema = camcl_config_schema(&count);
    if (section)
        cc_detail(err, "keys of [%s]:", section);
    else
        cc_detail(err, "sections:");
    for (size_t i = 0; i < count; i++) {
        if (section && strcmp(schema[i].section, section) == 0) cc_detail(err, " %s", schema[i].name);
        if (!section && (i == 0 || strcmp(schema[i].section, schema[i - 1].section) != 0)) cc_detail(err, " %s", schema[i].section);
    }
    cc_detail(err, "\n");
}

/* Returns the section name as the schema spells it, or NULL. `length` is the length of `name`. */
static const char *find_section(const char *name, size_t length)
{
    size_t count;
    const camcl_config_key *schema = camcl_config_schema(&count);
    for (size_t i = 0; i < count; i++) {
        if (strlen(schema[i].section) == length && strncasecmp(schema[i].section, name, length) == 0) return schema[i].section;
    }
    return NULL;
}

static camcl_status unknown_key(const char *key, const char *origin, camcl_error *err)
{
    const camcl_config_key *nearest = nearest_key(key);
    const char *dot = strchr(key, '.');
    size_t length = dot ? (size_t)(dot - key) : 0;
    const char *section = dot ? find_section(key, length) : NULL;
    char advice[512], range[256], what[96] = "unknown key";
    if (dot && !section) snprintf(what, sizeof what, "unknown section [%.*s]", (int)length, key);
    if (nearest) {
        camcl_config_range(nearest, range, sizeof range);
        snprintf(advice, sizeof advice, "did you mean %s.%s? %s", nearest->section, nearest->name, range);
    } else {
        snprintf(advice, sizeof advice, "camcl config lists every key");
    }
    cc_fail(err, CAMCL_BAD_CONFIG, "%s: %s: %s (%s)", origin, key, what, advice);
    list_names(err, section);
    return CAMCL_BAD_CONFIG;
}

camcl_status camcl_config_set(camcl_config *config, const char *name, const char *text, const char *origin, camcl_error *err)
{
    CC_CHECK_GIVEN(config, err);
    CC_CHECK_GIVEN_AS(name, "key", err);
    CC_CHECK_GIVEN_AS(text, "value", err);
    camcl_status status = CAMCL_OK;
    char *copy = NULL, *origin_copy = NULL;
    if (origin == NULL) origin = "command line";
    const camcl_config_key *key = camcl_config_find(name);
    if (key == NULL) return unknown_key(name, origin, err);
    status = key->type == CAMCL_KEY_PATH ? cc_path_expand(text, &copy, err) : cc_copy_text(text, &copy, err);
    if (status != CAMCL_OK) {
        cc_context(err, "%s: %s.%s", origin, key->section, key->name);
        goto cleanup;
    }
    CC_TRY(cc_value_check(key, copy, origin, err));
    CC_TRY(cc_copy_text(origin, &origin_copy, err));
    cc_value *value = cc_value_of(config, key);
    unset(value);
    *value = (cc_value){ copy, origin_copy };
    return CAMCL_OK;
cleanup:
    free(copy);
    free(origin_copy);
    return status;
}

camcl_status camcl_config_override(camcl_config *config, const char *argument, camcl_error *err)
{
    CC_CHECK_GIVEN(config, err);
    CC_CHECK_GIVEN(argument, err);
    const char *equals = strchr(argument, '=');
    if (equals == NULL) return cc_fail(err, CAMCL_BAD_CONFIG, "command line: %s: no value (write section.key=value)", argument);
    char name[128];
    int n = snprintf(name, sizeof name, "%.*s", (int)(equals - argument), argument);
    if (n < 0 || (size_t)n >= sizeof name)
        return cc_fail(err, CAMCL_BAD_CONFIG, "command line: %.40s…: unknown key (camcl config lists every key)", argument);
    return camcl_config_set(config, name, equals + 1, NULL, err);
}

camcl_status cc_config_use_mode(camcl_config *config, const char *mode, camcl_error *err)
{
    if (camcl_config_is(config, "ssl.mode", mode)) return CAMCL_OK;
    unset(cc_value_of(config, camcl_config_find("ssl.beta")));
    return camcl_config_set(config, "ssl.mode", mode, NULL, err);
}

cc_value *cc_value_of(const camcl_config *config, const camcl_config_key *key)
{
    size_t count;
    return &config->values[key - camcl_config_schema(&count)];
}

static const char *default_text(const camcl_config *config, const camcl_config_key *key)
{
    const camcl_config_default *further = cc_default_in_force(config, key);
    return further ? further->value : key->initial;
}

const char *cc_value_text(const camcl_config *config, const camcl_config_key *key)
{
    const cc_value *value = cc_value_of(config, key);
    return value->text ? value->text : default_text(config, key);
}

/* No key's defaults lead back to itself, so this ends. */
const camcl_config_default *cc_default_in_force(const camcl_config *config, const camcl_config_key *key)
{
    for (const camcl_config_default *d = key->defaults; d && d->key; d++)
        if (cc_words_have(d->words, camcl_config_string(config, d->key))) return d;
    return NULL;
}

static const camcl_config_key *known(const char *name)
{
    const camcl_config_key *key = camcl_config_find(name);
    assert(key && "a key of the schema");
    return key;
}

const char *camcl_config_default_of(const camcl_config *config, const char *key) { return default_text(config, known(key)); }

const char *camcl_config_string(const camcl_config *config, const char *key) { return cc_value_text(config, known(key)); }

bool camcl_config_is(const camcl_config *config, const char *key, const char *word)
{
    return strcmp(camcl_config_string(config, key), word) == 0;
}

long long camcl_config_int(const camcl_config *config, const char *name)
{
    const camcl_config_key *key = known(name);
    long long out = 0;
    bool parsed = cc_parse_int(cc_value_text(config, key), &out);
    assert(key->type == CAMCL_KEY_INT && parsed);
    (void)parsed;
    return out;
}

double camcl_config_double(const camcl_config *config, const char *name)
{
    const camcl_config_key *key = known(name);
    double out = 0;
    bool parsed = cc_parse_number(cc_value_text(config, key), &out);
    assert((key->type == CAMCL_KEY_NUMBER || key->type == CAMCL_KEY_INT) && parsed);
    (void)parsed;
    return out;
}

bool camcl_config_bool(const camcl_config *config, const char *name)
{
    const camcl_config_key *key = known(name);
    bool out = false, parsed = cc_parse_bool(cc_value_text(config, key), &out);
    assert(key->type == CAMCL_KEY_BOOL && parsed);
    (void)parsed;
    return out;
}

size_t camcl_config_numbers(const camcl_config *config, const char *name, double *numbers, size_t room)
{
    const camcl_config_key *key = known(name);
    assert(key->type == CAMCL_KEY_NUMBERS);
    return cc_parse_numbers(cc_value_text(config, key), numbers, room);
}

const char *camcl_config_origin(const camcl_config *config, const char *name)
{
    const camcl_config_key *key = known(name);
    const cc_value *value = cc_value_of(config, key);
    if (value->origin) return value->origin;
    const camcl_config_default *further = cc_default_in_force(config, key);
    return further ? further->key : "default";
}

const char *camcl_config_cache_dir(const camcl_config *config)
{
    const char *given = camcl_config_string(config, "device.cache_dir");
    return *given ? given : config->user_cache ? config->user_cache : "";
}

camcl_status camcl_path_expand(const char *path, char **out, camcl_error *err)
{
    CC_CHECK_GIVEN(path, err);
    CC_CHECK_GIVEN(out, err);
    return cc_path_expand(path, out, err);
}

const char *camcl_nearest(const char *word, const char *const *candidates, size_t count) { return cc_nearest(word, candidates, count); }
