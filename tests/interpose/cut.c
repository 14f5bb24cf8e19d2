/* camcl, but cut short at a chosen moment: this file's rename() and remove() take the place of the C library's, and every file of a run
 * that appears whole does so by a rename. What cuts, and where, is in the environment:
 *   CUT_FOLDER  only paths below this folder count
 *   CUT_AT      which of them it is, counted from 1; 0: none
 *   CUT_HOW     "kill": SIGKILL instead of that call; "full": that call and all later ones fail as on a full disk
 *   CUT_LIST    a file that gets a line with the path for each of them, or ""
 *   CUT_CLOCK   how many times as fast as others the clock runs that camcl measures with, or "" */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *setting(const char *name)
{
    const char *value = getenv(name);
    return value ? value : "";
}

static void list(const char *path)
{
    FILE *file = *setting("CUT_LIST") ? fopen(setting("CUT_LIST"), "a") : NULL;
    if (file == NULL) return;
    fprintf(file, "%s\n", path);
    fclose(file);
}

/* Whether the call with this path must fail. */
static bool is_cut(const char *path)
{
    static long reached;
    const char *folder = setting("CUT_FOLDER");
    if (*folder == '\0' || strncmp(path, folder, strlen(folder)) != 0 || path[strlen(folder)] != '/') return false;
    const long at = strtol(setting("CUT_AT"), NULL, 10);
    reached++;
    list(path);
    if (at == 0 || reached < at) return false;
    if (strcmp(setting("CUT_HOW"), "kill") == 0) kill(getpid(), SIGKILL);
    errno = ENOSPC;
    return true;
}

int rename(const char *from, const char *to) { return is_cut(to) ? -1 : renameat(AT_FDCWD, from, AT_FDCWD, to); }

int remove(const char *path) { return is_cut(path) ? -1 : unlink(path); }

/* Intervals are measured with CLOCK_MONOTONIC; every other clock is the time of day here. */
int clock_gettime(clockid_t id, struct timespec *now)
{
    const time_t factor = (time_t)strtol(setting("CUT_CLOCK"), NULL, 10);
    if (timespec_get(now, TIME_UTC) != TIME_UTC) return -1;
    if (id != CLOCK_MONOTONIC || factor <= 1) return 0;
    const time_t nanoseconds = now->tv_nsec * factor;
    *now = (struct timespec){ .tv_sec = now->tv_sec * factor + nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000 };
    return 0;
}
