/* What a configuration chooses by name, and what an evaluation says, one row each. The schema's words, its checks, the columns of files
 * and the tables of the rooms that implement the rows are made of these lists: a new row needs the object that the comment above its list
 * names, and nothing else here.
 *
 * A list is a macro that applies ROW to each row: `#define NAME(symbol, name, ...) name,` and `{ CC_DATASETS(NAME) }` are the names. */
#ifndef CC_BASE_CATALOGUE_H
#define CC_BASE_CATALOGUE_H

/* data.dataset. Columns: symbol, name, side of the square images, channels, classes; 0 where only the files tell.
 * Implemented by `const cc_dataset_kind cc_dataset_SYMBOL` (dataset/dataset.h). */
#define CC_DATASETS(ROW)                                                                                                                   \
    ROW(shapes, "shapes", 32, 3, 10)                                                                                                       \
    ROW(cifar10, "cifar10", 32, 3, 10)                                                                                                     \
    ROW(cifar100, "cifar100", 32, 3, 100)                                                                                                  \
    ROW(mnist, "mnist", 28, 1, 10)                                                                                                         \
    ROW(fashion_mnist, "fashion-mnist", 28, 1, 10)                                                                                         \
    ROW(folder, "folder", 0, 0, 0)                                                                                                         \
    ROW(list, "list", 0, 0, 0)                                                                                                             \
    ROW(memory, "memory", 0, 0, 0)

/* model.arch. Columns: symbol, name, channels of the first stage unless model.width says otherwise, stems that it can have, stages.
 * Implemented by `void cc_arch_build_SYMBOL(cc_graph_builder *)` (model/arch.h). */
#define CC_ARCHITECTURES(ROW)                                                                                                              \
    ROW(resnet18, "resnet18", 64, "cifar | imagenet", 4)                                                                                   \
    ROW(resnet34, "resnet34", 64, "cifar | imagenet", 4)                                                                                   \
    ROW(resnet50, "resnet50", 64, "cifar | imagenet", 4)                                                                                   \
    ROW(wrn28_2, "wrn28-2", 32, "cifar", 3)                                                                                                \
    ROW(wrn28_8, "wrn28-8", 128, "cifar", 3)

/* What an objective is, as far as settings depend on it; any number of them. */
enum {
    CC_OBJECTIVE_UNLABELED = 1, /* learns from weak and strong views of unlabelled images */
    CC_OBJECTIVE_TEACHER = 2, /* the weak view, its logits and its CAM, is what the teacher sees: the average of the weights (optim.ema) */
    CC_OBJECTIVE_ALL_IMAGES = 4,     /* every unlabelled image counts: ssl.threshold means nothing to it */
    CC_OBJECTIVE_OWN_THRESHOLDS = 8, /* what counts follows from averages of probabilities: ssl.threshold means nothing to it */
};

/* ssl.mode. Columns: symbol, name, whose defaults it has (PRESET: those of ssl.preset, as the paper's own modes; WEAK_STRONG: those of
 * FixMatch and its kin, whatever the preset says, with RandAugment for the strong view; TWO_WEAK: likewise, with a second weak view for
 * it), what it is, what it trains on, for the reference page.
 * Implemented by `const cc_objective_kind cc_objective_SYMBOL` (objective/objective.h). */
#define CC_OBJECTIVES(ROW)                                                                                                                 \
    ROW(supervised, "supervised", PRESET, 0, "labelled images only")                                                                       \
    ROW(pseudo_label, "pseudo-label", PRESET, CC_OBJECTIVE_UNLABELED, "adds confident predictions on unlabelled images")                   \
    ROW(gradcam, "gradcam", PRESET, CC_OBJECTIVE_UNLABELED, "also adds CAM consistency")                                                   \
    ROW(pi_model, "pi-model", TWO_WEAK, CC_OBJECTIVE_UNLABELED | CC_OBJECTIVE_ALL_IMAGES, "two views' probabilities should agree")         \
    ROW(mean_teacher, "mean-teacher", TWO_WEAK, CC_OBJECTIVE_UNLABELED | CC_OBJECTIVE_TEACHER | CC_OBJECTIVE_ALL_IMAGES,                   \
        "probabilities should agree with those of the averaged weights")                                                                   \
    ROW(uda, "uda", WEAK_STRONG, CC_OBJECTIVE_UNLABELED, "adds sharpened predictions on confident images")                                 \
    ROW(fixmatch, "fixmatch", WEAK_STRONG, CC_OBJECTIVE_UNLABELED, "adds confident predictions, as pseudo-label, with a fixed threshold")  \
    ROW(flexmatch, "flexmatch", WEAK_STRONG, CC_OBJECTIVE_UNLABELED, "fixmatch with a threshold for each class by how well it is learnt")  \
    ROW(freematch, "freematch", WEAK_STRONG, CC_OBJECTIVE_UNLABELED | CC_OBJECTIVE_OWN_THRESHOLDS,                                         \
        "fixmatch with thresholds that follow the confidence, and a fairness term")                                                        \
    ROW(softmatch, "softmatch", WEAK_STRONG, CC_OBJECTIVE_UNLABELED | CC_OBJECTIVE_OWN_THRESHOLDS,                                         \
        "fixmatch with weights by confidence in place of the mask")

/* What an evaluation says, in the order in which files and pages show it. Columns: symbol, name, label for people, unit (PERCENT,
 * POINTS or NATS), whether higher is better, and the number of classes up to which it is not available, because it would say nothing there.
 * Implemented by `const cc_metric cc_metric_SYMBOL` (infer/metric.h). */
#define CC_METRICS(ROW)                                                                                                                    \
    ROW(loss, "loss", "loss", NATS, false, 0)                                                                                              \
    ROW(top1, "top1", "top-1", PERCENT, true, 0)                                                                                           \
    ROW(top3, "top3", "top-3", PERCENT, true, 3)                                                                                           \
    ROW(top5, "top5", "top-5", PERCENT, true, 5)                                                                                           \
    ROW(ece, "ece", "calibration error", POINTS, false, 0)

/* The names of a list as "a | b | c". */
#define CC_CATALOGUE_NAME(name, ...) name
#define CC_CATALOGUE_WORD(symbol, ...) " | " CC_CATALOGUE_NAME(__VA_ARGS__, )
#define CC_CATALOGUE_WORDS(LIST) (&(LIST(CC_CATALOGUE_WORD))[3])

#endif
