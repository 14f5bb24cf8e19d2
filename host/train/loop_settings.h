/* The part of the configuration that only the training loop reads. */
#ifndef CC_TRAIN_LOOP_SETTINGS_H
#define CC_TRAIN_LOOP_SETTINGS_H

#include <stdbool.h>

#include "camcl/config.h"
#include "train/schedule.h"

typedef struct cc_loop_settings {
    cc_schedule schedule;
    uint64_t eval_every, save_every, cams_every; /* epochs; cams_every 0: CAM pictures are drawn at the end alone */
    uint64_t seed;                               /* of the initial weights and of the order of images */
    bool shuffle, tensorboard;
} cc_loop_settings;

/* labeled: images in the labelled pool. */
cc_loop_settings cc_loop_settings_from(const camcl_config *config, size_t labeled);

#endif
