#define _XOPEN_SOURCE 700 /* realpath, which glibc keeps from plain POSIX */
#include "lies_in.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"

/* The nearest part of the path that exists, absolute and without links; the caller frees. NULL: errno says why. */
static char *real_part(const char *path)
{
    char *part = strdup(path), *real = NULL, *slash;
    while (part && (real = realpath(part, NULL)) == NULL && errno == ENOENT && (slash = strrchr(part, '/')) != NULL && slash > part)
        *slash = '\0';
    /* What is left is a single name that does not exist: it would be made here. */
    if (part && real == NULL && errno == ENOENT) real = realpath(*part == '/' ? "/" : ".", NULL);
    const int code = errno;
    free(part);
    errno = code;
    return real;
}

camcl_status cli_lies_in(const char *path, const char *folder, bool *inside, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    *inside = false;
    char *outer = realpath(folder, NULL), *inner = outer ? real_part(path) : NULL;
    if (inner) {
        const size_t length = strcmp(outer, "/") == 0 ? 0 : strlen(outer);
        *inside = strncmp(inner, outer, length) == 0 && (inner[length] == '/' || inner[length] == '\0');
    }
    if (inner == NULL && errno == ENOMEM)
        status = cli_error(err, CAMCL_NO_MEMORY, "%s: no memory for its path (close other programs)", outer ? path : folder);
    else if (inner == NULL && errno != ENOENT && errno != ENOTDIR)
        status = cli_error(err, CAMCL_IO, "cannot find out where '%s' lies: %s (check the disk and the path)", outer ? path : folder,
                           strerror(errno));
    free(inner);
    free(outer);
    return status;
}
