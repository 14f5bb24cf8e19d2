#include "dataset/checksum.h"

#ifdef CAMCL_HAVE_NETTLE

#include <errno.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"

bool cc_can_checksum(void) { return true; }

camcl_status cc_checksum(int file, const char *path, const camcl_stop *stop, char digits[CC_CHECKSUM_DIGITS + 1], camcl_error *err)
{
    enum { PIECE = 1 << 18 };
    camcl_status status = CAMCL_OK;
    uint8_t *bytes = NULL, hash[SHA256_DIGEST_SIZE];
    struct sha256_ctx sum;
    off_t at = 0;
    sha256_init(&sum);
    CC_TRY(CC_NEW(PIECE, &bytes, err));
    for (;;) {
        const ssize_t got = pread(file, bytes, PIECE, at);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) status = cc_fail_errno(err, "read", path, errno);
        if (got >= 0 && camcl_stop_requested(stop)) status = cc_fail(err, CAMCL_STOPPED, "%s: stopped (call again to check it)", path);
        if (got <= 0 || status != CAMCL_OK) break;
        sha256_update(&sum, (size_t)got, bytes);
        at += got;
    }
    sha256_digest(&sum, sizeof hash, hash);
    for (size_t i = 0; i < sizeof hash; i++)
        snprintf(digits + 2 * i, 3, "%02x", hash[i]);
cleanup:
    free(bytes);
    return status;
}

#else

bool cc_can_checksum(void) { return false; }

camcl_status cc_checksum(int file, const char *path, const camcl_stop *stop, char digits[CC_CHECKSUM_DIGITS + 1], camcl_error *err)
{
    (void)file;
    (void)stop;
    digits[0] = '\0';
    return cc_fail(err, CAMCL_UNSUPPORTED, "%s: this build has no nettle, which computes SHA-256 (build it with nettle)", path);
}

#endif
