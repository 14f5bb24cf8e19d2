#include "exchange/launcher.h"

#include <stdlib.h>

#include "camcl/trainer.h"

/* The variable's value as a whole number; 0 where it has none. */
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
    static const char *const names[][2] = { { "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK" }, { "PMI_SIZE", "PMI_RANK" } };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t size = number_in(names[i][0]);
        if (size > 0) return (cc_launcher){ .launched = true, .size = size, .rank = number_in(names[i][1]) };
    }
    /* srun --mpi=pmix and prun say the rank; how many there are, Slurm says for what srun starts (and not for a batch script itself). */
    if (getenv("PMIX_RANK"))
        return (cc_launcher){ .launched = true, .size = number_in("SLURM_STEP_NUM_TASKS"), .rank = number_in("PMIX_RANK") };
    return (cc_launcher){ 0 };
}

size_t camcl_launched(size_t *rank)
{
    const cc_launcher launcher = cc_launcher_find();
    if (rank) *rank = launcher.rank;
    return launcher.size > 0 ? launcher.size : 1;
}
