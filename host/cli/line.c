#include "line.h"

#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

enum { GAP = 2, USUAL_COLUMNS = 80, WIDEST = CLI_LINE_FIELDS * (CLI_FIELD_SIZE + GAP) };

void cli_line_add(cli_line *line, int rank, const char *format, ...)
{
    if (line->count == CLI_LINE_FIELDS) return;
    va_list args;
    va_start(args, format);
    vsnprintf(line->fields[line->count].text, CLI_FIELD_SIZE, format, args);
    va_end(args);
    line->fields[line->count++].rank = rank;
}

/* The width of the fields up to this rank. Bytes count as columns, which texts beyond ASCII make narrower, never wider. */
static size_t width(const cli_line *line, int rank)
{
    size_t total = 0;
    for (size_t i = 0; i < line->count; i++)
        if (line->fields[i].rank <= rank) total += strlen(line->fields[i].text) + (total ? GAP : 0);
    return total;
}

static int highest_rank(const cli_line *line)
{
    int rank = 0;
    for (size_t i = 0; i < line->count; i++)
        if (line->fields[i].rank > rank) rank = line->fields[i].rank;
    return rank;
}

void cli_line_fit(const cli_line *line, size_t columns, char *text, size_t size)
{
    int rank = highest_rank(line);
    size_t used = 0;
    while (rank > 0 && width(line, rank) > columns)
        rank--;
    *text = '\0';
    for (size_t i = 0; i < line->count && used < size; i++)
        if (line->fields[i].rank <= rank)
            used += (size_t)snprintf(text + used, size - used, "%s%s", used ? "  " : "", line->fields[i].text);
    if (columns < size) text[columns] = '\0';
}

size_t cli_columns(FILE *file)
{
    struct winsize window;
    if (ioctl(fileno(file), TIOCGWINSZ, &window) == 0 && window.ws_col > 0) return window.ws_col;
    const char *text = getenv("COLUMNS");
    const long columns = text ? strtol(text, NULL, 10) : 0;
    return columns > 0 && columns < INT_MAX ? (size_t)columns : USUAL_COLUMNS;
}

/* The last column stays free: a character there makes some terminals begin a new row. */
void cli_line_draw(const cli_line *line, FILE *file)
{
    char text[WIDEST];
    cli_line_fit(line, cli_columns(file) - 1, text, sizeof text);
    fprintf(file, "\r%s\033[K", text);
    fflush(file);
}

void cli_line_print(const cli_line *line, FILE *file)
{
    char text[WIDEST];
    cli_line_fit(line, WIDEST, text, sizeof text);
    fprintf(file, "%s\n", text);
    fflush(file);
}
