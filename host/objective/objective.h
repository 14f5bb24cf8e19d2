/* Objectives: what a training step minimises over the unlabelled images, one row each.
 *
 *     L = L_s + alpha L_u + beta L_c
 *
 * L_s, the cross-entropy of the labelled images, is part of every objective. A row says which views of the unlabelled images the
 * objective needs and records L_u in two parts: targets, once the weak view's logits are there, and the loss of the strong view. L_c,
 * the consistency of the CAMs (consistency.h), is added to any of them where beta > 0: it takes its weights and classes from the targets.
 * Sections of the method: the paper, arXiv 2108.13673. */
#ifndef CC_OBJECTIVE_OBJECTIVE_H
#define CC_OBJECTIVE_OBJECTIVE_H

#include "base/catalogue.h"
#include "ops/ops.h"

typedef struct cc_objective_kind cc_objective_kind;

/* An objective with its options. */
typedef struct cc_objective {
    const cc_objective_kind *kind;
    cc_confidence_kind confidence;
    bool joint;        /* one train-mode pass over [labelled; weak; strong], else three in that order */
    bool shared_class; /* CAMs of both views explain the pseudo-label, else each view its own arg-max */
    bool attached;     /* gradient flows into the target CAM, too */
    bool exact;        /* the CAM's gradient includes that of its weights, else they are constants */
    bool whole_batch;  /* L_u and L_c are divided by the batch, else by the number of confident images */
    bool cam_relu;
    size_t cam_layer;            /* stage 1.. */
    float alpha, beta;           /* beta 0: no CAM is computed */
    float temperature, fairness; /* of the rows that have them */
} cc_objective;

typedef struct cc_objective_sizes {
    size_t classes, labeled, unlabeled; /* C, and the images of a step: B labelled, U unlabelled */
    size_t images, pool;                /* of the resident training set; the different ones that the unlabelled batches are drawn from */
} cc_objective_sizes;

/* A tensor that an objective keeps from step to step. It is part of the run state, so that a resumed run goes on with the same bits. */
typedef struct cc_objective_state {
    const char *name; /* unique within the objective; its name in state.safetensors is "objective.NAME" */
    cc_dtype dtype;
    size_t (*count)(const cc_objective_sizes *sizes);
    void (*initialise)(const cc_objective_sizes *sizes, void *values); /* values: count zeros; NULL: they stay zeros */
} cc_objective_state;

/* A figure of an objective's own: scale * sum of sums[sum][above] / sum of sums[sum][below] over the steps since the last metrics row. It
 * becomes a column of metrics.csv, behind the common ones, and a curve of the report. */
typedef struct cc_objective_figure {
    const char *column, *label; /* "fairness", "fairness loss" */
    size_t sum, above, below;   /* sum < sum_count; above, below < 4 */
    double scale;               /* 1, or 100 for percent */
} cc_objective_figure;

/* Logits of one view: rows row0 .. row0+U-1 of [*,classes]. With a teacher, those of the weak view are the teacher's. */
typedef struct cc_view_logits {
    cc_tensor logits;
    size_t row0;
} cc_view_logits;

/* What the functions of a row read from the step that is being recorded, and what they write for it. All tensors are borrowed. */
typedef struct cc_objective_scope {
    cc_tape *tape;
    const cc_objective *options;
    cc_objective_sizes sizes;
    cc_device_scalar threshold;    /* this step's */
    cc_device_scalar lowest;       /* minus infinity: a threshold that every image reaches whose logits are numbers */
    cc_device_scalar alpha;        /* this step's: options->alpha, ramped where the row says so */
    cc_tensor truth;               /* [U] i32, hidden labels, for what is reported only */
    cc_tensor transforms;          /* [U,8] i32 of the weak views: transform i's source is the image that row i shows */
    cc_view_logits weak, strong;   /* strong: while the loss is recorded */
    cc_tensor dlogits;             /* d L / d strong.logits, same rows: the loss overwrites its U rows */
    cc_tensor confidence_sums;     /* [4] f32: targets leave what cc_confidence leaves */
    cc_tensor loss_sums;           /* [4] f32: [0] is the sum that L_u is made of, to be divided by the denominator */
    const cc_tensor *sums, *state; /* the row's own, each sum [4] f32 */
    cc_device_scalar denominator;  /* of L_u and L_c, by ssl.reduction */
    cc_tensor pseudo, weight;      /* left by targets: [U] i32 class of each image, [U] f32 its weight in L_u and L_c */
} cc_objective_scope;

struct cc_objective_kind {
    const char *name;
    unsigned traits;  /* CC_OBJECTIVE_TRAITS_SYMBOL, as the catalogue has them */
    bool masked;      /* L_u counts confident images only, so that none of them means nothing is learnt from them */
    bool benchmarked; /* `camcl bench step` times it whatever ssl.mode says */
    bool ramped;      /* alpha rises over the first steps (ssl.ramp) */
    /* Records pseudo, weight and confidence_sums from the weak logits; NULL without unlabelled images. */
    camcl_status (*targets)(cc_objective_scope *scope, camcl_error *err);
    /* Records loss_sums, and alpha L_u's gradient with respect to the strong logits; NULL likewise. */
    camcl_status (*loss)(cc_objective_scope *scope, camcl_error *err);
    /* What a step's loss has beside L_s, alpha L_u and beta L_c, with its weight; own: the step's sums of its own. NULL: nothing. */
    double (*further)(const cc_objective *options, const float own[][4]);
    const cc_objective_state *states;
    size_t state_count; /* at most CC_MOST_OBJECTIVE_STATES */
    size_t sum_count;   /* sums of its own, at most CC_MOST_OBJECTIVE_SUMS */
    const cc_objective_figure *figures;
    size_t figure_count; /* at most CC_MOST_OBJECTIVE_FIGURES */
};
enum { CC_MOST_OBJECTIVE_STATES = 8, CC_MOST_OBJECTIVE_SUMS = 4, CC_MOST_OBJECTIVE_FIGURES = 8 };

/* The rows that the catalogue lists, each defined by a file of its own. */
#define CC_OBJECTIVE_TRAITS(symbol, name, defaults, traits, help) CC_OBJECTIVE_TRAITS_##symbol = traits,
enum { CC_OBJECTIVES(CC_OBJECTIVE_TRAITS) };
#define CC_OBJECTIVE_DECLARE(symbol, ...) extern const cc_objective_kind cc_objective_##symbol;
CC_OBJECTIVES(CC_OBJECTIVE_DECLARE)

size_t cc_objective_count(void);
const cc_objective_kind *cc_objective_at(size_t index); /* index < cc_objective_count() */
/* NULL: there is no such objective. */
const cc_objective_kind *cc_objective_find(const char *name);
bool cc_objective_learns_unlabeled(const cc_objective_kind *kind);
bool cc_objective_has_teacher(const cc_objective_kind *kind);
/* Whether ssl.threshold says which images count. */
bool cc_objective_has_threshold(const cc_objective_kind *kind);
/* Whether the loss has the CAM term. */
bool cc_objective_has_cams(const cc_objective *objective);

/* ---- what objectives share */

/* Targets: the arg-max of the weak logits, with weight 1 where the image is confident (cc_confidence), else 0. */
camcl_status cc_objective_hard_targets(cc_objective_scope *scope, camcl_error *err);
/* The same where every image counts: weight 1. */
camcl_status cc_objective_all_targets(cc_objective_scope *scope, camcl_error *err);
/* Makes pseudo and weight, for targets to write. */
camcl_status cc_objective_create_targets(cc_objective_scope *scope, camcl_error *err);
/* L_u: the weighted cross-entropy of the strong logits with the targets. */
camcl_status cc_objective_cross_entropy(cc_objective_scope *scope, camcl_error *err);
/* L_u: the mean squared difference of both views' probabilities, with a weight that is ramped; every image counts. */
camcl_status cc_objective_squared_error(cc_objective_scope *scope, camcl_error *err);

/* The rows of a view. */
cc_rows_desc cc_objective_rows(const cc_objective_scope *scope, const cc_view_logits *view);
/* For states: one number; one per class; and the value with which averages over classes begin. */
size_t cc_objective_one(const cc_objective_sizes *sizes);
size_t cc_objective_classes(const cc_objective_sizes *sizes);
void cc_objective_uniform(const cc_objective_sizes *sizes, void *values);

#endif
