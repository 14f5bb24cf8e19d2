#include "base/words.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

bool cc_words_next(const char **words, const char **word, size_t *length)
{
    const char *p = *words;
    if (p == NULL) return false;
    p += strspn(p, " |");
    *word = p;
    *length = strcspn(p, " |");
    *words = p + *length;
    return *length > 0;
}

bool cc_words_have(const char *words, const char *word)
{
    const char *one;
    size_t length, n = strlen(word);
    while (cc_words_next(&words, &one, &length)) {
        if (length == n && memcmp(one, word, n) == 0) return true;
    }
    return false;
}

bool cc_words_nearest(const char *words, const char *word, char *out, size_t size)
{
    enum { MOST = 16, LONGEST = 32 };
    char copies[MOST][LONGEST];
    const char *candidates[MOST], *one;
    size_t count = 0, length;
    while (count < MOST && cc_words_next(&words, &one, &length)) {
        snprintf(copies[count], LONGEST, "%.*s", (int)length, one);
        candidates[count] = copies[count];
        count++;
    }
    const char *nearest = cc_nearest(word, candidates, count);
    if (nearest) snprintf(out, size, "%s", nearest);
    return nearest != NULL;
}

size_t cc_list_count(const char *list)
{
    size_t count = 1;
    for (; *list; list++)
        count += *list == ',';
    return count;
}

const char *cc_nearest(const char *word, const char *const *candidates, size_t count)
{
    const char *best = NULL;
    unsigned least = 0;
    size_t n = strlen(word);
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(word, candidates[i]) == 0) return candidates[i];
        /* A prefix of a candidate counts as a small edit distance, so that "super" suggests "supervised". */
        bool head = n >= 3 && strncasecmp(word, candidates[i], n) == 0;
        unsigned distance = head ? 1 : cc_edit_distance(word, candidates[i]);
        size_t length = strlen(candidates[i]), longer = length > n ? length : n;
        if (distance > longer / 2) continue;
        if (best == NULL || distance < least) {
            best = candidates[i];
            least = distance;
        }
    }
    return best;
}
