/* Lists of words as the schema writes them: "a | b | c". */
#ifndef CC_CONFIG_WORDS_H
#define CC_CONFIG_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* The next word of *words into *word and *length, moving *words behind it; false at the end. NULL is an empty list. */
bool cc_words_next(const char **words, const char **word, size_t *length);
bool cc_words_have(const char *words, const char *word);
/* Copies the listed word nearest to `word` to out (cut to size); false when none is near. */
bool cc_words_nearest(const char *words, const char *word, char *out, size_t size);

#endif
