/* Running the program that CAMCL_PROGRAM names, from outside. */
#ifndef TESTS_SUPPORT_PROGRAM_H
#define TESTS_SUPPORT_PROGRAM_H

#include <stddef.h>
#include <sys/types.h>

#include "base/compiler.h"

/* What a command left. status: exit status, or 128 + the signal that ended it. */
typedef struct outcome {
    int status;
    char *out, *err;
    size_t out_size, err_size;
} outcome;

/* Whether CAMCL_PROGRAM is set; says so on stderr where it is not. For the start of main(). */
int program_is_named(void);

/* Runs "program ARGUMENTS" in the shell, arguments being a printf format; redirections in them win over the capturing ones. Fails the
 * running test where nothing can be run. The files that capture lie in `folder`. */
outcome program_run(const char *folder, const char *arguments, ...) CC_PRINTF(2, 3);
void outcome_free(outcome *result);

/* Runs it and fails the running test unless it exits with 0; its whole stdout is the caller's to free. */
char *program_prints(const char *folder, const char *arguments, ...) CC_PRINTF(2, 3);
/* Runs it and fails the running test unless it exits with `status`, prints nothing on stdout, and the first line of stderr is
 * "camcl: what: why (what to do)", with every one of `parts` (separated by '|') somewhere in stderr, indented detail included. */
void program_fails(const char *folder, int status, const char *parts, const char *arguments, ...) CC_PRINTF(4, 5);

/* Starts it in the background, without a shell in between; output goes to the files `name`.out and `name`.err in folder. */
pid_t program_start(const char *folder, const char *name, const char *arguments, ...) CC_PRINTF(3, 4);
/* Waits for its end: exit status, or 128 + the signal that ended it. */
int program_wait(pid_t process);

/* Waits until a file exists, at most a generous while; fails the running test then, or when the process (0: none) ended before. */
void wait_for_file(const char *path, pid_t process);
void sleep_milliseconds(long milliseconds);

#endif
