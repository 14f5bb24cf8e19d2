/* L_c: the CAM of the strong view must be the transformed CAM of the weak view (arXiv 2108.13673). */
#ifndef CC_OBJECTIVE_CONSISTENCY_H
#define CC_OBJECTIVE_CONSISTENCY_H

#include "model/pass.h"
#include "objective/inputs.h"
#include "objective/objective.h"

typedef struct cc_consistency_spec {
    const cc_objective *options;
    cc_weights *target_weights; /* of the weak view's CAM: the model's main set, or a teacher's, which gets no gradient */
    size_t batch, image_size;
    cc_tensor weak, strong;       /* views [U,S,S,C], rows from 0 */
    cc_view_transform between;    /* T of each image */
    cc_tensor pseudo, weight;     /* the objective's targets: [U] i32, [U] f32 */
    cc_device_scalar denominator; /* of L_c */
    cc_tensor sums;               /* [4] f32: [0] is the sum of the images' weighted means */
} cc_consistency_spec;

/* The maps after min-max, [U,S,S]: before T, with T applied, and the strong view's. */
typedef struct cc_consistency_maps {
    cc_tensor weak, target, strong;
} cc_consistency_maps;

/* Records L_c's sums and beta L_c's gradient; `written` as in cc_pass_backward. */
camcl_status cc_consistency_record(cc_model *model, cc_tape *tape, const cc_consistency_spec *spec, bool *written,
                                   cc_consistency_maps *maps, camcl_error *err);

#endif
