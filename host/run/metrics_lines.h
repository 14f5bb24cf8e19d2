/* metrics.jsonl: the rows of metrics.csv as JSON Lines, for programs that would rather not parse CSV. */
#ifndef CC_RUN_METRICS_LINES_H
#define CC_RUN_METRICS_LINES_H

#include "run/metrics.h"

/* Writes one JSON object per row, whole or not at all: the same columns and digits as metrics.csv, null for what is not available. */
camcl_status cc_metrics_write_lines(const cc_metrics *metrics, const char *path, camcl_error *err);

#endif
