/* What a file is, by its first bytes and whatever its name says. Messages about files that are not what they should be speak of it. */
#ifndef CC_BASE_CONTENT_H
#define CC_BASE_CONTENT_H

#include <stddef.h>

typedef enum cc_content_kind {
    CC_CONTENT_UNKNOWN,
    CC_CONTENT_EMPTY,
    CC_CONTENT_ZEROS,
    CC_CONTENT_TEXT, /* none of the texts below */
    CC_CONTENT_JSON,
    CC_CONTENT_XML, /* in the place of other files: what a server says, mostly that there is no such file */
    CC_CONTENT_WEB_PAGE,
    CC_CONTENT_LFS_POINTER,
    CC_CONTENT_MACOS, /* lies beside other files, as ._NAME */
    CC_CONTENT_PNG,
    CC_CONTENT_JPEG,
    CC_CONTENT_WEBP,
    CC_CONTENT_PICTURE, /* of another format */
    CC_CONTENT_DRAWING,
    CC_CONTENT_VIDEO,
    CC_CONTENT_DOCUMENT,
    CC_CONTENT_ZIP,
    CC_CONTENT_RAR,
    CC_CONTENT_ARCHIVE, /* of another format */
    CC_CONTENT_COMPRESSED,
    CC_CONTENT_PICKLE,
    CC_CONTENT_TABLE, /* arrays and databases too */
    CC_CONTENT_MODEL, /* of another program */
} cc_content_kind;

typedef struct cc_content {
    cc_content_kind kind;
    const char *name; /* "a ZIP archive", "a file of an unknown kind"; static */
} cc_content;

/* `data` has `size` bytes, the whole file or its beginning. The first 4096 bytes are enough, but for zeros, which are looked through. */
cc_content cc_content_of(const void *data, size_t size);

#endif
