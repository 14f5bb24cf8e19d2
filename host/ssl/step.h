/* One training step, recorded once and run many times (METHOD section 4): forward passes, losses, Grad-CAM consistency, backward,
 * update. */
#ifndef CC_SSL_STEP_H
#define CC_SSL_STEP_H

#include "data/resident.h"
#include "model/pass.h"

typedef enum cc_mode { CC_MODE_SUPERVISED, CC_MODE_PSEUDO_LABEL, CC_MODE_GRADCAM } cc_mode;

/* What is minimised: L_s + alpha L_u + beta L_c, with the options of METHOD section 5. */
typedef struct cc_objective {
    cc_mode mode;
    cc_confidence_kind confidence;
    bool joint;        /* one train-mode pass over [labelled; weak; strong], else three in that order */
    bool shared_class; /* CAMs of both views explain the pseudo-label, else each view its own arg-max */
    bool attached;     /* gradient flows into the target CAM, too */
    bool exact;        /* the CAM's gradient includes that of its weights, else they are constants */
    bool whole_batch;  /* L_u and L_c are divided by the batch, else by the number of confident images */
    bool cam_relu;
    size_t cam_layer; /* stage 1.. */
    float alpha, beta;
} cc_objective;

typedef struct cc_step_spec {
    cc_objective objective;
    size_t batch_labeled, batch_unlabeled, image_size;
    float momentum, weight_decay, ema; /* ema: decay, 0 = none */
    bool nesterov;
    bool inspect; /* keep intermediate results for cc_step_look */
} cc_step_spec;

/* What a step is fed: transforms name images of the resident training set (cc_transform: source and flips for the labelled and weak views,
 * crop and turns for the strong view). */
typedef struct cc_step_input {
    const cc_transform *labeled, *weak, *strong; /* [batch_labeled], [batch_unlabeled], [batch_unlabeled] */
    float lr, threshold;
} cc_step_input;

/* What a step reports: sums and counts, to be divided last. */
typedef struct cc_step_sums {
    float loss_s, count_s, correct_s;              /* over labelled images */
    float confident, confident_correct, unlabeled; /* images; correct against the hidden labels */
    float loss_u, loss_c;                          /* sums over confident images */
} cc_step_sums;

typedef struct cc_step cc_step;

/* Records on a tape of `arena`; the caller commits the arena before the first run. Everything passed must outlive the step. */
camcl_status cc_step_create(cc_model *model, const cc_resident *data, const cc_step_spec *spec, cc_arena *arena, cc_step **out,
                            camcl_error *err);
void cc_step_destroy(cc_step **step);

/* Enqueues one step. *sums is the read-back of its 16 floats: hand it to cc_step_read, later. */
camcl_status cc_step_run(cc_step *step, const cc_step_input *input, cc_readback **sums, camcl_error *err);
/* Waits for the read-back, destroys it, fills *out. */
camcl_status cc_step_read(cc_readback **sums, cc_step_sums *out, camcl_error *err);
/* Losses from sums: L_s, L_u, L_c as defined by the objective (0 without confident images). */
void cc_step_losses(const cc_objective *objective, const cc_step_sums *sums, double *loss_s, double *loss_u, double *loss_c);

/* Optimizer state, flat as the model's weights: momentum buffer, EMA of the weights (NULL without). Borrowed. */
cc_buffer *cc_step_velocity(const cc_step *step);
cc_buffer *cc_step_average(const cc_step *step);
cc_tape *cc_step_tape(const cc_step *step);
/* Train-mode passes per step: what num_batches_tracked grows by. */
unsigned cc_step_train_passes(const cc_objective *objective);

/* With spec.inspect, after a run: logits [*,classes] of the labelled, weak and strong rows, pseudo-labels and mask [U], CAMs after min-max
 * [U,S,S]: weak (before T), target (T applied) and strong. Tensors of views that the mode does not have hold no buffer. */
typedef struct cc_step_views {
    cc_tensor logits[3]; /* joint: all three are the one [B+U+U,classes] tensor */
    cc_tensor pseudo, mask, cam_weak, cam_target, cam_strong;
} cc_step_views;
const cc_step_views *cc_step_look(const cc_step *step);

#endif
