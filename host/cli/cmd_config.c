/* camcl config: every key with its value in force. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "camcl/trainer.h"
#include "cli.h"
#include "inference.h"
#include "line.h"

static size_t length_of_list(const char *list)
{
    size_t count = 1;
    for (; *list; list++)
        count += *list == ',';
    return count;
}

/* The shares of a file are those of its devices: where the command line chooses another number of devices, and no shares, they do not
 * count. */
static camcl_status drop_shares(camcl_config *config, camcl_error *err)
{
    if (!cli_was_given(config, "device.select") || cli_was_given(config, "device.share")) return CAMCL_OK;
    const char *select = camcl_config_string(config, "device.select");
    const size_t shares = camcl_config_numbers(config, "device.share", NULL, 0);
    if (shares == 0 || shares == length_of_list(select)) return CAMCL_OK;
    return camcl_config_set(config, "device.share", "auto", "other devices than the file's", err);
}

camcl_status cli_configure(const char *path, const cli_list *overrides, camcl_config **out, camcl_error *err)
{
    camcl_config *config = NULL;
    const char *warning;
    *out = NULL;
    camcl_status status = camcl_config_create(&config, err);
    if (status == CAMCL_OK && path) status = camcl_config_load(config, path, err);
    for (size_t i = 0; status == CAMCL_OK && i < overrides->count; i++)
        status = camcl_config_override(config, overrides->items[i], err);
    if (status == CAMCL_OK) status = drop_shares(config, err);
    if (status == CAMCL_OK) status = camcl_config_finish(config, err);
    if (status != CAMCL_OK) {
        camcl_config_destroy(&config);
        return status;
    }
    size_t rank;
    (void)camcl_launched(&rank);
    for (size_t i = 0; rank == 0 && (warning = camcl_config_warning(config, i)) != NULL; i++)
        fprintf(stderr, "camcl: warning: %s\n", warning);
    *out = config;
    return CAMCL_OK;
}

static camcl_device_options device_options(const camcl_config *config)
{
    return (camcl_device_options){
        .size = sizeof(camcl_device_options),
        .select = camcl_config_string(config, "device.select"),
        .cache_dir = camcl_config_string(config, "device.cache_dir"),
        .conv = camcl_config_string(config, "device.conv"),
        .tune = camcl_config_string(config, "device.tune"),
        .separate_memory = camcl_config_is(config, "device.memory", "separate"),
        .compiler = cli_kernel_compiler(),
    };
}

camcl_status cli_open_device(const camcl_config *config, camcl_device **device, camcl_error *err)
{
    const camcl_device_options options = device_options(config);
    const char *select = camcl_config_string(config, "device.select");
    const camcl_status status = camcl_device_open(&options, device, err);
    if (status == CAMCL_OK && strchr(select, ','))
        fprintf(stderr, "camcl: warning: device.select = %s: this command uses the first device alone, %s\n", select,
                camcl_device_get_info(*device)->selector);
    return status;
}

camcl_status cli_open_devices(const camcl_config *config, camcl_device ***devices, size_t *count, camcl_error *err)
{
    const camcl_device_options options = device_options(config);
    return camcl_device_open_all(&options, devices, count, err);
}

static bool is_listed(const cli_list *keys, const camcl_config_key *key)
{
    char name[96];
    snprintf(name, sizeof name, "%s.%s", key->section, key->name);
    for (size_t i = 0; i < keys->count; i++)
        if (strcmp(keys->items[i], key->section) == 0 || strcmp(keys->items[i], name) == 0) return true;
    return false;
}

/* Where a line's comment begins, which stands behind the value; the line's end where it has none. */
static size_t find_comment(const char *line, size_t length)
{
    const char *value = memchr(line, '=', length), *end = line + length;
    if (value == NULL || end - value < 3) return length;
    const char quote = value[2];
    const char *from = quote == '"' || quote == '\'' ? memchr(value + 3, quote, (size_t)(end - value - 3)) : value;
    const char *comment = from ? memchr(from, ';', (size_t)(end - from)) : NULL;
    return comment ? (size_t)(comment - line) : length;
}

/* Prints a line of the listing; a comment that does not fit the columns goes on in lines of its own. */
static void print_line(const char *line, size_t length, size_t columns)
{
    const size_t comment = find_comment(line, length), indent = comment + strlen("; ");
    if (length < columns || indent + 20 > columns) {
        printf("%.*s\n", (int)length, line);
        return;
    }
    const size_t room = columns - 1 - indent;
    const char *rest = line + indent;
    size_t left = length - indent;
    printf("%.*s", (int)indent, line);
    while (left > room) {
        size_t end = room;
        while (end > 0 && rest[end] != ' ')
            end--;
        if (end == 0) break;
        printf("%.*s\n%*s; ", (int)end, rest, (int)comment, "");
        rest += end + 1;
        left -= end + 1;
    }
    printf("%.*s\n", (int)left, rest);
}

/* Prints a listing, which has a line for each key of the schema, in its order: all of it, or the keys that are asked for. Only a terminal's
 * lines are folded, so that grep finds a key with all that is said of it. */
static void print_listing(const char *text, const cli_list *keys)
{
    const size_t columns = isatty(STDOUT_FILENO) ? cli_columns(stdout) : SIZE_MAX;
    size_t count, i = 0;
    const camcl_config_key *schema = camcl_config_schema(&count);
    const char *open = NULL;
    for (size_t length; *text && i < count; text += length + (text[length] == '\n')) {
        length = strcspn(text, "\n");
        const camcl_config_key *key = &schema[i];
        const size_t name = strlen(key->name);
        if (strncmp(text, key->name, name) != 0 || text[name] != ' ') continue; /* the name of a section, or nothing */
        i++;
        if (keys->count && !is_listed(keys, key)) continue;
        if (open == NULL || strcmp(open, key->section) != 0) printf("%s[%s]\n", open ? "\n" : "", key->section);
        print_line(text, length, columns);
        open = key->section;
    }
}

/* What is no file and looks like a key is answered like a mistyped key=value: with the nearest key. */
static camcl_status check_name(const char *name, camcl_error *err)
{
    size_t count;
    const camcl_config_key *schema = camcl_config_schema(&count);
    const char *end = strrchr(name, '.');
    if (access(name, F_OK) == 0 || strchr(name, '/') || (end && strcmp(end, ".ini") == 0)) return CAMCL_OK;
    char(*full)[96] = malloc(count * sizeof *full);
    const char **names = malloc(count * sizeof *names), *nearest = NULL;
    for (size_t i = 0; full && names && i < count; i++) {
        snprintf(full[i], sizeof full[i], "%s.%s", schema[i].section, schema[i].name);
        names[i] = full[i];
        if (strcmp(schema[i].name, name) == 0 && nearest == NULL) nearest = full[i];
    }
    if (full && names && nearest == NULL) nearest = camcl_nearest(name, names, count);
    camcl_status status = CAMCL_OK;
    if (nearest) status = cli_usage(err, "config: %s: neither a file nor a key (did you mean %s?)", name, nearest);
    free(names);
    free(full);
    return status;
}

int cmd_config(int argc, char **argv)
{
    cli_config_args args;
    camcl_error err = { 0 };
    camcl_config *config = NULL;
    char *text = NULL;
    camcl_status status = cli_parse_config(argc, argv, &args, &err);
    if (status == CAMCL_OK && args.markdown) {
        status = camcl_config_reference(&text, &err);
    } else if (status == CAMCL_OK) {
        if (args.config) status = check_name(args.config, &err);
        if (status == CAMCL_OK) status = cli_configure(args.config, &args.overrides, &config, &err);
        if (status == CAMCL_OK) status = camcl_config_describe(config, &text, &err);
    }
    if (status == CAMCL_OK && !args.markdown)
        print_listing(text, &args.keys);
    else if (status == CAMCL_OK)
        fputs(text, stdout);
    free(text);
    camcl_config_destroy(&config);
    cli_list_free(&args.keys);
    cli_list_free(&args.overrides);
    return status == CAMCL_OK ? 0 : cli_fail(&err);
}
