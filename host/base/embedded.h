/* Files that the build puts into the program as text. */
#ifndef CC_BASE_EMBEDDED_H
#define CC_BASE_EMBEDDED_H

/* A row of a table that ends with a NULL name. */
typedef struct cc_embedded_file {
    const char *name, *text;
} cc_embedded_file;

#endif
