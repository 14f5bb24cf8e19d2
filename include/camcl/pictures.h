/* Picture files: finding them in folders, and reading many at once. */
#ifndef CAMCL_PICTURES_H
#define CAMCL_PICTURES_H

#include <stddef.h>
#include <stdint.h>

#include "camcl/image.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Files or folders that were found and left out, by kind. */
typedef struct camcl_left_out {
    const char *kind;    /* ".gif", "no extension", "a folder that cannot be opened", "cannot be read", ... */
    uint32_t count;      /* how many */
    const char *example; /* the path of the first */
} camcl_left_out;

/* A list of picture files. It does not change after it was made: any number of threads may read it. */
typedef struct camcl_picture_list camcl_picture_list;

/* Lists the pictures of `paths`: a file stands for itself, whatever its name; a folder is walked to any depth, in byte order of names, and
 * its files with the extension of a picture format (.png .jpg .jpeg .jpe .jfif .webp, in any case) are taken. Hidden entries are skipped.
 * A folder that is reached again through a symbolic link is walked once. Everything else in a folder is counted as left out. A path that
 * does not exist is listed all the same (reading it says so). CAMCL_IO where a given folder cannot be opened. The caller owns *out. */
camcl_status camcl_pictures_list(const char *const *paths, size_t count, camcl_picture_list **out, camcl_error *err);
/* NULL, or a pointer to NULL, is fine. */
void camcl_pictures_free(camcl_picture_list **list);
/* How many pictures the list has. */
size_t camcl_pictures_count(const camcl_picture_list *list);
/* The path to open. Borrowed. */
const char *camcl_pictures_path(const camcl_picture_list *list, size_t index);
/* The path below the folder that was walked; for a file that was given, its name without folders. Borrowed. */
const char *camcl_pictures_relative(const camcl_picture_list *list, size_t index);
/* What was left out; NULL and *count 0 where nothing was. Borrowed. */
const camcl_left_out *camcl_pictures_left_out(const camcl_picture_list *list, size_t *count);

/* Reads n pictures on all processors, each as camcl_image_read_fit does, into pixels [n, side, side, channels]; side > 0. channels is 3, or
 * 1: grey by Rec. 601 luma, rounded. errors [n]: what became of each; a picture that could not be read is black, and keeps no other from
 * being read. Returns CAMCL_OK unless the arguments are wrong. */
camcl_status camcl_pictures_read(const char *const *paths, size_t n, uint32_t side, camcl_fit fit, uint32_t channels, uint8_t *pixels,
                                 camcl_error *errors, camcl_error *err);

#ifdef __cplusplus
}
#endif
#endif
