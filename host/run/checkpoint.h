/* Checkpoints: models (best, last) with what is needed to use them, and the state that resumes a run. */
#ifndef CC_RUN_CHECKPOINT_H
#define CC_RUN_CHECKPOINT_H

#include "camcl/dataset.h"
#include "dataset/split.h"
#include "run/interval.h"
#include "run/snapshot.h"

/* What best.safetensors and last.safetensors say of their model. */
typedef struct cc_model_card {
    cc_graph_spec graph;
    size_t image_size;
    float mean[CAMCL_MAX_CHANNELS], std[CAMCL_MAX_CHANNELS];
    char **class_names; /* [graph.classes] */
    uint64_t step;
    char dataset[32]; /* data.dataset of the run; "" in checkpoints that do not say */
    camcl_fit fit;    /* stretch in checkpoints that do not say */
} cc_model_card;

camcl_status cc_model_card_set_names(cc_model_card *card, const char *const *names, camcl_error *err); /* copies graph.classes names */
void cc_model_card_free(cc_model_card *card);

camcl_status cc_checkpoint_write(const char *path, const cc_graph *graph, const cc_model_card *card, const cc_snapshot *snapshot,
                                 camcl_error *err);
/* Reads file and card. A file that is no checkpoint of this program: CAMCL_BAD_DATA. The caller frees both. */
camcl_status cc_checkpoint_read(const char *path, cc_safetensors **file, cc_model_card *card, camcl_error *err);

/* What was done with weights to start from. */
typedef struct cc_init_report {
    char prefix[128];    /* before every name of the network, left off: "module.", "backbone.", several of them, ...; else "" */
    bool by_number;      /* the file names layers by their places in a torch.nn.Sequential */
    size_t taken;        /* tensors */
    size_t counters;     /* num_batches_tracked, not taken */
    bool has_head;       /* the file has one, or a part of one */
    size_t head_classes; /* of the file; 0 without a head that fits the network's features */
    bool redrawn;        /* the head, because the file has none, or one of other classes or features */
    bool summed;         /* the first convolution, over the channels of colour images, for grey ones */
    size_t left_out;     /* tensors besides the network: other heads, other networks, ... */
    char others[512];    /* what they are: `122 of "encoder_k.", 4 of "projector."`, cut after ten */
    char rivals[512];    /* other prefixes under which the file holds the same network: `"encoder_k."`, cut after ten */
} cc_init_report;

/* Weights to start from (model.init): a network of torchvision's names and shapes, whole but for its head, under any prefix
 * (run/init_names.h says which of several is taken). The head is redrawn from `seed` if it is missing or has another number of classes or
 * features. num_batches_tracked is ignored and may be missing. Tensors besides the network are left out, but not those of its own layers,
 * which belong to another architecture. A network of grey images takes the sum over the channels of a first convolution of colour images.
 * F16, BF16 and F64 become F32. The model's running statistics are taken, too. Tensors that do not fit are CAMCL_BAD_DATA, and the detail
 * lists the first of them; if the file holds another network that this program has, the message says which. Values that are not finite and
 * negative variances are CAMCL_BAD_DATA, too. After a failure the model is unchanged. */
camcl_status cc_checkpoint_init(const char *path, cc_model *model, uint64_t seed, cc_init_report *report, camcl_error *err);
/* "62 tensors, 20 num_batches_tracked left out, the head of 1000 classes redrawn for 10" */
void cc_init_describe(const cc_init_report *report, size_t classes, char *text, size_t size);

/* Everything a run needs to go on. */
typedef struct cc_run_state {
    uint64_t step;
    cc_snapshot now, best; /* raw weights; the best ones so far */
    /* The EMA, NULL without one. Statistics are NULL in runs from before they were averaged: these go on with those of the raw weights. */
    cc_snapshot average;
    float *velocity; /* [graph->trained] */
    bool has_best;
    uint64_t best_epoch, best_step;
    double best_score, seconds;
    cc_interval interval;
    double *pseudo;                            /* [classes, CC_PSEUDO_SUMS] since the last metrics row; NULL: nobody counts */
    void *objective[CC_MOST_OBJECTIVE_STATES]; /* values of the objective's state tensors, in the order of its row */
    bool first_plan;                           /* the plan names kernels as the first version of camcl did: cc_plan_update */
    char *plan, *device, *config;              /* kernel plan; identity of the device that it is for; the configuration in force */
    char start[17];                            /* hash of the weights before the training; "": not known */
    char *data;                                /* cc_data_identity of the data; NULL: the file is from before states knew their data */
    char *team;                                /* the devices that trained together, as train/team_shares.c writes it; NULL: one alone */
    char *version;                             /* of the program that wrote the file; NULL: not read from one */
} cc_run_state;

/* What a state holds: it follows from the configuration and the data. */
typedef struct cc_run_shape {
    const cc_graph *graph;
    bool average; /* an EMA of the weights */
    const cc_objective_kind *objective;
    cc_objective_sizes sizes;
} cc_run_shape;

/* The objective's state tensors are written as "objective.NAME", its sums since the last metrics row as "interval.objective" [sums,4]. */
camcl_status cc_run_state_write(const char *path, const cc_run_shape *shape, const cc_run_state *state, const cc_split *split,
                                camcl_error *err);
/* Reads the texts alone: plan, device, config, data and version. Overwrites *state; release it also after a failure. CAMCL_BAD_DATA for a
 * file that is damaged, is no state or was written by a later version of the program. */
camcl_status cc_run_state_read_texts(const char *path, cc_run_state *state, camcl_error *err);
/* Overwrites *state and *split; release both also after a failure. CAMCL_BAD_DATA for a file that is damaged, is no state, belongs to
 * another network or objective or was written by a later version of the program. Without "interval.objective", which the first version
 * did not write, these sums are zero; without "interval.pseudo", those of the pseudo-labels are NaN where steps were made since the last
 * metrics row. A pool "split.test" that is missing is empty: the test images are then a part of the data set. The
 * values are checked by cc_run_state_check, not here. */
camcl_status cc_run_state_read(const char *path, const cc_run_shape *shape, cc_run_state *state, cc_split *split, camcl_error *err);
/* Copies the objective's state tensors from the device into state->objective, and back. The step's objective and sizes are the shape's. */
camcl_status cc_run_state_take_objective(cc_run_state *state, const cc_run_shape *shape, const cc_step *step, camcl_error *err);
camcl_status cc_run_state_apply_objective(const cc_run_state *state, const cc_run_shape *shape, const cc_step *step, camcl_error *err);
void cc_run_state_free(cc_run_state *state);

#endif
