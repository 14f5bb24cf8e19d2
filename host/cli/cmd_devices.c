/* camcl devices: every OpenCL device of every platform, with the selector that picks it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "camcl/device.h"
#include "cli.h"

static const char *const type_names[] = { "gpu", "cpu", "accelerator", "other" };

static void print_json(const camcl_device_info *infos, size_t count)
{
    putchar('[');
    for (size_t i = 0; i < count; i++) {
        const camcl_device_info *info = &infos[i];
        const char *const texts[][2] = {
            { "selector", info->selector }, { "platform", info->platform },     { "vendor", info->vendor },     { "name", info->name },
            { "driver", info->driver },     { "type", type_names[info->type] }, { "opencl_c", info->opencl_c },
        };
        printf(i ? ",\n " : "\n ");
        for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++) {
            printf("%s\"%s\": ", k ? ", " : "{", texts[k][0]);
            cli_json_string(texts[k][1]);
        }
        printf(", \"compute_units\": %u, \"global_mem\": %zu, \"local_mem\": %zu, \"max_alloc\": %zu, \"max_work_group\": %zu, "
               "\"fp16\": %s, \"fp64\": %s}",
               info->compute_units, info->global_mem, info->local_mem, info->max_alloc, info->max_work_group, info->fp16 ? "true" : "false",
               info->fp64 ? "true" : "false");
    }
    printf("%s]\n", count ? "\n" : "");
}

static const char *yes_or_no(bool value) { return value ? "yes" : "no"; }

/* `picked` is the index of the device that auto picks; it is `count` if there is none. */
static void print_table(const camcl_device_info *infos, size_t count, size_t picked)
{
    int name_width = 4;
    for (size_t i = 0; i < count; i++) {
        int length = (int)strlen(infos[i].name);
        if (length > name_width) name_width = length;
    }
    printf("  %-8s  %-11s  %-*s  %5s  %8s  %8s  %s\n", "selector", "type", name_width, "name", "units", "memory", "largest", "platform");
    for (size_t i = 0; i < count; i++) {
        const camcl_device_info *info = &infos[i];
        char memory[16], largest[16], local[16];
        cli_bytes(info->global_mem, memory, sizeof memory);
        cli_bytes(info->max_alloc, largest, sizeof largest);
        cli_bytes(info->local_mem, local, sizeof local);
        printf("%c %-8s  %-11s  %-*s  %5u  %8s  %8s  %s%s%s%s\n", i == picked ? '*' : ' ', info->selector, type_names[info->type],
               name_width, info->name, info->compute_units, memory, largest, info->platform, info->usable ? "" : "  (not usable: it ",
               info->unusable, info->usable ? "" : ")");
        printf("  %-8s  driver ", "");
        cli_text(stdout, info->driver);
        printf(", ");
        cli_text(stdout, info->opencl_c);
        printf(", local memory %s, fp16 %s, fp64 %s\n", local, yes_or_no(info->fp16), yes_or_no(info->fp64));
    }
    if (picked < count) printf("\n* what device.select = auto picks; units: compute units, largest: the largest buffer\n");
}

static camcl_status no_device(camcl_error *err, size_t count)
{
    size_t none, length;
    *err = (camcl_error){ .status = CAMCL_NO_DEVICE };
    if (count)
        snprintf(err->message, sizeof err->message,
                 "devices: none of them can compile kernels (install your GPU's OpenCL driver, or PoCL to use the CPU)");
    else
        (void)camcl_device_select(NULL, 0, "auto", &none, err);
    length = strlen(err->detail);
    snprintf(err->detail + length, sizeof err->detail - length,
             "Debian, Ubuntu  CPU: apt install pocl-opencl-icd; AMD: mesa-opencl-icd; Intel: intel-opencl-icd\n"
             "                NVIDIA: nvidia-driver nvidia-opencl-icd on Debian, ubuntu-drivers install on Ubuntu\n"
             "Fedora          CPU: dnf install pocl; AMD: mesa-libOpenCL; Intel: intel-opencl\n"
             "Arch            CPU: pacman -S pocl; AMD: opencl-mesa; Intel: intel-compute-runtime; NVIDIA: opencl-nvidia\n"
             "macOS           CPU: brew install pocl\n"
             "A user who may not open the GPU sees none either: join the groups that own /dev/dri/render*.\n");
    return CAMCL_NO_DEVICE;
}

int cmd_devices(int argc, char **argv)
{
    cli_devices_args args;
    camcl_error err = { 0 };
    camcl_device_info *infos = NULL;
    size_t count = 0, picked = 0;
    camcl_status status = cli_parse_devices(argc, argv, &args, &err);
    if (status == CAMCL_OK) status = camcl_device_list(&infos, &count, &err);
    if (status != CAMCL_OK) return cli_fail(&err);
    if (count == 0 || camcl_device_select(infos, count, "auto", &picked, NULL) != CAMCL_OK) picked = count;
    if (args.json)
        print_json(infos, count);
    else if (count)
        print_table(infos, count, picked);
    if (picked == count) status = no_device(&err, count);
    free(infos);
    return status == CAMCL_OK ? 0 : cli_fail(&err);
}
