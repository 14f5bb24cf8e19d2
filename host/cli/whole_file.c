#include "whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output.h"

enum { TEMPORARY_NAMES = 1000 };

static camcl_status cannot(camcl_error *err, const char *action, const char *path, int code)
{
    return cli_error(err, CAMCL_IO, "cannot %s '%s': %s (choose another place)", action, path, strerror(code));
}

/* "folder/" of path, or "". */
static size_t folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* A name of its own for each process, so that two of them cannot write into one temporary file. */
static int create_beside(cli_file *f)
{
    const size_t folder = folder_length(f->path), room = folder + 64;
    f->temporary = malloc(room);
    for (int i = 0; f->temporary && i < TEMPORARY_NAMES; i++) {
        memcpy(f->temporary, f->path, folder);
        snprintf(f->temporary + folder, room - folder, ".camcl-%ld-%d.tmp", (long)getpid(), i);
        int handle = open(f->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (handle >= 0 || errno != EEXIST) return handle;
    }
    return -1;
}

bool cli_is_open_file(const char *path)
{
    static const char *const starts[] = { "/dev/std", "/dev/fd/", "/proc/" };
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++)
        if (strncmp(path, starts[i], strlen(starts[i])) == 0) return true;
    return false;
}

camcl_status cli_file_refuse_other(const char *path, const void *beginning, size_t size, const char *what, camcl_error *err)
{
    struct stat info;
    char found[64];
    if (cli_is_open_file(path)) return CAMCL_OK;
    if (stat(path, &info) != 0) {
        if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP) return cannot(err, "look at", path, errno);
        if (lstat(path, &info) != 0) return CAMCL_OK;
        return cli_error(err, CAMCL_EXISTS, "'%s': exists, a link that leads nowhere (remove it, or choose another file)", path);
    }
    if (!S_ISREG(info.st_mode) || info.st_size == 0) return CAMCL_OK;
    FILE *file = fopen(path, "rb");
    if (file == NULL) return cannot(err, "read", path, errno);
    const size_t got = fread(found, 1, size < sizeof found ? size : sizeof found, file);
    const int code = ferror(file) ? errno : 0;
    fclose(file);
    if (code != 0) return cannot(err, "read", path, code);
    if (got == size && memcmp(found, beginning, size) == 0) return CAMCL_OK;
    return cli_error(err, CAMCL_EXISTS, "'%s': exists and is not %s (move it away, or choose another file)", path, what);
}

camcl_status cli_file_open(cli_file *f, const char *path, camcl_error *err)
{
    struct stat info;
    const bool there = stat(path, &info) == 0;
    *f = (cli_file){ .path = strdup(path) };
    if (f->path == NULL) return cli_error(err, CAMCL_NO_MEMORY, "%s: no memory to write it (close other programs)", path);
    if (there && S_ISDIR(info.st_mode)) {
        cli_file_abandon(f);
        return cannot(err, "write", path, EISDIR);
    }
    int handle =
        there && (!S_ISREG(info.st_mode) || cli_is_open_file(path)) ? open(path, O_WRONLY | O_APPEND | O_CLOEXEC) : create_beside(f);
    int code = errno;
    if (handle >= 0 && (f->stream = fdopen(handle, "wb")) != NULL) return CAMCL_OK;
    if (handle >= 0) {
        code = errno;
        close(handle);
    }
    if (handle < 0) {
        free(f->temporary);
        f->temporary = NULL;
    }
    cli_file_abandon(f);
    return cannot(err, "write", path, code);
}

/* Returns 0 or an errno. A file system that cannot sync folders is not a failure. */
static int sync_folder(const char *path)
{
    const size_t length = folder_length(path);
    char *folder = length ? strndup(path, length) : strdup(".");
    int handle = folder ? open(folder, O_RDONLY | O_CLOEXEC) : -1;
    int code = handle >= 0 && fsync(handle) != 0 && errno != EINVAL && errno != ENOTSUP ? errno : 0;
    if (handle >= 0) close(handle);
    free(folder);
    return code;
}

camcl_status cli_file_commit(cli_file *f, camcl_error *err)
{
    int code = 0;
    if (fflush(f->stream) != 0)
        code = errno;
    else if (ferror(f->stream))
        code = EIO; /* of a write before, whose reason is no longer known */
    if (code == 0 && f->temporary && fsync(fileno(f->stream)) != 0 && errno != EINVAL) code = errno;
    if (fclose(f->stream) != 0 && code == 0) code = errno;
    f->stream = NULL;
    if (code == 0 && f->temporary) {
        if (rename(f->temporary, f->path) != 0)
            code = errno;
        else {
            free(f->temporary);
            f->temporary = NULL;
            code = sync_folder(f->path);
        }
    }
    camcl_status status = code ? cannot(err, "write", f->path, code) : CAMCL_OK;
    cli_file_abandon(f);
    return status;
}

void cli_file_abandon(cli_file *f)
{
    if (f->stream) fclose(f->stream);
    if (f->temporary) unlink(f->temporary);
    free(f->temporary);
    free(f->path);
    *f = (cli_file){ NULL, NULL, NULL };
}

bool cli_is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

camcl_status cli_make_folders(const char *path, camcl_error *err)
{
    char *copy = strdup(path);
    if (copy == NULL) return cli_error(err, CAMCL_NO_MEMORY, "%s: no memory to make this folder (close other programs)", path);
    int code = 0;
    for (char *at = copy + 1; code == 0 && at[-1]; at++) {
        const char end = *at;
        if (end != '/' && end != '\0') continue;
        *at = '\0';
        if (mkdir(copy, 0777) != 0 && !cli_is_folder(copy)) code = errno == EEXIST ? ENOTDIR : errno;
        *at = end;
    }
    free(copy);
    return code ? cannot(err, "create the folder", path, code) : CAMCL_OK;
}
