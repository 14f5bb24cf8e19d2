/* A class activation map as pictures: alone, and over the picture that it explains. */
#ifndef CLI_CAM_DRAWING_H
#define CLI_CAM_DRAWING_H

#include "camcl/image.h"

/* The part of a picture that the network saw, and where it stands in the network's square input. */
typedef struct cli_view {
    uint32_t x, y, width, height;                 /* in the picture */
    uint32_t map_x, map_y, map_width, map_height; /* in the map */
} cli_view;

cli_view cli_view_of(uint32_t width, uint32_t height, uint32_t side, camcl_fit fit);

/* Draws map [side, side], values 0..1, for the input that camcl_image_fit makes of the picture. Both pictures have the picture's size, or
 * a multiple of it where it is small: *grey has the map as 0..255, and black where the network saw nothing; *overlay is the picture with
 * the map's colours over what the network saw, opacity 0..1. The caller frees both. */
camcl_status cli_draw_cam(const camcl_image *picture, const float *map, uint32_t side, camcl_fit fit, float opacity, camcl_image *grey,
                          camcl_image *overlay, camcl_error *err);

#endif
