/* What camcl cam explains, block by block: picture files, or images of the data set. */
#ifndef CLI_CAM_SOURCE_H
#define CLI_CAM_SOURCE_H

#include "pictures.h"

typedef struct cli_cam_source {
    cli_session *session;
    const cli_cam_args *args;
    size_t count, room;    /* in all, and in a full block */
    camcl_images block;    /* the block at hand; its count is 0 at the end */
    size_t first;          /* its place */
    cli_pictures pictures; /* of files */
    char **names;          /* [count], of files */
    camcl_images data;     /* the part of the data set */
    uint32_t *indices;     /* into it */
    uint8_t *gathered;     /* [room] images of it */
    char name[32];         /* of the image asked for last */
} cli_cam_source;

/* Close also after a failure. */
camcl_status cli_cam_source_open(cli_cam_source *source, cli_session *session, const cli_cam_args *args, camcl_error *err);
camcl_status cli_cam_source_next(cli_cam_source *source, camcl_error *err);
/* Whether image i of the block could be read. */
bool cli_cam_source_good(const cli_cam_source *source, size_t i);
/* What the files for image i of the block are called, relative to the folder for all of them. Borrowed until the next call. */
const char *cli_cam_source_name(cli_cam_source *source, size_t i);
/* The picture itself, in its own size and turned as people see it; the caller frees. */
camcl_status cli_cam_source_picture(const cli_cam_source *source, size_t i, camcl_image *out, camcl_error *err);
/* How it became the network's input. */
camcl_fit cli_cam_source_fit(const cli_cam_source *source);
void cli_cam_source_close(cli_cam_source *source);

#endif
