/* Lists of words as the schema writes them, "a | b | c", and as users do, "a, b, c". */
#ifndef CC_BASE_WORDS_H
#define CC_BASE_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* Stores the next word of *words in *word and *length, and moves *words past it. Returns false at the end. NULL is an empty list. */
bool cc_words_next(const char **words, const char **word, size_t *length);
bool cc_words_have(const char *words, const char *word);
/* Copies the word of the list that is nearest to `word` to out (cut to size). Returns false if no word is near. */
bool cc_words_nearest(const char *words, const char *word, char *out, size_t size);

/* How many items a list with commas between them has; one that is empty counts. */
size_t cc_list_count(const char *list);

/* The candidate nearest to `word` by edit distance, for "did you mean"; NULL when none is near. Borrowed. */
const char *cc_nearest(const char *word, const char *const *candidates, size_t count);

#endif
