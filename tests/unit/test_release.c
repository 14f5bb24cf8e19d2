/* What a release has to say in several places: its version, and the libraries that it needs. Reads the files of the project's top. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "camcl/version.h"
#include "base/memory.h"
#include "support/scratch.h"

static char *load(const char *path)
{
    size_t size;
    char *text = scratch_read(path, &size);
    if (text == NULL) fail_msg("%s is missing (run the tests in the project's top folder)", path);
    return text;
}

static void assert_has(const char *path, const char *part)
{
    char *text = load(path);
    if (strstr(text, part) == NULL) fail_msg("\"%s\" is not in %s", part, path);
    free(text);
}

static void the_version_is_everywhere(void **state)
{
    (void)state;
    char text[64];
    snprintf(text, sizeof text, "\n## %s\n", camcl_version());
    assert_has("CHANGELOG.md", text);
    snprintf(text, sizeof text, "\nversion: %s\n", camcl_version());
    assert_has("CITATION.cff", text);
    char *debian = load("packaging/changelog");
    snprintf(text, sizeof text, "camcl (%s-", camcl_version());
    assert_memory_equal(debian, text, strlen(text));
    free(debian);
}

/* The packages that ./run installs with apt-get, but for those that only tests and running need, and MPI, are those that the Dockerfile
 * builds with; those of libraries are what libcamcl-dev suggests. */
static void packages_know_the_libraries(void **state)
{
    static const char *const apart[] = { "cmocka", "device", "mpi", "mesa", "oclgrind", "clang", "ocloc", "python" };
    (void)state;
    size_t checked = 0;
    char *run = load("run"), *save, *save_one;
    char *table = strstr(run, "\npackages='\n");
    assert_non_null(table);
    table += strlen("\npackages='\n");
    *strchr(table, '\'') = '\0';
    for (char *line = strtok_r(table, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char need[32], packages[128];
        assert_int_equal(sscanf(line, "%31s %127s", need, packages), 2);
        size_t other = 0;
        while (other < CC_COUNT(apart) && strcmp(need, apart[other]) != 0)
            other++;
        if (other < CC_COUNT(apart)) continue;
        for (char *one = strtok_r(packages, ",", &save_one); one; one = strtok_r(NULL, ",", &save_one)) {
            assert_has("Dockerfile", one);
            checked++;
            if (strncmp(one, "lib", 3) == 0 && strstr(one, "-dev") && strcmp(one, "libc6-dev") != 0)
                assert_has("packaging/packages.cmake", one);
        }
    }
    assert_true(checked >= 15);
    free(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(the_version_is_everywhere), cmocka_unit_test(packages_know_the_libraries) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
