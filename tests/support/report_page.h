/* The JSON document of a report page. */
#ifndef TESTS_SUPPORT_REPORT_PAGE_H
#define TESTS_SUPPORT_REPORT_PAGE_H

#include "base/json.h"

/* The document of the page at this path; fails the running test where there is none. The caller frees. */
cc_json *report_document(const char *path);
/* Run `at` of it. */
const cc_json *report_run(const cc_json *document, size_t at);
/* Member "a/b/2" of an object: names, and places in arrays; fails the running test where there is none. */
const cc_json *json_at(const cc_json *json, const char *path);
double json_number_of(const cc_json *json, const char *path); /* fails unless a number */
const char *json_string_of(const cc_json *json, const char *path);

#endif
