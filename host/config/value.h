/* Reading the text of one value, and checking it against the key's row of the schema. */
#ifndef CC_CONFIG_VALUE_H
#define CC_CONFIG_VALUE_H

#include "base/diag.h"
#include "camcl/config.h"

/* Read numbers in the C locale's form (digits, sign, point, exponent), whatever the current locale. Return false if text is anything
 * else, out of the type's range, or not finite. */
bool cc_parse_int(const char *text, long long *out);
bool cc_parse_number(const char *text, double *out);
bool cc_parse_bool(const char *text, bool *out);
/* Reads comma-separated numbers and returns how many there are, or 0 if one is malformed. The first `room` numbers are stored in `out`. */
size_t cc_parse_numbers(const char *text, double *out, size_t room);

/* CAMCL_BAD_CONFIG with "origin: section.key = text: why (range, nearest word)" if the key's row does not allow text. */
camcl_status cc_value_check(const camcl_config_key *key, const char *text, const char *origin, camcl_error *err);

/* The value that a table has for the word that a CAMCL_KEY_CHOICE key has: the table must have every word of the schema. */
typedef struct cc_word_value {
    const char *word;
    int value;
} cc_word_value;
int cc_value_of_word(const camcl_config *config, const char *key, const cc_word_value *table, size_t count);

/* The largest number of values of a CAMCL_KEY_NUMBERS key. */
#define CC_MOST_NUMBERS 64

#endif
