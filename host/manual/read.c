/* Reading the table of commands: what its usage lines and help texts say. */
#include <ctype.h>
#include <string.h>

#include "camcl/fetch.h"
#include "manual/manual.h"

bool manual_next_line(const char **at, manual_line *line)
{
    const char *text = *at;
    if (*text == '\0') return false;
    const size_t length = strcspn(text, "\n"), blanks = strspn(text, " ");
    *at = text + length + (text[length] == '\n');
    *line = (manual_line){ .kind = MANUAL_TEXT, .text = text + blanks, .text_length = length - blanks };
    if (length == 0) line->kind = MANUAL_BLANK;
    if (length == 0 || blanks < 2) return true;
    line->kind = blanks > 2 ? MANUAL_MORE : MANUAL_ITEM;
    if (line->kind == MANUAL_MORE) return true;
    /* The term ends at two blanks, or, where the description follows at once, after the word that names the option's value. */
    const char *begin = text + 2, *end = begin;
    while (end < text + length && !(end[0] == ' ' && end[1] == ' ')) {
        const char *word = end;
        while (end < text + length && *end != ' ')
            end++;
        if (isupper((unsigned char)*word) && *begin == '-') break;
        if (end < text + length && end[1] != ' ') end++;
    }
    line->term = begin;
    line->term_length = (size_t)(end - begin);
    while (end < text + length && *end == ' ')
        end++;
    line->text = end;
    line->text_length = (size_t)(text + length - end);
    return true;
}

/* Appends to a list with blanks between; false: no room. */
static bool append(char *list, size_t size, const char *word, size_t length)
{
    const size_t used = strlen(list);
    if (used + length + 2 > size) return false;
    snprintf(list + used, size - used, "%s%.*s", used ? " " : "", (int)length, word);
    return true;
}

/* The words of "a|b|c", which ends at a blank or a bracket; none where there is only one. */
static void add_words(const char *text, char *words, size_t size)
{
    const size_t length = strcspn(text, " ]");
    if (!islower((unsigned char)*text) || memchr(text, '|', length) == NULL) return;
    for (size_t at = 0, one; at < length; at += one + 1) {
        one = strcspn(text + at, "| ]");
        (void)append(words, size, text + at, one);
    }
}

/* "-o, --output FILE", "--index N...", "--json". */
static bool read_option(const cli_command *command, const manual_line *line, manual_option *o)
{
    char term[96], *save, *word;
    *o = (manual_option){ .what = "" };
    if (line->term_length >= sizeof term) return false;
    snprintf(term, sizeof term, "%.*s", (int)line->term_length, line->term);
    for (word = strtok_r(term, ", ", &save); word; word = strtok_r(NULL, ", ", &save)) {
        char *to = strncmp(word, "--", 2) == 0 ? o->name : *word == '-' ? o->letter : o->value;
        const size_t room = to == o->name ? sizeof o->name : to == o->letter ? sizeof o->letter : sizeof o->value;
        if (strlen(word) >= room) return false;
        if (*to == '\0') strcpy(to, word); /* "N,N": the first says enough */
    }
    o->file = strncmp(o->value, "FILE", 4) == 0;
    o->folder = strcmp(o->value, "DIR") == 0;
    char asked[40];
    snprintf(asked, sizeof asked, "%s ", o->name);
    const char *usage = strstr(command->arguments, asked);
    if (usage) add_words(usage + strlen(asked), o->words, sizeof o->words);
    return *o->name && append(o->what, sizeof o->what, line->text, line->text_length);
}

/* An option that two sub-commands have counts once. */
static bool is_known(const manual_command *c, const char *name)
{
    for (size_t i = 0; i < c->option_count; i++)
        if (strcmp(c->options[i].name, name) == 0) return true;
    return false;
}

static bool read_options(manual_command *c)
{
    const char *at = c->command->help;
    manual_line line;
    manual_option *open = NULL;
    while (manual_next_line(&at, &line)) {
        bool read = true;
        if (line.kind == MANUAL_ITEM && *line.term == '-') {
            manual_option one;
            read = c->option_count < sizeof c->options / sizeof c->options[0] && read_option(c->command, &line, &one);
            open = NULL;
            if (read && !is_known(c, one.name)) {
                open = &c->options[c->option_count++];
                *open = one;
            }
        } else if (line.kind == MANUAL_MORE && open) {
            read = append(open->what, sizeof open->what, line.text, line.text_length);
        } else {
            open = NULL;
        }
        if (!read) {
            fprintf(stderr, "camcl %s: its help has an option that cannot be read: %.*s\n", c->command->name, (int)line.term_length,
                    line.term);
            return false;
        }
    }
    return true;
}

static void add_operand(manual_command *c, const char *word, size_t length)
{
    char one[64];
    const char *name;
    snprintf(one, sizeof one, "%.*s", (int)length, word);
    if (strcmp(one, "key=value") == 0) {
        c->overrides = true;
    } else if (strcmp(one, "KEY") == 0) {
        c->keys = true;
    } else if (strcmp(one, "TASK") == 0) {
        size_t count;
        const camcl_config_template *tasks = camcl_config_templates(&count);
        for (size_t i = 0; i < count; i++)
            (void)append(c->words, sizeof c->words, tasks[i].task, strlen(tasks[i].task));
    } else if (strcmp(one, "NAME") == 0) {
        for (size_t i = 0; (name = camcl_fetch_name(i)) != NULL; i++)
            (void)append(c->words, sizeof c->words, name, strlen(name));
    } else if (isupper((unsigned char)*one)) {
        c->files = true;
    } else if (islower((unsigned char)*one) && strchr(one, '|')) {
        add_words(one, c->words, sizeof c->words);
    } else if (islower((unsigned char)*one)) {
        (void)append(c->words, sizeof c->words, one, strlen(one));
    }
}

/* "[peak|ops|step] [key=value ...] [-o DIR] | --index N...": what is neither an option nor its value. */
static void read_operands(manual_command *c)
{
    for (const char *at = c->command->arguments; *at;) {
        const size_t open = strspn(at, "[ ");
        at += open;
        const size_t length = strcspn(at, " ]");
        const bool option = *at == '-', ends = at[length] == ']';
        if (!option && length > 0) {
            size_t used = length;
            while (used > 0 && at[used - 1] == '.')
                used--;
            if (used > 0) add_operand(c, at, used);
        }
        at += length;
        /* An option's value goes with it. */
        if (option && !ends) {
            at += strspn(at, " ");
            if (isupper((unsigned char)*at) || islower((unsigned char)*at)) at += strcspn(at, " ]");
        }
        at += strspn(at, "] ");
    }
}

bool manual_read(const cli_command *command, manual_command *out)
{
    *out = (manual_command){ .command = command };
    read_operands(out);
    return read_options(out);
}

void manual_key_words(const camcl_config_key *key, char *words, size_t size)
{
    *words = '\0';
    if (key->type == CAMCL_KEY_BOOL) snprintf(words, size, "yes no");
    for (const char *at = key->words ? key->words : ""; *at;) {
        const size_t length = strcspn(at, " |");
        (void)append(words, size, at, length);
        at += length;
        at += strspn(at, " |");
    }
}

void manual_put_brief(FILE *out, const char *text, const char *quoted)
{
    for (; *text && strncmp(text, "; ", 2) != 0 && strncmp(text, ". ", 2) != 0; text++) {
        if (*text == '\'')
            fputs("'\\'", out);
        else if (strchr(quoted, *text))
            fputc('\\', out);
        fputc(*text, out);
    }
}
