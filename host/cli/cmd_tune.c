/* camcl tune: times kernels, keeps the winners. */
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "camcl/tune.h"
#include "cli.h"
#include "line.h"

typedef struct screen {
    bool quiet, terminal; /* terminal: stderr is one */
    bool open;            /* a progress line stands on it */
    double printed;       /* if stderr is not a terminal: the seconds of the last progress line */
} screen;

static void clear(screen *s)
{
    if (s->open) fprintf(stderr, "\r\033[K");
    s->open = false;
}

/* Prints winners to stdout, one line each, and progress to stderr. On a terminal the progress is one line that stays at the bottom. */
static void show(void *context, const camcl_tune_progress *p)
{
    screen *s = context;
    char eta[24];
    clear(s);
    if (p->wrong[0])
        fprintf(stderr, "camcl: warning: %s: %s: wrong results on this device, not used (camcl selftest checks every kernel)\n", p->key,
                p->wrong);
    if (!s->quiet) {
        if (isnan(p->winner_ms))
            printf("   not timed  %s = %s", p->key, p->winner);
        else
            printf("%9.3f ms  %s = %s", p->winner_ms, p->key, p->winner);
        if (p->builtin_ms > p->winner_ms * 1.005) printf("  (%.2f times as fast as %s)", p->builtin_ms / p->winner_ms, p->builtin);
        printf("\n");
        fflush(stdout);
    }
    /* Without a terminal one progress line is printed every five seconds. */
    if (!s->terminal && p->done < p->total && p->seconds - s->printed < 5) return;
    s->printed = p->seconds;
    cli_duration(p->eta, eta, sizeof eta);
    cli_line line = { .count = 0 };
    cli_line_add(&line, 0, "camcl: tune: %zu of %zu timed", p->done, p->total);
    cli_line_add(&line, 1, "ETA %s", eta);
    s->open = s->terminal && p->done < p->total;
    if (s->open)
        cli_line_draw(&line, stderr);
    else
        cli_line_print(&line, stderr);
}

static camcl_status tune(const cli_tune_args *args, camcl_device *device, const camcl_config *config, camcl_error *err)
{
    screen s = { .quiet = args->quiet, .terminal = isatty(STDERR_FILENO) != 0 };
    camcl_tune_options options;
    camcl_tune_result result;
    camcl_tune_options_init(&options);
    options.again = args->again;
    options.stop = cli_stop();
    options.context = &s;
    options.progress = show;
    if (!args->quiet) printf("%s\n", camcl_device_reason(device));
    fflush(stdout);
    camcl_status status = camcl_tune(device, config, &options, &result, err);
    clear(&s);
    if (args->quiet || (status != CAMCL_OK && status != CAMCL_STOPPED)) return status;
    printf("%zu timed in %.1f s, %zu of %zu known before%s\n", result.timed, result.seconds, result.known, result.total,
           result.timed == 0 && status == CAMCL_OK ? " (camcl tune --again times them anew)" : "");
    return status;
}

int cmd_tune(int argc, char **argv)
{
    cli_tune_args args;
    camcl_error err = { 0 };
    camcl_config *config = NULL;
    camcl_device *device = NULL;
    camcl_status status = cli_parse_tune(argc, argv, &args, &err);
    if (status == CAMCL_OK) status = cli_configure(NULL, &args.overrides, &config, &err);
    if (status == CAMCL_OK) status = cli_open_device(config, &device, &err);
    if (status == CAMCL_OK) status = tune(&args, device, config, &err);
    camcl_device_close(&device);
    camcl_config_destroy(&config);
    cli_list_free(&args.overrides);
    if (status == CAMCL_OK) return 0;
    return cli_fail_or_stopped(&err);
}
