#include "support/halves.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "camcl/device.h"
#include "camcl/version.h"
#include "support/scratch.h"

#define MPIRUN                                                                                                                             \
    "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 CAMCL_WORLD_PATIENCE=60 timeout -k 5 240 mpirun --oversubscribe "           \
    "--bind-to none"

const halves *halves_or_skip(void)
{
    static halves found;
    camcl_device_info *infos;
    camcl_device_options options;
    camcl_device *half = NULL;
    camcl_error err = { 0 };
    size_t count, picked;
    const char *select = getenv("CAMCL_DEVICE");
    if (camcl_device_list(&infos, &count, &err) != CAMCL_OK) fail_msg("%s", err.message);
    if (camcl_device_select(infos, count, select && *select ? select : "auto", &picked, &err) != CAMCL_OK) fail_msg("%s", err.message);
    snprintf(found.device, sizeof found.device, "%s", infos[picked].selector);
    free(infos);
    snprintf(found.first, sizeof found.first, "%s/0/2", found.device);
    snprintf(found.second, sizeof found.second, "%s/1/2", found.device);
    snprintf(found.list, sizeof found.list, "%s, %s", found.first, found.second);
    camcl_device_options_init(&options);
    options.select = found.first;
    const bool divides = camcl_device_open(&options, &half, &err) == CAMCL_OK;
    camcl_device_close(&half);
    if (!divides) {
        print_message("skipped: %s\n", err.message);
        skip();
    }
    return &found;
}

const halves *halves_and_mpirun_or_skip(void)
{
    size_t count;
    bool present = false;
    const camcl_library *libraries = camcl_libraries(&count);
    const halves *found = halves_or_skip();
    for (size_t i = 0; i < count; i++)
        present = present || (strcmp(libraries[i].name, "mpi") == 0 && libraries[i].present);
    if (!present || system("command -v mpirun >/dev/null 2>&1") != 0) {
        print_message("skipped: no MPI in this build, or no mpirun (apt-get install libopenmpi-dev openmpi-bin)\n");
        skip();
    }
    setenv("HALVES_OF", found->device, 1);
    return found;
}

int halves_run_ranks(const char *folder, int ranks, const char *choose, const char *name, const char *more)
{
    char command[6000];
    snprintf(command, sizeof command,
             MPIRUN " -n %d sh -c 'folder=$1; shift; %s; exec \"$0\" train \"$folder/small.ini\" \"output.dir=$folder/%s\" "
                    "\"device.select=$select\" \"$@\"' "
                    "'%s' '%s' %s "
                    ">'%s/out' 2>'%s/err' </dev/null",
             ranks, choose, name, getenv("CAMCL_PROGRAM"), folder, more, folder, folder);
    const int status = system(command);
    size_t size;
    char *out = scratch_read(scratch_path(folder, "out"), &size);
    /* mpirun gives ranks terminals, but what they print went to a file. */
    if (out == NULL || strchr(out, '\033')) fail_msg("%s: no output, or lines that are redrawn:\n%s", name, out ? out : "");
    free(out);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
