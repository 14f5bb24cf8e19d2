/* The texts of the files in cl/, which the build puts into the program. */
#ifndef CC_DEVICE_EMBEDDED_H
#define CC_DEVICE_EMBEDDED_H

typedef struct cc_embedded_file {
    const char *name, *text;
} cc_embedded_file;
extern const cc_embedded_file cc_embedded_files[]; /* ends with a NULL name */

#endif
