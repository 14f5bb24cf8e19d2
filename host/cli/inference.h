/* What eval, predict and cam share: a checkpoint with the configuration of its run. */
#ifndef CLI_INFERENCE_H
#define CLI_INFERENCE_H

#include <stdbool.h>

#include "camcl/model.h"
#include "cli.h"

typedef struct cli_session {
    const char *checkpoint; /* borrowed */
    bool alone;             /* no config.ini beside it */
    camcl_config *config;   /* the config.ini beside the checkpoint, if there is one, then the overrides */
    camcl_device *device;
    camcl_model *model;
    camcl_dataset *dataset; /* NULL until cli_session_data */
    camcl_fit fit;          /* how pictures become the network's input: the checkpoint's, unless data.fit was given */
} cli_session;

/* Data set, sizes and normalisation come from the checkpoint and its config.ini; overrides win. A config.ini that is there but cannot be
 * read is an error. Close also after a failure. */
camcl_status cli_session_open(cli_session *session, const char *checkpoint, const cli_list *overrides, camcl_error *err);
/* Opens the data set that the configuration names. Without a config.ini it is the one that the checkpoint names. CAMCL_BAD_DATA if neither
 * names a data set, if its folder is not known, or if its channels or class names (in any order) are not the model's. */
camcl_status cli_session_data(cli_session *session, camcl_error *err);
/* camcl_split_indices for the session. CAMCL_BAD_DATA if there is no config.ini, unless the split is a test set that came with the data:
 * which images the run drew is not known then, unless the command line gives data.labeled, data.validation and data.seed, or for held-out
 * test images data.test_share and data.seed. */
camcl_status cli_session_indices(const cli_session *session, camcl_split split, camcl_dataset_part *part, uint32_t **indices, size_t *count,
                                 camcl_error *err);
void cli_session_close(cli_session *session);

/* Whether the command line set the key. */
bool cli_was_given(const camcl_config *config, const char *key);

camcl_status cli_parse_split(const char *name, camcl_split *split, camcl_error *err);

/* The images and labels of a part of the data set. */
camcl_images cli_images_of(const camcl_dataset *dataset, camcl_dataset_part part);

#endif
