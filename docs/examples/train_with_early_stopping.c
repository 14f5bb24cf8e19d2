/* Trains until the validation loss has not fallen for PATIENCE epochs: train_with_early_stopping CONFIG.ini CHECKPOINT PATIENCE
 * The checkpoint has the weights with the best validation accuracy. Ctrl-C ends the training early, too. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <camcl/camcl.h>

static camcl_stop *stop;
static void on_interrupt(int number) { (void)number, camcl_stop_request(stop); }

static camcl_status train(camcl_trainer *trainer, uint64_t patience, camcl_error *err)
{
    const camcl_progress *p = camcl_trainer_get_progress(trainer);
    const uint64_t epoch_steps = p->steps / p->epochs;
    double lowest = 1e30;
    bool stopped = false;
    for (uint64_t waited = 0; p->step < p->steps && waited < patience && !stopped;) {
        camcl_evaluation e;
        camcl_status status = camcl_trainer_step(trainer, epoch_steps, err);
        stopped = status == CAMCL_STOPPED;
        if (status == CAMCL_OK || stopped) status = camcl_trainer_evaluate(trainer, CAMCL_SPLIT_VALIDATION, &e, err);
        if (status != CAMCL_OK) return status;
        const double loss = camcl_evaluation_get(&e, "loss");
        printf("epoch %llu: validation loss %.4f, top-1 %.2f %%\n", (unsigned long long)p->epoch, loss, camcl_evaluation_get(&e, "top1"));
        waited = loss < lowest ? 0 : waited + 1;
        if (loss < lowest) lowest = loss;
    }
    return CAMCL_OK;
}

int main(int argc, char **argv)
{
    camcl_error err;
    camcl_config *config = NULL;
    camcl_device *device = NULL;
    camcl_dataset *dataset = NULL;
    camcl_trainer *trainer = NULL;
    camcl_trainer_options options;
    if (argc != 4) return fprintf(stderr, "usage: %s CONFIG.ini CHECKPOINT PATIENCE\n", argv[0]), 2;
    camcl_trainer_options_init(&options);

    camcl_status status = camcl_stop_create(&stop, &err);
    options.stop = stop;
    if (status == CAMCL_OK) signal(SIGINT, on_interrupt);
    if (status == CAMCL_OK) status = camcl_config_create(&config, &err);
    if (status == CAMCL_OK) status = camcl_config_load(config, argv[1], &err);
    if (status == CAMCL_OK) status = camcl_device_open(NULL, &device, &err);
    if (status == CAMCL_OK) {
        const camcl_dataset_spec spec = camcl_dataset_spec_from(config);
        status = camcl_dataset_open(&spec, &dataset, &err);
    }
    if (status == CAMCL_OK) status = camcl_trainer_create(device, dataset, config, &options, &trainer, &err);
    if (status == CAMCL_OK) status = train(trainer, strtoull(argv[3], NULL, 10), &err);
    if (status == CAMCL_OK) status = camcl_trainer_write_model(trainer, CAMCL_BEST_WEIGHTS, argv[2], &err);
    if (status != CAMCL_OK) fprintf(stderr, "%s\n%s", err.message, err.detail);
    camcl_trainer_destroy(&trainer);
    camcl_dataset_close(&dataset);
    camcl_device_close(&device);
    camcl_config_destroy(&config);
    signal(SIGINT, SIG_DFL);
    camcl_stop_destroy(&stop);
    return camcl_exit_status(status);
}
