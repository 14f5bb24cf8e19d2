/* Completion for fish. */
#include <string.h>

#include "manual/manual.h"

static void put_keys(FILE *out)
{
    char words[512];
    size_t count;
    const camcl_config_key *schema = camcl_config_schema(&count);
    fputs("function __camcl_overrides\n    set -l token (commandline -ct)\n    switch $token\n", out);
    for (size_t i = 0; i < count; i++) {
        char *save;
        manual_key_words(&schema[i], words, sizeof words);
        if (*words == '\0') continue;
        fprintf(out, "        case '%s.%s=*'\n            printf '%%s\\n'", schema[i].section, schema[i].name);
        for (char *word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save))
            fprintf(out, " '%s.%s=%s'", schema[i].section, schema[i].name, word);
        fputc('\n', out);
    }
    fputs("        case '*=*'\n            __fish_complete_path $token\n        case '*.*'\n            __camcl_keys =\n    end\nend\n\n"
          "function __camcl_keys -a ending\n",
          out);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "    printf '%%s\\t%%s\\n' \"%s.%s$ending\" '", schema[i].section, schema[i].name);
        manual_put_brief(out, schema[i].help, "\\");
        fputs("'\n", out);
    }
    fputs("end\n\n", out);
}

static void put_option(const char *condition, const manual_option *o, FILE *out)
{
    fprintf(out, "complete -c camcl %s -l %s", condition, o->name + 2);
    if (*o->letter) fprintf(out, " -s %s", o->letter + 1);
    if (*o->words)
        fprintf(out, " -x -a '%s'", o->words);
    else if (o->folder)
        fputs(" -x -a '(__fish_complete_directories)'", out);
    else if (*o->value)
        fputs(o->file ? " -r -F" : " -x", out);
    fputs(" -d '", out);
    manual_put_brief(out, o->what, "\\");
    fputs("'\n", out);
}

static void put_command(const manual_command *c, FILE *out)
{
    char condition[96];
    fprintf(out, "\ncomplete -c camcl -n __fish_use_subcommand -f -a %s -d '", c->command->name);
    manual_put_brief(out, c->command->summary, "\\");
    fputs("'\n", out);
    snprintf(condition, sizeof condition, "-n '__fish_seen_subcommand_from %s'", c->command->name);
    fprintf(out, "complete -c camcl %s -s h -l help -d 'how it is used'\n", condition);
    for (size_t i = 0; i < c->option_count; i++)
        put_option(condition, &c->options[i], out);
    if (*c->words) fprintf(out, "complete -c camcl %s -a '%s'\n", condition, c->words);
    if (c->keys) fprintf(out, "complete -c camcl %s -a '(__camcl_keys)'\n", condition);
    if (c->overrides) fprintf(out, "complete -c camcl %s -a '(__camcl_overrides)'\n", condition);
    if (!c->files) fprintf(out, "complete -c camcl %s -f\n", condition);
}

void manual_fish(const manual_command *commands, size_t count, FILE *out)
{
    fputs("# Completion of camcl for fish, made from the tables of commands and keys.\n\n", out);
    put_keys(out);
    fputs("complete -c camcl -n __fish_use_subcommand -f -a help -d 'how a command is used'\n"
          "complete -c camcl -n '__fish_seen_subcommand_from help' -f -a '",
          out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s%s", i ? " " : "", commands[i].command->name);
    fputs("'\n", out);
    for (size_t i = 0; i < count; i++)
        put_command(&commands[i], out);
}
