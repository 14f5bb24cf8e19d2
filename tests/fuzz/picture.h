/* One picture, read in every way. */
#ifndef TESTS_FUZZ_PICTURE_H
#define TESTS_FUZZ_PICTURE_H

#include "image/codec.h"

/* Does nothing with bytes that are no picture of the codec's format. */
void fuzz_picture(const cc_codec *codec, const uint8_t *data, size_t size);

#endif
