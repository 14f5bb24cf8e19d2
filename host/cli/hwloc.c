/* PoCL asks hwloc for the machine's memory and cores, and hwloc reads /sys. Without /sys (a plain chroot) PoCL aborts the whole program.
 * In that case the function below describes the machine in hwloc's own variable, before OpenCL is used. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli.h"

void cli_describe_machine(void)
{
#ifdef __linux__
    char line[128], topology[128];
    unsigned long long kib = 0;
    if (access("/sys/devices/system", F_OK) == 0) return;
    FILE *file = fopen("/proc/meminfo", "r");
    while (file && kib == 0 && fgets(line, sizeof line, file))
        sscanf(line, "MemTotal: %llu", &kib);
    if (file) fclose(file);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (kib == 0 || cores < 1) return;
    snprintf(topology, sizeof topology, "pack:1 numa:1(memory=%lluMB) core:%ld pu:1", kib / 1024, cores);
    setenv("HWLOC_SYNTHETIC", topology, 0);
#endif
}
