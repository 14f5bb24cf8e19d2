/* Reading INI files. The grammar: [section] lines, key = value lines, comments from ; or # to the end of the line.
 * Values that hold ; or # or begin or end in blanks stand in quotes, "…" or '…'. Sections and keys ignore case. */
#ifndef CC_CONFIG_INI_H
#define CC_CONFIG_INI_H

#include <stddef.h>

#include "base/diag.h"

/* Longest line, and so longest value, that a file may hold. */
#define CC_INI_LINE 1000

typedef struct cc_ini_entry {
    char *name;  /* "section.key", lower case */
    char *value; /* without quotes and comment */
    size_t line; /* counted from 1 */
} cc_ini_entry;

typedef struct cc_ini {
    cc_ini_entry *entries; /* in file order */
    size_t count, capacity;
} cc_ini;

/* Anything that cannot be read is CAMCL_BAD_CONFIG naming path and, inside the file, the line; so is a key given twice.
 * cc_ini_free is safe after a failure too. */
camcl_status cc_ini_read(const char *path, cc_ini *ini, camcl_error *err);
void cc_ini_free(cc_ini *ini);

/* Whether a value can stand in a file, bare or in quotes: NULL, or why not. */
const char *cc_ini_cannot_hold(const char *value);
/* The quote a value needs in a file: '"', '\'' or 0. */
char cc_ini_quote(const char *value);

#endif
