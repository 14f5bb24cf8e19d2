/* A page in Markdown: what its reader is told to type, and where its links lead. */
#ifndef TESTS_SUPPORT_PAGE_H
#define TESTS_SUPPORT_PAGE_H

#include <stddef.h>

typedef enum page_kind {
    PAGE_COMMANDS, /* a block between ```sh and ``` */
    PAGE_QUOTE,    /* what stands in `...` in the text */
    PAGE_LINK      /* the target of [...](...) */
} page_kind;

typedef struct page_part {
    page_kind kind;
    size_t line; /* where it begins, from 1 */
    char *text;  /* a block's lines, each with its end; in quotes a line's end is a blank */
} page_part;

typedef struct doc_page {
    page_part *parts;
    size_t count;
} doc_page;

/* Fails the running test where the page cannot be read, a quote or a block does not end, a block says of no known language to be, or
 * commands stand in an indented block, in which nobody would look for them. */
doc_page *page_read(const char *path);
void page_free(doc_page **p);

#endif
