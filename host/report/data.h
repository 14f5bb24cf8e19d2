/* What the report needs of one run, read from the run's directory. */
#ifndef CC_REPORT_DATA_H
#define CC_REPORT_DATA_H

#include <stdbool.h>
#include <stddef.h>

#include "camcl/config.h"
#include "report/pictures.h"
#include "run/metrics.h"
#include "run/pseudo_labels.h"
#include "run/result.h"

typedef struct cc_report_run {
    char *dir, *name; /* absolute; short, unique among the runs of a report */
    bool finished;    /* `result` was read */
    cc_result result;
    cc_metrics metrics;
    cc_confusion confusion; /* classes = 0: missing */
    cc_pseudo_labels pseudo_labels;
    camcl_config *config; /* NULL if missing or unreadable; config_text then holds an unreadable file's text */
    char *config_text;
    cc_pictures pictures;
    char **problems; /* a message per file that could not be read */
    size_t problem_count, problem_capacity;
} cc_report_run;

/* Reads a run. Files that are missing or damaged leave their part empty, and damage is noted in `problems`. `result`: of a run that is
 * about to be finished, whose directory does not have it yet; else NULL. CAMCL_BAD_DATA if the folder holds no file of a run. Free with
 * cc_report_run_free, also after a failure. */
camcl_status cc_report_run_read(const char *dir, const cc_result *result, cc_report_run *run, camcl_error *err);
void cc_report_run_free(cc_report_run *run);
/* DIR/report.html of a run that is about to be finished. Errors as camcl_report_write. */
camcl_status cc_report_write_with(const char *dir, const cc_result *result, camcl_error *err);

/* Names the runs by the ends of their paths, with as many folders as are needed to tell them apart. */
camcl_status cc_report_name_runs(cc_report_run *runs, size_t count, camcl_error *err);

/* From result.json, else from the configuration, else "". */
const char *cc_report_mode(const cc_report_run *run);
const char *cc_report_arch(const cc_report_run *run);
/* A metric of the test set; NaN: not available, or it says nothing because there are too few classes. `metric`: of camcl_metric_list. */
double cc_report_test(const cc_report_run *run, size_t metric);
/* Images of the test set, from result.json, else from the confusion matrix; 0: not known. */
double cc_report_test_images(const cc_report_run *run);
/* The metric by which runs are compared, a place in camcl_metric_list. */
size_t cc_report_headline(void);

#endif
