/* A line that says how far something is, redrawn in its place on a terminal, whatever its width. */
#ifndef CLI_LINE_H
#define CLI_LINE_H

#include <stddef.h>
#include <stdio.h>

enum { CLI_LINE_FIELDS = 24, CLI_FIELD_SIZE = 64 };

/* Fields, shown side by side in the order in which they were added. Start with { .count = 0 }. */
typedef struct cli_line {
    struct {
        char text[CLI_FIELD_SIZE];
        int rank; /* 0: the most telling; where not all have room, the highest go first */
    } fields[CLI_LINE_FIELDS];
    size_t count;
} cli_line;

/* Adds a field; more than there is room for are left out. */
void cli_line_add(cli_line *line, int rank, const char *format, ...);
/* Writes the fields with two blanks between them in at most `columns` characters: the least telling ones are left out, and what is still
 * too wide is cut. */
void cli_line_fit(const cli_line *line, size_t columns, char *text, size_t size);

/* The width of the terminal behind `file`: what it says itself, else what COLUMNS says. */
size_t cli_columns(FILE *file);
/* Draws the line over the one where the cursor is, in one row of the terminal behind `file`. */
void cli_line_draw(const cli_line *line, FILE *file);
/* Prints all fields and a line end, for where there is no terminal. */
void cli_line_print(const cli_line *line, FILE *file);

#endif
