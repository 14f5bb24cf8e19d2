/* One configuration with several seeds: runs side by side, and what they reached together. */
#ifndef CLI_SEEDS_H
#define CLI_SEEDS_H

#include "cli.h"

typedef struct cli_seeds {
    char **texts; /* "1", "2", ... */
    size_t count;
    char *dir; /* output.dir as it was given; each run's has -seedN behind it */
} cli_seeds;

/* Takes "1,2,3" apart and keeps the configuration's output.dir. All seeds and folders are looked at, so that what cannot be trained is said
 * before the first run: unless they go on, the folders must be new. Close in any case. */
camcl_status cli_seeds_open(cli_seeds *seeds, const char *list, const cli_train_args *args, camcl_config *config, camcl_error *err);
void cli_seeds_close(cli_seeds *seeds);

/* Sets train.seed and output.dir for one of them. */
camcl_status cli_seeds_choose(const cli_seeds *seeds, size_t at, camcl_config *config, camcl_error *err);

/* Prints mean and standard deviation (of the sample: n - 1) of the runs' test accuracies, percent; NaN: a run has none. */
void cli_seeds_print(const cli_seeds *seeds, const double *accuracies);

#endif
