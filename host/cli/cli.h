/* What all commands share: the table of commands, errors, output. Commands use include/camcl only. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <signal.h>
#include <stddef.h>
#include <stdio.h>

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

/* Remembers the name that this program was started with; borrowed. */
void cli_set_program(const char *name);
/* Options that make this program compile its own kernels in helper processes. If stderr is a terminal, progress is shown there. */
camcl_kernel_compiler cli_kernel_compiler(void);

/* Sets HWLOC_SYNTHETIC if PoCL could not find out the machine's memory and cores without it. Call this before OpenCL is used. */
void cli_describe_machine(void);

/* Prints "camcl: message" and the indented detail to stderr; returns the exit status for err->status. */
int cli_fail(const camcl_error *err);
/* Fills err with CAMCL_BAD_CONFIG and returns it. */
camcl_status cli_usage(camcl_error *err, const char *format, ...);

/* Builds a configuration from the defaults, the file (unless NULL) and the overrides, and checks it. Warnings go to stderr. The caller
 * owns *config. */
camcl_status cli_configure(const char *path, const cli_list *overrides, camcl_config **config, camcl_error *err);

/* Opens the device that the [device] keys select. The caller owns *device. */
camcl_status cli_open_device(const camcl_config *config, camcl_device **device, camcl_error *err);

/* From the first call on, SIGINT and SIGTERM set *result to their number. A second signal ends the program. */
const volatile sig_atomic_t *cli_stop_on_signals(void);
/* Writes a duration: "1:05" or "2:00:01", or "--:--" if it is not known. */
void cli_duration(double seconds, char *text, size_t size);

/* Prints text from outside so that it cannot control a terminal: control characters and bytes that are not UTF-8 become \xNN. */
void cli_text(FILE *file, const char *text);
/* Prints text to stdout as a JSON string with quotes and escapes. Bytes that are not UTF-8 are replaced; NULL prints null. */
void cli_json_string(const char *text);
/* Prints value with nine digits, or null if it is NaN or infinite, because JSON has no such numbers. */
void cli_json_number(double value);
/* Writes a size such as "7.6 GiB" to out. */
void cli_bytes(size_t bytes, char *out, size_t size);

#endif
