/* How well Grad-CAMs lie on the objects, for data whose objects' places are known. */
#ifndef CLI_LOCALISATION_H
#define CLI_LOCALISATION_H

#include "inference.h"

/* Of one stage's maps for the predicted classes, in percent. */
typedef struct cli_localisation {
    size_t layer;    /* 1.. */
    double pointing; /* images whose highest point of the map (the first, if there are several) lies on the object */
    double mass;     /* mean share of the map's sum that lies inside the object; maps are scaled to 0..1 */
} cli_localisation;

/* Explains images[indices[0..n)] of a part of the session's data set at every stage: out [info->stages]. Maps that are constant count as 0.
 * relu: as ssl.cam_relu. The data set must know where its objects are. */
camcl_status cli_localise(const cli_session *session, camcl_dataset_part part, const uint32_t *indices, size_t n, bool relu,
                          cli_localisation *out, camcl_error *err);
/* CAMCL_BAD_DATA if it does not. */
camcl_status cli_localise_check(const cli_session *session, camcl_dataset_part part, camcl_error *err);

#endif
