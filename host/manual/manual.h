/* Manual pages and shell completions out of the tables of commands and of keys, made while camcl is built. */
#ifndef MANUAL_MANUAL_H
#define MANUAL_MANUAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "cli/cli.h"

/* An option, as the command's help describes it. */
typedef struct manual_option {
    char name[32];     /* "--output" */
    char letter[8];    /* "-o", or "" */
    char value[32];    /* what it takes, as the help calls it: "DIR"; "" for none */
    char words[128];   /* the values that the usage line lists, blanks between; "" for none */
    char what[512];    /* its description, on one line */
    bool file, folder; /* its value is one */
} manual_option;

/* What may stand on a command's line. */
typedef struct manual_command {
    const cli_command *command;
    manual_option options[24];
    size_t option_count;
    char words[512]; /* operands that are words, blanks between: sub-commands, tasks, names of data sets */
    bool overrides;  /* key=value */
    bool keys;       /* section.key or section */
    bool files;      /* operands that are paths */
} manual_command;

/* Reads a row of the table of commands. false: its help has an option that cannot be read; it is named on stderr. */
bool manual_read(const cli_command *command, manual_command *out);

/* A line of a help text. */
typedef enum manual_line_kind { MANUAL_BLANK, MANUAL_TEXT, MANUAL_ITEM, MANUAL_MORE } manual_line_kind;
typedef struct manual_line {
    manual_line_kind kind; /* MORE: goes on with the item above */
    const char *term;      /* ITEM: "-o, --output FILE", "KEY" */
    size_t term_length;
    const char *text;
    size_t text_length;
} manual_line;
/* The line at *at, which moves behind it; false at the end. */
bool manual_next_line(const char **at, manual_line *line);

/* The words that a key takes, blanks between; "" if it takes others, too, or none. */
void manual_key_words(const camcl_config_key *key, char *words, size_t size);

/* Writes text, at most up to the end of its first clause, with `quoted` characters behind a backslash; an apostrophe closes a quoted string
 * of the shell and opens it again. */
void manual_put_brief(FILE *out, const char *text, const char *quoted);

/* camcl.1 (NULL), or the page of a command; camcl.ini.5; completions. */
void manual_page(const cli_command *command, FILE *out);
void manual_config_page(FILE *out);
void manual_bash(const manual_command *commands, size_t count, FILE *out);
void manual_zsh(const manual_command *commands, size_t count, FILE *out);
void manual_fish(const manual_command *commands, size_t count, FILE *out);

#endif
