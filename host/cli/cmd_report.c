/* camcl report: the page of one or more runs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "camcl/report.h"
#include "cli.h"

int cmd_report(int argc, char **argv)
{
    cli_report_args args = { .runs = { NULL, 0 } };
    camcl_error err = { 0 };
    char *beside = NULL;
    camcl_status status = cli_parse_report(argc, argv, &args, &err);
    /* Unless -o says where, the page of one run goes into its folder, the page of several runs into the working directory. */
    if (status == CAMCL_OK && args.output == NULL && args.runs.count == 1) {
        const size_t size = strlen(args.runs.items[0]) + sizeof "/report.html";
        beside = malloc(size);
        if (beside)
            snprintf(beside, size, "%s/report.html", args.runs.items[0]);
        else
            status = cli_no_memory(&err);
    }
    const char *output = args.output ? args.output : beside ? beside : "report.html";
    if (status == CAMCL_OK) status = camcl_report_write(args.runs.items, args.runs.count, output, &err);
    if (status == CAMCL_OK) {
        cli_text(stdout, output);
        printf("\n");
    }
    cli_list_free(&args.runs);
    free(beside);
    return status == CAMCL_OK ? 0 : cli_fail(&err);
}
