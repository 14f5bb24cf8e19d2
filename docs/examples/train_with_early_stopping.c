/* Trains until the loss has not fallen for PATIENCE steps: train_with_early_stopping CONFIG.ini RUN_DIR PATIENCE
 * A run that was stopped has saved its state; camcl train can resume it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <camcl/camcl.h>

typedef struct patience {
    uint64_t steps, best_step; /* how many steps without a lower loss are too many, and the step of the lowest */
    double best;
    volatile sig_atomic_t stop;
} patience;

/* Called in the training thread, about ten times a second. */
static void watch(void *context, const camcl_progress *progress)
{
    patience *p = context;
    if (p->best_step == 0 || progress->loss < p->best) {
        p->best = progress->loss;
        p->best_step = progress->step;
    }
    if (progress->step - p->best_step >= p->steps) p->stop = 1;
}

int main(int argc, char **argv)
{
    camcl_error err;
    camcl_config *config = NULL;
    camcl_train_result result;
    if (argc != 4) return fprintf(stderr, "usage: %s CONFIG.ini RUN_DIR PATIENCE\n", argv[0]), 2;
    patience p = { .steps = strtoull(argv[3], NULL, 10) };
    const camcl_train_options options = { .context = &p, .progress = watch, .stop = &p.stop };

    camcl_status status = camcl_config_create(&config, &err);
    if (status == CAMCL_OK) status = camcl_config_load(config, argv[1], &err);
    if (status == CAMCL_OK) status = camcl_config_set(config, "output.dir", argv[2], "command line", &err);
    if (status == CAMCL_OK) status = camcl_config_finish(config, &err);
    if (status == CAMCL_OK) status = camcl_train(config, &options, &result, &err);
    camcl_config_destroy(&config);

    if (status == CAMCL_OK)
        printf("done: test top-1 %.2f %%\n", camcl_evaluation_get(&result.test, "top1"));
    else if (status == CAMCL_STOPPED)
        printf("stopped: lowest loss %.4f at step %llu\n", p.best, (unsigned long long)p.best_step);
    else
        fprintf(stderr, "%s\n%s", err.message, err.detail);
    return status == CAMCL_STOPPED ? 0 : camcl_exit_status(status);
}
