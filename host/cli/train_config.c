#include "train_config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "whole_file.h"

/* path without the slashes at its end; "/" stays. The caller frees; NULL: no memory. */
static char *trimmed(const char *path)
{
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    return strndup(path, length);
}

/* "head" "tail"; the caller frees. NULL: no memory. */
static char *joined(const char *head, const char *tail)
{
    const size_t room = strlen(head) + strlen(tail) + 1;
    char *text = malloc(room);
    if (text) snprintf(text, room, "%s%s", head, tail);
    return text;
}

/* A run's folder has a split beside its configuration. */
static bool is_run(const char *folder)
{
    char *split = joined(folder, "/splits.json");
    const bool is = split && access(split, F_OK) == 0;
    free(split);
    return is;
}

/* The configuration of a folder. That of a run that was moved or copied names the place where it lay, so output.dir is set to where it lies
 * now, before the overrides. */
static camcl_status configure_from_folder(const char *folder, const cli_list *overrides, camcl_config **config, camcl_error *err)
{
    char *file = joined(folder, "/config.ini"), *place = joined("output.dir=", folder);
    cli_list all = { calloc(overrides->count + 1, sizeof *all.items), 0 };
    camcl_status status = file && place && all.items ? CAMCL_OK : cli_no_memory(err);
    if (status == CAMCL_OK && access(file, F_OK) != 0)
        status = cli_usage(err, "%s: a folder without a config.ini (give a configuration's file, or the folder of a run)", folder);
    if (status == CAMCL_OK) {
        if (is_run(folder)) all.items[all.count++] = place;
        for (size_t i = 0; i < overrides->count; i++)
            all.items[all.count++] = overrides->items[i];
        status = cli_configure(file, &all, config, err);
    }
    cli_list_free(&all);
    free(place);
    free(file);
    return status;
}

/* "." and ".." give a run no name. */
static camcl_status set_default_dir(camcl_config *config, const char *from, camcl_error *err)
{
    char *dir = NULL;
    if (*camcl_config_string(config, "output.dir")) return CAMCL_OK;
    const char *slash = strrchr(from, '/'), *name = slash ? slash + 1 : from;
    const bool nameless = *name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
    camcl_status status = camcl_config_default_dir(nameless ? "camcl" : from, &dir, err);
    if (status == CAMCL_OK) status = camcl_config_set(config, "output.dir", dir, "the configuration's name", err);
    free(dir);
    return status;
}

camcl_status cli_configure_training(const char *from, const cli_list *overrides, camcl_config **config, camcl_error *err)
{
    char *path = trimmed(from ? from : "camcl");
    camcl_status status = path ? CAMCL_OK : cli_no_memory(err);
    if (status == CAMCL_OK && from && access(path, F_OK) != 0)
        status = cli_usage(err, "train: cannot read '%s': %s (give a configuration or the folder of a run; camcl init writes one)", path,
                           strerror(errno));
    if (status == CAMCL_OK)
        status =
            from && cli_is_folder(path) ? configure_from_folder(path, overrides, config, err) : cli_configure(from, overrides, config, err);
    if (status == CAMCL_OK) status = set_default_dir(*config, path, err);
    free(path);
    return status;
}
