#include "census.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"

const cli_pool cli_pools[CLI_POOLS] = {
    { CAMCL_SPLIT_TRAIN, "labelled", "labeled" },
    { CAMCL_SPLIT_UNLABELED, "unlabelled", "unlabeled" },
    { CAMCL_SPLIT_VALIDATION, "validation", "validation" },
    { CAMCL_SPLIT_TEST, "test", "test" },
};

static camcl_status count_pool(cli_census *c, size_t pool, const camcl_config *config, const camcl_dataset *dataset, camcl_error *err)
{
    camcl_dataset_part part;
    uint32_t *indices = NULL;
    size_t count = 0;
    camcl_status status = camcl_split_indices(config, dataset, cli_pools[pool].split, &part, &indices, &count, err);
    if (status != CAMCL_OK) return status;
    const int32_t *labels = camcl_dataset_labels(dataset, part);
    for (size_t i = 0; i < count; i++) {
        const int32_t label = labels[indices[i]];
        c->counts[label < 0 ? c->classes : (size_t)label][pool]++;
    }
    free(indices);
    return CAMCL_OK;
}

/* How much of data.root is the folder that the files' names begin at. */
static size_t folder_length(const camcl_config *config)
{
    const char *root = camcl_config_string(config, "data.root"), *slash = strrchr(root, '/');
    if (!camcl_config_is(config, "data.dataset", "list")) return strlen(root);
    return slash ? (size_t)(slash - root) + 1 : 0;
}

/* The path of a file of the data set; the caller frees. */
static char *path_of(const camcl_config *config, const char *file)
{
    const char *root = camcl_config_string(config, "data.root");
    const size_t folder = folder_length(config), room = folder + strlen(file) + 2;
    struct stat info;
    char *path = malloc(room);
    if (path == NULL) return NULL;
    snprintf(path, room, "%.*s%s%s", (int)folder, root, folder && root[folder - 1] != '/' ? "/" : "", file);
    /* A list may name files by their whole path. */
    if (file[0] == '/' || stat(path, &info) != 0) snprintf(path, room, "%s", file);
    return path;
}

static void count_format(cli_census *c, const char *name)
{
    size_t i = 0;
    while (i < c->format_count && strcmp(c->formats[i].name, name) != 0)
        i++;
    if (i == CLI_MOST_FORMATS) return;
    if (i == c->format_count) {
        c->formats[i].name = name;
        c->format_count++;
    }
    c->formats[i].count++;
}

static int compare(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* Sorts the values. */
static cli_range range_of(uint32_t *values, size_t n)
{
    if (n == 0) return (cli_range){ 0, 0, 0 };
    qsort(values, n, sizeof *values, compare);
    return (cli_range){ values[0], values[(n - 1) / 2], values[n - 1] };
}

static camcl_status look_at_files(cli_census *c, const camcl_config *config, const camcl_dataset *dataset, camcl_error *err)
{
    const camcl_dataset_info *info = camcl_dataset_get_info(dataset);
    const size_t counts[] = { info->train_count, info->test_count }, all = counts[0] + counts[1];
    uint32_t *widths = malloc((all + 1) * sizeof *widths), *heights = malloc((all + 1) * sizeof *heights);
    cli_bar bar = cli_bar_start("pictures looked at");
    camcl_status status =
        widths && heights ? CAMCL_OK : cli_error(err, CAMCL_NO_MEMORY, "data inspect: no memory for %zu sizes (close other programs)", all);
    size_t n = 0;
    for (size_t i = 0; status == CAMCL_OK && i < all; i++) {
        const camcl_dataset_part part = i < counts[0] ? CAMCL_TRAIN_IMAGES : CAMCL_TEST_IMAGES;
        const char *file = camcl_dataset_file(dataset, part, i < counts[0] ? i : i - counts[0]);
        camcl_image_about about;
        camcl_error why;
        if (file == NULL) continue;
        char *path = path_of(config, file);
        cli_bar_show(&bar, i, all);
        c->files++;
        const camcl_status read = path ? camcl_image_probe(path, &about, &why)
                                       : cli_error(&why, CAMCL_NO_MEMORY, "%s: no memory for its path (close other programs)", file);
        if (read == CAMCL_OK) {
            widths[n] = about.width;
            heights[n++] = about.height;
            count_format(c, about.format);
        } else if (read == CAMCL_NO_MEMORY) {
            *err = why; /* it says nothing of the picture */
            status = read;
        }
        free(path);
    }
    cli_bar_clear(&bar);
    c->unreadable = c->files - n;
    c->width = c->files ? range_of(widths, status == CAMCL_OK ? n : 0) : (cli_range){ info->width, info->width, info->width };
    c->height = c->files ? range_of(heights, status == CAMCL_OK ? n : 0) : (cli_range){ info->height, info->height, info->height };
    free(widths);
    free(heights);
    return status;
}

camcl_status cli_census_take(cli_census *c, const camcl_config *config, const camcl_dataset *dataset, camcl_error *err)
{
    *c = (cli_census){ .classes = camcl_dataset_get_info(dataset)->classes };
    c->counts = calloc(c->classes + 1, sizeof *c->counts);
    if (c->counts == NULL)
        return cli_error(err, CAMCL_NO_MEMORY, "data inspect: no memory for %zu classes (close other programs)", c->classes);
    camcl_status status = CAMCL_OK;
    for (size_t p = 0; status == CAMCL_OK && p < CLI_POOLS; p++)
        status = count_pool(c, p, config, dataset, err);
    return status == CAMCL_OK ? look_at_files(c, config, dataset, err) : status;
}

void cli_census_free(cli_census *c)
{
    free(c->counts);
    c->counts = NULL;
}
