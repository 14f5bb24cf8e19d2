/* What the report needs of one run, read from the run's directory. */
#ifndef CC_REPORT_DATA_H
#define CC_REPORT_DATA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "camcl/config.h"
#include "run/metrics.h"

/* One picture of cams/, named STEM_PART.png or STEM.png (part is then ""). */
typedef struct cc_report_image {
    char *stem, *part;
    char *data; /* the PNG file */
    size_t size;
    unsigned width, height;
} cc_report_image;

typedef struct cc_report_run {
    char *dir, *name; /* as given; short, unique among the runs of a report */
    bool finished;    /* `result` was read */
    cc_result result;
    cc_metrics metrics;
    cc_confusion confusion; /* classes = 0: missing */
    camcl_config *config;   /* NULL if missing or unreadable; config_text then holds an unreadable file's text */
    char *config_text;
    cc_report_image *images; /* sorted by stem */
    size_t image_count, images_left_out;
    cc_text problems; /* HTML: one paragraph per file that could not be read */
} cc_report_run;

/* Reads a run. Files that are missing or damaged leave their part empty, and damage is noted in `problems`. CAMCL_BAD_DATA if the folder
 * holds no file of a run. Free with cc_report_run_free, also after a failure. */
camcl_status cc_report_run_read(const char *dir, cc_report_run *run, camcl_error *err);
/* The same for a run that is about to be finished, with a result that is not in its directory yet. NULL: as above. */
camcl_status cc_report_run_read_with(const char *dir, const cc_result *result, cc_report_run *run, camcl_error *err);
void cc_report_run_free(cc_report_run *run);
/* DIR/report.html of such a run. */
camcl_status cc_report_write_with(const char *dir, const cc_result *result, camcl_error *err);

/* Names the runs by the ends of their paths, with as many folders as are needed to tell them apart. */
camcl_status cc_report_name_runs(cc_report_run *runs, size_t count, camcl_error *err);

/* From result.json, else from the configuration, else "". */
const char *cc_report_mode(const cc_report_run *run);
const char *cc_report_arch(const cc_report_run *run);
double cc_report_test_top1(const cc_report_run *run); /* NaN: not available */
/* The standard error of test top-1 in percent points, from the number of test images; NaN: unknown. */
double cc_report_error(const cc_report_run *run);
double cc_report_test_images(const cc_report_run *run); /* NaN: unknown */

#endif
