/* Configuration: one schema, values from defaults, an INI file and overrides. */
#ifndef CAMCL_CONFIG_H
#define CAMCL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "camcl/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum camcl_key_type {
    CAMCL_KEY_TEXT,
    CAMCL_KEY_PATH,   /* relative to the working directory, or ~/ (see camcl_path_expand); camcl_config_write makes it absolute */
    CAMCL_KEY_CHOICE, /* one of `words` */
    CAMCL_KEY_BOOL,   /* yes | no; true, on, 1, false, off, 0 are read too */
    CAMCL_KEY_INT,    /* a whole number in minimum..maximum, or one of `words` */
    CAMCL_KEY_NUMBER, /* a number in minimum..maximum */
    CAMCL_KEY_NUMBERS /* numbers in minimum..maximum, comma-separated, or one of `words` */
} camcl_key_type;

/* A default that holds while another key has one of some values. */
typedef struct camcl_config_default {
    const char *key;   /* "ssl.preset" */
    const char *words; /* "a | b": the values of that key with which it holds */
    const char *value; /* the default then */
    const char *why;   /* for people, without a full stop */
} camcl_config_default;

/* One row of the schema. */
typedef struct camcl_config_key {
    const char *section, *name;
    camcl_key_type type;
    const char *initial;                  /* the default, unless one of `defaults` holds */
    const camcl_config_default *defaults; /* the first that holds counts; ends in a row without a key; NULL: none */
    const char *words;                    /* "a | b | c", or NULL */
    double minimum, maximum;              /* numbers only */
    bool above_minimum, below_maximum;    /* the minimum or the maximum itself is outside the range */
    bool optional;                        /* may be empty */
    const char *help;
} camcl_config_key;

/* The schema in the order of sections, keys of one section together. Static. */
const camcl_config_key *camcl_config_schema(size_t *count);
/* The row of "section.key", or NULL. */
const camcl_config_key *camcl_config_find(const char *key);
/* What the key accepts, as text: "softmax | logit", "0 to 1", "above 0, at most 1; or auto". Cut to `size` bytes. */
void camcl_config_range(const camcl_config_key *key, char *text, size_t size);

typedef struct camcl_config camcl_config;

/* One thread at a time changes a configuration; any number may read one that nobody changes. Files are read independently of each other.
 *
 * A configuration of defaults; device.select takes CAMCL_DEVICE from the environment when that is set. The caller owns *config. */
camcl_status camcl_config_create(camcl_config **config, camcl_error *err);
/* The same values with the same origins. The caller owns *out. */
camcl_status camcl_config_copy(const camcl_config *config, camcl_config **out, camcl_error *err);
/* NULL, or a pointer to NULL, is fine. */
void camcl_config_destroy(camcl_config **config);

/* Sets the keys of an INI file. CAMCL_BAD_CONFIG for unreadable or malformed files, unknown sections or keys, a key given twice and
 * values outside their range; the message names file, line, the nearest known key and the range. */
camcl_status camcl_config_load(camcl_config *config, const char *path, camcl_error *err);
/* The same from a run's own config.ini, for work on the run's checkpoint. The keys of [device] and [output] are not taken from it,
 * because they describe the machine and the command of the training. */
camcl_status camcl_config_load_run(camcl_config *config, const char *path, camcl_error *err);
/* Sets "section.key". `origin` says in messages where the value came from; NULL: "command line". */
camcl_status camcl_config_set(camcl_config *config, const char *key, const char *value, const char *origin, camcl_error *err);
/* The same from one argument, "section.key=value". */
camcl_status camcl_config_override(camcl_config *config, const char *argument, camcl_error *err);

/* Checks keys against each other: call it once all values are set. CAMCL_BAD_CONFIG for a contradiction. */
camcl_status camcl_config_finish(const camcl_config *config, camcl_error *err);
/* Warnings about values that are legal but probably not meant: one line "what: why (what to do)" each, borrowed; NULL if `index` is past
 * the last. */
const char *camcl_config_warning(const camcl_config *config, size_t index);

/* The values in force: set, else the first of the key's `defaults` that holds, else its default. The key must exist and have the type.
 * Borrowed until the key is set again. */
const char *camcl_config_string(const camcl_config *config, const char *key); /* any type: the text; "" when empty */
bool camcl_config_is(const camcl_config *config, const char *key, const char *word);
long long camcl_config_int(const camcl_config *config, const char *key); /* not while the value is one of the key's words */
double camcl_config_double(const camcl_config *config, const char *key); /* CAMCL_KEY_INT or CAMCL_KEY_NUMBER */
bool camcl_config_bool(const camcl_config *config, const char *key);
/* Writes at most `room` numbers of a CAMCL_KEY_NUMBERS to `numbers`; returns how many the value has, 0 for a word. */
size_t camcl_config_numbers(const camcl_config *config, const char *key, double *numbers, size_t room);
/* The value that the key would have now if it were not set. Borrowed, static. */
const char *camcl_config_default_of(const camcl_config *config, const char *key);
/* Where the value came from: "default", the key that the default depends on ("ssl.preset"), "CAMCL_DEVICE", "FILE:LINE", or what was given
 * to camcl_config_set. */
const char *camcl_config_origin(const camcl_config *config, const char *key);
/* device.cache_dir, or camcl in the user's cache folder where that is empty; "" where neither is known. Borrowed like a value. */
const char *camcl_config_cache_dir(const camcl_config *config);

/* A complete INI file with everything in force; relative paths become absolute. The caller frees *text. */
camcl_status camcl_config_write(const camcl_config *config, char **text, camcl_error *err);
/* The same as an annotated listing: each key with type, range, default and help. */
camcl_status camcl_config_describe(const camcl_config *config, char **text, camcl_error *err);
/* The schema as a Markdown page. */
camcl_status camcl_config_reference(char **text, camcl_error *err);

/* Whether a run that was started with `saved` may continue with `wanted`. All keys must be the same except [output], [device],
 * data.root, data.resident and a larger train.epochs. A key that `saved` lacks because its version did not have it counts as its default,
 * which means what that version did. Numbers are compared as numbers, paths as absolute paths. CAMCL_BAD_CONFIG lists the keys that differ.
 */
camcl_status camcl_config_check_resume(const camcl_config *saved, const camcl_config *wanted, camcl_error *err);

/* A commented configuration to begin with. */
typedef struct camcl_config_template {
    const char *task;    /* "own-pictures" */
    const char *file;    /* among the configurations that come along: "own-pictures.ini" */
    const char *summary; /* for people, without a full stop */
    const char *needs;   /* what must be there before it can train, for people; "" for nothing */
} camcl_config_template;
/* All of them. Static. */
const camcl_config_template *camcl_config_templates(size_t *count);
/* The text of a task's configuration, static; NULL: there is no such task. */
const char *camcl_config_template_text(const char *task);

/* Where a run goes when output.dir is empty: "runs/" + the stem of the configuration's path. The caller frees *dir. */
camcl_status camcl_config_default_dir(const char *path, char **dir, camcl_error *err);

/* path, with ~ or ~/ at its head replaced by the user's home folder; ~user stays as it is. camcl_config_set does this for every
 * CAMCL_KEY_PATH. CAMCL_BAD_CONFIG where HOME is not set. The caller frees *out. */
camcl_status camcl_path_expand(const char *path, char **out, camcl_error *err);

/* The word nearest to `word`, for "did you mean": NULL when none is near. */
const char *camcl_nearest(const char *word, const char *const *candidates, size_t count);

#ifdef __cplusplus
}
#endif
#endif
