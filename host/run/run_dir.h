/* The folder of one training run: created once, held by one process, never overwritten. */
#ifndef CC_RUN_RUN_DIR_H
#define CC_RUN_RUN_DIR_H

#include <stdbool.h>

#include "base/diag.h"

typedef enum cc_run_file {
    CC_RUN_CONFIG,        /* config.ini */
    CC_RUN_SPLITS,        /* splits.json */
    CC_RUN_METRICS,       /* metrics.csv */
    CC_RUN_LINES,         /* metrics.jsonl */
    CC_RUN_PSEUDO_LABELS, /* pseudo_labels.csv */
    CC_RUN_LOG,           /* train.log */
    CC_RUN_RESULT,        /* result.json */
    CC_RUN_CONFUSION,     /* confusion.csv */
    CC_RUN_BEST,          /* best.safetensors */
    CC_RUN_LAST,          /* last.safetensors */
    CC_RUN_STATE,         /* state.safetensors */
    CC_RUN_CAMS,          /* cams, a folder */
    CC_RUN_REPORT,        /* report.html */
    CC_RUN_LOCK,          /* .lock, only while a process holds the folder */
    CC_RUN_FILES
} cc_run_file;

const char *cc_run_file_name(cc_run_file file);

typedef struct cc_run_dir cc_run_dir;

/* Opens the run directory and holds its lock until it is closed or the process ends in any way. resume false: path must not exist or
 * must be an empty folder, else CAMCL_EXISTS and nothing is changed. resume true: the same, or an existing run. An existing run has a
 * state to continue from (cc_run_dir_has(CC_RUN_STATE) tells), or it began and saved nothing yet. Results without a state, and files of
 * others, are CAMCL_EXISTS, and nothing is changed. CAMCL_BUSY if another process, or another handle of this process, holds the directory;
 * the message names the process. Temporary files that a killed writer left are removed. The caller owns *out. */
camcl_status cc_run_dir_open(const char *path, bool resume, cc_run_dir **out, camcl_error *err);
/* Whether cc_run_dir_open would open path as things are: the same errors. Changes nothing. *has_state: there is a state to continue from.
 */
camcl_status cc_run_dir_check(const char *path, bool resume, bool *has_state, camcl_error *err);
void cc_run_dir_close(cc_run_dir **dir);
/* For a run that could not start: closes the run directory. If the folder was new or empty when it was opened, the files that every run
 * writes first are removed, and the folder, if it is then empty. */
void cc_run_dir_abandon(cc_run_dir **dir);

const char *cc_run_dir_path(const cc_run_dir *dir);                   /* as given */
const char *cc_run_dir_file(const cc_run_dir *dir, cc_run_file file); /* path + "/" + name; borrowed */
bool cc_run_dir_has(const cc_run_dir *dir, cc_run_file file);

/* Appends one line, with date and time in front, to train.log. A half-written line that a killed process left gets its line end first. */
camcl_status cc_run_dir_log(cc_run_dir *dir, camcl_error *err, const char *format, ...) CC_PRINTF(3, 4);

#endif
