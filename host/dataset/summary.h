/* The line that tells people what was read of a data set of pictures. */
#ifndef CC_DATASET_SUMMARY_H
#define CC_DATASET_SUMMARY_H

#include "dataset/left_out.h"
#include "dataset/pixel_store.h"

#define CC_CANNOT_BE_READ "cannot be read" /* the kind of left-out pictures that are damaged or vanished */

/* Pictures by format. */
enum { CC_MOST_FORMATS = 8 };
typedef struct cc_format_count {
    char name[12];
    uint32_t count;
} cc_format_count;
typedef struct cc_format_counts {
    cc_format_count rows[CC_MOST_FORMATS]; /* unused ones, behind the others, have a count of 0 */
} cc_format_counts;
void cc_format_counts_add(cc_format_counts *counts, const char *name);

typedef struct cc_summary {
    size_t pictures;
    cc_format_counts formats;
    const cc_left_out *left_out;
    const char *reason; /* why the first picture that cannot be read cannot; or NULL */
    const cc_pixel_store *store;
    double seconds; /* that reading took */
} cc_summary;

/* Writes "2,000 pictures read (1,480 JPEG, 520 PNG); left out: 3 .gif (first: cat/a.gif); 287 MiB of pixels in FILE, mapped; took 1.72 s".
 */
void cc_summary_write(const cc_summary *summary, cc_text *out);

#endif
