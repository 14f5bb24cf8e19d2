/* The frame of the command line: the table of commands, errors, output. Commands use include/camcl only. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <signal.h>
#include <stddef.h>

#include "args.h"
#include "camcl/config.h"
#include "camcl/device.h"
#include "camcl/status.h"

/* A command. argv holds what follows its name; the value returned is the exit status. */
typedef struct cli_command {
    const char *name;
    const char *arguments; /* as in the usage line */
    const char *summary;   /* one line, no capital, no full stop */
    const char *help;      /* options and notes for `camcl help NAME`, or "" */
    int (*run)(int argc, char **argv);
} cli_command;

const cli_command *cli_commands(size_t *count);

int cmd_config(int argc, char **argv);
int cmd_devices(int argc, char **argv);
int cmd_train(int argc, char **argv);
int cmd_eval(int argc, char **argv);
int cmd_predict(int argc, char **argv);
int cmd_cam(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_tune(int argc, char **argv);
int cmd_selftest(int argc, char **argv);
int cmd_report(int argc, char **argv);

/* What this program was called as; borrowed. */
void cli_set_program(const char *name);
/* This program as the compiler of its kernels; a terminal at stderr shows how far it is. */
camcl_kernel_compiler cli_kernel_compiler(void);

/* Sets HWLOC_SYNTHETIC where PoCL could not learn the machine's memory and cores by itself. Call it before OpenCL is used. */
void cli_describe_machine(void);

/* Prints "camcl: message" and the indented detail to stderr; returns the exit status for err->status. */
int cli_fail(const camcl_error *err);
/* Fills err with CAMCL_BAD_CONFIG and returns it. */
camcl_status cli_usage(camcl_error *err, const char *format, ...);

/* Defaults, the file (unless NULL), the overrides, the checks; warnings go to stderr. The caller owns *config. */
camcl_status cli_configure(const char *path, const cli_list *overrides, camcl_config **config, camcl_error *err);

/* The device that [device] asks for. The caller owns *device. */
camcl_status cli_open_device(const camcl_config *config, camcl_device **device, camcl_error *err);

/* From the first call on, SIGINT and SIGTERM set *result to their number, once; a second signal ends the program. */
const volatile sig_atomic_t *cli_stop_on_signals(void);
/* "1:05", "2:00:01", "--:--" where it is not known. */
void cli_duration(double seconds, char *text, size_t size);

/* Prints to stdout as JSON: a string with quotes and escapes, bytes that are not UTF-8 replaced; NULL is null. */
void cli_json_string(const char *text);
/* Nine digits; null where it is NaN or infinite, which JSON cannot say. */
void cli_json_number(double value);
/* "7.6 GiB" into out. */
void cli_bytes(size_t bytes, char *out, size_t size);

#endif
