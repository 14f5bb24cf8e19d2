#include "support/shares.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 2000 };

static struct {
    char what[96];
    double share;
} shares[MOST];
static size_t count;

static void write_shares(void)
{
    FILE *file = fopen(getenv("CAMCL_TEST_SHARES"), "a");
    if (file == NULL) return;
    for (size_t i = 0; i < count; i++)
        fprintf(file, "%.3g %s\n", shares[i].share, shares[i].what);
    fclose(file);
}

static size_t find(const char *what)
{
    static size_t last;
    if (last < count && strncmp(shares[last].what, what, sizeof shares->what - 1) == 0) return last;
    for (last = 0; last < count; last++)
        if (strncmp(shares[last].what, what, sizeof shares->what - 1) == 0) return last;
    if (count == MOST) return MOST;
    if (count == 0) atexit(write_shares);
    strncpy(shares[count].what, what, sizeof shares->what - 1);
    return count++;
}

void note_share(const char *what, double distance, double bound)
{
    static int wanted = -1;
    if (wanted < 0) wanted = getenv("CAMCL_TEST_SHARES") != NULL;
    if (!wanted || !(distance > 0)) return;
    const size_t at = find(what);
    if (at < MOST && !(distance / bound <= shares[at].share)) shares[at].share = distance / bound;
}
