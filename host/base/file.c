#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"

#define IO_CHUNK ((size_t)1 << 30) /* some systems refuse more than 2^31-1 bytes in one call */
#define TEMPORARY_NAMES 1000       /* names tried before an error is returned; concurrent writers need one each */

static const char *advice(int code)
{
    switch (code) {
    case ENOENT: return "check the path";
    case EACCES:
    case EPERM:
    case EROFS: return "check the permissions or choose another place";
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return "free some space or choose another place";
    case EISDIR: return "name a file, not a folder";
    case ENOTDIR: return "a part of the path is a file, not a folder";
    case ENAMETOOLONG: return "choose a shorter name";
    case EMFILE:
    case ENFILE: return "close other files or raise the limit, see ulimit -n";
    default: return "check the disk and the path";
    }
}

camcl_status cc_fail_errno(camcl_error *err, const char *action, const char *path, int code)
{
    char reason[128];
    if (strerror_r(code, reason, sizeof reason) != 0) snprintf(reason, sizeof reason, "error %d", code);
    return cc_fail(err, CAMCL_IO, "cannot %s '%s': %s (%s)", action, path, reason, advice(code));
}

/* Something like /dev/zero never ends. One that ends at once is an empty file, as people use /dev/null. */
static camcl_status read_device(int file, const char *path, char **data, camcl_error *err)
{
    char first;
    const ssize_t got = read(file, &first, 1);
    if (got < 0) return cc_fail_errno(err, "read", path, errno);
    if (got > 0) return cc_fail(err, CAMCL_IO, "cannot read '%s': it is a device (name a file)", path);
    return CC_NEW(1, data, err);
}

static camcl_status read_all(int file, size_t expected, const char *path, char **data, size_t *size, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    char *buffer = NULL;
    size_t capacity = 0, length = 0;
    if (!cc_add_size(expected, 2, &expected))
        return cc_fail(err, CAMCL_NO_MEMORY, "cannot read '%s': larger than the memory (close other programs)", path);
    CC_TRY(cc_grow((void **)&buffer, &capacity, expected, 1, err));
    for (;;) {
        /* The size that the system reports is only a hint: it is 0 for pipes, and a file may grow while it is read. */
        if (length + 1 == capacity) CC_TRY(cc_grow((void **)&buffer, &capacity, capacity + 65536, 1, err));
        ssize_t got = read(file, buffer + length, cc_min_size(capacity - 1 - length, IO_CHUNK));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            status = cc_fail_errno(err, "read", path, errno);
            goto cleanup;
        }
        if (got == 0) break;
        length += (size_t)got;
    }
    buffer[length] = '\0';
    *data = buffer;
    *size = length;
    return CAMCL_OK;
cleanup:
    free(buffer);
    return status;
}

camcl_status cc_file_read(const char *path, char **data, size_t *size, camcl_error *err)
{
    *data = NULL;
    *size = 0;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return cc_fail_errno(err, "read", path, errno);
    struct stat info;
    camcl_status status = CAMCL_OK;
    if (fstat(file, &info) != 0)
        status = cc_fail_errno(err, "read", path, errno);
    else if (S_ISDIR(info.st_mode))
        status = cc_fail_errno(err, "read", path, EISDIR);
    else if (S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode))
        status = read_device(file, path, data, err);
    else if ((uintmax_t)info.st_size > SIZE_MAX / 2)
        status = cc_fail(err, CAMCL_NO_MEMORY, "cannot read '%s': larger than the memory (close other programs)", path);
    else
        status = read_all(file, (size_t)info.st_size, path, data, size, err);
    close(file);
    return status;
}

/* Returns 0 or an errno. */
static int write_pieces(int file, const cc_piece *pieces, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *at = pieces[i].data;
        size_t left = pieces[i].size;
        while (left > 0) {
            ssize_t put = write(file, at, cc_min_size(left, IO_CHUNK));
            if (put < 0 && errno == EINTR) continue;
            if (put < 0) return errno;
            at += put;
            left -= (size_t)put;
        }
    }
    return 0;
}

/* Whether path is another name of an open file: the system's link, and not the file, would be replaced, even where it leads to a regular
 * file
 * ("-o /dev/stdout >FILE"). */
static bool names_open_file(const char *path)
{
    static const char *const starts[] = { "/dev/std", "/dev/fd/", "/proc/" };
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++)
        if (strncmp(path, starts[i], strlen(starts[i])) == 0) return true;
    return false;
}

/* Pipes, terminals and devices must not be replaced by a regular file, so this function writes into them. */
static camcl_status write_through(const char *path, const cc_piece *pieces, size_t count, camcl_error *err)
{
    int file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (file < 0) return cc_fail_errno(err, "write", path, errno);
    int code = write_pieces(file, pieces, count);
    if (close(file) != 0 && code == 0) code = errno;
    return code == 0 ? CAMCL_OK : cc_fail_errno(err, "write", path, code);
}

/* The folder part of path, with its slash ("" when there is none); the caller frees. */
static camcl_status folder_of(const char *path, char **folder, camcl_error *err)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash - path) + 1;
    CC_RETURN_IF_FAILED(CC_NEW(length + 1, folder, err));
    memcpy(*folder, path, length);
    return CAMCL_OK;
}

bool cc_file_is_temporary(const char *name, long *writer)
{
    const size_t prefix = strlen(CC_TEMPORARY_PREFIX), suffix = strlen(CC_TEMPORARY_SUFFIX), length = strlen(name);
    if (length < prefix + suffix || strncmp(name, CC_TEMPORARY_PREFIX, prefix) != 0) return false;
    if (strcmp(name + length - suffix, CC_TEMPORARY_SUFFIX) != 0) return false;
    if (writer) *writer = strtol(name + prefix, NULL, 10);
    return true;
}

camcl_status cc_file_temporary(const char *folder, const char *path, char **temporary, int *file, camcl_error *err)
{
    size_t size = strlen(folder) + 64;
    CC_RETURN_IF_FAILED(CC_NEW(size, temporary, err));
    for (int i = 0; i < TEMPORARY_NAMES; i++) {
        snprintf(*temporary, size, "%s" CC_TEMPORARY_PREFIX "%ld-%d" CC_TEMPORARY_SUFFIX, folder, (long)getpid(), i);
        *file = open(*temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (*file >= 0) return CAMCL_OK;
        if (errno != EEXIST) break;
    }
    int code = errno;
    free(*temporary);
    *temporary = NULL;
    return cc_fail_errno(err, "write", path, code);
}

/* Returns 0 or an errno. A file system that cannot sync folders returns EINVAL or ENOTSUP, which is not a failure. */
static int sync_folder(const char *folder)
{
    int file = open(folder[0] == '\0' ? "." : folder, O_RDONLY | O_CLOEXEC);
    if (file < 0) return errno == EACCES ? 0 : errno; /* a folder that may be written but not read */
    int code = fsync(file) == 0 || errno == EINVAL || errno == ENOTSUP ? 0 : errno;
    close(file);
    return code;
}

/* Everything but syncing the folder. */
static int settle_file(const char *temporary, int file, const char *path)
{
    int code = fsync(file) != 0 && errno != EINVAL ? errno : 0;
    if (close(file) != 0 && code == 0) code = errno;
    if (code == 0 && rename(temporary, path) != 0) code = errno;
    if (code != 0) unlink(temporary);
    return code;
}

int cc_file_settle(const char *folder, const char *temporary, int file, const char *path)
{
    const int code = settle_file(temporary, file, path);
    return code == 0 ? sync_folder(folder) : code;
}

static camcl_status write_file(const char *path, const cc_piece *pieces, size_t count, bool with_folder, camcl_error *err)
{
    struct stat info;
    const bool there = stat(path, &info) == 0 && !S_ISDIR(info.st_mode);
    if (there && (!S_ISREG(info.st_mode) || names_open_file(path))) return write_through(path, pieces, count, err);

    camcl_status status = CAMCL_OK;
    char *folder = NULL, *temporary = NULL;
    int file = -1, code = 0;
    CC_TRY(folder_of(path, &folder, err));
    CC_TRY(cc_file_temporary(folder, path, &temporary, &file, err));
    code = write_pieces(file, pieces, count);
    if (code == 0) {
        code = settle_file(temporary, file, path);
        if (code == 0 && with_folder) code = sync_folder(folder);
    } else {
        close(file);
        unlink(temporary);
    }
    if (code != 0) status = cc_fail_errno(err, "write", path, code);
cleanup:
    free(temporary);
    free(folder);
    return status;
}

camcl_status cc_file_write(const char *path, const cc_piece *pieces, size_t count, camcl_error *err)
{
    return write_file(path, pieces, count, true, err);
}

camcl_status cc_file_write_among(const char *path, const cc_piece *pieces, size_t count, camcl_error *err)
{
    return write_file(path, pieces, count, false, err);
}

camcl_status cc_folder_sync(const char *folder, camcl_error *err)
{
    const int code = sync_folder(folder);
    return code == 0 ? CAMCL_OK : cc_fail_errno(err, "write", folder, code);
}

camcl_status cc_file_write_text(const char *path, const char *text, camcl_error *err)
{
    cc_piece piece = { text, strlen(text) };
    return cc_file_write(path, &piece, 1, err);
}

camcl_status cc_file_write_built(const char *path, cc_text *text, camcl_error *err)
{
    const cc_piece piece = { text->data, text->length };
    const camcl_status status = text->failed ? cc_fail(err, CAMCL_NO_MEMORY, "cannot write '%s': no memory (close other programs)", path)
                                             : cc_file_write(path, &piece, 1, err);
    cc_text_free(text);
    return status;
}

camcl_status cc_make_folders(const char *path, camcl_error *err)
{
    char *copy = NULL;
    if (path[0] == '\0') return cc_fail_errno(err, "create the folder", path, ENOENT);
    CC_RETURN_IF_FAILED(cc_copy_text(path, &copy, err));
    camcl_status status = CAMCL_OK;
    for (char *at = copy + 1;; at++) {
        if (*at != '/' && *at != '\0') continue;
        char end = *at;
        *at = '\0';
        if (mkdir(copy, 0777) != 0 && !cc_is_folder(copy)) {
            int code = errno == EEXIST ? ENOTDIR : errno;
            status = cc_fail_errno(err, "create the folder", path, code);
            break;
        }
        *at = end;
        if (end == '\0') break;
    }
    free(copy);
    return status;
}

camcl_status cc_file_beginning(const char *path, char *out, size_t size, size_t *got, camcl_error *err)
{
    struct stat info;
    *got = 0;
    if (stat(path, &info) != 0) {
        const int code = errno;
        if (lstat(path, &info) == 0 && S_ISLNK(info.st_mode) && (code == ENOENT || code == ELOOP))
            return cc_fail(err, CAMCL_EXISTS, "'%s': exists, a link that leads nowhere (remove it, or choose another file)", path);
        return code == ENOENT || code == ENOTDIR ? CAMCL_OK : cc_fail_errno(err, "read", path, code);
    }
    if (!S_ISREG(info.st_mode)) return CAMCL_OK;
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return cc_fail_errno(err, "read", path, errno);
    ssize_t n;
    do
        n = read(file, out, size);
    while (n < 0 && errno == EINTR);
    const int code = n < 0 ? errno : 0;
    close(file);
    *got = n > 0 ? (size_t)n : 0;
    return code == 0 ? CAMCL_OK : cc_fail_errno(err, "read", path, code);
}

bool cc_file_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

bool cc_is_folder(const char *path)
{
    struct stat info;
    int code = errno;
    bool is = stat(path, &info) == 0 && S_ISDIR(info.st_mode);
    errno = code; /* cc_make_folders reads errno after a failed mkdir */
    return is;
}

camcl_status cc_path_join(const char *folder, const char *name, char **out, camcl_error *err)
{
    size_t length = strlen(folder), size = length + strlen(name) + 2;
    const char *slash = length > 0 && folder[length - 1] == '/' ? "" : "/";
    CC_RETURN_IF_FAILED(CC_NEW(size, out, err));
    snprintf(*out, size, "%s%s%s", folder, slash, name);
    return CAMCL_OK;
}

camcl_status cc_path_absolute(const char *path, char **out, camcl_error *err)
{
    *out = NULL;
    if (path[0] == '/') return cc_copy_text(path, out, err);
    while (path[0] == '.' && path[1] == '/') {
        path += 2;
        while (path[0] == '/')
            path++;
    }
    if (strcmp(path, ".") == 0) path = "";

    camcl_status status = CAMCL_OK;
    char *here = NULL;
    size_t capacity = 0;
    CC_TRY(cc_grow((void **)&here, &capacity, 4096, 1, err));
    while (getcwd(here, capacity) == NULL) {
        if (errno != ERANGE) {
            status = cc_fail_errno(err, "find the absolute form of", path, errno);
            goto cleanup;
        }
        CC_TRY(cc_grow((void **)&here, &capacity, capacity * 2, 1, err));
    }
    status = path[0] == '\0' ? cc_copy_text(here, out, err) : cc_path_join(here, path, out, err);
cleanup:
    free(here);
    return status;
}

camcl_status cc_path_expand(const char *path, char **out, camcl_error *err)
{
    const char *home = getenv("HOME");
    *out = NULL;
    if (path[0] != '~' || (path[1] != '\0' && path[1] != '/')) return cc_copy_text(path, out, err);
    if (home == NULL || *home == '\0')
        return cc_fail(err, CAMCL_BAD_CONFIG, "%s: the home folder is not known (set HOME, or give the path in full)", path);
    const char *rest = path + 1 + strspn(path + 1, "/");
    return *rest ? cc_path_join(home, rest, out, err) : cc_copy_text(home, out, err);
}

camcl_status cc_cache_folder(char **out, camcl_error *err)
{
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    *out = NULL;
    if (xdg && *xdg) return cc_path_join(xdg, "camcl", out, err);
    if (home && *home) return cc_path_join(home, ".cache/camcl", out, err);
    return CAMCL_OK;
}

double cc_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
