/* What long commands share: stopping on a signal, and printing durations. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "cli.h"

static volatile sig_atomic_t stop_signal, hung_up; /* hung_up: the second of the clock of the first SIGHUP */

static void on_signal(int number) { stop_signal = number; }

static int clock_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int)now.tv_sec;
}

/* Closing a terminal makes the shell and the system send one SIGHUP each, so a second one ends the program only if it comes later. */
static void on_hangup(int number)
{
    if (stop_signal != number) {
        stop_signal = number;
        hung_up = clock_seconds();
    } else if (clock_seconds() - hung_up > 1) {
        signal(number, SIG_DFL);
        raise(number);
    }
}

/* Interrupted system calls are restarted. */
static void listen_for(int number, void (*handler)(int), int flags)
{
    struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART | flags };
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

/* Under nohup, hangups are ignored already, and stay so. */
static bool is_ignored(int number)
{
    struct sigaction action;
    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

const volatile sig_atomic_t *cli_stop_on_signals(void)
{
    static bool listening;
    if (listening) return &stop_signal;
    listening = true;
    /* The first signal requests a stop and restores the default action, so that a second signal ends the program. */
    listen_for(SIGINT, on_signal, (int)SA_RESETHAND);
    listen_for(SIGTERM, on_signal, (int)SA_RESETHAND);
    if (!is_ignored(SIGHUP)) listen_for(SIGHUP, on_hangup, 0);
    /* Whoever read the output is gone, but what was done so far is worth saving. Later lines fail without a word. */
    if (!is_ignored(SIGPIPE)) listen_for(SIGPIPE, on_signal, 0);
    return &stop_signal;
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
