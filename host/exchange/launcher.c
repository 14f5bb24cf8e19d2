#include "exchange/launcher.h"

#include <stdlib.h>

/* The variable's value as a positive number, or 0. */
static size_t number_in(const char *variable)
{
    const char *text = getenv(variable);
    if (text == NULL || *text < '0' || *text > '9') return 0;
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    return *end == '\0' ? number : 0;
}

cc_launcher cc_launcher_find(void)
{
    /* mpirun of Open MPI; mpiexec of MPICH and its relatives, and srun --mpi=pmi2. */
    static const char *const sizes[] = { "OMPI_COMM_WORLD_SIZE", "PMI_SIZE" };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t size = number_in(sizes[i]);
        if (size > 0) return (cc_launcher){ .launched = true, .size = size };
    }
    /* srun --mpi=pmix and prun say the rank; how many there are, Slurm says for what srun starts (and not for a batch script itself). */
    if (getenv("PMIX_RANK")) return (cc_launcher){ .launched = true, .size = number_in("SLURM_STEP_NUM_TASKS") };
    return (cc_launcher){ 0 };
}
