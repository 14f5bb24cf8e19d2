/* The pictures of a run: the PNG files of cams/, and what cams/index.json says of them. */
#ifndef CC_REPORT_PICTURES_H
#define CC_REPORT_PICTURES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"

/* STEM_PART.png or STEM.png (part is then ""). */
typedef struct cc_picture {
    char *stem, *part;
    char *data; /* the PNG file */
    size_t size;
    unsigned width, height;
} cc_picture;

/* What the network says of the image with this stem. NULL, NaN: not known. An image may have two captions, one of each kind. */
typedef struct cc_caption {
    char *stem, *class_name, *predicted, *explained;
    double confidence, index, distance; /* 0..1; place in the test set; of the maps of strong view and target */
    bool mistake;                       /* shown because it is one of the worst; else because the gallery is spread over classes */
    bool lists_parts;                   /* older indices do not list the parts of an image */
    unsigned parts;                     /* bit by bit, in the order of a table of pictures.c */
} cc_caption;

typedef struct cc_pictures {
    cc_picture *items; /* sorted by stem */
    size_t count, left_out;
    cc_caption *captions;
    size_t caption_count;
} cc_pictures;

/* Told of each file that is damaged; context is the caller's. */
typedef camcl_status (*cc_picture_note)(void *context, const char *problem, camcl_error *err);

/* Reads what can be read of the folder, which need not exist. Free with cc_pictures_free, also after a failure. */
camcl_status cc_pictures_read(const char *folder, cc_pictures *pictures, cc_picture_note note, void *context, camcl_error *err);
void cc_pictures_free(cc_pictures *pictures);

/* The caption of this stem, or NULL: the one of the gallery, if there are two. */
const cc_caption *cc_pictures_caption(const cc_pictures *pictures, const char *stem);
/* Whether the picture belongs to the gallery, to the mistakes, or to both. Pictures without a caption belong to the gallery. */
bool cc_pictures_is_spread(const cc_pictures *pictures, const char *stem);
bool cc_pictures_is_mistake(const cc_pictures *pictures, const char *stem);

#endif
