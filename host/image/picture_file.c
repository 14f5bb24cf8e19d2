#include "image/picture_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"

#define MOST_AT_ONCE ((size_t)1 << 30) /* some systems refuse more than 2^31-1 bytes in one call */

camcl_status cc_picture_file_open(const char *path, cc_picture_file *out, camcl_error *err)
{
    struct stat info;
    *out = (cc_picture_file){ .path = path };
    out->handle = open(path, O_RDONLY | O_CLOEXEC);
    if (out->handle < 0) return cc_fail_errno(err, "read", path, errno);
    int code = fstat(out->handle, &info) != 0 ? errno : S_ISDIR(info.st_mode) ? EISDIR : 0;
    if (code == 0) return CAMCL_OK;
    close(out->handle);
    return cc_fail_errno(err, "read", path, code);
}

/* Room for what is to be read: as much as the file has, as far as that is known, or twice as much as before. */
static camcl_status make_room(cc_picture_file *file, size_t size, camcl_error *err)
{
    struct stat info;
    size_t room = cc_max_size(file->size * 2, 65536);
    if (fstat(file->handle, &info) == 0 && info.st_size > 0 && (uintmax_t)info.st_size < SIZE_MAX) {
        /* One byte more, in which reading finds the end. */
        size_t known = (size_t)info.st_size + 1;
        if (known > file->size) room = known;
    }
    return cc_grow((void **)&file->data, &file->capacity, cc_min_size(room, size), 1, err);
}

camcl_status cc_picture_file_read(cc_picture_file *file, size_t size, camcl_error *err)
{
    while (!file->whole && file->size < size) {
        const camcl_status status = file->size == file->capacity ? make_room(file, size, err) : CAMCL_OK;
        if (status != CAMCL_OK) {
            cc_context(err, "%s", file->path);
            return status;
        }
        ssize_t got = read(file->handle, file->data + file->size, cc_min_size(file->capacity - file->size, MOST_AT_ONCE));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return cc_fail_errno(err, "read", file->path, errno);
        file->whole = got == 0;
        file->size += (size_t)got;
    }
    return CAMCL_OK;
}

void cc_picture_file_close(cc_picture_file *file)
{
    close(file->handle);
    free(file->data);
}
