/* The schema: every key once. Parsing, `camcl config` and the reference page all walk this table. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "camcl/config.h"

/* Columns: section, name, type, default, default under paper-code, words, absent words, minimum, maximum, above the
 * minimum, below the maximum, optional, help. */
#define TEXT(section, name, initial, help)                                                                                                 \
    {                                                                                                                                      \
        section, name, CAMCL_KEY_TEXT, initial, NULL, NULL, NULL, 0, 0, false, false, false, help                                          \
    }
#define PATH(section, name, initial, optional, help)                                                                                       \
    {                                                                                                                                      \
        section, name, CAMCL_KEY_PATH, initial, NULL, NULL, NULL, 0, 0, false, false, optional, help                                       \
    }
#define CHOICE(section, name, initial, words, absent, help)                                                                                \
    {                                                                                                                                      \
        section, name, CAMCL_KEY_CHOICE, initial, NULL, words, absent, 0, 0, false, false, false, help                                     \
    }
#define BOOL(section, name, initial, help)                                                                                                 \
    {                                                                                                                                      \
        section, name, CAMCL_KEY_BOOL, initial, NULL, NULL, NULL, 0, 0, false, false, false, help                                          \
    }
#define INT(section, name, initial, minimum, maximum, help)                                                                                \
    {                                                                                                                                      \
        section, name, CAMCL_KEY_INT, initial, NULL, NULL, NULL, minimum, maximum, false, false, false, help                               \
    }
#define NUMBER(section, name, initial, minimum, maximum, above, below, help)                                                               \
    {                                                                                                                                      \
        section, name, CAMCL_KEY_NUMBER, initial, NULL, NULL, NULL, minimum, maximum, above, below, false, help                            \
    }
/* By preset: corrected, paper-code (METHOD: both readings of the public code). */
#define PRESET(section, name, corrected, paper_code, words, absent, help)                                                                  \
    {                                                                                                                                      \
        section, name, CAMCL_KEY_CHOICE, corrected, paper_code, words, absent, 0, 0, false, false, false, help                             \
    }

#define MOST_COUNT 1e9
#define MOST_SEED 9007199254740992.0 /* 2^53: every seed also fits JSON's numbers */

static const camcl_config_key schema[] = {
    TEXT("device", "select", "auto", "which OpenCL device: auto | gpu | cpu | accelerator | P:D | part of a device's or platform's name"),
    CHOICE("device", "conv", "auto", "auto | direct | winograd | gemm", NULL,
           "which kernels may serve convolutions; winograd: the direct ones where it does not apply"),
    CHOICE("device", "tune", "cache", "off | cache | full", NULL,
           "kernel choice: the built-in table only, stored winners if there are any, or timing what is missing first"),
    PATH("device", "cache_dir", "", true, "compiled kernels and stored winners; empty: camcl in the user's cache directory"),
    CHOICE("device", "memory", "arena", "arena | separate", NULL, "separate: one buffer per tensor, for checking tools"),

    CHOICE("data", "dataset", "cifar10", "shapes | cifar10 | cifar100 | mnist | fashion-mnist | folder", NULL,
           "shapes is drawn by the program, folder is one folder per class"),
    PATH("data", "root", "data", false, "the official files' folder, its parent, or the official archive itself"),
    INT("data", "labeled", "500", 1, MOST_COUNT, "labelled images, the same number of each class"),
    NUMBER("data", "ratio", "1.0", 0, 1e6, false, false, "unlabelled / labelled images, while data.unlabeled is auto"),
    { "data", "unlabeled", CAMCL_KEY_INT, "auto", NULL, "auto | all", NULL, 0, MOST_COUNT, false, false, false,
      "unlabelled images: by data.ratio, all that are left, or a number" },
    INT("data", "validation", "5000", 0, MOST_COUNT, "training images held out to choose the best weights, balanced over classes"),
    INT("data", "image_size", "0", 0, 4096, "side of the images in the network, resized bilinearly; 0: their own"),
    { "data", "mean", CAMCL_KEY_NUMBERS, "auto", NULL, "auto", NULL, -1e6, 1e6, false, false, false,
      "inputs are (byte/255 - mean)/std: auto is the data set's own, else one value per channel" },
    { "data", "std", CAMCL_KEY_NUMBERS, "auto", NULL, "auto", NULL, 0, 1e6, true, false, false, "see data.mean" },
    BOOL("data", "shuffle", "yes", "no: images come in the order of splits.json"),
    INT("data", "seed", "1", 0, MOST_SEED, "of the split into labelled, unlabelled and validation images"),

    CHOICE("model", "arch", "resnet18", "resnet18 | resnet34 | resnet50 | wrn28-2 | wrn28-8", NULL, "the network"),
    CHOICE("model", "stem", "cifar", "cifar | imagenet", NULL,
           "cifar: 3x3 convolution; imagenet: 7x7 with stride 2, then max pooling (ResNets only)"),
    INT("model", "width", "0", 0, 65536, "channels of the first stage; 0: the architecture's own"),
    PATH("model", "init", "", true, "weights to start from: safetensors with torchvision's names; a head of other size is redrawn"),

    CHOICE("ssl", "preset", "corrected", "corrected | paper-code", NULL,
           "sets the keys whose default is by preset: sound practice, or the paper's public code"),
    CHOICE("ssl", "mode", "gradcam", "supervised | pseudo-label | gradcam | fixmatch", "fixmatch",
           "what is trained: L_s, + alpha L_u, + beta L_c"),
    INT("ssl", "cam_layer", "3", 1, 4, "stage whose activations the CAMs are made of"),
    NUMBER("ssl", "alpha", "1", 0, 1e6, false, false, "weight of the pseudo-label loss"),
    NUMBER("ssl", "beta", "1", 0, 1e6, false, false, "weight of the CAM consistency loss"),
    NUMBER("ssl", "threshold", "0.85", -1e6, 1e6, false, false, "confidence from which a pseudo-label counts, in the first epoch"),
    NUMBER("ssl", "threshold_end", "0.95", -1e6, 1e6, false, false, "what the threshold runs to, linearly"),
    BOOL("ssl", "cam_relu", "no", "clip negative CAM values before they are scaled"),
    PRESET("ssl", "confidence", "softmax", "logit", "softmax | logit", NULL,
           "what is compared with the threshold: largest probability or raw logit"),
    PRESET("ssl", "batch_norm", "joint", "separate", "joint | separate", NULL,
           "one training pass over labelled, weak and strong images, or three"),
    PRESET("ssl", "cam_class", "shared", "own", "shared | own", NULL,
           "class explained: the pseudo-label for both views, or each view's own"),
    PRESET("ssl", "cam_target", "detached", "attached", "detached | attached", NULL, "attached: the weak view's CAM gets gradient too"),
    PRESET("ssl", "cam_gradient", "first-order", "first-order", "first-order | exact", NULL,
           "whether the CAM's channel weights are constants"),
    PRESET("ssl", "reduction", "confident", "confident", "confident | batch", NULL, "what L_u and L_c are means over"),

    BOOL("augment", "flip_horizontal", "yes", "flip images left to right, half of them"),
    BOOL("augment", "flip_vertical", "yes", "flip images upside down, half of them"),
    NUMBER("augment", "crop_min", "0.75", 0, 1, true, false, "smallest side of the strong view's crop, as a share of the image's"),
    PRESET("augment", "rotations", "quarter", "paper-code", "quarter | paper-code | none", NULL,
           "of the strong view: 0, 90, 180, 270; 0, 90, 180, 360 (so 0 half the time); or 0 degrees"),
    { "augment", "per_image", CAMCL_KEY_BOOL, "yes", "no", NULL, NULL, 0, 0, false, false, false,
      "no: one transform serves the whole batch" },

    NUMBER("optim", "lr", "0.03", 0, 1e6, false, false, "learning rate at its highest"),
    NUMBER("optim", "momentum", "0.9", 0, 1, false, true, "of SGD"),
    BOOL("optim", "nesterov", "no", "Nesterov's momentum"),
    NUMBER("optim", "weight_decay", "5e-4", 0, 1e6, false, false, "added to the gradient, times the weight"),
    CHOICE("optim", "schedule", "cosine", "constant | cosine | step", NULL, "how the learning rate runs"),
    INT("optim", "lr_step", "30", 1, MOST_COUNT, "step: epochs between two drops"),
    NUMBER("optim", "lr_gamma", "0.1", 0, 1e6, false, false, "step: factor of a drop"),
    INT("optim", "warmup", "0", 0, MOST_COUNT, "steps in which the learning rate rises from 0"),
    NUMBER("optim", "ema", "0", 0, 1, false, true, "decay of the weights' moving average; above 0 the average is evaluated and kept"),

    INT("train", "epochs", "100", 1, MOST_COUNT, "epochs"),
    INT("train", "epoch_steps", "0", 0, MOST_COUNT, "steps of an epoch; 0: one pass over the labelled images"),
    INT("train", "batch_labeled", "32", 1, 1048576, "labelled images of a step"),
    INT("train", "batch_unlabeled", "32", 1, 1048576, "unlabelled images of a step"),
    INT("train", "eval_every", "1", 1, MOST_COUNT, "epochs between two evaluations"),
    INT("train", "seed", "1", 0, MOST_SEED, "of initial weights, order and augmentation"),

    PATH("output", "dir", "", true, "the run's folder; empty: runs/ and the configuration file's name"),
    INT("output", "save_every", "1", 1, MOST_COUNT, "epochs between two checkpoints"),
    INT("output", "cams_every", "0", 0, MOST_COUNT, "epochs between two sets of CAM images; 0: at the end"),
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

/* "at least 0", "above 0, at most 1", "0 to 1": the shortest form that says it. */
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
    case CAMCL_KEY_CHOICE:
        if (key->absent)
            snprintf(text, size, "%s (not in this version: %s)", key->words, key->absent);
        else
            snprintf(text, size, "%s", key->words);
        break;
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
