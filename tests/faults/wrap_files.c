/* Files and folders by their descriptors and names. What is written fails as on a full disk, what is read as on a broken one. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "faults/inject.h"
#include "faults/real.h"

/* Fails with `code` and returns `failure` instead of calling. */
#define CALL(type, name, kind, about, code, failure, parameters, arguments)                                                                \
    type __real_##name parameters;                                                                                                         \
    type __wrap_##name parameters;                                                                                                         \
    type __wrap_##name parameters                                                                                                          \
    {                                                                                                                                      \
        if (!FAULT_FAILS(kind, #name, about)) return __real_##name arguments;                                                              \
        errno = (kind) == FAULT_WRITE ? fault_code(code) : (code);                                                                         \
        return failure;                                                                                                                    \
    }

CALL(ssize_t, read, FAULT_READ, fault_path(file), EIO, -1, (int file, void *data, size_t size), (file, data, size))
CALL(ssize_t, pread, FAULT_READ, fault_path(file), EIO, -1, (int file, void *data, size_t size, off_t at), (file, data, size, at))
CALL(int, stat, FAULT_READ, path, EIO, -1, (const char *path, struct stat *out), (path, out))
CALL(int, lstat, FAULT_READ, path, EIO, -1, (const char *path, struct stat *out), (path, out))
CALL(int, fstat, FAULT_READ, fault_path(file), EIO, -1, (int file, struct stat *out), (file, out))
CALL(int, fstatat, FAULT_READ, NULL, EIO, -1, (int folder, const char *path, struct stat *out, int flags), (folder, path, out, flags))
CALL(int, access, FAULT_READ, path, EACCES, -1, (const char *path, int mode), (path, mode))
CALL(off_t, lseek, FAULT_READ, fault_path(file), EIO, -1, (int file, off_t at, int from), (file, at, from))
CALL(char *, getcwd, FAULT_READ, NULL, ENOENT, NULL, (char *out, size_t size), (out, size))
CALL(struct dirent *, readdir, FAULT_READ, fault_path(dirfd(folder)), EIO, NULL, (DIR * folder), (folder))
CALL(int, scandir, FAULT_READ, path, EACCES, -1,
     (const char *path, struct dirent ***out, int (*filter)(const struct dirent *),
      int (*compare)(const struct dirent **, const struct dirent **)),
     (path, out, filter, compare))

CALL(int, fsync, FAULT_WRITE, fault_path(file), EIO, -1, (int file), (file))
CALL(int, ftruncate, FAULT_WRITE, fault_path(file), ENOSPC, -1, (int file, off_t size), (file, size))
CALL(int, rename, FAULT_WRITE, to, ENOSPC, -1, (const char *from, const char *to), (from, to))
CALL(int, remove, FAULT_WRITE, path, EACCES, -1, (const char *path), (path))
CALL(int, unlink, FAULT_WRITE, path, EACCES, -1, (const char *path), (path))
CALL(int, unlinkat, FAULT_WRITE, NULL, EACCES, -1, (int folder, const char *path, int flags), (folder, path, flags))
CALL(int, rmdir, FAULT_WRITE, path, EACCES, -1, (const char *path), (path))
CALL(int, mkdir, FAULT_WRITE, path, ENOSPC, -1, (const char *path, mode_t mode), (path, mode))
CALL(int, utimensat, FAULT_WRITE, path, EACCES, -1, (int folder, const char *path, const struct timespec *times, int flags),
     (folder, path, times, flags))
CALL(int, flock, FAULT_WRITE, fault_path(file), ENOLCK, -1, (int file, int operation), (file, operation))

/* ---- what a killed process has done by half */

ssize_t __real_write(int file, const void *data, size_t size);
ssize_t __wrap_write(int file, const void *data, size_t size);
ssize_t __real_pwrite(int file, const void *data, size_t size, off_t at);
ssize_t __wrap_pwrite(int file, const void *data, size_t size, off_t at);

ssize_t __wrap_write(int file, const void *data, size_t size)
{
    const fault found = fault_decide(FAULT_WRITE, "write", fault_path(file));
    if (found == FAULT_KILL && __real_write(file, data, size / 2) < 0) raise(SIGKILL);
    if (!fault_fails(found)) return __real_write(file, data, size);
    errno = fault_code(ENOSPC);
    return -1;
}

ssize_t __wrap_pwrite(int file, const void *data, size_t size, off_t at)
{
    const fault found = fault_decide(FAULT_WRITE, "pwrite", fault_path(file));
    if (found == FAULT_KILL && __real_pwrite(file, data, size / 2, at) < 0) raise(SIGKILL);
    if (!fault_fails(found)) return __real_pwrite(file, data, size, at);
    errno = fault_code(ENOSPC);
    return -1;
}

/* ---- what is held */

static const void *key_of(int file) { return (const void *)((uintptr_t)file * 16); }

int __wrap_open(const char *path, int flags, ...);
int __wrap_close(int file);
DIR *__real_opendir(const char *path);
DIR *__wrap_opendir(const char *path);
int __real_closedir(DIR *folder);
int __wrap_closedir(DIR *folder);
void *__real_mmap(void *at, size_t size, int protection, int flags, int file, off_t offset);
void *__wrap_mmap(void *at, size_t size, int protection, int flags, int file, off_t offset);
int __real_munmap(void *data, size_t size);
int __wrap_munmap(void *data, size_t size);
char *__real_realpath(const char *path, char *out);
char *__wrap_realpath(const char *path, char *out);

int __wrap_open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    const bool writes = (flags & (O_WRONLY | O_RDWR | O_CREAT)) != 0;
    if (flags & O_CREAT) {
        va_list list;
        va_start(list, flags);
        mode = va_arg(list, mode_t);
        va_end(list);
    }
    if (FAULT_FAILS(writes ? FAULT_WRITE : FAULT_READ, "open", path)) {
        errno = writes ? fault_code(ENOSPC) : EACCES;
        return -1;
    }
    const int file = __real_open(path, flags, mode);
    if (file >= 0) held_add("file", key_of(file), 1);
    return file;
}

int __wrap_close(int file)
{
    const bool fails = FAULT_FAILS(fault_of_file(file), "close", fault_path(file));
    held_remove("file", key_of(file));
    const int done = __real_close(file);
    if (!fails) return done;
    errno = EIO;
    return -1;
}

fault_kind fault_of_file(int file) { return (fcntl(file, F_GETFL) & O_ACCMODE) == O_RDONLY ? FAULT_READ : FAULT_WRITE; }

void file_is_stream(int file) { held_remove("file", key_of(file)); }

DIR *__wrap_opendir(const char *path)
{
    if (FAULT_FAILS(FAULT_READ, "opendir", path)) {
        errno = EACCES;
        return NULL;
    }
    DIR *folder = __real_opendir(path);
    if (folder) held_add("folder", folder, 1);
    return folder;
}

int __wrap_closedir(DIR *folder)
{
    held_remove("folder", folder);
    return __real_closedir(folder);
}

void *__wrap_mmap(void *at, size_t size, int protection, int flags, int file, off_t offset)
{
    if (FAULT_FAILS(FAULT_READ, "mmap", file >= 0 ? fault_path(file) : NULL)) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    void *data = __real_mmap(at, size, protection, flags, file, offset);
    if (data != MAP_FAILED) held_add("mapping", data, size);
    return data;
}

int __wrap_munmap(void *data, size_t size)
{
    held_remove("mapping", data);
    return __real_munmap(data, size);
}

char *__wrap_realpath(const char *path, char *out)
{
    if (FAULT_FAILS(FAULT_READ, "realpath", path)) {
        errno = EACCES;
        return NULL;
    }
    char *found = __real_realpath(path, out);
    if (found && out == NULL) held_add("memory", found, strlen(found) + 1);
    return found;
}
