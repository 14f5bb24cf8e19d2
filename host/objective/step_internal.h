/* A step from the inside: step.c records it, step_shared.c what it exchanges with other devices, step_run.c runs it. */
#ifndef CC_OBJECTIVE_STEP_INTERNAL_H
#define CC_OBJECTIVE_STEP_INTERNAL_H

#include "objective/step.h"

enum { HYPER_LR, HYPER_THRESHOLD, HYPER_LOWEST, HYPER_ALPHA, HYPER_COUNT };
/* Sums that every objective has, four floats each in the layout of the operation that leaves them (ops.h); the objective's own follow. */
enum { SUMS_S, SUMS_CONFIDENCE, SUMS_U, SUMS_C, SUMS_OWN, SUMS_MOST = SUMS_OWN + CC_MOST_OBJECTIVE_SUMS };
enum { SUM_FLOATS = 4, SUM_BYTES = SUM_FLOATS * sizeof(float), REPORTED_SUMS_BYTES = SUMS_MOST * SUM_BYTES };

struct cc_step {
    cc_model *model;
    cc_resident *data;
    cc_step_spec spec;
    cc_tape *tape, *update; /* leaves gradients and sums; moves the weights */
    cc_inputs inputs;
    cc_tensor hyper;           /* [HYPER_COUNT] */
    cc_tensor sums[SUMS_MOST]; /* [4] each */
    cc_tensor report;          /* sums [SUMS_MOST,4]; pseudo-labels, weights and hidden labels [U] each, as their bytes are */
    cc_tensor state[CC_MOST_OBJECTIVE_STATES];
    cc_buffer *velocity, *average; /* average: of the weights; the teacher's, where there is one */
    cc_buffer
        *average_statistics; /* of the running statistics. A teacher's CAMs go by the student's statistics, so these are not its own */
    /* Its batch-norm statistics are not kept: its passes in train mode leave what nobody reads, and its CAMs go by the main set's. */
    cc_weights *teacher;
    cc_part own;                     /* the images of a batch that this device shows: all, where it is alone */
    bool shared;                     /* several devices train together */
    bool *written;                   /* parameters that already have a gradient in this step */
    cc_pass *passes[CC_VIEW_COUNT];  /* joint: CC_VIEW_LABELED is that of all */
    cc_tensor images[CC_VIEW_COUNT]; /* joint: one tensor of all */
    cc_tensor labels, truth;         /* [B], [U] i32 */
    cc_objective_scope scope;
    cc_step_views views;
};

static inline bool uses_unlabeled(const cc_step *step) { return cc_objective_learns_unlabeled(step->spec.objective.kind); }
static inline bool uses_cams(const cc_step *step) { return cc_objective_has_cams(&step->spec.objective); }
static inline bool has_teacher(const cc_step *step) { return cc_objective_has_teacher(step->spec.objective.kind); }
/* Whether labelled images and unlabelled views share a pass of the student, [labelled; weak; strong]; the teacher's weak views do not. */
static inline bool is_joint(const cc_step *step) { return uses_unlabeled(step) && step->spec.objective.joint; }
static inline bool weak_is_joint(const cc_step *step) { return is_joint(step) && !has_teacher(step); }
static inline size_t sum_count(const cc_step *step) { return SUMS_OWN + step->spec.objective.kind->sum_count; }
/* Of a joint batch of b labelled and u unlabelled images: the rows before the strong views. */
static inline size_t first_strong_row(const cc_step *step, size_t b, size_t u)
{
    return is_joint(step) ? b + (weak_is_joint(step) ? u : 0) : 0;
}

/* ---- step_shared.c: nothing but the tensors themselves where the device is alone */

/* Logits of a view's pass (joint: CC_VIEW_LABELED is that of all): of the device's own rows -> of the whole batch's. */
camcl_status cc_step_gather_logits(cc_step *step, cc_view view, cc_tensor own, cc_tensor *all, camcl_error *err);
/* A gradient of these: of the whole batch's rows -> of the device's own. */
camcl_status cc_step_own_rows(cc_step *step, cc_view view, cc_tensor all, cc_tensor *own, camcl_error *err);
/* Of values [U], one per unlabelled image: those of the device's own images. */
camcl_status cc_step_own_images(cc_step *step, const char *name, cc_tensor all, cc_tensor *own, camcl_error *err);
/* The sums of the CAM term, over all devices; the first device's state of the objective, since unlike devices round differently; and, in
 * parts that begin while the backward passes go on, the gradients. To be called when everything else is on the tape. */
camcl_status cc_step_share(cc_step *step, camcl_error *err);

#endif
