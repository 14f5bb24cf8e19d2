/* What all commands share: the table of commands, configuration, device, signals. Commands use include/camcl only. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "args.h"
#include "camcl/config.h"
#include "camcl/dataset.h"
#include "camcl/device.h"
#include "camcl/status.h"
#include "camcl/stop.h"
#include "output.h"

/* A command. argv holds what follows its name; the value returned is the exit status. */
typedef struct cli_command {
    const char *name;
    const char *arguments; /* as in the usage line */
    const char *summary;   /* one line, no capital, no full stop */
    const char *help;      /* options and notes for `camcl help NAME`, or "" */
    int (*run)(int argc, char **argv);
} cli_command;

const cli_command *cli_commands(size_t *count);
/* NULL: there is none of this name. */
const cli_command *cli_find_command(const char *name);

/* Prints how the command of this name, which exists, is used. */
void cli_print_command(const char *name, FILE *out);

int cmd_config(int argc, char **argv);
int cmd_devices(int argc, char **argv);
int cmd_train(int argc, char **argv);
int cmd_eval(int argc, char **argv);
int cmd_predict(int argc, char **argv);
int cmd_cam(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_data(int argc, char **argv);
int cli_fetch(int argc, char **argv); /* data fetch */
int cmd_bench(int argc, char **argv);
int cmd_tune(int argc, char **argv);
int cmd_selftest(int argc, char **argv);
int cmd_init(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_version(int argc, char **argv);

/* Sets HWLOC_SYNTHETIC if PoCL could not find out the machine's memory and cores without it. Call this before OpenCL is used. */
void cli_describe_machine(void);

/* Copies of the arguments, with ~/ at the head of a path (an operand, or an option's value) replaced by the home folder. The caller frees
 * them with cli_free_arguments; *out is NULL after an error. */
camcl_status cli_expand_home(int argc, char **argv, char ***out, camcl_error *err);
void cli_free_arguments(char ***arguments);

/* Builds a configuration from the defaults, the file (unless NULL) and the overrides, and checks it. Warnings go to stderr. The caller
 * owns *config. */
camcl_status cli_configure(const char *path, const cli_list *overrides, camcl_config **config, camcl_error *err);

/* Opens the device that the [device] keys select. The caller owns *device. */
camcl_status cli_open_device(const camcl_config *config, camcl_device **device, camcl_error *err);
/* Every device of the list; close them with camcl_device_close_all. */
camcl_status cli_open_devices(const camcl_config *config, camcl_device ***devices, size_t *count, camcl_error *err);

/* camcl_dataset_open; a terminal is told how far it is. */
camcl_status cli_open_data(camcl_dataset_spec *spec, camcl_dataset **dataset, camcl_error *err);

/* From the first call on, SIGINT, SIGTERM and SIGHUP request a stop, and a second signal ends the program. So does SIGPIPE, for output that
 * nobody reads any more, which never counts as a second one. The number of the signal, 0: none came. */
int cli_stop_signal(void);
/* The same for the library: from the first such signal on, a stop is requested. */
const camcl_stop *cli_stop(void);
/* cli_fail; after CAMCL_STOPPED the exit status is 128 + the signal's number. */
int cli_fail_or_stopped(const camcl_error *err);

/* A line on stderr that says how far a long piece of work is and when it will end. Only a terminal gets it, and only after a second. */
typedef struct cli_bar {
    const char *what; /* "pictures" */
    double start, shown;
    bool terminal, open;
} cli_bar;
cli_bar cli_bar_start(const char *what);
void cli_bar_show(cli_bar *bar, uint64_t done, uint64_t total);
/* Erases the line, which must be done before anything else is printed on the terminal. */
void cli_bar_clear(cli_bar *bar);
/* Writes a duration: "1:05" or "2:00:01", or "--:--" if it is not known. */
void cli_duration(double seconds, char *text, size_t size);

#endif
