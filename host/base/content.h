/* What a file is that is not what its name says: the kinds that people meet when a download or a checkout went wrong. */
#ifndef CC_BASE_CONTENT_H
#define CC_BASE_CONTENT_H

#include <stddef.h>

/* "a Git LFS pointer, not the file itself (run `git lfs pull` where it came from)" or the like; NULL where the content is none of these. It
 * reads as the end of a sentence. Static. */
const char *cc_content_mishap(const void *data, size_t size);
/* "a ZIP archive", "a Python pickle", "a PNG picture" or the like, by the first bytes; NULL where they are unknown. Static. */
const char *cc_content_kind(const void *data, size_t size);

#endif
