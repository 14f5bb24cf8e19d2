/* The page: page/page.html, filled with the other files of page/ and with the runs. */
#ifndef CC_REPORT_PAGE_H
#define CC_REPORT_PAGE_H

#include "base/text.h"
#include "report/groups.h"

/* A failed allocation shows in out->failed. */
void cc_report_add_page(cc_text *out, const cc_report_run *runs, size_t count, const cc_report_groups *groups);
/* What is shown where no script runs: results and per-class figures as tables. */
void cc_report_add_summary(cc_text *out, const cc_report_run *runs, size_t count);

/* CAMCL_EXISTS if there is a file at this path that camcl did not write as a report. Files without content, devices and pipes may be
 * written into. */
camcl_status cc_report_check_output(const char *path, camcl_error *err);

#endif
