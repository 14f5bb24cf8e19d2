/* camcl train: a run with its progress line. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "camcl/trainer.h"
#include "seeds.h"
#include "train_config.h"

typedef struct screen {
    bool quiet, terminal;
    bool line_open; /* the terminal's last line is a progress line without its line end */
    double printed; /* if stdout is not a terminal: the progress time of the last line */
    double loaded;  /* the same while the data are read */
} screen;

static void show_loading(void *context, const camcl_reading *r)
{
    screen *s = context;
    char eta[24];
    /* Without a terminal one line is printed every ten seconds, so that data that are read at once need none. */
    if (r->seconds < s->loaded) s->loaded = 0; /* another kind of pieces */
    if (s->quiet || (!s->terminal && r->seconds - s->loaded < 10)) return;
    s->loaded = r->seconds;
    cli_duration(r->eta, eta, sizeof eta);
    printf("%sreading %s: %" PRIu64 " of %" PRIu64 "  ETA %s%s", s->terminal ? "\r" : "", r->what, r->done, r->total, eta,
           s->terminal ? "\033[K" : "\n");
    s->line_open = s->terminal;
    fflush(stdout);
}

/* The terminal cuts a line that is longer than it is wide: a line that it wrapped could not be written over by the next. */
#define DO_NOT_WRAP "\033[?7l"
#define WRAP "\033[?7h"

/* What matters most stands first, within 80 columns. */
static void show_progress(void *context, const camcl_progress *p)
{
    screen *s = context;
    char eta[24];
    /* Without a terminal one progress line is printed every half minute, besides the lines of evaluations. */
    if (s->quiet || (!s->terminal && p->seconds - s->printed < 30)) return;
    s->printed = p->seconds;
    cli_duration(p->eta, eta, sizeof eta);
    printf("%sepoch %" PRIu64 "/%" PRIu64 "  step %" PRIu64 "/%" PRIu64 "  ETA %s  %.0f images/s  loss %.3f",
           s->terminal ? "\r" DO_NOT_WRAP : "", p->epoch, p->epochs, p->step, p->steps, eta, p->images_per_s, p->loss);
    if (!isnan(p->mask_rate)) printf("  mask %.0f %%", p->mask_rate);
    printf("  (s %.3f", p->loss_s);
    if (!isnan(p->loss_u)) printf(" u %.3f", p->loss_u);
    if (!isnan(p->loss_c)) printf(" c %.4f", p->loss_c);
    printf(")");
    if (!isnan(p->pseudo_acc)) printf("  pseudo %.0f %%", p->pseudo_acc);
    for (size_t i = 0; i < p->figure_count; i++)
        if (!isnan(p->figures[i].value)) printf("  %s %.3g", p->figures[i].label, p->figures[i].value);
    printf("%s", s->terminal ? "\033[K" WRAP : "\n");
    s->line_open = s->terminal;
    fflush(stdout);
}

static void show_message(void *context, const char *line)
{
    screen *s = context;
    if (s->quiet) return;
    printf("%s%s\n", s->line_open ? "\r\033[K" : "", line);
    s->line_open = false;
    fflush(stdout);
}

/* Writes the accuracy on the test images to *accuracy, percent; NaN: there are none. */
static camcl_status train(const cli_train_args *args, const camcl_config *config, double *accuracy, camcl_error *err)
{
    screen s = { .quiet = args->quiet, .terminal = isatty(STDOUT_FILENO) != 0 };
    const camcl_train_options options = { .resume = args->resume,
                                          .stop = cli_stop_on_signals(),
                                          .context = &s,
                                          .progress = show_progress,
                                          .message = show_message,
                                          .compiler = cli_kernel_compiler(),
                                          .loading = show_loading };
    camcl_train_result result;
    camcl_status status = camcl_train(config, &options, &result, err);
    if (s.line_open) putchar('\n');
    if (status == CAMCL_OK && !args->quiet && !result.was_finished)
        printf("run: %s (report.html shows it)\n", camcl_config_string(config, "output.dir"));
    *accuracy = camcl_evaluation_get(&result.test, "top1");
    return status;
}

static camcl_status train_seeds(const cli_train_args *args, camcl_config *config, camcl_error *err)
{
    cli_seeds seeds;
    camcl_status status = cli_seeds_open(&seeds, args->seeds, args, config, err);
    double *accuracies = calloc(seeds.count + 1, sizeof *accuracies);
    if (status == CAMCL_OK && accuracies == NULL) status = cli_no_memory(err);
    for (size_t i = 0; status == CAMCL_OK && i < seeds.count; i++) {
        status = cli_seeds_choose(&seeds, i, config, err);
        if (status == CAMCL_OK && !args->quiet)
            printf("%sseed %s, %zu of %zu: %s\n", i ? "\n" : "", seeds.texts[i], i + 1, seeds.count,
                   camcl_config_string(config, "output.dir"));
        if (status == CAMCL_OK) status = train(args, config, &accuracies[i], err);
    }
    if (status == CAMCL_OK && !args->quiet) cli_seeds_print(&seeds, accuracies);
    free(accuracies);
    cli_seeds_close(&seeds);
    return status;
}

int cmd_train(int argc, char **argv)
{
    cli_train_args args = { .config = NULL };
    camcl_error err = { 0 };
    camcl_config *config = NULL;
    double accuracy;
    camcl_status status = cli_parse_train(argc, argv, &args, &err);
    if (status == CAMCL_OK) status = cli_configure_training(args.config, &args.overrides, &config, &err);
    if (status == CAMCL_OK) status = args.seeds ? train_seeds(&args, config, &err) : train(&args, config, &accuracy, &err);
    camcl_config_destroy(&config);
    cli_list_free(&args.overrides);
    return status == CAMCL_OK ? 0 : cli_fail_or_stopped(&err);
}
