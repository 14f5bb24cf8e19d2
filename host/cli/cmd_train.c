/* camcl train: a run, or one for each of several seeds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "seeds.h"
#include "train_config.h"
#include "train_screen.h"

/* title: a line above what is shown, or NULL. Writes the accuracy on the test images to *accuracy, percent; NaN: there are none. *silent:
 * another process, which trains together with this one, speaks for all. */
static camcl_status train(const cli_train_args *args, const camcl_config *config, const char *title, double *accuracy, bool *silent,
                          camcl_error *err)
{
    cli_screen s = cli_screen_open(args->quiet, title);
    camcl_train_options options;
    camcl_train_result result;
    camcl_train_options_init(&options);
    options.resume = args->resume;
    options.stop = cli_stop();
    options.context = &s;
    options.progress = cli_screen_progress;
    options.message = cli_screen_message;
    options.compiler = cli_kernel_compiler();
    if (!isatty(STDERR_FILENO)) options.compiler.progress = NULL; /* a message says it */
    options.loading = cli_screen_loading;
    camcl_status status = camcl_train(config, &options, &result, err);
    cli_screen_close(&s);
    *silent = result.silent;
    if (!*silent) cli_screen_show_title(&s);
    if (status == CAMCL_OK && !args->quiet && !*silent && !result.was_finished)
        printf("run: %s (report.html shows it)\n", camcl_config_string(config, "output.dir"));
    *accuracy = camcl_evaluation_get(&result.test, "top1");
    return status;
}

static camcl_status train_seed(const cli_train_args *args, const cli_seeds *seeds, size_t i, const camcl_config *config, double *accuracy,
                               bool *silent, camcl_error *err)
{
    const char *dir = camcl_config_string(config, "output.dir"), *seed = seeds->texts[i];
    const size_t room = strlen(dir) + strlen(seed) + 96;
    char *title = malloc(room);
    if (title == NULL) return cli_no_memory(err);
    snprintf(title, room, "%sseed %s, %zu of %zu: %s", i ? "\n" : "", seed, i + 1, seeds->count, dir);
    const camcl_status status = train(args, config, title, accuracy, silent, err);
    free(title);
    return status;
}

static camcl_status train_seeds(const cli_train_args *args, camcl_config *config, bool *silent, camcl_error *err)
{
    cli_seeds seeds;
    camcl_status status = cli_seeds_open(&seeds, args->seeds, args, config, err);
    double *accuracies = calloc(seeds.count + 1, sizeof *accuracies);
    if (status == CAMCL_OK && accuracies == NULL) status = cli_no_memory(err);
    for (size_t i = 0; status == CAMCL_OK && i < seeds.count; i++) {
        status = cli_seeds_choose(&seeds, i, config, err);
        if (status == CAMCL_OK) status = train_seed(args, &seeds, i, config, &accuracies[i], silent, err);
    }
    if (status == CAMCL_OK && !args->quiet && !*silent) cli_seeds_print(&seeds, accuracies);
    free(accuracies);
    cli_seeds_close(&seeds);
    return status;
}

/* Before they train together, each of several processes speaks for itself, and people need to know which one has another file. */
static void name_rank(camcl_error *err)
{
    size_t rank;
    if (camcl_launched(&rank) == 1 || rank == 0) return;
    camcl_error own = *err;
    cli_error(&own, err->status, "rank %zu: %s", rank, err->message);
    memcpy(err->message, own.message, sizeof err->message);
}

int cmd_train(int argc, char **argv)
{
    cli_train_args args = { .config = NULL };
    camcl_error err = { 0 };
    camcl_config *config = NULL;
    double accuracy;
    bool silent = false;
    camcl_status status = cli_parse_train(argc, argv, &args, &err);
    if (status == CAMCL_OK) status = cli_configure_training(args.config, &args.overrides, &config, &err);
    if (status != CAMCL_OK) name_rank(&err);
    if (status == CAMCL_OK)
        status = args.seeds ? train_seeds(&args, config, &silent, &err) : train(&args, config, NULL, &accuracy, &silent, &err);
    camcl_config_destroy(&config);
    cli_list_free(&args.overrides);
    if (status == CAMCL_OK) return 0;
    return silent ? camcl_exit_status(status) : cli_fail_or_stopped(&err);
}
