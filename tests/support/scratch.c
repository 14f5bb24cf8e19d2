#include "support/scratch.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void check(bool ok, const char *what)
{
    if (ok) return;
    perror(what);
    abort();
}

int scratch_setup(void **state)
{
    const char *base = getenv("TMPDIR");
    char *path = malloc(4096);
    check(path != NULL, "malloc");
    snprintf(path, 4096, "%s/camcl-test-XXXXXX", base != NULL && base[0] != '\0' ? base : "/tmp");
    check(mkdtemp(path) != NULL, path);
    *state = path;
    return 0;
}

static void remove_tree(const char *path)
{
    struct stat info;
    if (lstat(path, &info) != 0) return;
    if (!S_ISDIR(info.st_mode)) {
        unlink(path);
        return;
    }
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        char inner[4096];
        snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        remove_tree(inner);
    }
    if (folder != NULL) closedir(folder);
    rmdir(path);
}

int scratch_teardown(void **state)
{
    remove_tree(*state);
    free(*state);
    return 0;
}

const char *scratch_path(const char *folder, const char *name)
{
    static char buffers[64][4096];
    static unsigned next;
    char *buffer = buffers[next++ % 64];
    snprintf(buffer, sizeof buffers[0], "%s/%s", folder, name);
    return buffer;
}

void scratch_write(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    check(file != NULL, path);
    check(fwrite(data, 1, size, file) == size, path);
    check(fclose(file) == 0, path);
}

char *scratch_read(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) return NULL;
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    char *data = malloc(*size + 1);
    check(data != NULL && fread(data, 1, *size, file) == *size, path);
    data[*size] = '\0';
    fclose(file);
    return data;
}

size_t scratch_entries(const char *path)
{
    size_t count = 0;
    DIR *folder = opendir(path);
    check(folder != NULL, path);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count - 2;
}

static struct rlimit before;

void scratch_limit_files(size_t bytes)
{
    signal(SIGXFSZ, SIG_IGN);
    check(getrlimit(RLIMIT_FSIZE, &before) == 0, "getrlimit");
    struct rlimit limit = { bytes, before.rlim_max };
    check(setrlimit(RLIMIT_FSIZE, &limit) == 0, "setrlimit");
}

void scratch_unlimit_files(void)
{
    check(setrlimit(RLIMIT_FSIZE, &before) == 0, "setrlimit");
    signal(SIGXFSZ, SIG_DFL);
}
