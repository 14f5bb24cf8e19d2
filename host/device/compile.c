/* Compiling in other processes: the side that has something to compile. */
#include "device/compile.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "device/tape_internal.h"

enum { MOST_HELPERS = 8, PATIENCE = 120000 /* ms; a helper that takes longer for one program hangs */ };

extern char **environ;

/* ---- what there is to do */

/* A program, and one launch of each of its kernels. */
typedef struct job {
    const char *program, *options;
    bool known;
    const tape_step **launches;
    size_t launch_count, launch_capacity;
} job;

typedef struct job_list {
    job *jobs;
    size_t count, capacity;
} job_list;

static void free_jobs(job_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->jobs[i].launches);
    free(list->jobs);
}

static job *find_job(const camcl_device *device, const job_list *list, const tape_step *step)
{
    for (size_t i = 0; i < list->count; i++)
        if (cc_program_is_same(device, list->jobs[i].program, step->binding->program) && strcmp(list->jobs[i].options, step->options) == 0)
            return &list->jobs[i];
    return NULL;
}

static double work(const tape_step *step)
{
    double items = 1;
    for (unsigned d = 0; d < step->dims; d++)
        items *= (double)step->global[d];
    return items;
}

/* Whether one launch makes the driver compile all that the other needs. PoCL compiles a kernel anew for each local size, and once more for
 * ranges that 16 bits cannot count. */
static bool same_code(const tape_step *a, const tape_step *b)
{
    bool same = a->binding == b->binding && a->dims == b->dims, wide_a = false, wide_b = false;
    for (unsigned d = 0; d < a->dims && same; d++) {
        same = a->local[d] == b->local[d];
        wide_a = wide_a || a->global[d] > UINT16_MAX;
        wide_b = wide_b || b->global[d] > UINT16_MAX;
    }
    return same && wide_a == wide_b;
}

/* Keeps the smallest of the launches that need the same code. */
static camcl_status add_launch(job *j, const tape_step *step)
{
    for (size_t i = 0; i < j->launch_count; i++) {
        if (!same_code(j->launches[i], step)) continue;
        if (work(step) < work(j->launches[i])) j->launches[i] = step;
        return CAMCL_OK;
    }
    CC_RETURN_IF_FAILED(cc_grow((void **)&j->launches, &j->launch_capacity, j->launch_count + 1, sizeof(const tape_step *), NULL));
    j->launches[j->launch_count++] = step;
    return CAMCL_OK;
}

static camcl_status add_step(camcl_device *device, job_list *list, const tape_step *step)
{
    if (step->kind != STEP_KERNEL || step->kernel) return CAMCL_OK;
    job *j = find_job(device, list, step);
    if (j == NULL) {
        CC_RETURN_IF_FAILED(cc_grow((void **)&list->jobs, &list->capacity, list->count + 1, sizeof *list->jobs, NULL));
        j = &list->jobs[list->count++];
        *j = (job){ .program = step->binding->program, .options = step->options };
        j->known = cc_program_find(device, step->binding->program, step->options);
    }
    return j->known ? CAMCL_OK : add_launch(j, step);
}

static int most_launches_first(const void *a, const void *b)
{
    const job *x = a, *y = b;
    return x->launch_count < y->launch_count ? 1 : x->launch_count > y->launch_count ? -1 : 0;
}

/* The programs that have to be compiled. Those with most kernels come first, because otherwise a helper may start a long one when the
 * others have nothing left to do. */
static void list_jobs(camcl_device *device, job_list *list)
{
    for (size_t a = 0; a < device->arena_count; a++)
        for (size_t t = 0; t < device->arenas[a]->tape_count; t++) {
            const cc_tape *tape = device->arenas[a]->tapes[t];
            for (size_t s = 0; s < tape->count; s++)
                if (add_step(device, list, &tape->steps[s]) != CAMCL_OK) return;
        }
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (list->jobs[i].known)
            free(list->jobs[i].launches);
        else
            list->jobs[kept++] = list->jobs[i];
    }
    list->count = kept;
    if (kept > 0) qsort(list->jobs, kept, sizeof *list->jobs, most_launches_first);
}

size_t cc_device_count_uncompiled(camcl_device *device)
{
    job_list list = { NULL, 0, 0 };
    list_jobs(device, &list);
    const size_t count = list.count;
    free_jobs(&list);
    return count;
}

/* ---- messages */

static void put_u32(cc_text *message, size_t value)
{
    const uint32_t number = (uint32_t)value;
    cc_text_add_bytes(message, &number, sizeof number);
}

static void put_u64(cc_text *message, size_t value)
{
    const uint64_t number = value;
    cc_text_add_bytes(message, &number, sizeof number);
}

static void put_text(cc_text *message, const char *text)
{
    put_u32(message, strlen(text));
    cc_text_add_bytes(message, text, strlen(text));
}

static void put_launch(cc_text *message, const tape_step *step)
{
    put_text(message, step->binding->name);
    put_u32(message, step->dims);
    for (unsigned d = 0; d < 3; d++)
        put_u64(message, step->global[d]);
    for (unsigned d = 0; d < 3; d++)
        put_u64(message, step->local[d]);
    for (size_t i = 0; i < step->arg_count; i++) {
        const cc_arg *arg = &step->args[i];
        put_u32(message, arg->kind);
        if (arg->kind == CC_ARG_INT)
            cc_text_add_bytes(message, &arg->i, sizeof arg->i);
        else if (arg->kind == CC_ARG_FLOAT)
            cc_text_add_bytes(message, &arg->f, sizeof arg->f);
        else
            put_u64(message, arg->buffer->bytes);
    }
}

/* ---- helpers */

typedef struct helper {
    pid_t process;
    int socket; /* negative: the helper is gone */
    bool busy;
} helper;

static bool send_all(helper *h, cc_text *message)
{
#ifdef MSG_NOSIGNAL
    const int flags = MSG_NOSIGNAL;
#else
    const int flags = 0;
#endif
    size_t sent = 0;
    while (!message->failed && sent < message->length) {
        const ssize_t n = send(h->socket, message->data + sent, message->length - sent, flags);
        if (n <= 0) break;
        sent += (size_t)n;
    }
    const bool whole = !message->failed && sent == message->length;
    cc_text_free(message);
    return whole;
}

static void drop(helper *h)
{
    close(h->socket);
    h->socket = -1;
    h->busy = false;
}

static bool spawn(helper *h, const char *compiler, int theirs)
{
    const char *const arguments[] = { compiler, CAMCL_KERNEL_COMPILER_COMMAND, NULL };
    posix_spawn_file_actions_t actions;
    if (posix_spawn_file_actions_init(&actions) != 0) return false;
    const bool done = posix_spawn_file_actions_adddup2(&actions, theirs, STDIN_FILENO) == 0 &&
                      posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) == 0 &&
                      posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0) == 0 &&
                      posix_spawnp(&h->process, compiler, &actions, NULL, (char *const *)arguments, environ) == 0;
    posix_spawn_file_actions_destroy(&actions);
    return done;
}

static bool start(const camcl_device *device, helper *h)
{
    int pair[2];
    cc_text hello = CC_TEXT_INIT;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) return false;
    fcntl(pair[0], F_SETFD, FD_CLOEXEC);
    fcntl(pair[1], F_SETFD, FD_CLOEXEC);
#ifdef SO_NOSIGPIPE
    setsockopt(pair[0], SOL_SOCKET, SO_NOSIGPIPE, &(int){ 1 }, sizeof(int));
#endif
    *h = (helper){ .socket = pair[0] };
    const bool spawned = spawn(h, device->compiler.program, pair[1]);
    close(pair[1]);
    if (!spawned) {
        drop(h);
        return false;
    }
    put_text(&hello, CAMCL_VERSION);
    put_text(&hello, device->info.selector);
    put_text(&hello, device->cache_dir);
    if (!send_all(h, &hello)) drop(h);
    return true;
}

static void give(helper *h, const job *j)
{
    cc_text message = CC_TEXT_INIT;
    put_text(&message, j->program);
    put_text(&message, j->options);
    put_u32(&message, j->launch_count);
    for (size_t i = 0; i < j->launch_count; i++)
        put_launch(&message, j->launches[i]);
    h->busy = send_all(h, &message);
    if (!h->busy) drop(h);
}

/* Waits until a helper has answered or is gone. False if none did within PATIENCE. */
static bool wait_for_any(helper *helpers, size_t count)
{
    struct pollfd polled[MOST_HELPERS];
    char answer;
    for (size_t i = 0; i < count; i++)
        polled[i] = (struct pollfd){ .fd = helpers[i].busy ? helpers[i].socket : -1, .events = POLLIN };
    const int ready = poll(polled, (nfds_t)count, PATIENCE);
    for (size_t i = 0; i < count && ready > 0; i++) {
        if (polled[i].revents == 0) continue;
        helpers[i].busy = false;
        if (recv(helpers[i].socket, &answer, 1, 0) != 1) drop(&helpers[i]);
    }
    return ready != 0; /* negative after a signal, which is no reason to give up */
}

static void work_off(helper *helpers, size_t count, const job_list *list, const camcl_kernel_compiler *compiler)
{
    size_t next = 0, busy;
    do {
        busy = 0;
        for (size_t i = 0; i < count; i++) {
            if (helpers[i].socket >= 0 && !helpers[i].busy && next < list->count) give(&helpers[i], &list->jobs[next++]);
            busy += helpers[i].busy;
        }
        if (compiler->progress && busy > 0) compiler->progress(compiler->context, next - busy, list->count);
        if (busy > 0 && !wait_for_any(helpers, count)) {
            for (size_t i = 0; i < count; i++)
                kill(helpers[i].process, SIGKILL);
            return;
        }
    } while (busy > 0);
}

void cc_device_compile_ahead(camcl_device *device)
{
    helper helpers[MOST_HELPERS];
    job_list list = { NULL, 0, 0 };
    size_t started = 0;
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    if (device->compiler.program == NULL || device->cache_dir == NULL || processors < 2) return;
    list_jobs(device, &list);
    const size_t wanted = cc_min_size(list.count, cc_min_size((size_t)processors, MOST_HELPERS));
    /* One program alone gains nothing from a helper. */
    while (wanted > 1 && started < wanted && start(device, &helpers[started]))
        started++;
    if (started) work_off(helpers, started, &list, &device->compiler);
    if (started && device->compiler.progress) device->compiler.progress(device->compiler.context, list.count, list.count);
    for (size_t i = 0; i < started; i++) {
        if (helpers[i].socket >= 0) drop(&helpers[i]);
        waitpid(helpers[i].process, NULL, 0);
    }
    free_jobs(&list);
}
