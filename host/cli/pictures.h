/* Picture files and folders of a command line, read block by block, so that memory does not grow with their number. */
#ifndef CLI_PICTURES_H
#define CLI_PICTURES_H

#include <stdbool.h>

#include "camcl/pictures.h"
#include "inference.h"

typedef struct cli_pictures {
    camcl_picture_list *list;
    size_t count;    /* pictures in all */
    size_t side;     /* of the network's input */
    size_t channels; /* of the network's input */
    camcl_fit fit;
    /* The block at hand: pictures first .. first + n - 1 of the list. */
    size_t first, n;
    size_t room;         /* pictures in a full block */
    uint8_t *pixels;     /* [room, side, side, channels]; a picture that cannot be read is black */
    const char **files;  /* [room] */
    camcl_error *errors; /* [room] */
    size_t bad;          /* pictures so far that cannot be read */
    cli_bar bar;
} cli_pictures;

/* Lists the pictures of paths, and says on stderr what is left out. CAMCL_BAD_DATA if no picture is there. Close also after a failure. */
camcl_status cli_pictures_open(cli_pictures *pictures, const cli_session *session, const cli_list *paths, camcl_error *err);
/* Reads the next block; n = 0 at the end. Pictures that cannot be read are named on stderr. CAMCL_STOPPED after a signal. */
camcl_status cli_pictures_next(cli_pictures *pictures, camcl_error *err);
/* Whether picture i of the block could be read. */
bool cli_pictures_good(const cli_pictures *pictures, size_t i);
/* A picture that could not be used after all is named on stderr. */
void cli_pictures_refuse(cli_pictures *pictures, const camcl_error *why);
/* The block for the network. */
camcl_images cli_pictures_block(const cli_pictures *pictures);
/* Says how many could not be read, where that are several; returns the exit status of what was done with the others. */
int cli_pictures_finish(cli_pictures *pictures);
void cli_pictures_close(cli_pictures *pictures);

#endif
