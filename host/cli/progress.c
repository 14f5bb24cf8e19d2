/* What long commands share: stopping on a signal, and saying how far they are. */
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "line.h"

/* If one event makes several, the first of this list is the exit status. Their handlers may run in several threads at once. */
static const int stop_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
static atomic_int stop_signal,
    stopped_at; /* what requested the stop; the second of the clock at which the first one did, but for SIGPIPE */

static camcl_stop *stop; /* what the library looks at */

static int clock_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int)now.tv_sec;
}

static size_t position(int number)
{
    size_t i = 0;
    while (i < sizeof stop_signals / sizeof stop_signals[0] && stop_signals[i] != number)
        i++;
    return i;
}

/* The exit status is this signal's, if none requested a stop yet that stands before it. */
static void take_signal(int number)
{
    int before = atomic_load(&stop_signal);
    while (position(number) < position(before) && !atomic_compare_exchange_weak(&stop_signal, &before, number)) {
    }
    camcl_stop_request(stop);
}

/* The first signal requests a stop, a second one ends the program. One event makes several signals at times: closing a terminal makes the
 * shell and the system send a SIGHUP each, and launchers send SIGTERM behind another signal. So what comes within a second or two of the
 * first does not count, unless it is the same signal again, by which people who press Ctrl-C twice mean it. */
static void on_signal(int number)
{
    int never = 0;
    const bool first = atomic_compare_exchange_strong(&stopped_at, &never, clock_seconds());
    const bool again = number != SIGHUP && number == atomic_load(&stop_signal);
    if (first || (!again && clock_seconds() - atomic_load(&stopped_at) <= 1)) {
        take_signal(number);
        return;
    }
    signal(number, SIG_DFL);
    raise(number);
}

/* Whoever read the output is gone, which is often a part of what another signal tells. */
static void on_broken_pipe(int number) { take_signal(number); }

/* Interrupted system calls are restarted. */
static void listen_for(int number, void (*handler)(int))
{
    struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

/* Under nohup, hangups are ignored already, and stay so. */
static bool is_ignored(int number)
{
    struct sigaction action;
    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static bool listening;

int cli_stop_signal(void)
{
    if (listening) return atomic_load(&stop_signal);
    /* Without memory for a request, signals keep their default action. */
    if (stop == NULL && camcl_stop_create(&stop, NULL) != CAMCL_OK) return 0;
    listening = true;
    listen_for(SIGINT, on_signal);
    listen_for(SIGTERM, on_signal);
    if (!is_ignored(SIGHUP)) listen_for(SIGHUP, on_signal);
    /* What was done so far is worth saving. Later lines fail without a word. */
    if (!is_ignored(SIGPIPE)) listen_for(SIGPIPE, on_broken_pipe);
    return atomic_load(&stop_signal);
}

const camcl_stop *cli_stop(void)
{
    (void)cli_stop_signal();
    return stop;
}

/* A signal that came meanwhile ends the program. */
static void stop_listening(void)
{
    for (size_t i = 0; i < sizeof stop_signals / sizeof stop_signals[0]; i++)
        if (!is_ignored(stop_signals[i])) signal(stop_signals[i], SIG_DFL);
    listening = false;
    if (atomic_load(&stop_signal)) raise(atomic_load(&stop_signal));
}

int cli_fail_or_stopped(const camcl_error *err)
{
    const int code = cli_fail(err);
    if (err->status != CAMCL_STOPPED) return code;
    const int number = cli_stop_signal();
    /* Without a signal of its own, the process stopped because another one of those that train together was told to. */
    return 128 + (number ? number : SIGTERM);
}

void cli_duration(double seconds, char *text, size_t size)
{
    if (!isfinite(seconds)) {
        snprintf(text, size, "--:--");
        return;
    }
    unsigned long s = (unsigned long)(seconds + 0.5);
    if (s >= 3600)
        snprintf(text, size, "%lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(text, size, "%lu:%02lu", s / 60, s % 60);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

cli_bar cli_bar_start(const char *what)
{
    const double start = now();
    return (cli_bar){ .what = what, .start = start, .shown = start, .terminal = isatty(STDERR_FILENO) != 0 };
}

void cli_bar_show(cli_bar *bar, uint64_t done, uint64_t total)
{
    enum { PATIENCE = 1 }; /* seconds in which nothing needs to be said */
    const double time = now();
    char eta[24];
    if (!bar->terminal || time - bar->start < PATIENCE || (time - bar->shown < 0.1 && done < total)) return;
    cli_duration(done ? (time - bar->start) / (double)done * (double)(total - done) : NAN, eta, sizeof eta);
    cli_line line = { .count = 0 };
    cli_line_add(&line, 0, "camcl: %" PRIu64 " of %" PRIu64 " %s", done, total, bar->what);
    cli_line_add(&line, 1, "ETA %s", eta);
    cli_line_draw(&line, stderr);
    bar->shown = time;
    bar->open = true;
}

void cli_bar_clear(cli_bar *bar)
{
    if (bar->open) fprintf(stderr, "\r\033[K");
    bar->open = false;
}

static void show_reading(void *context, const camcl_reading *reading)
{
    cli_bar *bar = context;
    bar->what = reading->what;
    cli_bar_show(bar, reading->done, reading->total);
}

camcl_status cli_open_data(camcl_dataset_spec *spec, camcl_dataset **dataset, camcl_error *err)
{
    cli_bar bar = cli_bar_start("pictures");
    const bool was_listening = listening;
    spec->context = &bar;
    spec->progress = show_reading;
    spec->stop = cli_stop(); /* what was written so far is removed, gigabytes at times */
    camcl_status status = camcl_dataset_open(spec, dataset, err);
    cli_bar_clear(&bar);
    if (!was_listening) stop_listening();
    return status;
}
