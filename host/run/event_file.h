/* TensorBoard's event files (*.tfevents.*): records of a training run that TensorBoard draws while they grow. */
#ifndef CC_RUN_EVENT_FILE_H
#define CC_RUN_EVENT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/text.h"

/* Whether the folder has an event file. */
bool cc_event_files_exist(const char *folder);

/* A file that is being written. Records are only ever appended, one write each, as TensorBoard needs it to follow; what a killed process
 * leaves of its last record is skipped by readers. */
typedef struct cc_event_file cc_event_file;

/* Begins a file that TensorBoard reads after those that the folder has. first_step > 0: readers forget what those files say of this step
 * and later ones; this is how a run that goes on from a checkpoint leaves no point twice. The caller owns *out. */
camcl_status cc_event_file_create(const char *folder, uint64_t first_step, cc_event_file **out, camcl_error *err);
void cc_event_file_close(cc_event_file **file);

/* What is said of one step: empty it (CC_TEXT_INIT), add values, then write it once. */
void cc_event_add_scalar(cc_text *summary, const char *tag, double value);
/* png: the content of a PNG file of three channels, width x height pixels. */
void cc_event_add_image(cc_text *summary, const char *tag, const void *png, size_t size, uint32_t width, uint32_t height);
/* Appends the values to the file, syncs it, and frees `summary`; nothing is written where it is empty. */
camcl_status cc_event_file_write(cc_event_file *file, uint64_t step, cc_text *summary, camcl_error *err);

#endif
