/* The test images of which a run leaves pictures in cams/, and what is shown of each. gallery.c decides; the other files compute and
 * write. */
#ifndef CC_TRAIN_GALLERY_H
#define CC_TRAIN_GALLERY_H

#include "train/run.h"

/* Worst mistakes of a finished run, and images whose strong views are shown. */
enum { CC_GALLERY_MISTAKES = 6, CC_GALLERY_VIEWS = 6, CC_GALLERY_MOST = CC_GALLERY_IMAGES + CC_GALLERY_MISTAKES };

typedef struct cc_gallery {
    camcl_dataset_part part;
    uint32_t positions[CC_GALLERY_MOST]; /* in the test set: what `camcl cam --index` takes, and what files are named by */
    uint32_t images[CC_GALLERY_MOST];    /* in the part */
    size_t spread, count;                /* the first are spread over the classes, the others mistakes; an image may be both */
} cc_gallery;

/* What the network says of the gallery's images. */
typedef struct cc_gallery_answers {
    int32_t predicted[CC_GALLERY_MOST];
    float confidence[CC_GALLERY_MOST]; /* the probability of the predicted class */
    float *maps;                       /* [count,S,S] CAMs of the predicted class, min-max scaled */
    float *before;                     /* the same of the weights before training; NULL: not known */
} cc_gallery_answers;

/* Both views of some images, and their CAMs: what the consistency loss compares. */
typedef struct cc_gallery_views {
    size_t count, entries[CC_GALLERY_VIEWS]; /* of the gallery */
    uint8_t *weak, *strong;                  /* [count,S,S,channels] as the network sees them */
    float *weak_maps, *target, *strong_maps; /* [count,S,S]; target: T of the weak view's map */
    double distance[CC_GALLERY_VIEWS];       /* of strong_maps and target: mean squared difference over the pixels that count */
    int32_t explained[CC_GALLERY_VIEWS];     /* the class that the weak view's map explains */
} cc_gallery_views;

/* views.c: T and flips are drawn as in training, but by a seed of their own, so that runs with the same augmentation show the same. */
camcl_status cc_gallery_views_make(const cc_run *run, const cc_gallery *gallery, cc_gallery_views *out, camcl_error *err);
void cc_gallery_views_free(cc_gallery_views *views);
/* Whether there are views of entry i of the gallery, and at which place. */
bool cc_gallery_find_views(const cc_gallery_views *views, size_t i, size_t *place);

/* before.c: puts the weights from before training into the model. *known is false, and the run says why, where they cannot be had. */
camcl_status cc_gallery_load_start(cc_run *run, bool *known, camcl_error *err);

/* gallery_files.c: writes cams/NNNNN_PART.png, and then the index. */
camcl_status cc_gallery_write(const cc_run *run, const cc_gallery *gallery, const cc_gallery_answers *answers,
                              const cc_gallery_views *views, camcl_error *err);
/* Maps from before training are shown of the images that are spread over the classes: mistakes are about what the trained network sees. */
bool cc_gallery_shows_before(const cc_gallery *gallery, const cc_gallery_answers *answers, size_t i);
/* NNNNN of entry i; the path of a picture, which the caller frees; whether the picture is there. */
enum { CC_STEM = 16 };
void cc_gallery_stem(const cc_gallery *gallery, size_t i, char stem[CC_STEM]);
camcl_status cc_gallery_path(const cc_run *run, const char *stem, const char *part, char **path, camcl_error *err);
bool cc_gallery_has_picture(const cc_run *run, const char *stem, const char *part);

/* gallery_index.c: removes pictures of mistakes that the run does not make any more, and writes cams/index.json. */
camcl_status cc_gallery_write_index(const cc_run *run, const cc_gallery *gallery, const cc_gallery_answers *answers,
                                    const cc_gallery_views *views, camcl_error *err);
/* Whether all pictures that index.json lists are there. *listed: there is an index that lists pictures. */
bool cc_gallery_is_whole(const cc_run *run, bool *listed);

#endif
