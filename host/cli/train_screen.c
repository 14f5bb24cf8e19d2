#include "train_screen.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "line.h"

cli_screen cli_screen_open(bool quiet, const char *title)
{
    /* mpirun gives each process a terminal, wherever its own output goes, to a file for example. */
    const bool terminal = isatty(STDOUT_FILENO) && camcl_launched(NULL) == 1;
    return (cli_screen){ .quiet = quiet, .terminal = terminal, .title = title };
}

void cli_screen_show_title(cli_screen *s)
{
    if (s->title && !s->quiet) printf("%s\n", s->title);
    s->title = NULL;
}

void cli_screen_close(cli_screen *s)
{
    if (s->line_open) putchar('\n');
    s->line_open = false;
}

static void show(cli_screen *s, const cli_line *line)
{
    cli_screen_show_title(s);
    if (s->terminal)
        cli_line_draw(line, stdout);
    else
        cli_line_print(line, stdout);
    s->line_open = s->terminal;
}

void cli_screen_loading(void *context, const camcl_reading *r)
{
    cli_screen *s = context;
    cli_line line = { .count = 0 };
    char eta[24];
    /* Without a terminal one line is printed every ten seconds, so that data that are read at once need none. */
    if (r->seconds < s->loaded) s->loaded = 0; /* another kind of pieces */
    if (s->quiet || (!s->terminal && r->seconds - s->loaded < 10)) return;
    s->loaded = r->seconds;
    cli_duration(r->eta, eta, sizeof eta);
    cli_line_add(&line, 0, "reading %s: %" PRIu64 " of %" PRIu64, r->what, r->done, r->total);
    cli_line_add(&line, 1, "ETA %s", eta);
    show(s, &line);
}

/* The parts of the loss, as one field: "(s 1.234 u 0.567 c 0.0123)". */
static void add_parts(cli_line *line, int rank, const camcl_progress *p)
{
    char unlabeled[24] = "", consistency[24] = "";
    if (!isnan(p->loss_u)) snprintf(unlabeled, sizeof unlabeled, " u %.3f", p->loss_u);
    if (!isnan(p->loss_c)) snprintf(consistency, sizeof consistency, " c %.4f", p->loss_c);
    cli_line_add(line, rank, "(s %.3f%s%s)", p->loss_s, unlabeled, consistency);
}

void cli_screen_progress(void *context, const camcl_progress *p)
{
    cli_screen *s = context;
    cli_line line = { .count = 0 };
    char eta[24];
    /* Without a terminal one progress line is printed every half minute, besides the lines of evaluations. */
    if (s->quiet || (!s->terminal && p->seconds - s->printed < 30)) return;
    s->printed = p->seconds;
    cli_duration(p->eta, eta, sizeof eta);
    cli_line_add(&line, 4, "epoch %" PRIu64 "/%" PRIu64, p->epoch, p->epochs);
    cli_line_add(&line, 0, "step %" PRIu64 "/%" PRIu64, p->step, p->steps);
    cli_line_add(&line, 1, "ETA %s", eta);
    cli_line_add(&line, 5, "%.0f images/s", p->images_per_s);
    cli_line_add(&line, 2, "loss %.3f", p->loss);
    if (!isnan(p->mask_rate)) cli_line_add(&line, 3, "mask %.0f %%", p->mask_rate);
    add_parts(&line, 7, p);
    if (!isnan(p->pseudo_acc)) cli_line_add(&line, 6, "pseudo %.0f %%", p->pseudo_acc);
    for (size_t i = 0; i < p->figure_count; i++)
        if (!isnan(p->figures[i].value)) cli_line_add(&line, 8 + (int)i, "%s %.3g", p->figures[i].label, p->figures[i].value);
    show(s, &line);
}

void cli_screen_message(void *context, const char *line)
{
    cli_screen *s = context;
    if (s->quiet) return;
    cli_screen_show_title(s);
    printf("%s%s\n", s->line_open ? "\r\033[K" : "", line);
    s->line_open = false;
    fflush(stdout);
}
