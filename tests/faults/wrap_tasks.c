/* Threads, and the processes that compile kernels. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "faults/inject.h"

#define DECLARE(type, name, parameters)                                                                                                    \
    type __real_##name parameters;                                                                                                         \
    type __wrap_##name parameters;

/* Functions that return what went wrong. */
#define CODE(name, code, parameters, arguments)                                                                                            \
    DECLARE(int, name, parameters)                                                                                                         \
    int __wrap_##name parameters { return FAULT_FAILS(FAULT_TASK, #name, NULL) ? (code) : __real_##name arguments; }

/* Functions that return -1 and set errno. */
#define CALL(type, name, code, parameters, arguments)                                                                                      \
    DECLARE(type, name, parameters)                                                                                                        \
    type __wrap_##name parameters                                                                                                          \
    {                                                                                                                                      \
        if (!FAULT_FAILS(FAULT_TASK, #name, NULL)) return __real_##name arguments;                                                         \
        errno = (code);                                                                                                                    \
        return -1;                                                                                                                         \
    }

CODE(pthread_create, EAGAIN, (pthread_t * thread, const pthread_attr_t *attributes, void *(*run)(void *), void *context),
     (thread, attributes, run, context))
CODE(pthread_mutex_init, ENOMEM, (pthread_mutex_t * mutex, const pthread_mutexattr_t *attributes), (mutex, attributes))
CODE(posix_spawn_file_actions_init, ENOMEM, (posix_spawn_file_actions_t * actions), (actions))
CODE(posix_spawn_file_actions_adddup2, ENOMEM, (posix_spawn_file_actions_t * actions, int from, int to), (actions, from, to))
CODE(posix_spawnp, EAGAIN,
     (pid_t * process, const char *program, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes,
      char *const arguments[], char *const environment[]),
     (process, program, actions, attributes, arguments, environment))

CALL(int, socketpair, EMFILE, (int domain, int type, int protocol, int pair[2]), (domain, type, protocol, pair))
CALL(int, poll, EINTR, (struct pollfd * files, nfds_t count, int patience), (files, count, patience))
CALL(ssize_t, send, EPIPE, (int socket, const void *data, size_t size, int flags), (socket, data, size, flags))
CALL(ssize_t, recv, ECONNRESET, (int socket, void *data, size_t size, int flags), (socket, data, size, flags))
