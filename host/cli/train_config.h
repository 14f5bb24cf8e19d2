/* Where the configuration of a training comes from. */
#ifndef CLI_TRAIN_CONFIG_H
#define CLI_TRAIN_CONFIG_H

#include "cli.h"

/* Like cli_configure, with output.dir set where it was empty. `from` is a configuration's file, or a folder that has a config.ini: that of
 * a run stands for this run, wherever its config.ini says that it lay. NULL: the defaults, and runs/camcl. */
camcl_status cli_configure_training(const char *from, const cli_list *overrides, camcl_config **config, camcl_error *err);

#endif
