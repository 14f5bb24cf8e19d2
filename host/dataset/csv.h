/* Reading CSV as RFC 4180 has it, with line numbers. */
#ifndef CC_DATASET_CSV_H
#define CC_DATASET_CSV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"

/* A file in memory. Rows point into it. */
typedef struct cc_csv {
    const char *file; /* for messages; borrowed */
    char *data, *at, *end;
    size_t line; /* of `at`, the first being 1 */
} cc_csv;

/* The fields of a row, without their quotes; they last as long as the file. */
typedef struct cc_csv_row {
    char **fields;
    size_t count, capacity;
    size_t line; /* where it starts */
} cc_csv_row;

/* Reads the whole file, which must be a regular one. A byte order mark at its start is skipped. CAMCL_BAD_DATA: it holds a NUL byte. The
 * caller frees with cc_csv_close, also after an error. */
camcl_status cc_csv_open(const char *path, cc_csv *out, camcl_error *err);
/* Reads the next row that is not blank into *row, which is used again; *more is false at the end. Lines end with LF, CR LF or CR. A field
 * in quotes may hold commas, line ends and doubled quotes. CAMCL_BAD_DATA, naming file and line: a quote that is not closed, text behind a
 * closing quote, a quote within a field that does not start with one. */
camcl_status cc_csv_next(cc_csv *csv, cc_csv_row *row, bool *more, camcl_error *err);
void cc_csv_close(cc_csv *csv);
void cc_csv_row_free(cc_csv_row *row);

/* CAMCL_BAD_DATA with "FILE:LINE: " and the formatted rest. */
camcl_status cc_csv_fail(const cc_csv *csv, size_t line, camcl_error *err, const char *format, ...) CC_PRINTF(4, 5);

#endif
