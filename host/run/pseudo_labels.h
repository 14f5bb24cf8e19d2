/* pseudo_labels.csv: which classes the confident pseudo-labels fell into since the evaluation before, and how many of them are right.
 *
 * A header line, then a line per evaluation and class: step,epoch,class,seen,confident,known,right. seen: unlabelled images that the steps
 * were given, the same for all classes of an evaluation; confident: those that count with this class as their pseudo-label (the sum of
 * their weights, where an objective weights them); known: of these, those whose true label the data set knows; right: of these, those whose
 * pseudo-label it is. */
#ifndef CC_RUN_PSEUDO_LABELS_H
#define CC_RUN_PSEUDO_LABELS_H

#include <stddef.h>
#include <stdint.h>

#include "objective/step.h"

typedef struct cc_pseudo_evaluation {
    uint64_t step, epoch;
    double seen;
} cc_pseudo_evaluation;

typedef struct cc_pseudo_labels {
    size_t classes;
    char **names; /* [classes] */
    cc_pseudo_evaluation *evaluations;
    double *counts; /* [count,classes,CC_PSEUDO_SUMS]: confident, known, right */
    size_t count, capacity, counts_capacity;
} cc_pseudo_labels;

/* Reads the file; without it, *out has no evaluations. names [classes]: the run's classes, which the file must agree with; NULL: those of
 * the file. A line that is not of this format: CAMCL_BAD_DATA with its number. Free with cc_pseudo_labels_free also after a failure. */
camcl_status cc_pseudo_labels_read(const char *path, size_t classes, const char *const *names, cc_pseudo_labels *out, camcl_error *err);
void cc_pseudo_labels_free(cc_pseudo_labels *labels);

/* Adds an evaluation, counts [classes,CC_PSEUDO_SUMS], and writes the file, whole. Counts that are not finite are not known: nothing is
 * added. After a failure the file and *labels are as before. Numbers have nine digits, so that what was read is written back as the same
 * text. */
camcl_status cc_pseudo_labels_append(cc_pseudo_labels *labels, const char *path, const cc_pseudo_evaluation *evaluation,
                                     const double *counts, camcl_error *err);
/* For resuming: drops the evaluations whose step is beyond `step`, and writes the file if there were any. */
camcl_status cc_pseudo_labels_drop_after(cc_pseudo_labels *labels, const char *path, uint64_t step, camcl_error *err);

#endif
