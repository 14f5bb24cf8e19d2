/* One training step, recorded once and run many times: forward passes, losses, Grad-CAM consistency and backward passes on one tape,
 * which leaves gradients and sums; the update on another. */
#ifndef CC_OBJECTIVE_STEP_H
#define CC_OBJECTIVE_STEP_H

#include "model/pass.h"
#include "objective/inputs.h"
#include "objective/objective.h"

typedef struct cc_step_spec {
    cc_objective objective;
    cc_view_spec views;
    size_t batch_labeled, batch_unlabeled, image_size;
    size_t pool;                       /* different images in the unlabelled pool; 0: all */
    float momentum, weight_decay, ema; /* ema: decay, 0 = none */
    bool nesterov;
    bool inspect; /* keep intermediate results for cc_step_look */
    /* Of several devices that train together: the images of a batch that this one shows. Its tape then has points of exchange. All zero:
     * the device is alone. */
    cc_part own;
} cc_step_spec;

/* What a step reports: sums and counts. cc_step_losses divides them. */
typedef struct cc_step_sums {
    float loss_s, count_s, correct_s;              /* over labelled images */
    float confident, confident_correct, unlabeled; /* images; correct against the hidden labels */
    float confident_unknown;                       /* confident images without a label, of which nobody knows */
    float loss_u, loss_c;                          /* sums over confident images */
    float own[CC_MOST_OBJECTIVE_SUMS][4];          /* the objective's own sums */
} cc_step_sums;

typedef struct cc_step cc_step;

/* Records on a tape of `arena`; the caller commits the arena before the first run. Everything passed must outlive the step. */
camcl_status cc_step_create(cc_model *model, cc_resident *data, const cc_step_spec *spec, cc_arena *arena, cc_step **out, camcl_error *err);
void cc_step_destroy(cc_step **step);

/* Enqueues one step of a device that is alone. *sums is the pending read-back of its sums; pass it to cc_step_read later. */
camcl_status cc_step_run(cc_step *step, const cc_step_input *input, cc_readback **sums, camcl_error *err);
/* The same in parts, between which the tape CC_STEP_GRADIENTS is run: sends the inputs, of the whole batch on every device; updates the
 * weights and, unless sums is NULL, starts the read-back. Every device has the sums of the whole batch. */
camcl_status cc_step_begin(cc_step *step, const cc_step_input *input, camcl_error *err);
camcl_status cc_step_end(cc_step *step, cc_readback **sums, camcl_error *err);
/* Waits for the read-back, destroys it and fills *out. */
camcl_status cc_step_read(cc_readback **sums, cc_step_sums *out, camcl_error *err);
/* Objectives that need unlabelled images may do without. */
bool cc_step_has_pseudo_labels(const cc_step *step);
/* Before cc_step_read: waits for the read-back and adds the unlabelled images to counts [classes, CC_PSEUDO_SUMS] by the class of their
 * pseudo-label: their weights (1 where confident, else 0, unless the objective has it otherwise), of those whose hidden label is known the
 * weights, and of these where it is the pseudo-label. Adds nothing for an objective without pseudo-labels. */
enum { CC_PSEUDO_CONFIDENT, CC_PSEUDO_KNOWN, CC_PSEUDO_RIGHT, CC_PSEUDO_SUMS };
camcl_status cc_step_count_pseudo(const cc_step *step, cc_readback *sums, double *counts, camcl_error *err);
/* Losses from sums: L_s, L_u, L_c as defined by the objective (0 without confident images). */
void cc_step_losses(const cc_objective *objective, const cc_step_sums *sums, double *loss_s, double *loss_u, double *loss_c);
/* What the loss has beside these three, with its weight. */
double cc_step_further(const cc_objective *objective, const cc_step_sums *sums);
/* The weight of L_u at this share of the ramp. */
float cc_step_alpha(const cc_objective *objective, float ramp);

/* Optimizer state, flat like the model's weights: momentum buffer, EMA of the weights, which is the teacher where the objective has one,
 * and of the running statistics (both NULL without EMA). The caller gives all their first values; they begin at 0. Borrowed. */
cc_buffer *cc_step_velocity(const cc_step *step);
cc_buffer *cc_step_average(const cc_step *step);
cc_buffer *cc_step_average_statistics(const cc_step *step);
/* The state tensors of the objective, in the order of its row; step->spec.objective.kind->state_count of them. Borrowed. */
const cc_tensor *cc_step_state(const cc_step *step);
cc_objective_sizes cc_step_sizes(const cc_step *step);
/* The two tapes of a step: what leaves the gradients, and the update. */
enum { CC_STEP_GRADIENTS, CC_STEP_UPDATE, CC_STEP_TAPES };
cc_tape *cc_step_tape(const cc_step *step, size_t index);
/* The number of train-mode passes of the main weights per step, by which num_batches_tracked grows. */
unsigned cc_step_train_passes(const cc_objective *objective);

/* With spec.inspect, after a run: logits [*,classes] of the labelled, weak and strong rows of the whole batch; pseudo-labels and mask [U];
 * CAMs after min-max [U,S,S], of the device's own images, of the weak view (before T), the target (T applied) and the strong view. Tensors
 * of views that the mode does not use have no buffer. */
typedef struct cc_step_views {
    cc_tensor logits[CC_VIEW_COUNT]; /* joint: all three are the one [B+U+U,classes] tensor; with a teacher the weak ones are apart */
    cc_tensor pseudo, mask, cam_weak, cam_target, cam_strong;
} cc_step_views;
const cc_step_views *cc_step_look(const cc_step *step);

#endif
