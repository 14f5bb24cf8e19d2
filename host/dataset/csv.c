#include "dataset/csv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"

camcl_status cc_csv_fail(const cc_csv *csv, size_t line, camcl_error *err, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return cc_fail(err, CAMCL_BAD_DATA, "%s:%zu: %s", csv->file, line, text);
}

/* Counts the line ends in front of `to`. */
static size_t line_ends(const char *from, const char *to)
{
    size_t count = 0;
    for (; from < to; from++)
        count += *from == '\n' || (*from == '\r' && from[1] != '\n');
    return count;
}

camcl_status cc_csv_open(const char *path, cc_csv *out, camcl_error *err)
{
    static const char mark[] = "\xEF\xBB\xBF";
    struct stat info;
    size_t size;
    *out = (cc_csv){ .file = path, .line = 1 };
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))
        return cc_fail(err, CAMCL_BAD_DATA, "%s: it is no regular file (a list is a CSV file)", path);
    CC_RETURN_IF_FAILED(cc_file_read(path, &out->data, &size, err));
    out->at = out->data;
    out->end = out->data + size;
    const char *nul = memchr(out->data, '\0', size);
    if (nul) return cc_csv_fail(out, 1 + line_ends(out->data, nul), err, "a NUL byte (a list is a CSV file in UTF-8)");
    if (strncmp(out->data, mark, sizeof mark - 1) == 0) out->at += sizeof mark - 1;
    return CAMCL_OK;
}

/* Moves past a line end at `at`, and counts it. */
static void pass_line_end(cc_csv *csv)
{
    if (*csv->at == '\r' && csv->at[1] == '\n') csv->at++;
    csv->at++;
    csv->line++;
}

/* Skips lines without anything but blanks. */
static void skip_blank_lines(cc_csv *csv)
{
    for (;;) {
        char *at = csv->at + strspn(csv->at, " \t");
        if (*at != '\r' && *at != '\n' && *at != '\0') return;
        csv->at = at;
        if (*at == '\0') return;
        pass_line_end(csv);
    }
}

/* Reads what is between quotes; `at` is behind the first one. The field shrinks in place where quotes are doubled. */
static camcl_status quoted_field(cc_csv *csv, char **field, char **field_end, camcl_error *err)
{
    const size_t line = csv->line;
    char *to = csv->at;
    *field = to;
    for (;; csv->at++) {
        if (csv->at == csv->end) return cc_csv_fail(csv, line, err, "a quote that is not closed (end the field with a quote)");
        if (*csv->at == '"' && *++csv->at != '"') break;
        if (*csv->at == '\n' || (*csv->at == '\r' && csv->at[1] != '\n')) csv->line++;
        *to++ = *csv->at;
    }
    if (!strchr(",\r\n", *csv->at)) /* strchr finds the end of the file as well */
        return cc_csv_fail(csv, csv->line, err, "text behind a closing quote (a quote within a field in quotes is doubled)");
    *field_end = to;
    return CAMCL_OK;
}

static camcl_status plain_field(cc_csv *csv, char **field, char **field_end, camcl_error *err)
{
    *field = csv->at;
    csv->at += strcspn(csv->at, ",\r\n\"");
    if (*csv->at == '"')
        return cc_csv_fail(csv, csv->line, err, "a quote within a field (put the whole field in quotes, and double those within)");
    *field_end = csv->at;
    return CAMCL_OK;
}

camcl_status cc_csv_next(cc_csv *csv, cc_csv_row *row, bool *more, camcl_error *err)
{
    skip_blank_lines(csv);
    row->count = 0;
    row->line = csv->line;
    *more = csv->at < csv->end;
    for (bool last = !*more; !last;) {
        char *field = NULL, *field_end = NULL;
        const bool is_quoted = *csv->at == '"';
        csv->at += is_quoted;
        CC_RETURN_IF_FAILED(is_quoted ? quoted_field(csv, &field, &field_end, err) : plain_field(csv, &field, &field_end, err));
        CC_RETURN_IF_FAILED(cc_grow((void **)&row->fields, &row->capacity, row->count + 1, sizeof *row->fields, err));
        row->fields[row->count++] = field;
        last = *csv->at != ',';
        if (!last)
            csv->at++;
        else if (csv->at < csv->end)
            pass_line_end(csv);
        *field_end = '\0'; /* only now, because it may be the separator */
    }
    return CAMCL_OK;
}

void cc_csv_close(cc_csv *csv)
{
    free(csv->data);
    csv->data = csv->at = csv->end = NULL;
}

void cc_csv_row_free(cc_csv_row *row)
{
    free(row->fields);
    *row = (cc_csv_row){ NULL, 0, 0, 0 };
}
