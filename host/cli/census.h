/* What a data set consists of: counts by class and pool, sizes and formats of its files. */
#ifndef CLI_CENSUS_H
#define CLI_CENSUS_H

#include "camcl/model.h"

enum { CLI_POOLS = 4, CLI_MOST_FORMATS = 8 };

/* In the order of the counts, as people and as programs read them. */
typedef struct cli_pool {
    camcl_split split;
    const char *title, *name;
} cli_pool;
extern const cli_pool cli_pools[CLI_POOLS];

typedef struct cli_range {
    uint32_t least, median, most;
} cli_range;

typedef struct cli_census {
    size_t classes;
    size_t (*counts)[CLI_POOLS]; /* [classes + 1]; the last row: images without a label */
    cli_range width, height;     /* of the pictures as they are stored */
    size_t files, unreadable;    /* pictures that are files of their own; of them, those that went away */
    struct {
        const char *name;
        size_t count;
    } formats[CLI_MOST_FORMATS];
    size_t format_count;
} cli_census;

/* Reads the header of every picture that is a file of its own. Free also after a failure. */
camcl_status cli_census_take(cli_census *census, const camcl_config *config, const camcl_dataset *dataset, camcl_error *err);
void cli_census_free(cli_census *census);

#endif
