/* Images that a test paints in memory, and a small training of them. */
#ifndef CC_TESTS_PAINTED_H
#define CC_TESTS_PAINTED_H

#include <stddef.h>
#include <stdint.h>

#include "camcl/config.h"
#include "camcl/dataset.h"

/* Images of 8 x 8 pixels of three classes, of which each is bright in another colour: image i is of class i % 3. */
enum { PAINTED_SIDE = 8, PAINTED_CLASSES = 3, PAINTED_BYTES = PAINTED_SIDE * PAINTED_SIDE * 3 };
extern const char *const painted_names[PAINTED_CLASSES];

/* pixels [count,8,8,3], labels [count]; another seed, other images of the same kind. */
void painted_images(uint8_t *pixels, int32_t *labels, size_t count, unsigned seed);

/* Pixels and labels of a data set: 60 training images, of which every second has a label, 15 validation and 18 test images. */
typedef struct painted {
    uint8_t pixels[93 * PAINTED_BYTES];
    int32_t labels[93];
    camcl_memory_data data; /* refers to them */
} painted;
void painted_make(painted *out);
/* A data set of it; fails the running test where there is none. */
camcl_dataset *painted_data(void);

/* A gradcam training of it that takes no time: 3 epochs of 4 steps. output.dir is not set. */
camcl_config *painted_config(void);

#endif
