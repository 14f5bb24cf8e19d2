/* The figures that a run leaves: metrics.csv, confusion.csv. Each file is written atomically. */
#ifndef CC_RUN_METRICS_H
#define CC_RUN_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "run/columns.h"

/* One evaluation. Percentages are 0-100. Losses and rates are means since the previous row. NaN: not available. */
typedef struct cc_metrics_row {
    uint64_t step, epoch;
    double values[CC_MOST_COLUMNS]; /* values[i] belongs to columns.names[i] of the file */
} cc_metrics_row;

/* metrics.csv: the columns step and epoch, and then these. */
typedef struct cc_metrics {
    cc_columns columns;
    cc_metrics_row *rows;
    size_t count, capacity;
} cc_metrics;

/* Reads the file; *metrics has no rows when it does not exist. The columns are those of `wanted`, followed by further columns of the
 * file: only the first columns of a file are the same in all versions of the program. wanted NULL: the columns of the file, or, without
 * a file, those of the first version. A line that is not of this format: CAMCL_BAD_DATA with its number. Free with cc_metrics_free also
 * after a failure. */
camcl_status cc_metrics_read(const char *path, const cc_columns *wanted, cc_metrics *metrics, camcl_error *err);
void cc_metrics_free(cc_metrics *metrics);

/* A row in which nothing is available yet. */
cc_metrics_row cc_metrics_row_at(uint64_t step, uint64_t epoch);
/* A cell of a row of this file; a column that the file does not have is not written, and not available when it is read. */
void cc_metrics_set(const cc_metrics *metrics, cc_metrics_row *row, const char *column, double value);
double cc_metrics_get(const cc_metrics *metrics, const cc_metrics_row *row, const char *column);

/* Adds a row and writes the file. After a failure the file and *metrics are as before. Numbers have nine digits, so that a row that was
 * read is written back as the same text. */
camcl_status cc_metrics_append(cc_metrics *metrics, const char *path, const cc_metrics_row *row, camcl_error *err);
/* For resuming: drops the rows whose step is beyond `step`, and writes the file if there were any. */
camcl_status cc_metrics_drop_after(cc_metrics *metrics, const char *path, uint64_t step, camcl_error *err);

/* confusion.csv: a line "true\predicted,NAME,..." and then per true class "NAME,count,...", quoted as in RFC 4180. */
typedef struct cc_confusion {
    size_t classes;
    char **names;     /* [classes] */
    uint64_t *counts; /* [classes true, classes predicted] */
} cc_confusion;

camcl_status cc_confusion_write(const char *path, size_t classes, const char *const *names, const uint64_t *counts, camcl_error *err);
/* Free with cc_confusion_free also after a failure. */
camcl_status cc_confusion_read(const char *path, cc_confusion *confusion, camcl_error *err);
void cc_confusion_free(cc_confusion *confusion);

#endif
