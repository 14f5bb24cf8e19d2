#include "pictures.h"

#include <stdlib.h>
#include <string.h>

/* A block keeps every processor busy for a while, and is small beside what the network needs. */
enum { MOST_PICTURES = 256, MOST_BYTES = 64 << 20 };

static size_t block_room(size_t count, size_t bytes)
{
    size_t room = MOST_BYTES / bytes;
    if (room > MOST_PICTURES) room = MOST_PICTURES;
    if (room > count) room = count;
    return room ? room : 1;
}

/* "3 .gif", "4 with no extension", "a broken link", "2 times a broken link". */
static void name_kind(const char *kind, uint32_t count)
{
    const bool article = strncmp(kind, "a ", 2) == 0;
    if (!article || count > 1) fprintf(stderr, "%u ", (unsigned)count);
    if (article && count > 1) fputs("times ", stderr);
    if (strncmp(kind, "no ", 3) == 0) fputs("with ", stderr);
    cli_text(stderr, kind);
}

static void name_left_out(const camcl_picture_list *list)
{
    size_t kinds;
    const camcl_left_out *left = camcl_pictures_left_out(list, &kinds);
    if (kinds == 0) return;
    fputs("camcl: left out of the folders: ", stderr);
    for (size_t i = 0; i < kinds; i++) {
        if (i) fputs(", ", stderr);
        name_kind(left[i].kind, left[i].count);
        fputs(left[i].count > 1 ? " (first: " : " (", stderr);
        cli_text(stderr, left[i].example);
        fputc(')', stderr);
    }
    fputc('\n', stderr);
}

static camcl_status make_room(cli_pictures *p, camcl_error *err)
{
    const size_t bytes = p->side * p->side * p->channels;
    p->room = block_room(p->count, bytes);
    p->pixels = malloc(p->room * bytes);
    p->files = malloc(p->room * sizeof *p->files);
    p->errors = calloc(p->room, sizeof *p->errors);
    if (p->pixels && p->files && p->errors) return CAMCL_OK;
    return cli_error(err, CAMCL_NO_MEMORY, "pictures: no memory for %zu of side %zu (close other programs)", p->room, p->side);
}

camcl_status cli_pictures_open(cli_pictures *p, const cli_session *session, const cli_list *paths, camcl_error *err)
{
    const camcl_model_info *info = camcl_model_get_info(session->model);
    *p = (cli_pictures){ .side = info->image_size, .channels = info->channels, .fit = session->fit, .bar = cli_bar_start("pictures") };
    if (info->channels != 1 && info->channels != 3)
        return cli_usage(err, "pictures: the model takes %zu channels (only 1 or 3 can be read from files)", info->channels);
    camcl_status status = camcl_pictures_list(paths->items, paths->count, &p->list, err);
    if (status != CAMCL_OK) return status;
    p->count = camcl_pictures_count(p->list);
    name_left_out(p->list);
    if (p->count == 0)
        return cli_error(err, CAMCL_BAD_DATA, "%s%s: no picture is there (name picture files, or folders that hold some)", paths->items[0],
                         paths->count > 1 ? " and the others" : "");
    return make_room(p, err);
}

camcl_status cli_pictures_next(cli_pictures *p, camcl_error *err)
{
    const bool stopped = cli_stop_signal() != 0;
    p->first += p->n;
    p->n = p->count - p->first < p->room ? p->count - p->first : p->room;
    if (p->n == 0) return CAMCL_OK;
    if (stopped)
        return cli_error(err, CAMCL_STOPPED, "pictures: stopped after %zu of %zu (run it again for the others)", p->first, p->count);
    cli_bar_show(&p->bar, p->first, p->count);
    for (size_t i = 0; i < p->n; i++)
        p->files[i] = camcl_pictures_path(p->list, p->first + i);
    camcl_status status = camcl_pictures_read(p->files, p->n, (uint32_t)p->side, p->fit, (uint32_t)p->channels, p->pixels, p->errors, err);
    for (size_t i = 0; status == CAMCL_OK && i < p->n; i++)
        if (!cli_pictures_good(p, i)) cli_pictures_refuse(p, &p->errors[i]);
    return status;
}

bool cli_pictures_good(const cli_pictures *p, size_t i) { return p->errors[i].status == CAMCL_OK; }

void cli_pictures_refuse(cli_pictures *p, const camcl_error *why)
{
    cli_bar_clear(&p->bar);
    cli_fail(why);
    p->bad++;
}

camcl_images cli_pictures_block(const cli_pictures *p) { return (camcl_images){ p->pixels, NULL, p->n, p->side, p->side, p->channels }; }

int cli_pictures_finish(cli_pictures *p)
{
    cli_bar_clear(&p->bar);
    if (p->bad > 1) {
        fflush(stdout);
        fprintf(stderr, "camcl: %zu of %zu pictures could not be read: they are named above\n", p->bad, p->count);
    }
    return p->bad ? 1 : 0;
}

void cli_pictures_close(cli_pictures *p)
{
    cli_bar_clear(&p->bar);
    camcl_pictures_free(&p->list);
    free(p->pixels);
    free(p->files);
    free(p->errors);
}
