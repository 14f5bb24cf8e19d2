/* The report page of training runs. */
#ifndef CAMCL_REPORT_H
#define CAMCL_REPORT_H

#include <stddef.h>

#include "camcl/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* May run in several threads at once, for different pages.
 *
 * Writes one self-contained HTML page about one or more run directories: results, curves, confusion matrices, CAM gallery,
 * configuration. Runs whose configurations differ only in train.seed (and in [device] and [output]) are shown as one group. The page says
 * which files a run lacks or which cannot be read. `output` NULL: RUN_DIR/report.html, for a single run only. CAMCL_BAD_DATA if a run_dir
 * is not a folder or holds no file of a run. CAMCL_EXISTS if the output is a file with content that is no report of camcl; it stays as it
 * is. */
camcl_status camcl_report_write(const char *const *run_dirs, size_t count, const char *output, camcl_error *err);

#ifdef __cplusplus
}
#endif
#endif
