/* camcl data fetch: a published data set from the network. */
#include "camcl/fetch.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "line.h"

typedef struct screen {
    bool terminal, open; /* stdout is one; the line of progress is drawn */
} screen;

static void clear_line(screen *s)
{
    if (s->open) printf("\r\033[K");
    s->open = false;
}

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void show_bytes(screen *s, const camcl_fetching *state)
{
    char done[32], total[32], rate[32], eta[32];
    cli_line line = { .count = 0 };
    if (!s->terminal) return;
    cli_bytes((size_t)state->done, done, sizeof done);
    cli_bytes((size_t)state->total, total, sizeof total);
    cli_bytes(state->rate > 0 ? (size_t)state->rate : 0, rate, sizeof rate);
    cli_duration(state->eta, eta, sizeof eta);
    cli_line_add(&line, 1, "%s", base_of(state->file));
    cli_line_add(&line, 0, "%3.0f %%", 100 * (double)state->done / (double)state->total);
    cli_line_add(&line, 3, "%s of %s", done, total);
    cli_line_add(&line, 2, "%s/s", rate);
    cli_line_add(&line, 0, "ETA %s", eta);
    cli_line_draw(&line, stdout);
    s->open = true;
}

static void show(void *context, const camcl_fetching *state)
{
    screen *s = context;
    char done[32], total[32];
    cli_bytes((size_t)state->done, done, sizeof done);
    cli_bytes((size_t)state->total, total, sizeof total);
    if (state->event != CAMCL_FETCH_BYTES) clear_line(s);
    switch (state->event) {
    case CAMCL_FETCH_BYTES: show_bytes(s, state); return;
    case CAMCL_FETCH_BEGIN:
        printf("fetching ");
        cli_text(stdout, state->address);
        if (state->done)
            printf(" from %s on, of %s\n", done, total);
        else
            printf(", %s\n", total);
        break;
    case CAMCL_FETCH_FAILED:
        printf("failed: ");
        cli_text(stdout, state->reason);
        putchar('\n');
        break;
    case CAMCL_FETCH_THERE:
        cli_text(stdout, state->file);
        printf(": there already, %s, SHA-256 as published\n", total);
        break;
    case CAMCL_FETCH_DONE:
        cli_text(stdout, state->file);
        printf(": %s, SHA-256 as published\n", total);
        break;
    }
    fflush(stdout);
}

static camcl_status check_name(const char *name, camcl_error *err)
{
    enum { MOST = 16 };
    const char *names[MOST], *one;
    char words[128] = "";
    size_t count = 0;
    for (; count < MOST && (one = camcl_fetch_name(count)) != NULL; count++) {
        const size_t used = strlen(words);
        if (strcmp(one, name) == 0) return CAMCL_OK;
        snprintf(words + used, sizeof words - used, "%s%s", count ? " | " : "", one);
        names[count] = one;
    }
    const char *nearest = camcl_nearest(name, names, count);
    return cli_usage(err, "data fetch: %s: not a data set that can be fetched (%s%s%s%s)", name, nearest ? "did you mean " : "",
                     nearest ? nearest : "", nearest ? "? " : "", words);
}

int cli_fetch(int argc, char **argv)
{
    cli_fetch_args args = { .dataset = NULL };
    camcl_error err = { 0 };
    screen shown = { .terminal = isatty(STDOUT_FILENO) != 0 };
    camcl_status status = cli_parse_fetch(argc, argv, &args, &err);
    if (status == CAMCL_OK) status = check_name(args.dataset, &err);
    if (status != CAMCL_OK) return cli_fail(&err);
    camcl_fetch_spec spec;
    camcl_fetch_spec_init(&spec);
    spec.dataset = args.dataset;
    spec.folder = args.folder;
    spec.mirrors = getenv("CAMCL_MIRROR");
    spec.context = &shown;
    spec.progress = show;
    spec.stop = cli_stop();
    status = camcl_fetch(&spec, &err);
    clear_line(&shown);
    if (status != CAMCL_OK) return cli_fail_or_stopped(&err);
    printf("train with: data.dataset=%s data.root=", args.dataset);
    cli_text(stdout, args.folder);
    printf("\n");
    return 0;
}
