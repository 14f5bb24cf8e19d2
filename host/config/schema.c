/* The schema: one row per key. Parsing, `camcl config` and the reference page all read this table. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/catalogue.h"
#include "base/memory.h"
#include "camcl/config.h"

/* Columns: section, name, type, default, further defaults, words, minimum, maximum, above the minimum, below the maximum, optional, help.
 */
#define TEXT(section, name, initial, help)                                                                                                 \
    {                                                                                                                                      \
        section, name, CAMCL_KEY_TEXT, initial, NULL, NULL, 0, 0, false, false, false, help                                                \
    }
#define PATH(section, name, initial, optional, help)                                                                                       \
    {                                                                                                                                      \
        section, name, CAMCL_KEY_PATH, initial, NULL, NULL, 0, 0, false, false, optional, help                                             \
    }
#define CHOICE(section, name, initial, words, help)                                                                                        \
    {                                                                                                                                      \
        section, name, CAMCL_KEY_CHOICE, initial, NULL, words, 0, 0, false, false, false, help                                             \
    }
#define BOOL(section, name, initial, help)                                                                                                 \
    {                                                                                                                                      \
        section, name, CAMCL_KEY_BOOL, initial, NULL, NULL, 0, 0, false, false, false, help                                                \
    }
#define INT(section, name, initial, minimum, maximum, help)                                                                                \
    {                                                                                                                                      \
        section, name, CAMCL_KEY_INT, initial, NULL, NULL, minimum, maximum, false, false, false, help                                     \
    }
#define NUMBER(section, name, initial, minimum, maximum, above, below, help)                                                               \
    {                                                                                                                                      \
        section, name, CAMCL_KEY_NUMBER, initial, NULL, NULL, minimum, maximum, above, below, false, help                                  \
    }
/* Defaults by mode. The modes of later papers have their papers' settings, whatever the preset says. Each list is made of the catalogue's
 * rows by the column that says whose defaults they have, and begins with " | ". */
#define LATER_PRESET(name) ""
#define LATER_WEAK_STRONG(name) " | " name
#define LATER_TWO_WEAK(name) " | " name
#define LATER(symbol, name, defaults, traits, help) LATER_##defaults(name)
#define LATER_MODES (&(CC_OBJECTIVES(LATER))[3])
/* Those of LATER_MODES whose strong view is RandAugment's; and the others. */
#define STRONG_PRESET(name) ""
#define STRONG_WEAK_STRONG(name) " | " name
#define STRONG_TWO_WEAK(name) ""
#define STRONG(symbol, name, defaults, traits, help) STRONG_##defaults(name)
#define WEAK_STRONG_MODES (&(CC_OBJECTIVES(STRONG))[3])
#define PAIR_PRESET(name) ""
#define PAIR_WEAK_STRONG(name) ""
#define PAIR_TWO_WEAK(name) " | " name
#define PAIR(symbol, name, defaults, traits, help) PAIR_##defaults(name)
#define TWO_WEAK_MODES (&(CC_OBJECTIVES(PAIR))[3])
#define BY_MODE(modes, value, why)                                                                                                         \
    {                                                                                                                                      \
        "ssl.mode", modes, value, why                                                                                                      \
    }
#define NO_MORE                                                                                                                            \
    {                                                                                                                                      \
        NULL, NULL, NULL, NULL                                                                                                             \
    }
#define PAPERS "as their papers have it"
/* The preset is one of the first three modes: the later ones have their own value, whatever it says. */
#define NOT_LATER(paper_code, later, why)                                                                                                  \
    (const camcl_config_default[])                                                                                                         \
    {                                                                                                                                      \
        BY_MODE(LATER_MODES, later, why), { "ssl.preset", "paper-code", paper_code, "as the paper's public code has it" }, NO_MORE         \
    }
#define PRESET_BY_MODE(section, name, corrected, paper_code, later, why, words, help)                                                      \
    {                                                                                                                                      \
        section, name, CAMCL_KEY_CHOICE, corrected, NOT_LATER(paper_code, later, why), words, 0, 0, false, false, false, help              \
    }
#define PRESET_OF_FIRST "the preset is of supervised, pseudo-label and gradcam"
/* Keys whose default depends on the mode alone. */
#define CHOICE_BY_MODE(section, name, initial, defaults, words, help)                                                                      \
    {                                                                                                                                      \
        section, name, CAMCL_KEY_CHOICE, initial, defaults, words, 0, 0, false, false, false, help                                         \
    }
#define BOOL_BY_MODE(section, name, initial, defaults, help)                                                                               \
    {                                                                                                                                      \
        section, name, CAMCL_KEY_BOOL, initial, defaults, NULL, 0, 0, false, false, false, help                                            \
    }
#define NUMBER_BY_MODE(section, name, initial, defaults, minimum, maximum, below, help)                                                    \
    {                                                                                                                                      \
        section, name, CAMCL_KEY_NUMBER, initial, defaults, NULL, minimum, maximum, false, below, false, help                              \
    }

/* "supervised: ...; pseudo-label: ...", behind a leading "; ". */
#define OBJECTIVE_HELP(symbol, name, defaults, traits, help) "; " name ": " help

#define MOST_COUNT 1e9
#define MOST_SEED 9007199254740992.0 /* 2^53: JSON numbers hold every whole number up to it exactly */

#define OWN_PICTURES "folder | list | memory"
static const camcl_config_default all_labels[] = {
    { "data.dataset", OWN_PICTURES, "all", "every label of one's own pictures is used" },
    { NULL, NULL, NULL, NULL },
};
static const camcl_config_default unequal_classes[] = {
    { "data.labeled", "all", "no", "classes have as many labels as they have" },
    { NULL, NULL, NULL, NULL },
};
static const camcl_config_default tenth[] = {
    { "data.dataset", OWN_PICTURES, "auto", "the number follows from the pictures" },
    { NULL, NULL, NULL, NULL },
};

static const camcl_config_default alpha_by_mode[] = { BY_MODE("pi-model", "10", "as its paper has it"),
                                                      BY_MODE("mean-teacher", "50", "as its paper has it"), NO_MORE };
static const camcl_config_default beta_by_mode[] = { BY_MODE("gradcam", "1", "CAM consistency is what it adds"), NO_MORE };
static const camcl_config_default threshold_by_mode[] = { BY_MODE("uda", "0.8", "as its paper has it"),
                                                          BY_MODE("fixmatch | flexmatch", "0.95", PAPERS), NO_MORE };
static const camcl_config_default nesterov_by_mode[] = { BY_MODE(LATER_MODES, "yes", PAPERS), NO_MORE };
static const camcl_config_default ema_by_mode[] = { BY_MODE(LATER_MODES, "0.999", PAPERS), NO_MORE };
static const camcl_config_default weak_by_mode[] = { BY_MODE(LATER_MODES, "flip-shift", PAPERS), NO_MORE };
static const camcl_config_default strong_by_mode[] = { BY_MODE(TWO_WEAK_MODES, "weak", PAPERS),
                                                       BY_MODE(WEAK_STRONG_MODES, "randaugment", PAPERS), NO_MORE };
static const camcl_config_default flip_vertical_by_mode[] = { BY_MODE(LATER_MODES, "no", PAPERS), NO_MORE };
static const camcl_config_default schedule_by_mode[] = { BY_MODE(LATER_MODES, "fixmatch", PAPERS), NO_MORE };

static const camcl_config_key schema[] = {
    TEXT("device", "select", "auto",
         "OpenCL device: auto | gpu | cpu | accelerator | P:D | P:D/I/N (part I of N) | part of a device's or platform's name | several, "
         "with commas: "
         "each trains on its share of every batch"),
    { "device", "share", CAMCL_KEY_NUMBERS, "auto", NULL, "auto", 0, 1e6, true, false, false,
      "shares of a batch, one number per device of the list, for example 3, 1; auto: by measured speed" },
    CHOICE("device", "conv", "auto", "auto | direct | winograd | gemm",
           "kernels that convolutions may use; winograd: direct kernels where Winograd does not apply"),
    CHOICE("device", "tune", "cache", "off | cache | full",
           "how kernels are chosen; off: built-in table; cache: stored timings, else the table; full: time what is not stored"),
    PATH("device", "cache_dir", "", true,
         "folder of compiled kernels, stored timings and scaled pictures; empty: camcl in the user's cache directory"),
    CHOICE("device", "memory", "arena", "arena | separate",
           "arena: tensors share buffers; separate: one buffer per tensor, for memory checkers"),

    CHOICE("data", "dataset", "cifar10", CC_CATALOGUE_WORDS(CC_DATASETS),
           "data set; shapes: drawn by the program; folder: pictures in one folder per class; list: pictures named by a CSV file; memory: "
           "given "
           "by a program that uses the library"),
    PATH(
        "data", "root", "data", false,
        "folder of the official files (binary or Python version), its parent, or an archive of them (.tar.gz, .zip, .7z, ...); folder: the "
        "pictures' folder; list: the CSV file, "
        "path,label[,split]"),
    { "data", "labeled", CAMCL_KEY_INT, "500", all_labels, "all", 1, MOST_COUNT, false, false, false,
      "number of labelled images; all: every one that has a label and is in no other pool" },
    { "data", "balanced", CAMCL_KEY_BOOL, "yes", unequal_classes, NULL, 0, 0, false, false, false,
      "yes: labelled and validation images are the same number of each class; no: each class has its share of the training images" },
    NUMBER("data", "ratio", "1.0", 0, 1e6, false, false, "unlabelled images per labelled image, used if data.unlabeled is auto"),
    { "data", "unlabeled", CAMCL_KEY_INT, "auto", NULL, "auto | all", 0, MOST_COUNT, false, false, false,
      "number of unlabelled images; auto: from data.ratio, or all for folder, list and memory; all: every remaining training image" },
    BOOL("data", "reuse_labeled", "no", "yes: the labelled images are in the unlabelled pool as well"),
    { "data", "validation", CAMCL_KEY_INT, "5000", tenth, "auto", 0, MOST_COUNT, false, false, false,
      "number of training images held out to choose the best weights; auto: the validation set that the data came with, else a tenth of "
      "the images with a label" },
    { "data", "resident", CAMCL_KEY_INT, "auto", NULL, "auto", 0, MOST_COUNT, false, false, false,
      "MiB of device memory for images; auto: a quarter of the device's memory; what does not fit is streamed, with the same results" },
    INT("data", "image_size", "0", 0, 4096,
        "side of the network's input in pixels, images are resized bilinearly; 0: the images' own size; folder and list: pictures are "
        "resized while they are read"),
    CHOICE("data", "fit", "stretch", "stretch | crop | pad", "how a picture of another shape becomes a square"),
    CHOICE("data", "corrupt", "refuse", "refuse | skip", "pictures that cannot be read; skip: they are left out and counted"),
    NUMBER("data", "test_share", "0.15", 0, 1, false, true,
           "folder and list without a test set: share of each class that is held out as one; 0: there is none"),
    { "data", "mean", CAMCL_KEY_NUMBERS, "auto", NULL, "auto", -1e6, 1e6, false, false, false,
      "inputs are (byte/255 - mean)/std; auto: the data set's own values, else one value per channel" },
    { "data", "std", CAMCL_KEY_NUMBERS, "auto", NULL, "auto", 0, 1e6, true, false, false, "see data.mean" },
    BOOL("data", "shuffle", "yes", "yes: a new random order in each pass; no: the order of splits.json"),
    INT("data", "seed", "1", 0, MOST_SEED, "seed of the split into labelled, unlabelled, validation and held-out test images"),

    CHOICE("model", "arch", "resnet18", CC_CATALOGUE_WORDS(CC_ARCHITECTURES), "network architecture"),
    CHOICE("model", "stem", "cifar", "cifar | imagenet",
           "cifar: 3x3 convolution; imagenet: 7x7 with stride 2, then max pooling (ResNets only)"),
    INT("model", "width", "0", 0, 65536, "channels of the first stage; 0: the architecture's standard width"),
    PATH("model", "init", "", true,
         "safetensors file of initial weights with torchvision's names, under any prefix; a head that is missing or for other classes is "
         "redrawn"),

    CHOICE("ssl", "preset", "corrected", "corrected | paper-code",
           "sets the defaults of other keys; corrected: sound practice; paper-code: as the paper's public code"),
    CHOICE("ssl", "mode", "gradcam", CC_CATALOGUE_WORDS(CC_OBJECTIVES), &(CC_OBJECTIVES(OBJECTIVE_HELP))[2]),
    INT("ssl", "cam_layer", "3", 1, 4, "stage of the network whose activations give the CAMs"),
    NUMBER_BY_MODE("ssl", "alpha", "1", alpha_by_mode, 0, 1e6, false, "weight of the unlabelled loss L_u"),
    NUMBER_BY_MODE("ssl", "beta", "0", beta_by_mode, 0, 1e6, false,
                   "weight of the CAM consistency loss L_c, which any mode but supervised may have; 0: no CAM is computed"),
    NUMBER("ssl", "ramp", "0.4", 0, 1, false, false,
           "pi-model and mean-teacher: share of the steps over which the weight of L_u rises linearly from 0 to alpha"),
    NUMBER("ssl", "temperature", "0.4", 1e-6, 1e6, false, false,
           "uda: the weak view's logits are divided by it to make the target; below 1 sharpens"),
    NUMBER("ssl", "fairness", "0.001", 0, 1e6, false, false,
           "freematch: weight of the term that keeps predictions spread over the classes"),
    NUMBER_BY_MODE(
        "ssl", "threshold", "0.85", threshold_by_mode, -1e6, 1e6, false,
        "least confidence at which a pseudo-label counts, in the first epoch; freematch, softmatch, pi-model and mean-teacher go "
        "without"),
    NUMBER_BY_MODE("ssl", "threshold_end", "0.95", threshold_by_mode, -1e6, 1e6, false,
                   "value that the threshold approaches linearly over the epochs"),
    BOOL("ssl", "cam_relu", "no", "yes: negative CAM values become 0 before scaling"),
    PRESET_BY_MODE("ssl", "confidence", "softmax", "logit", "softmax", PAPERS, "softmax | logit",
                   "confidence of a prediction: its largest softmax probability or its largest logit"),
    PRESET_BY_MODE("ssl", "batch_norm", "joint", "separate", "joint", PAPERS, "joint | separate",
                   "joint: one training pass over labelled, weak and strong images; separate: a pass for each"),
    PRESET_BY_MODE("ssl", "cam_class", "shared", "own", "shared", PRESET_OF_FIRST, "shared | own",
                   "class that CAMs explain; shared: the pseudo-label for both views; own: each view's own prediction"),
    PRESET_BY_MODE("ssl", "cam_target", "detached", "attached", "detached", PRESET_OF_FIRST, "detached | attached",
                   "attached: gradient also flows through the weak view's CAM"),
    PRESET_BY_MODE("ssl", "cam_gradient", "first-order", "first-order", "first-order", PRESET_OF_FIRST, "first-order | exact",
                   "first-order: the CAM's channel weights count as constants; exact: gradient also flows through them"),
    PRESET_BY_MODE("ssl", "reduction", "confident", "confident", "batch", PAPERS, "confident | batch",
                   "L_u and L_c are means over the confident images or over the whole batch"),

    CHOICE_BY_MODE("augment", "weak", "flip", weak_by_mode, "flip | flip-shift | resized-crop",
                   "labelled images and weak views; flip-shift: flips, then a shift by up to an eighth of the side, reflected at the edge; "
                   "resized-crop: a random crop at the image's size, then flips"),
    CHOICE_BY_MODE(
        "augment", "strong", "crop-rotate", strong_by_mode, "crop-rotate | randaugment | weak",
        "strong views; crop-rotate: crop and turns of the weak view; randaugment: flip-shift, random operations and a cutout; weak: a "
        "second weak view"),
    INT("augment", "randaugment", "2", 0, 16, "strong = randaugment: operations drawn for each image, of fourteen"),
    NUMBER("augment", "scale_min", "0.08", 0, 1, true, false, "weak = resized-crop: smallest share of the image's area"),
    NUMBER("augment", "ratio_max", "1.333", 1, 100, false, false, "weak = resized-crop: greatest aspect ratio of the crop, either way"),
    BOOL("augment", "flip_horizontal", "yes", "yes: each image is flipped left to right with probability 1/2"),
    BOOL_BY_MODE("augment", "flip_vertical", "yes", flip_vertical_by_mode, "yes: each image is flipped upside down with probability 1/2"),
    NUMBER("augment", "crop_min", "0.75", 0, 1, true, false,
           "strong = crop-rotate: smallest side of the crop, as a share of the image's side"),
    { "augment", "rotations", CAMCL_KEY_NUMBERS, "quarter", NOT_LATER("paper-code", "quarter", PRESET_OF_FIRST),
      "quarter | paper-code | none", 0, 270, false, false, false,
      "turns of the strong view in degrees, drawn from this list of 0, 90, 180 and 270; quarter: each of them; paper-code: 0,0,90,180; "
      "none: "
      "0" },
    { "augment", "per_image", CAMCL_KEY_BOOL, "yes", NOT_LATER("no", "yes", PRESET_OF_FIRST), NULL, 0, 0, false, false, false,
      "yes: one random transform per image; no: one for the whole batch" },

    NUMBER("optim", "lr", "0.03", 0, 1e6, false, false, "highest learning rate"),
    NUMBER("optim", "momentum", "0.9", 0, 1, false, true, "momentum of SGD"),
    BOOL_BY_MODE("optim", "nesterov", "no", nesterov_by_mode, "yes: Nesterov's momentum"),
    NUMBER("optim", "weight_decay", "5e-4", 0, 1e6, false, false, "L2 penalty: this value times the weight is added to the gradient"),
    CHOICE_BY_MODE(
        "optim", "schedule", "cosine", schedule_by_mode, "constant | cosine | fixmatch | step",
        "how the learning rate changes during training; cosine: down to 0; fixmatch: a cosine that ends at a fifth of it (7/16 of "
        "a half turn)"),
    INT("optim", "lr_step", "30", 1, MOST_COUNT, "schedule step: epochs between two drops"),
    NUMBER("optim", "lr_gamma", "0.1", 0, 1e6, false, false, "schedule step: factor of each drop"),
    INT("optim", "warmup", "0", 0, MOST_COUNT, "number of first steps in which the learning rate rises linearly"),
    NUMBER_BY_MODE("optim", "ema", "0", ema_by_mode, 0, 1, true,
                   "decay of the weights' moving average; above 0, the averaged weights are evaluated and saved; mean-teacher's teacher"),

    INT("train", "epochs", "100", 1, MOST_COUNT, "number of epochs"),
    INT("train", "epoch_steps", "0", 0, MOST_COUNT, "steps per epoch; 0: one pass over the labelled images"),
    INT("train", "batch_labeled", "32", 1, 1048576, "labelled images per step"),
    INT("train", "batch_unlabeled", "32", 1, 1048576, "unlabelled images per step"),
    INT("train", "eval_every", "1", 1, MOST_COUNT, "epochs between two evaluations"),
    INT("train", "seed", "1", 0, MOST_SEED, "seed of initial weights, image order and augmentation"),

    PATH("output", "dir", "", true, "folder of the run; empty: runs/ and the configuration file's name"),
    INT("output", "save_every", "1", 1, MOST_COUNT, "epochs between two saves; half an hour without one saves, too"),
    INT("output", "cams_every", "0", 0, MOST_COUNT, "epochs between two sets of CAM images; 0: only at the end"),
    BOOL("output", "tensorboard", "no", "yes: TensorBoard's event files in the run's folder: the columns of metrics.csv, and CAM images"),
};

const camcl_config_key *camcl_config_schema(size_t *count)
{
    *count = CC_COUNT(schema);
    return schema;
}

const camcl_config_key *camcl_config_find(const char *key)
{
    const char *dot = strchr(key, '.');
    if (dot == NULL) return NULL;
    size_t section = (size_t)(dot - key);
    for (size_t i = 0; i < CC_COUNT(schema); i++) {
        if (strlen(schema[i].section) == section && strncasecmp(schema[i].section, key, section) == 0 &&
            strcasecmp(schema[i].name, dot + 1) == 0)
            return &schema[i];
    }
    return NULL;
}

/* Writes the range in its shortest form, for example "at least 0", "above 0, at most 1" or "0 to 1". */
static void numeric_range(const camcl_config_key *key, char *text, size_t size)
{
    if (!key->above_minimum && !key->below_maximum) {
        snprintf(text, size, "%.16g to %.16g", key->minimum, key->maximum);
    } else {
        snprintf(text, size, "%s %.16g, %s %.16g", key->above_minimum ? "above" : "at least", key->minimum,
                 key->below_maximum ? "below" : "at most", key->maximum);
    }
}

void camcl_config_range(const camcl_config_key *key, char *text, size_t size)
{
    char range[96];
    switch (key->type) {
    case CAMCL_KEY_TEXT: snprintf(text, size, "text"); break;
    case CAMCL_KEY_PATH: snprintf(text, size, key->optional ? "a path, or empty" : "a path"); break;
    case CAMCL_KEY_BOOL: snprintf(text, size, "yes | no"); break;
    case CAMCL_KEY_CHOICE: snprintf(text, size, "%s", key->words); break;
    case CAMCL_KEY_INT:
        numeric_range(key, range, sizeof range);
        snprintf(text, size, "%s%swhole number, %s", key->words ? key->words : "", key->words ? " | " : "", range);
        break;
    case CAMCL_KEY_NUMBER:
        numeric_range(key, range, sizeof range);
        snprintf(text, size, "number, %s", range);
        break;
    case CAMCL_KEY_NUMBERS:
        numeric_range(key, range, sizeof range);
        snprintf(text, size, "%s%snumbers with commas, each %s", key->words ? key->words : "", key->words ? " | " : "", range);
        break;
    }
}
