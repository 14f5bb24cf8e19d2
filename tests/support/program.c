#include "support/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/scratch.h"

enum { MOST_ARGUMENTS = 4096, PATIENCE_SECONDS = 240 };

int program_is_named(void)
{
    if (getenv("CAMCL_PROGRAM") != NULL) return 1;
    fprintf(stderr, "CAMCL_PROGRAM is not set: it names the program to test\n");
    return 0;
}

static void format_arguments(char *text, const char *format, va_list list)
{
    int n = vsnprintf(text, MOST_ARGUMENTS, format, list);
    assert_true(n >= 0 && n < MOST_ARGUMENTS);
}

static int status_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

static outcome run(const char *folder, const char *arguments)
{
    const char *out = scratch_path(folder, "stdout"), *err = scratch_path(folder, "stderr");
    size_t size = MOST_ARGUMENTS + 16384;
    char *command = malloc(size);
    assert_non_null(command);
    int n = snprintf(command, size, "'%s' >'%s' 2>'%s' %s", getenv("CAMCL_PROGRAM"), out, err, arguments);
    assert_true(n > 0 && (size_t)n < size);
    outcome result = { .status = status_of(system(command)) };
    free(command);
    result.out = scratch_read(out, &result.out_size);
    result.err = scratch_read(err, &result.err_size);
    assert_non_null(result.out);
    assert_non_null(result.err);
    return result;
}

outcome program_run(const char *folder, const char *format, ...)
{
    char arguments[MOST_ARGUMENTS];
    va_list list;
    va_start(list, format);
    format_arguments(arguments, format, list);
    va_end(list);
    return run(folder, arguments);
}

void outcome_free(outcome *result)
{
    free(result->out);
    free(result->err);
}

char *program_prints(const char *folder, const char *format, ...)
{
    char arguments[MOST_ARGUMENTS];
    va_list list;
    va_start(list, format);
    format_arguments(arguments, format, list);
    va_end(list);
    outcome result = run(folder, arguments);
    if (result.status != 0) fail_msg("camcl %s\nexit %d: %s", arguments, result.status, result.err);
    free(result.err);
    return result.out;
}

/* The first line in the form that users rely on, the others indented. */
static void check_message(const char *arguments, const char *text)
{
    const char *end = strchr(text, '\n');
    if (end == NULL || strncmp(text, "camcl: ", 7) != 0) fail_msg("camcl %s\nno message: %s", arguments, text);
    const char *colon = strstr(text + 7, ": ");
    if (colon == NULL || colon > end || end[-1] != ')') fail_msg("camcl %s\nnot \"what: why (what to do)\": %s", arguments, text);
    for (const char *line = end + 1; *line != '\0'; line = strchr(line, '\n') + 1) {
        if (strncmp(line, "    ", 4) != 0 || strchr(line, '\n') == NULL) fail_msg("camcl %s\ndetail is not indented: %s", arguments, text);
    }
}

void program_fails(const char *folder, int status, const char *parts, const char *format, ...)
{
    char arguments[MOST_ARGUMENTS], copy[512];
    va_list list;
    va_start(list, format);
    format_arguments(arguments, format, list);
    va_end(list);
    outcome result = run(folder, arguments);
    if (result.status != status) fail_msg("camcl %s\nexit %d, not %d: %s", arguments, result.status, status, result.err);
    if (result.out_size != 0) fail_msg("camcl %s\nprinted on stdout: %s", arguments, result.out);
    check_message(arguments, result.err);
    assert_true(strlen(parts) < sizeof copy);
    strcpy(copy, parts);
    for (char *part = strtok(copy, "|"); part != NULL; part = strtok(NULL, "|")) {
        if (strstr(result.err, part) == NULL) fail_msg("camcl %s\n\"%s\" is not in: %s", arguments, part, result.err);
    }
    outcome_free(&result);
}

pid_t program_start(const char *folder, const char *name, const char *format, ...)
{
    char arguments[MOST_ARGUMENTS], command[MOST_ARGUMENTS + 16384];
    va_list list;
    va_start(list, format);
    format_arguments(arguments, format, list);
    va_end(list);
    int n = snprintf(command, sizeof command, "exec '%s' %s >'%s/%s.out' 2>'%s/%s.err'", getenv("CAMCL_PROGRAM"), arguments, folder, name,
                     folder, name);
    assert_true(n > 0 && (size_t)n < sizeof command);
    fflush(NULL);
    pid_t process = fork();
    assert_true(process >= 0);
    if (process == 0) {
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    return process;
}

int program_wait(pid_t process)
{
    int status;
    assert_int_equal(waitpid(process, &status, 0), process);
    return status_of(status);
}

void sleep_milliseconds(long milliseconds)
{
    struct timespec time = { milliseconds / 1000, milliseconds % 1000 * 1000000 };
    nanosleep(&time, NULL);
}

void wait_for_file(const char *path, pid_t process)
{
    for (int i = 0; i < PATIENCE_SECONDS * 200; i++) {
        if (access(path, F_OK) == 0) return;
        int status;
        if (process != 0 && waitpid(process, &status, WNOHANG) == process) {
            if (access(path, F_OK) == 0) fail_msg("%s is there, but its writer is gone already", path);
            fail_msg("the program ended (%d) before it wrote %s", status_of(status), path);
        }
        sleep_milliseconds(5);
    }
    fail_msg("%s did not appear", path);
}
