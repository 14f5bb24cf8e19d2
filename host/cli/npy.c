#include "npy.h"

#include <stdio.h>
#include <string.h>

/* Format 1.0: magic, version, header length, and a Python dict that is padded so that the data starts at a multiple of 64. */
void cli_npy_header(FILE *stream, const size_t *shape, size_t dims)
{
    enum { TOTAL = 192, START = 10 };
    char sizes[96] = "", header[TOTAL - START + 1];
    for (size_t i = 0, used = 0; i < dims; i++)
        used += (size_t)snprintf(sizes + used, sizeof sizes - used, i ? ", %zu" : "%zu", shape[i]);
    snprintf(header, sizeof header, "{'descr': '<f4', 'fortran_order': False, 'shape': (%s%s), }", sizes, dims == 1 ? "," : "");
    const size_t length = strlen(header);
    const unsigned char start[START] = { 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, TOTAL - START, 0 };
    memset(header + length, ' ', TOTAL - START - length);
    header[TOTAL - START - 1] = '\n';
    fwrite(start, sizeof start, 1, stream);
    fwrite(header, TOTAL - START, 1, stream);
}
