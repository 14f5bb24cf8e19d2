/* The report page of training runs. */
#ifndef CAMCL_REPORT_H
#define CAMCL_REPORT_H

#include <stddef.h>

#include "camcl/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Writes one self-contained HTML page about one or more run directories: results, curves, confusion matrices, CAM
 * gallery, configuration. What a run lacks, or what cannot be read, is said on the page. `output` NULL: RUN_DIR/report.html,
 * for a single run only. A run_dir that is no folder, or holds nothing of a run, is CAMCL_BAD_DATA. */
camcl_status camcl_report_write(const char *const *run_dirs, size_t count, const char *output, camcl_error *err);

#ifdef __cplusplus
}
#endif
#endif
