/* camcl: finds the command, calls it with its arguments, and checks that all output was written. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "camcl/trainer.h"
#include "cli.h"

static void print_usage(FILE *out)
{
    size_t count;
    const cli_command *commands = cli_commands(&count);
    fprintf(out, "usage: camcl COMMAND [argument ...]\n\n");
    for (size_t i = 0; i < count; i++)
        fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].summary);
    fprintf(out, "\n  camcl help COMMAND   the arguments of one command\n\n"
                 "key=value is section.key=value, wins over the file, and stands anywhere;\n"
                 "camcl config lists every key.\n");
}

static int unknown_command(const char *name)
{
    const char *names[32], *nearest;
    camcl_error err;
    size_t count;
    const cli_command *commands = cli_commands(&count);
    if (count > 32) count = 32;
    for (size_t i = 0; i < count; i++)
        names[i] = commands[i].name;
    nearest = camcl_nearest(name, names, count);
    cli_usage(&err, "%s: unknown command (%s%s%ssee camcl --help)", name, nearest ? "did you mean " : "", nearest ? nearest : "",
              nearest ? "? " : "");
    return cli_fail(&err);
}

/* -h or --help anywhere before "--" asks for help instead of running. */
static bool asks_for_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) return true;
    }
    return false;
}

static int help(int argc, char **argv)
{
    if (argc == 0 || strcmp(argv[0], "help") == 0 || asks_for_help(1, argv)) {
        print_usage(stdout);
        return 0;
    }
    if (cli_find_command(argv[0]) == NULL) return unknown_command(argv[0]);
    cli_print_command(argv[0], stdout);
    return 0;
}

/* The internal command of the helper processes that compile kernels. camcl starts them itself; the command is not listed for users. */
static int compile_kernels(void)
{
    camcl_error err;
    return camcl_compile_kernels(0, &err) == CAMCL_OK ? 0 : cli_fail(&err);
}

/* Several processes that a launcher starts train together, and do nothing else together. */
static void warn_of_launcher(const cli_command *command)
{
    static const char *const single[] = { "train", "version", "devices" };
    size_t rank;
    const size_t count = camcl_launched(&rank);
    if (count == 1 || rank > 0) return;
    for (size_t i = 0; i < sizeof single / sizeof single[0]; i++)
        if (strcmp(command->name, single[i]) == 0) return;
    fprintf(stderr, "camcl: warning: %zu processes were started, and each of them does all of camcl %s by itself\n", count, command->name);
}

static int run(const cli_command *command, int argc, char **argv)
{
    warn_of_launcher(command);
    char **arguments;
    camcl_error err;
    if (cli_expand_home(argc, argv, &arguments, &err) != CAMCL_OK) return cli_fail(&err);
    const int status = command->run(argc, arguments);
    cli_free_arguments(&arguments);
    return status;
}

static int dispatch(int argc, char **argv)
{
    if (argc == 0) {
        print_usage(stderr);
        return 2;
    }
    const char *name = argv[0];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) return help(argc - 1, argv + 1);
    if (strcmp(name, "--version") == 0) return cmd_version(argc - 1, argv + 1);
    if (strcmp(name, CAMCL_KERNEL_COMPILER_COMMAND) == 0 && argc == 1) return compile_kernels();
    const cli_command *command = cli_find_command(name);
    if (command == NULL) return unknown_command(name);
    if (asks_for_help(argc - 1, argv + 1)) {
        cli_print_command(name, stdout);
        return 0;
    }
    return run(command, argc - 1, argv + 1);
}

/* A standard stream that the caller closed would be the first file that is opened, a run's state for example, and what is printed would go
 * there. /dev/null takes its place; open for reading alone, so that to write to it still fails. */
static void keep_standard_streams(void)
{
    for (int stream = 0; stream <= 2; stream++)
        if (fcntl(stream, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDONLY) < 0) return;
}

int main(int argc, char **argv)
{
    keep_standard_streams();
    signal(SIGXFSZ, SIG_IGN); /* beyond a limit of file sizes, writing fails, and it is said which file */
    cli_describe_machine();
    if (argc > 0) cli_set_program(argv[0]);
    int status = argc > 0 ? dispatch(argc - 1, argv + 1) : 2;
    /* ferror reports an earlier failed write too, whose errno is no longer known. So errno is cleared here, and a reason is given only
     * for a failure of this fflush. */
    errno = 0;
    if ((fflush(stdout) != 0 || ferror(stdout)) && status == 0) {
        fprintf(stderr, "camcl: standard output: %s (check where it goes)\n", errno ? strerror(errno) : "not everything could be written");
        status = 1;
    }
    return status;
}
