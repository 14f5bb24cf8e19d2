/* camcl_manual FOLDER: writes man1/, man5/ and completions/ there. A tool of the build. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "manual/manual.h"

enum { MOST_COMMANDS = 64 };
static manual_command commands[MOST_COMMANDS];
static size_t command_count;
static const char *top;

static FILE *begin(const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", top, folder);
    if (mkdir(path, 0777) != 0 && errno != EEXIST) {
        perror(path);
        exit(1);
    }
    snprintf(path, sizeof path, "%s/%s/%s", top, folder, name);
    FILE *out = fopen(path, "w");
    if (out == NULL) {
        perror(path);
        exit(1);
    }
    return out;
}

static void end(FILE *out)
{
    if (!ferror(out) && fclose(out) == 0) return;
    perror("camcl_manual: writing");
    exit(1);
}

static void read_commands(void)
{
    const cli_command *table = cli_commands(&command_count);
    if (command_count > MOST_COMMANDS) {
        fprintf(stderr, "camcl_manual: more than %d commands\n", MOST_COMMANDS);
        exit(1);
    }
    for (size_t i = 0; i < command_count; i++)
        if (!manual_read(&table[i], &commands[i])) exit(1);
}

static void write_pages(void)
{
    FILE *out = begin("man1", "camcl.1");
    manual_page(NULL, out);
    end(out);
    for (size_t i = 0; i < command_count; i++) {
        char name[64];
        snprintf(name, sizeof name, "camcl-%s.1", commands[i].command->name);
        out = begin("man1", name);
        manual_page(commands[i].command, out);
        end(out);
    }
    out = begin("man5", "camcl.ini.5");
    manual_config_page(out);
    end(out);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*write)(const manual_command *, size_t, FILE *);
    } shells[] = { { "camcl.bash", manual_bash }, { "_camcl", manual_zsh }, { "camcl.fish", manual_fish } };
    if (argc != 2) {
        fprintf(stderr, "usage: camcl_manual FOLDER\n");
        return 2;
    }
    top = argv[1];
    read_commands();
    write_pages();
    for (size_t i = 0; i < sizeof shells / sizeof shells[0]; i++) {
        FILE *out = begin("completions", shells[i].name);
        shells[i].write(commands, command_count, out);
        end(out);
    }
    return 0;
}
