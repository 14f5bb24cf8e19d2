/* The arguments of each command as a plain struct. Options and key=value come in any order; after "--" everything is an operand. Parsers
 * return CAMCL_BAD_CONFIG for wrong usage. Texts are borrowed from argv. */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>

#include "camcl/status.h"

typedef struct cli_list {
    const char **items; /* borrowed texts */
    size_t count;
} cli_list;

typedef struct cli_devices_args {
    bool json;
} cli_devices_args;

typedef struct cli_config_args {
    const char *config; /* or NULL */
    cli_list keys;      /* "section.key" or "section" each: what to list; empty: everything */
    cli_list overrides; /* "section.key=value" each, here and below */
    bool markdown;
} cli_config_args;

typedef struct cli_train_args {
    const char *config; /* file or folder, or NULL */
    cli_list overrides;
    const char *seeds; /* "1,2,3", or NULL */
    bool resume, quiet;
} cli_train_args;

typedef struct cli_eval_args {
    const char *checkpoint;
    cli_list overrides;
    const char *split;  /* test | validation | train */
    const char *logits; /* file to write, or NULL */
    bool json, cam;
} cli_eval_args;

typedef struct cli_predict_args {
    const char *checkpoint;
    cli_list paths; /* files and folders, at least one */
    cli_list overrides;
    const char *pseudo; /* file to write, or NULL */
    size_t top;         /* classes listed of each picture, from 1 on */
    bool json, csv;     /* at most one of them */
} cli_predict_args;

typedef struct cli_cam_args {
    const char *checkpoint;
    cli_list paths;  /* either files and folders or ... */
    size_t *indices; /* ... positions in the split */
    size_t index_count;
    cli_list overrides;
    const char *split;      /* test | validation | train */
    int layer;              /* 1..4; 0: the configuration's */
    const char *class_name; /* number or name; NULL: the predicted class */
    const char *folder;     /* the folder for images; "." by default */
    size_t opacity;         /* of the map in the overlay, percent */
    bool npy;               /* the maps themselves, too */
    bool json;
} cli_cam_args;

typedef struct cli_export_args {
    const char *checkpoint;
    const char *output; /* the file to write */
} cli_export_args;

typedef struct cli_init_args {
    const char *task;   /* or NULL */
    const char *output; /* the file to write; NULL: not said */
} cli_init_args;

typedef struct cli_inspect_args {
    const char *config;
    cli_list overrides;
    const char *output; /* the contact sheet; "contact-sheet.png" by default */
    bool json;
} cli_inspect_args;

typedef struct cli_fetch_args {
    const char *dataset;
    const char *folder; /* "data" by default */
} cli_fetch_args;

typedef struct cli_bench_args {
    const char *what; /* peak | ops | step; NULL: all */
    cli_list overrides;
    bool json;
} cli_bench_args;

typedef struct cli_tune_args {
    cli_list overrides;
    bool again, quiet;
} cli_tune_args;

typedef struct cli_selftest_args {
    cli_list overrides;
    bool json;
} cli_selftest_args;

typedef struct cli_report_args {
    cli_list runs;      /* at least one */
    const char *output; /* NULL: not said */
} cli_report_args;

camcl_status cli_parse_devices(int argc, char **argv, cli_devices_args *args, camcl_error *err);
camcl_status cli_parse_config(int argc, char **argv, cli_config_args *args, camcl_error *err);
camcl_status cli_parse_train(int argc, char **argv, cli_train_args *args, camcl_error *err);
camcl_status cli_parse_eval(int argc, char **argv, cli_eval_args *args, camcl_error *err);
camcl_status cli_parse_predict(int argc, char **argv, cli_predict_args *args, camcl_error *err);
camcl_status cli_parse_cam(int argc, char **argv, cli_cam_args *args, camcl_error *err);
camcl_status cli_parse_export(int argc, char **argv, cli_export_args *args, camcl_error *err);
camcl_status cli_parse_init(int argc, char **argv, cli_init_args *args, camcl_error *err);
camcl_status cli_parse_inspect(int argc, char **argv, cli_inspect_args *args, camcl_error *err);
camcl_status cli_parse_fetch(int argc, char **argv, cli_fetch_args *args, camcl_error *err);
camcl_status cli_parse_bench(int argc, char **argv, cli_bench_args *args, camcl_error *err);
camcl_status cli_parse_tune(int argc, char **argv, cli_tune_args *args, camcl_error *err);
camcl_status cli_parse_selftest(int argc, char **argv, cli_selftest_args *args, camcl_error *err);
camcl_status cli_parse_report(int argc, char **argv, cli_report_args *args, camcl_error *err);
/* There are none. */
camcl_status cli_parse_version(int argc, char **argv, camcl_error *err);

/* CAMCL_NO_MEMORY for arguments that find no room. */
camcl_status cli_no_memory(camcl_error *err);
/* Frees a list and leaves it empty. Safe after a failed parse too. cam's indices are freed with free() instead. */
void cli_list_free(cli_list *list);

#endif
