/* The devices that a run trains on: those of its list, and those of the other processes of its world. The first device of the first process
 * holds what is evaluated and saved; the others follow it. */
#ifndef CC_TRAIN_TEAM_H
#define CC_TRAIN_TEAM_H

#include "exchange/exchange.h"
#include "feed/resident.h"

/* A device besides the first of this process. */
typedef struct cc_member {
    camcl_device *device;
    cc_model *model;
    cc_resident *images;
    cc_arena *arena;
    cc_step *step;
} cc_member;

typedef struct cc_team {
    cc_world *world;       /* NULL: this process is alone */
    cc_exchange *exchange; /* NULL: the device is alone */
    cc_member *others;     /* [count] */
    size_t count;
    cc_step **steps; /* [1 + count], the first device's at the head, filled whenever they are run */
    /* Of all devices of all processes, in their order; NULL where the device is alone. */
    cc_part *parts;
    size_t first, all; /* this process has parts first .. first+count of `all` */
    char *plans;       /* cc_team_describe's text */
} cc_team;

struct camcl_trainer;

/* Opens the devices of device.select: the first into *first. CAMCL_BAD_CONFIG for a device that is listed twice. */
camcl_status cc_team_open(struct camcl_trainer *run, const camcl_device_options *options, camcl_device **first, camcl_error *err);
/* A network on each device, all laid out alike. */
camcl_status cc_team_create_models(struct camcl_trainer *run, camcl_error *err);
/* Puts the run's images on every device. */
camcl_status cc_team_place_images(struct camcl_trainer *run, camcl_error *err);
/* Divides the batch, by device.share or as the saved state has it, and says how. The images are there, and the samplers. */
camcl_status cc_team_divide(struct camcl_trainer *run, camcl_error *err);
/* Records and commits the steps of the devices besides the first. */
camcl_status cc_team_commit(struct camcl_trainer *run, camcl_error *err);
/* One training step; *sums as in cc_step_run. */
camcl_status cc_team_step(struct camcl_trainer *run, const cc_step_input *input, cc_readback **sums, camcl_error *err);
/* Copies the first device's weights, statistics, momenta, average and state of the objective to all devices of all processes. */
camcl_status cc_team_follow(struct camcl_trainer *run, camcl_error *err);
/* team->plans: for each device of all processes which it is, its share and its kernels, for the state. */
camcl_status cc_team_describe(struct camcl_trainer *run, camcl_error *err);
void cc_team_close(cc_team *team);

#endif
