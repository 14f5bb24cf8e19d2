/* Finding and reading a published data set's files, in whatever form and place a user may have them. */
#ifndef CC_DATASET_SOURCE_H
#define CC_DATASET_SOURCE_H

#include "dataset/archive.h"
#include "dataset/source_search.h"

typedef struct cc_source_file {
    cc_blob blob; /* data NULL: optional and not there */
    char *path;   /* where it was found, for messages */
} cc_source_file;

/* What was found: files[i] is form->names[i]. */
typedef struct cc_source_result {
    const cc_source_form *form;
    cc_source_file files[CC_SOURCE_FILES];
} cc_source_result;

/* Reads every file of the first complete form. `root` is a folder or an archive. In a folder each form is looked for in the root itself and
 * then in the form's folders, one form after another; then each form's archives, one form after another. In an archive the files may be
 * below any folder; the form's folders go first, and two other folders with the same files are refused. A file `name` may also be there
 * compressed (.gz, .xz, .bz2, .zst), or in a folder of its own name. CAMCL_BAD_DATA if no form is complete: the message says what is
 * missing of the one that is closest, and what is there instead. The caller frees the result with cc_source_free, also after an error. */
camcl_status cc_source_read(const cc_source *source, const char *root, cc_source_result *out, camcl_error *err);
void cc_source_free(cc_source_result *result);

#endif
