/* A team from the inside: team.c opens it and keeps it together, team_shares.c divides the batch. Devices of this process are counted from
 * 0, the first. */
#ifndef CC_TRAIN_TEAM_INTERNAL_H
#define CC_TRAIN_TEAM_INTERNAL_H

#include "train/run.h"

static inline size_t own_count(const cc_team *team) { return 1 + team->count; }
static inline camcl_device *device_of(const cc_run *run, size_t i) { return i == 0 ? run->device : run->team.others[i - 1].device; }
static inline cc_model *model_of(const cc_run *run, size_t i) { return i == 0 ? run->model : run->team.others[i - 1].model; }
static inline cc_step *step_of(const cc_run *run, size_t i) { return i == 0 ? run->step : run->team.others[i - 1].step; }
static inline const char *selector_of(const cc_run *run, size_t i) { return camcl_device_get_info(device_of(run, i))->selector; }

/* Where one of all processes' devices is. */
typedef struct cc_place {
    char selector[sizeof((camcl_device_info *)0)->selector]; /* on its machine */
    size_t rank;
} cc_place;
/* Those of all devices, in their order: [team->all], the caller frees *out. */
camcl_status cc_team_find_places(cc_run *run, cc_place **out, camcl_error *err);
/* Warns of ranks that train on the same device, which takes them by turns: people who start several mean several devices. */
camcl_status cc_team_warn_of_turns(cc_run *run, const cc_place *places, camcl_error *err);

/* Says which device an error is of, where others train, too. */
camcl_status cc_team_of_device(const cc_run *run, size_t i, camcl_status status, camcl_error *err);

#endif
