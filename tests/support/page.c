#include "support/page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/text.h"
#include "support/scratch.h"

typedef struct reading {
    const char *path;
    doc_page *page;
    enum { PROSE, COMMANDS, OTHER } in;
    bool blank, indented; /* the line before was; it was of an indented block */
    cc_text paragraph, block;
    size_t line, begin; /* the line that is read, that in which the paragraph or the block begins */
} reading;

static bool starts_with(const char *text, const char *start) { return strncmp(text, start, strlen(start)) == 0; }

static void add_part(reading *r, page_kind kind, size_t line, const char *text, size_t length)
{
    doc_page *p = r->page;
    p->parts = realloc(p->parts, (p->count + 1) * sizeof *p->parts);
    assert_non_null(p->parts);
    page_part *part = &p->parts[p->count++];
    *part = (page_part){ kind, line, malloc(length + 1) };
    assert_non_null(part->text);
    memcpy(part->text, text, length);
    part->text[length] = '\0';
}

/* ---- the text between blocks */

static void add_quote(reading *r, size_t line, const char *start, const char *end)
{
    add_part(r, PAGE_QUOTE, line, start, (size_t)(end - start));
    for (char *p = r->page->parts[r->page->count - 1].text; (p = strchr(p, '\n')) != NULL;)
        *p = ' ';
}

/* A paragraph has ended: its quotes and links, in their order. */
static void end_paragraph(reading *r)
{
    size_t line = r->begin;
    if (r->paragraph.failed) fail_msg("no memory");
    for (const char *p = r->paragraph.data; p && *p; p++) {
        if (*p == '\n') line++;
        if (*p == '`') {
            const char *end = strchr(p + 1, '`');
            if (end == NULL) fail_msg("%s:%zu: a quote does not end", r->path, line);
            add_quote(r, line, p + 1, end);
            for (; p < end; p++)
                line += *p == '\n';
        } else if (starts_with(p, "](")) {
            const size_t length = strcspn(p + 2, ")\n");
            if (p[2 + length] == ')') add_part(r, PAGE_LINK, line, p + 2, length);
        }
    }
    cc_text_free(&r->paragraph);
}

/* ---- lines */

static const char *after_blanks(const char *line) { return line + strspn(line, " "); }

static bool is_command(const char *line)
{
    static const char *const programs[] = { "build/", "./", "tests/", "camcl ", "cmake ", "sudo ", "python3 ", "mpirun ", "$ " };
    for (size_t i = 0; i < CC_COUNT(programs); i++)
        if (starts_with(after_blanks(line), programs[i])) return true;
    return false;
}

/* The kinds of blocks with nothing to type in them. */
static bool is_other_language(const char *name)
{
    static const char *const names[] = { "text", "ini", "c", "cpp", "opencl", "python", "json", "csv", "cmake", "bibtex", "dockerfile" };
    for (size_t i = 0; i < CC_COUNT(names); i++)
        if (strcmp(name, names[i]) == 0) return true;
    return false;
}

static void read_fence(reading *r, const char *word)
{
    if (r->in == PROSE) {
        end_paragraph(r);
        r->in = strcmp(word, "```sh") == 0 ? COMMANDS : OTHER;
        if (r->in == OTHER && !is_other_language(word + 3)) fail_msg("%s:%zu: what kind of block is %s?", r->path, r->line, word);
        r->begin = r->line + 1;
        return;
    }
    if (r->block.failed) fail_msg("no memory");
    if (r->in == COMMANDS && r->block.length) add_part(r, PAGE_COMMANDS, r->begin, r->block.data, r->block.length);
    cc_text_free(&r->block);
    r->in = PROSE;
    r->blank = true;
}

/* A line that is indented by four, behind a blank line or another such line, is no prose. */
static void read_prose(reading *r, const char *line)
{
    r->indented = starts_with(line, "    ") && (r->blank || r->indented);
    r->blank = *after_blanks(line) == '\0';
    if (r->indented && is_command(line)) fail_msg("%s:%zu: commands stand in a block of ```sh: %s", r->path, r->line, line);
    if (r->indented || r->blank) {
        end_paragraph(r);
        return;
    }
    if (r->paragraph.length == 0) r->begin = r->line;
    cc_text_add(&r->paragraph, "%s\n", line);
}

doc_page *page_read(const char *path)
{
    reading r = { .path = path, .blank = true };
    size_t size;
    char *text = scratch_read(path, &size), *end;
    if (text == NULL) fail_msg("%s cannot be read", path);
    r.page = calloc(1, sizeof *r.page);
    assert_non_null(r.page);
    for (char *line = text; *line; line = end + 1) {
        if ((end = strchr(line, '\n')) == NULL) fail_msg("%s: the last line does not end", path);
        *end = '\0';
        r.line++;
        if (starts_with(after_blanks(line), "```"))
            read_fence(&r, after_blanks(line));
        else if (r.in == COMMANDS)
            cc_text_add(&r.block, "%s\n", line);
        else if (r.in == PROSE)
            read_prose(&r, line);
    }
    if (r.in != PROSE) fail_msg("%s:%zu: a block does not end", path, r.begin);
    end_paragraph(&r);
    free(text);
    return r.page;
}

void page_free(doc_page **p)
{
    if (*p == NULL) return;
    for (size_t i = 0; i < (*p)->count; i++)
        free((*p)->parts[i].text);
    free((*p)->parts);
    free(*p);
    *p = NULL;
}
