/* camcl version: what this build is. */
#include "camcl/version.h"
#include "cli.h"

/* Adds " (with a, b; without c)". */
static void print_libraries(const camcl_library *libraries, size_t count, bool present, const char *word, bool *open)
{
    size_t listed = 0;
    for (size_t i = 0; i < count; i++) {
        if (libraries[i].present != present) continue;
        if (listed++ > 0)
            printf(", ");
        else
            printf("%s%s ", *open ? "; " : " (", word);
        printf("%s", libraries[i].name);
        *open = true;
    }
}

int cmd_version(int argc, char **argv)
{
    camcl_error err = { 0 };
    if (cli_parse_version(argc, argv, &err) != CAMCL_OK) return cli_fail(&err);
    size_t count;
    bool open = false;
    const camcl_library *libraries = camcl_libraries(&count);
    printf("camcl %s", camcl_version());
    print_libraries(libraries, count, true, "with", &open);
    print_libraries(libraries, count, false, "without", &open);
    printf("%s\n\n", open ? ")" : "");
    for (size_t i = 0; i < count; i++)
        printf("  %-10s  %-3s  %s\n", libraries[i].name, libraries[i].present ? "yes" : "no", libraries[i].use);
    return 0;
}
