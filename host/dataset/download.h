/* One try to get a file, or the rest of it, from a web server. Only download.c knows libcurl. */
#ifndef CC_DATASET_DOWNLOAD_H
#define CC_DATASET_DOWNLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "camcl/stop.h"

typedef enum cc_download_end {
    CC_DOWNLOAD_WHOLE,   /* the file has its size */
    CC_DOWNLOAD_BROKEN,  /* no connection, or one that ended early: what came is in the file */
    CC_DOWNLOAD_REFUSED, /* the server does not give this file, or gives one of another size */
    CC_DOWNLOAD_AFRESH,  /* the server cannot go on in the middle: the file must be emptied first */
    CC_DOWNLOAD_DISK,    /* the file cannot be written: `code` says why */
    CC_DOWNLOAD_STOPPED
} cc_download_end;

typedef struct cc_download {
    const char *address;
    int file;               /* positioned at its end; what comes is written there */
    uint64_t have, size;    /* bytes in the file, and what it shall have; `have` is kept up */
    const camcl_stop *stop; /* may be NULL */
    void *context;          /* of `progress` */
    void (*progress)(void *context, uint64_t have);
    char reason[256]; /* set: why it ended otherwise than whole, for people, maybe with bytes from outside */
    int code;         /* set: an errno */
} cc_download;

/* Whether this build can download at all. */
bool cc_can_download(void);
cc_download_end cc_download_run(cc_download *download);

#endif
