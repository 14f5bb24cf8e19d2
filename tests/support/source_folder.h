/* A scratch folder that stands for the source folder after a build, for commands as users type them: build/camcl, and camcl in PATH, are a
 * script that runs the program under test; what was built counts as built, so that ./run and cmake build nothing; in it are what
 * docs/own-pictures.md takes for granted, photos/, new/ and resnet18.safetensors. HOME and every cache are inside. */
#ifndef TESTS_SUPPORT_SOURCE_FOLDER_H
#define TESTS_SUPPORT_SOURCE_FOLDER_H

#include <stddef.h>

/* Arguments `more` for commands whose arguments fit `pattern`. */
typedef struct source_shorter {
    const char *page; /* NULL: of any page */
    const char *pattern, *more;
} source_shorter;

/* cmocka setup and teardown of a group, whose source folders share their caches. */
int source_folders_setup(void **state);
int source_folders_teardown(void **state);

/* For one page, with those of `rows` that concern it. */
char *source_folder_create(const char *page, const source_shorter *rows, size_t count);
void source_folder_destroy(char **folder);

/* Runs the script's lines in the folder, until one fails; the exit status. The caller frees what was printed; *said ends with the line that
 * failed and what it said. */
int source_folder_run(const char *folder, const char *script, char **printed, char **said);

#endif
