#include "faults/inject.h"

#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "faults/real.h"

/* The place of a call is its caller and the callers of that. Deeper ones tell allocations of the same helper function apart; more of them
 * would count the same line of code again for each way that leads to it. */
enum { DEPTH = 3, MOST_PLACES = 1 << 15, BUCKETS = 1 << 16 };

typedef struct place {
    uint64_t number; /* 0: empty */
    fault_kind kind;
    const char *function;
    unsigned long count;
    uintptr_t frames[DEPTH]; /* offsets in the program */
} place;

typedef struct held {
    struct held *next;
    const char *class;
    const void *key;
    size_t bytes;
    const place *at;
} held;

extern const char __executable_start, etext; /* the linker's */

static const char *const kind_names[] = { "memory", "device", "read", "write", "output", "task" };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static place places[MOST_PLACES];
static held *buckets[BUCKETS];
static unsigned long of_kind[sizeof kind_names / sizeof kind_names[0]];
static place fired; /* what failed, and which time */
static _Thread_local const place *last;

static struct {
    bool read, on, kill, begun; /* begun: the file `after` is there */
    uint64_t place;
    const char *kind, *below, *folder, *device, *call, *after;
    unsigned long at;
    int code;
} settings;

static const char *setting(const char *name)
{
    const char *value = getenv(name);
    return value ? value : "";
}

static void read_settings(void)
{
    settings.place = strtoull(setting("FAULTS_PLACE"), NULL, 16);
    settings.kind = setting("FAULTS_KIND");
    settings.at = strtoul(setting("FAULTS_AT"), NULL, 10);
    settings.on = strcmp(setting("FAULTS_HOW"), "on") == 0;
    settings.kill = strcmp(setting("FAULTS_HOW"), "kill") == 0;
    settings.below = setting("FAULTS_BELOW");
    settings.folder = setting("FAULTS_FOLDER");
    settings.code = (int)strtol(setting("FAULTS_CODE"), NULL, 10);
    settings.device = setting("FAULTS_DEVICE");
    settings.call = setting("FAULTS_CALL");
    settings.after = setting("FAULTS_AFTER");
    settings.begun = *settings.after == '\0';
    settings.read = true;
}

/* ---- places */

static uint64_t mix(uint64_t number, uint64_t value) { return (number ^ value) * 1099511628211u; }

/* Frames 0 and 1 of the stack are fault_decide and the __wrap_ function. */
static uint64_t identify(const char *function, void *const *stack, int count, uintptr_t *frames)
{
    uint64_t number = 14695981039346656037u;
    size_t found = 0;
    for (int i = 2; i < count && found < DEPTH; i++) {
        const char *at = stack[i];
        if (at >= &__executable_start && at < &etext) frames[found++] = (uintptr_t)(at - &__executable_start);
    }
    for (size_t i = 0; i < DEPTH; i++)
        number = mix(number, frames[i]);
    for (const char *at = function; *at; at++)
        number = mix(number, (unsigned char)*at);
    return number ? number : 1;
}

/* Under the lock. */
static place *find_place(fault_kind kind, const char *function, void *const *stack, int deep)
{
    uintptr_t frames[DEPTH] = { 0 };
    const uint64_t number = identify(function, stack, deep, frames);
    size_t i = (size_t)number % MOST_PLACES;
    while (places[i].number != 0 && places[i].number != number)
        i = (i + 1) % MOST_PLACES;
    if (places[i].number == 0) {
        places[i] = (place){ .number = number, .kind = kind, .function = function };
        memcpy(places[i].frames, frames, sizeof frames);
    }
    return &places[i];
}

static bool counts(fault_kind kind, const char *function, const char *about)
{
    char whole[8192];
    const size_t length = strlen(settings.below);
    if (!settings.begun) settings.begun = __real_access(settings.after, F_OK) == 0;
    if (!settings.begun || (*settings.call && strcmp(function, settings.call) != 0)) return false;
    if (kind == FAULT_DEVICE && *settings.device && (about == NULL || strcmp(about, settings.device) != 0)) return false;
    if (about == NULL || length == 0 || (kind != FAULT_READ && kind != FAULT_WRITE)) return true;
    if (about[0] != '/' && __real_getcwd(whole, 4096)) {
        snprintf(whole + strlen(whole), 4096, "/%s", about);
        about = whole;
    }
    return strncmp(about, settings.below, length) == 0 && (about[length] == '/' || about[length] == '\0');
}

static void say(fault_kind kind, const char *function, const char *about)
{
    char path[4096];
    if (*settings.folder == '\0' || kind != FAULT_WRITE) return;
    snprintf(path, sizeof path, "%s/%ld.calls", settings.folder, (long)getpid());
    const int file = __real_open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (file < 0) return;
    dprintf(file, "%lu %s %s\n", of_kind[kind], function, about ? about : "?");
    __real_close(file);
}

__attribute__((noinline)) fault fault_decide(fault_kind kind, const char *function, const char *about)
{
    const int code = errno;
    void *stack[DEPTH + 12];
    const int deep = backtrace(stack, DEPTH + 12);
    pthread_mutex_lock(&lock);
    if (!settings.read) read_settings();
    place *here = find_place(kind, function, stack, deep);
    bool chosen = false;
    last = here;
    if (counts(kind, function, about)) {
        here->count++;
        of_kind[kind]++;
        say(kind, function, about);
        if (settings.place != 0)
            chosen = here->number == settings.place && (settings.on ? here->count >= settings.at : here->count == settings.at);
        else if (strcmp(kind_names[kind], settings.kind) == 0)
            chosen = settings.on ? of_kind[kind] >= settings.at : of_kind[kind] == settings.at;
    }
    if (chosen && fired.number == 0) fired = *here;
    pthread_mutex_unlock(&lock);
    errno = code;
    return !chosen ? FAULT_NONE : settings.kill ? FAULT_KILL : FAULT_FAIL;
}

bool fault_fails(fault found)
{
    if (found == FAULT_KILL) kill(getpid(), SIGKILL);
    return found == FAULT_FAIL;
}

bool fault_asks_for_device(void)
{
    pthread_mutex_lock(&lock);
    if (!settings.read) read_settings();
    const bool asks = *settings.device != '\0';
    pthread_mutex_unlock(&lock);
    return asks;
}

int fault_code(int otherwise) { return settings.code ? settings.code : otherwise; }

const char *fault_path(int file)
{
    static _Thread_local char buffers[2][4096];
    static _Thread_local size_t next;
    char link[64];
    char *path = buffers[next++ % 2];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    const ssize_t length = readlink(link, path, sizeof buffers[0] - 1);
    if (length < 0) return NULL;
    path[length] = '\0';
    return path;
}

/* ---- what is held */

static held **find_held(const char *class, const void *key)
{
    held **at = &buckets[((uintptr_t)key >> 4) % BUCKETS];
    while (*at && ((*at)->key != key || strcmp((*at)->class, class) != 0))
        at = &(*at)->next;
    return at;
}

void held_add(const char *class, const void *key, size_t bytes)
{
    const int code = errno;
    held *new = __real_malloc(sizeof *new);
    if (new == NULL) abort();
    pthread_mutex_lock(&lock);
    held **at = &buckets[((uintptr_t)key >> 4) % BUCKETS];
    *new = (held){ *at, class, key, bytes, last };
    *at = new;
    pthread_mutex_unlock(&lock);
    errno = code;
}

void held_remove(const char *class, const void *key)
{
    pthread_mutex_lock(&lock);
    held **at = find_held(class, key), *old = *at;
    if (old) *at = old->next;
    pthread_mutex_unlock(&lock);
    __real_free(old);
}

size_t held_bytes(const char *class, size_t *count)
{
    size_t bytes = 0;
    *count = 0;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < BUCKETS; i++)
        for (const held *at = buckets[i]; at; at = at->next) {
            if (strcmp(at->class, class) != 0) continue;
            bytes += at->bytes;
            ++*count;
        }
    pthread_mutex_unlock(&lock);
    return bytes;
}

/* ---- the report */

static void print_place(int file, const char *what, const place *p, const char *class, size_t number)
{
    dprintf(file, "%s %016llx %s %s %s %zu", what, (unsigned long long)p->number, kind_names[p->kind], p->function, class, number);
    for (size_t i = 0; i < DEPTH; i++)
        dprintf(file, " %llx", (unsigned long long)p->frames[i]);
    dprintf(file, "\n");
}

__attribute__((destructor)) static void report(void)
{
    char path[4096];
    struct rlimit limit;
    if (!settings.read || *settings.folder == '\0') return;
    /* A limit that a test sets on camcl's files is none of this one. */
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    snprintf(path, sizeof path, "%s/%ld.txt", settings.folder, (long)getpid());
    const int file = __real_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0) return;
    for (size_t i = 0; i < MOST_PLACES; i++)
        if (places[i].count) print_place(file, "place", &places[i], "-", places[i].count);
    for (size_t i = 0; i < BUCKETS; i++)
        for (const held *at = buckets[i]; at; at = at->next)
            print_place(file, "held", at->at, at->class, at->bytes);
    if (fired.number) print_place(file, "failed", &fired, "-", fired.count);
    dprintf(file, "end\n");
    __real_close(file);
}
