/* camcl report: the page of one or more runs. */
#include <stdio.h>
#include <string.h>

#include "camcl/report.h"
#include "cli.h"

int cmd_report(int argc, char **argv)
{
    cli_report_args args = { .runs = { NULL, 0 } };
    camcl_error err = { 0 };
    char output[4096] = "";
    camcl_status status = cli_parse_report(argc, argv, &args, &err);
    if (status == CAMCL_OK) {
        /* The page of one run goes into its folder, the page of several runs into the working directory. */
        if (args.runs.count == 1)
            snprintf(output, sizeof output, "%s/report.html", args.runs.items[0]);
        else
            snprintf(output, sizeof output, "report.html");
        status = camcl_report_write(args.runs.items, args.runs.count, output, &err);
    }
    if (status == CAMCL_OK) printf("%s\n", output);
    cli_list_free(&args.runs);
    return status == CAMCL_OK ? 0 : cli_fail(&err);
}
