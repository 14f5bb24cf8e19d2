/* One value's text: checking it against the key's row, and reading it. */
#ifndef CC_CONFIG_VALUE_H
#define CC_CONFIG_VALUE_H

#include "base/diag.h"
#include "camcl/config.h"

/* Numbers in the C locale's form, whatever the program's locale: digits, sign, point, exponent. false when text is
 * anything else, out of the type's range, or not finite. */
bool cc_parse_int(const char *text, long long *out);
bool cc_parse_number(const char *text, double *out);
bool cc_parse_bool(const char *text, bool *out);
/* Comma-separated numbers: how many there are, 0 when one is malformed. The first `room` go to `out`. */
size_t cc_parse_numbers(const char *text, double *out, size_t room);

/* CAMCL_BAD_CONFIG "origin: section.key = text: why (range, nearest word)" when the row does not allow text. */
camcl_status cc_value_check(const camcl_config_key *key, const char *text, const char *origin, camcl_error *err);

/* Values a CAMCL_KEY_NUMBERS may have at most. */
#define CC_MOST_NUMBERS 16

#endif
