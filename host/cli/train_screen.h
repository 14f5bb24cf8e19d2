/* What a training shows on stdout: on a terminal a line that is redrawn, elsewhere a line now and then. */
#ifndef CLI_TRAIN_SCREEN_H
#define CLI_TRAIN_SCREEN_H

#include <stdbool.h>

#include "camcl/trainer.h"

typedef struct cli_screen {
    bool quiet, terminal;
    const char *title; /* a line before all others; NULL: none, or shown already */
    bool line_open;    /* the terminal's last line is a progress line without its line end */
    double printed;    /* if stdout is not a terminal: the progress time of the last line */
    double loaded;     /* the same while the data are read */
} cli_screen;

/* title: borrowed, or NULL. It is shown before what the training says first, since of processes that train together only one says
 * anything. */
cli_screen cli_screen_open(bool quiet, const char *title);
void cli_screen_show_title(cli_screen *screen);
/* Ends a line that is open. */
void cli_screen_close(cli_screen *screen);

/* Callbacks of camcl_train_options, whose context is the screen. */
void cli_screen_loading(void *screen, const camcl_reading *reading);
void cli_screen_progress(void *screen, const camcl_progress *progress);
void cli_screen_message(void *screen, const char *line);

#endif
