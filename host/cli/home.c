/* The home folder in arguments. A shell replaces ~/ only where it begins a word and stands in no quotes: --output=~/x arrives as it is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

/* Where an argument's path begins: behind the '=' of an option. key=value is the configuration's, which knows which values are paths. */
static const char *path_of(const char *argument)
{
    const char *equals = argument[0] == '-' ? strchr(argument, '=') : NULL;
    return equals ? equals + 1 : argument;
}

static camcl_status expand(const char *argument, char **out, camcl_error *err)
{
    const char *path = path_of(argument);
    const size_t head = (size_t)(path - argument);
    char *expanded = NULL;
    camcl_status status = camcl_path_expand(path, &expanded, err);
    if (status != CAMCL_OK) return status;
    const size_t room = head + strlen(expanded) + 1;
    *out = malloc(room);
    if (*out)
        snprintf(*out, room, "%.*s%s", (int)head, argument, expanded);
    else
        status = cli_no_memory(err);
    free(expanded);
    return status;
}

camcl_status cli_expand_home(int argc, char **argv, char ***out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    *out = calloc((size_t)argc + 1, sizeof **out);
    if (*out == NULL) return cli_no_memory(err);
    for (int i = 0; status == CAMCL_OK && i < argc; i++)
        status = expand(argv[i], &(*out)[i], err);
    if (status != CAMCL_OK) cli_free_arguments(out);
    return status;
}

void cli_free_arguments(char ***arguments)
{
    for (char **a = *arguments; a && *a; a++)
        free(*a);
    free(*arguments);
    *arguments = NULL;
}
