/* camcl export: a checkpoint as an ONNX model. */
#include <stdio.h>

#include "camcl/export.h"
#include "cli.h"
#include "whole_file.h"

int cmd_export(int argc, char **argv)
{
    cli_export_args args = { .checkpoint = NULL };
    camcl_error err = { 0 };
    camcl_status status = cli_parse_export(argc, argv, &args, &err);
    if (status == CAMCL_OK) status = camcl_export_onnx(args.checkpoint, args.output, &err);
    if (status != CAMCL_OK) return cli_fail(&err);
    /* The model may have gone to stdout itself. */
    if (!cli_is_open_file(args.output)) {
        cli_text(stdout, args.output);
        printf("\n");
    }
    return 0;
}
