#include "support/process_memory.h"

#include <stdio.h>
#include <unistd.h>

static size_t bytes_of(size_t field)
{
    unsigned long pages[2] = { 0, 0 };
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL) return 0;
    if (fscanf(file, "%lu %lu", &pages[0], &pages[1]) != 2) pages[field] = 0;
    fclose(file);
    return (size_t)pages[field] * (size_t)sysconf(_SC_PAGESIZE);
}

size_t process_address_space(void) { return bytes_of(0); }

size_t process_resident_memory(void) { return bytes_of(1); }
