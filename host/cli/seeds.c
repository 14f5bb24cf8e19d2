#include "seeds.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static camcl_status refuse(const char *list, const char *why, camcl_error *err)
{
    return cli_usage(err, "train: --seeds %s: %s (give whole numbers with commas between them: --seeds 1,2,3)", list, why);
}

static bool is_listed(const cli_seeds *seeds, const char *text)
{
    for (size_t i = 0; i < seeds->count; i++)
        if (strcmp(seeds->texts[i], text) == 0) return true;
    return false;
}

static camcl_status take_apart(cli_seeds *seeds, const char *list, camcl_error *err)
{
    seeds->texts = calloc(strlen(list) + 1, sizeof *seeds->texts);
    if (seeds->texts == NULL) return cli_no_memory(err);
    for (const char *at = list;; at++) {
        const size_t digits = strspn(at, "0123456789");
        if (digits == 0 || (at[digits] != ',' && at[digits] != '\0')) return refuse(list, "not a list of seeds", err);
        /* 01 is 1: two runs of one seed, in two folders, would look like two results. */
        while (*at == '0' && strspn(at, "0123456789") > 1)
            at++;
        const size_t length = strspn(at, "0123456789");
        char *text = strndup(at, length);
        if (text == NULL) return cli_no_memory(err);
        const bool again = is_listed(seeds, text);
        seeds->texts[seeds->count++] = text;
        if (again) return refuse(list, "a seed is given twice", err);
        at += length;
        if (*at == '\0') return CAMCL_OK;
    }
}

/* Whether something lies in the folder. */
static bool is_used(const char *path)
{
    size_t entries = 0;
    DIR *folder = opendir(path);
    while (folder && readdir(folder))
        entries++;
    if (folder) closedir(folder);
    return entries > 2; /* besides . and .. */
}

camcl_status cli_seeds_choose(const cli_seeds *seeds, size_t at, camcl_config *config, camcl_error *err)
{
    const size_t room = strlen(seeds->dir) + strlen(seeds->texts[at]) + sizeof "-seed";
    char *dir = malloc(room);
    if (dir == NULL) return cli_no_memory(err);
    snprintf(dir, room, "%s-seed%s", seeds->dir, seeds->texts[at]);
    camcl_status status = camcl_config_set(config, "train.seed", seeds->texts[at], "--seeds", err);
    if (status == CAMCL_OK) status = camcl_config_set(config, "output.dir", dir, "--seeds", err);
    free(dir);
    return status;
}

static camcl_status look(const cli_seeds *seeds, bool resume, camcl_config *config, camcl_error *err)
{
    for (size_t i = 0; i < seeds->count; i++) {
        camcl_status status = cli_seeds_choose(seeds, i, config, err);
        if (status != CAMCL_OK) return status;
        const char *dir = camcl_config_string(config, "output.dir");
        if (!resume && is_used(dir))
            return cli_error(err, CAMCL_EXISTS, "run directory '%s': exists and is not empty (add --resume or choose another output.dir)",
                             dir);
    }
    return CAMCL_OK;
}

camcl_status cli_seeds_open(cli_seeds *seeds, const char *list, const cli_train_args *args, camcl_config *config, camcl_error *err)
{
    *seeds = (cli_seeds){ NULL, 0, NULL };
    for (size_t i = 0; i < args->overrides.count; i++)
        if (strncmp(args->overrides.items[i], "train.seed=", strlen("train.seed=")) == 0)
            return cli_usage(err, "train: %s: --seeds sets it (give one of the two)", args->overrides.items[i]);
    const char *dir = camcl_config_string(config, "output.dir");
    size_t length = strlen(dir);
    while (length > 1 && dir[length - 1] == '/')
        length--;
    seeds->dir = strndup(dir, length);
    if (seeds->dir == NULL) return cli_no_memory(err);
    camcl_status status = take_apart(seeds, list, err);
    return status == CAMCL_OK ? look(seeds, args->resume, config, err) : status;
}

void cli_seeds_close(cli_seeds *seeds)
{
    for (size_t i = 0; i < seeds->count; i++)
        free(seeds->texts[i]);
    free(seeds->texts);
    free(seeds->dir);
    *seeds = (cli_seeds){ NULL, 0, NULL };
}

void cli_seeds_print(const cli_seeds *seeds, const double *accuracies)
{
    const double n = (double)seeds->count;
    double mean = 0, squares = 0;
    for (size_t i = 0; i < seeds->count; i++)
        mean += accuracies[i] / n;
    for (size_t i = 0; i < seeds->count; i++)
        squares += (accuracies[i] - mean) * (accuracies[i] - mean);
    if (isnan(mean)) {
        printf("test top-1: not known of every run\n");
        return;
    }
    printf("test top-1: %.2f", mean);
    if (seeds->count > 1) printf(" ± %.2f", sqrt(squares / (n - 1)));
    printf(" %% over %zu seed%s (", seeds->count, seeds->count > 1 ? "s" : "");
    for (size_t i = 0; i < seeds->count; i++)
        printf("%s%.2f", i ? ", " : "", accuracies[i]);
    printf(")\n");
}
