#include "base/memory_left.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/memory.h"

typedef struct memory {
    const char *root;
    size_t left;
    const char *what;
} memory;

static void limit(memory *m, uint64_t left, const char *what)
{
    if (left >= m->left) return;
    m->left = (size_t)left;
    m->what = what;
}

static uint64_t minus(uint64_t all, uint64_t used) { return all > used ? all - used : 0; }

static FILE *open_below(const memory *m, const char *path)
{
    char full[1024];
    const int n = snprintf(full, sizeof full, "%s%s", m->root, path);
    return n > 0 && (size_t)n < sizeof full ? fopen(full, "r") : NULL;
}

/* The file's only number; false: there is no such file, or "max" is in it. */
static bool read_number(const memory *m, const char *folder, const char *name, uint64_t *out)
{
    char path[768];
    const int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = n > 0 && (size_t)n < sizeof path ? open_below(m, path) : NULL;
    const bool found = file && fscanf(file, "%" SCNu64, out) == 1;
    if (file) fclose(file);
    return found;
}

/* The number behind a name at the start of a line; 0: there is none. */
static uint64_t find_number(const memory *m, const char *path, const char *name)
{
    char line[256];
    uint64_t value = 0;
    const size_t length = strlen(name);
    FILE *file = open_below(m, path);
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, name, length) == 0 && sscanf(line + length, "%" SCNu64, &value) == 1) break;
    if (file) fclose(file);
    return value;
}

/* ---- the process's own limits */

static void limit_process(memory *m)
{
    struct rlimit r;
    uint64_t pages[6] = { 0 };
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    FILE *file = open_below(m, "/proc/self/statm");
    for (int i = 0; file && i < 6; i++)
        if (fscanf(file, "%" SCNu64, &pages[i]) != 1) break;
    if (file) fclose(file);
    if (getrlimit(RLIMIT_AS, &r) == 0 && r.rlim_cur != RLIM_INFINITY)
        limit(m, minus(r.rlim_cur, pages[0] * page), "the limit of this process's address space (ulimit -v)");
    if (getrlimit(RLIMIT_DATA, &r) == 0 && r.rlim_cur != RLIM_INFINITY)
        limit(m, minus(r.rlim_cur, pages[5] * page), "the limit of this process's data (ulimit -d)");
}

/* ---- control groups */

typedef struct group_files {
    const char *mount, *most, *used;
    const char *inactive, *active; /* lines of memory.stat: kept files, which the system drops when it needs their memory */
} group_files;

static const group_files version_1 = { "/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file ",
                                       "total_active_file " };
static const group_files version_2 = { "/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file ", "active_file " };

static void limit_group(memory *m, const group_files *files, const char *folder)
{
    char stat[768];
    uint64_t most, used;
    if (!read_number(m, folder, files->most, &most) || !read_number(m, folder, files->used, &used)) return;
    snprintf(stat, sizeof stat, "%.700s/memory.stat", folder);
    used = minus(used, find_number(m, stat, files->inactive) + find_number(m, stat, files->active));
    limit(m, minus(most, used), "the memory limit of its control group (container)");
}

/* A group's limit holds for the groups below it, too. Inside a container, the path may be the one outside, and only the top be there. */
static void limit_groups(memory *m, const group_files *files, const char *path)
{
    char folder[700];
    const size_t top = strlen(files->mount);
    const int n = snprintf(folder, sizeof folder, "%s%s", files->mount, path);
    if (n < 0 || (size_t)n >= sizeof folder) return;
    for (char *slash; (slash = strrchr(folder, '/')) != NULL && strlen(folder) > top; *slash = '\0')
        if (slash[1]) limit_group(m, files, folder);
    limit_group(m, files, files->mount);
}

/* Lines "NUMBER:CONTROLLERS:PATH"; version 2 has no controllers. */
static void limit_all_groups(memory *m)
{
    char line[640];
    FILE *file = open_below(m, "/proc/self/cgroup");
    while (file && fgets(line, sizeof line, file)) {
        char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL;
        if (path == NULL) continue;
        *path++ = '\0';
        path[strcspn(path, "\n")] = '\0';
        if (strcmp(controllers, ":") == 0) limit_groups(m, &version_2, path);
        if (strcmp(controllers, ":memory") == 0) limit_groups(m, &version_1, path);
    }
    if (file) fclose(file);
}

/* ---- all together */

/* False: the system does not say. */
static bool limit_machine(memory *m, bool with_swap)
{
    const uint64_t available = find_number(m, "/proc/meminfo", "MemAvailable:");
    const uint64_t swap = with_swap ? find_number(m, "/proc/meminfo", "SwapFree:") : 0;
    if (available) limit(m, (available + swap) * 1024, "what other programs leave of the machine's memory");
    return available > 0;
}

static void limit_to_half(memory *m)
{
    const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    size_t bytes;
    if (pages > 0 && page > 0 && cc_mul_size((size_t)pages, (size_t)page, &bytes)) limit(m, bytes / 2, "half of the machine's memory");
}

static memory limit_all(const char *root, bool with_swap, bool *known)
{
    memory m = { root, SIZE_MAX, "" };
    limit_process(&m);
    limit_all_groups(&m);
    *known = limit_machine(&m, with_swap);
    return m;
}

size_t cc_memory_left(const char *root, const char **what)
{
    bool known;
    const memory m = limit_all(root, true, &known);
    *what = m.what;
    return m.left;
}

size_t cc_memory_available(const char *root, const char **what)
{
    bool known;
    memory m = limit_all(root, false, &known);
    if (!known) limit_to_half(&m);
    *what = m.what;
    return m.left;
}
