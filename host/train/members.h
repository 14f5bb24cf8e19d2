/* The devices that a run trains on: those of its list, and those of the other processes of its world. The first device of the first process
 * holds what is evaluated and saved; the others follow it. */
#ifndef CC_TRAIN_MEMBERS_H
#define CC_TRAIN_MEMBERS_H

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

#endif
