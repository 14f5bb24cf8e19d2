/* The report's sections below the curves. */
#ifndef CC_REPORT_SECTIONS_H
#define CC_REPORT_SECTIONS_H

#include "report/data.h"

void cc_report_add_curves(cc_text *out, const cc_report_run *runs, size_t count);
void cc_report_add_confusion(cc_text *out, const cc_report_run *runs, size_t count);
void cc_report_add_gallery(cc_text *out, const cc_report_run *runs, size_t count);
void cc_report_add_config(cc_text *out, const cc_report_run *runs, size_t count);

#endif
