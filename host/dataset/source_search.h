/* What a data set's files are called in the forms in which it is published, and looking for them in one folder or archive. */
#ifndef CC_DATASET_SOURCE_SEARCH_H
#define CC_DATASET_SOURCE_SEARCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "dataset/place.h"

enum { CC_SOURCE_FILES = 7 };

typedef struct cc_source_name {
    const char *name, *alias; /* its names; alias may be NULL */
    bool optional;
} cc_source_name;

/* One form in which the data set is published. */
typedef struct cc_source_form {
    const char *title;                     /* "the binary version" */
    const char *const *folders;            /* where the files may be below the root, besides the root itself; NULL-terminated */
    const char *const *archives;           /* names of archives without their endings; NULL-terminated */
    cc_source_name names[CC_SOURCE_FILES]; /* the first one is not optional; those that are not used have no name */
} cc_source_form;

/* Something else that people have in the place of the data set. */
typedef struct cc_source_hint {
    const char *pattern; /* of a file's or folder's name, as the shell has it */
    const char *what;    /* what it is, and in parentheses what to do */
} cc_source_hint;

typedef struct cc_source {
    const char *dataset;
    const char *title; /* of people: "CIFAR-10" */
    const cc_source_form *forms;
    size_t form_count;
    const cc_source_hint *hints; /* pattern NULL ends them; the first that matches is shown */
    const char *fetch;           /* where to get the data, for messages */
} cc_source;

/* A form's files in one folder of a place. */
typedef struct cc_source_match {
    const cc_source_form *form; /* NULL: nothing was found anywhere */
    char *folder;               /* below the place; "" is the place itself */
    cc_place_file files[CC_SOURCE_FILES];
    size_t found, needed; /* of the files that are not optional */
} cc_source_match;

static inline bool cc_source_is_complete(const cc_source_match *match) { return match->form && match->found == match->needed; }
void cc_source_match_free(cc_source_match *match);

/* The best match in a place: the first one that is complete, or that with the most files. In an archive, CAMCL_BAD_DATA if two folders have
 * equal rights. The caller frees *best, also after an error. */
camcl_status cc_source_search(const cc_source *source, const cc_place *place, cc_source_match *best, camcl_error *err);

#endif
