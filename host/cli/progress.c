/* What long commands share: stopping on a signal, and printing durations. */
#include <math.h>
#include <signal.h>
#include <stdio.h>

#include "cli.h"

static volatile sig_atomic_t stop_signal;

static void on_signal(int number) { stop_signal = number; }

/* The first signal requests a stop and restores the default action, so that a second signal ends the program. Interrupted system calls
 * are restarted. */
static void listen_for(int number)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART | (int)SA_RESETHAND };
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

const volatile sig_atomic_t *cli_stop_on_signals(void)
{
    static bool listening;
    if (!listening) {
        listen_for(SIGINT);
        listen_for(SIGTERM);
    }
    listening = true;
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
