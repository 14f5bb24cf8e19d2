/* camcl selftest: the kernel checks on the chosen device. */
#include <stdio.h>

#include "camcl/selftest.h"
#include "cli.h"

typedef struct output {
    bool json;
    size_t count;
} output;

static void show(void *context, const camcl_check *check)
{
    output *o = context;
    if (o->json) {
        printf("%s{\"op\": ", o->count++ ? ",\n  " : "\n  ");
        cli_json_string(check->op);
        printf(", \"direction\": ");
        cli_json_string(check->direction);
        printf(", \"variant\": ");
        cli_json_string(check->variant);
        printf(", \"shapes\": %zu, \"max_error\": ", check->shapes);
        cli_json_number(check->error);
        printf(", \"ok\": %s, \"what\": ", check->ok ? "true" : "false");
        cli_json_string(check->ok ? NULL : check->what);
        printf(", \"detail\": ");
        cli_json_string(check->ok || !*check->detail ? NULL : check->detail);
        printf("}");
        return;
    }
    printf("%-20s %-16s %-12s", check->op, check->direction, check->variant);
    if (check->ok && check->shapes == 0)
        printf("  not for this device\n");
    else
        printf("  %4zu shapes  max error %-9.2g  %s%s%s\n", check->shapes, check->error, check->ok ? "ok" : "FAILED", check->ok ? "" : ": ",
               check->ok ? "" : check->what);
    if (!check->ok) cli_print_detail(stdout, check->detail);
    fflush(stdout);
}

static camcl_status selftest(const cli_selftest_args *args, camcl_device *device, camcl_selftest_result *result, camcl_error *err)
{
    output o = { args->json, 0 };
    if (args->json) {
        printf("{\"device\": ");
        cli_json_string(camcl_device_get_info(device)->name);
        printf(",\n \"checks\": [");
    } else {
        printf("%s\n", camcl_device_reason(device));
    }
    camcl_status status = camcl_selftest(device, cli_stop(), show, &o, result, err);
    if (args->json)
        printf("],\n \"checked\": %zu, \"failed\": %zu}\n", result->checked, result->failed);
    else if (status == CAMCL_OK)
        printf("%zu variants checked, %zu failed\n", result->checked, result->failed);
    return status;
}

int cmd_selftest(int argc, char **argv)
{
    cli_selftest_args args;
    camcl_error err = { 0 };
    camcl_config *config = NULL;
    camcl_device *device = NULL;
    camcl_selftest_result result = { 0, 0 };
    camcl_status status = cli_parse_selftest(argc, argv, &args, &err);
    if (status == CAMCL_OK) status = cli_configure(NULL, &args.overrides, &config, &err);
    if (status == CAMCL_OK) status = cli_open_device(config, &device, &err);
    if (status == CAMCL_OK) status = selftest(&args, device, &result, &err);
    camcl_device_close(&device);
    camcl_config_destroy(&config);
    cli_list_free(&args.overrides);
    if (status == CAMCL_OK) return result.failed > 0;
    return cli_fail_or_stopped(&err);
}
