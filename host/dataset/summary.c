#include "dataset/summary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void cc_format_counts_add(cc_format_counts *counts, const char *name)
{
    size_t row = 0;
    while (row < CC_MOST_FORMATS - 1 && counts->rows[row].count > 0 && strcmp(counts->rows[row].name, name) != 0)
        row++;
    if (counts->rows[row].count++ == 0) snprintf(counts->rows[row].name, sizeof counts->rows[row].name, "%s", name);
}

static int by_count(const void *a, const void *b)
{
    const cc_format_count *x = a, *y = b;
    if (x->count != y->count) return x->count > y->count ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* "3 .gif", "2 that cannot be read", "4 without an extension", "a broken link", "2 times a broken link". */
static void add_kind(cc_text *out, const char *kind, uint32_t count)
{
    const bool article = strncmp(kind, "a ", 2) == 0;
    if (!article || count != 1) {
        cc_text_add_count(out, count);
        cc_text_add(out, " ");
    }
    if (article && count != 1) cc_text_add(out, "times ");
    if (strncmp(kind, "cannot ", 7) == 0) cc_text_add(out, "that ");
    if (strncmp(kind, "no ", 3) == 0) cc_text_add(out, "with ");
    cc_text_add_visible(out, kind, 64);
}

static void add_left_out(const cc_summary *summary, cc_text *out)
{
    for (size_t i = 0; i < summary->left_out->count; i++) {
        const camcl_left_out *row = &summary->left_out->rows[i];
        const char *example = summary->reason && strcmp(row->kind, CC_CANNOT_BE_READ) == 0 ? summary->reason : row->example;
        cc_text_add(out, i == 0 ? "; left out: " : ", ");
        add_kind(out, row->kind, row->count);
        cc_text_add(out, row->count == 1 ? " (" : " (first: ");
        cc_text_add_visible(out, example, 400);
        cc_text_add(out, ")");
    }
}

void cc_summary_write(const cc_summary *summary, cc_text *out)
{
    cc_format_counts sorted = summary->formats;
    qsort(sorted.rows, CC_MOST_FORMATS, sizeof sorted.rows[0], by_count);
    cc_text_add_count(out, summary->pictures);
    cc_text_add(out, summary->pictures == 1 ? " picture read" : " pictures read");
    for (size_t i = 0; i < CC_MOST_FORMATS && sorted.rows[i].count > 0; i++) {
        cc_text_add(out, i == 0 ? " (" : ", ");
        cc_text_add_count(out, sorted.rows[i].count);
        cc_text_add(out, " %s%s", sorted.rows[i].name, i + 1 == CC_MOST_FORMATS || sorted.rows[i + 1].count == 0 ? ")" : "");
    }
    add_left_out(summary, out);
    cc_text_add(out, "; ");
    cc_pixel_store_describe(summary->store, out);
    cc_text_add(out, "; took %.*f s", summary->seconds < 9.995 ? 2 : 0, summary->seconds);
}
