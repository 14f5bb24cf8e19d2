/* The rooms of host/, and what each of them may include. Reads the sources below the working directory, the project's top. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "support/scratch.h"

/* A folder of host/ and those that its files may include, itself apart. An operation never sees the configuration, a device knows no
 * operation, a data set knows no device. */
typedef struct layer {
    const char *name;
    const char *below[16];
} layer;
static const layer layers[] = {
    { "base", { NULL } },
    { "config", { "base" } },
    { "image", { "base" } },
    { "dataset", { "base", "image" } },
    { "device", { "base" } },
    { "tensor", { "base", "device" } },
    { "ops", { "base", "device", "tensor" } },
    { "model", { "base", "device", "tensor", "ops" } },
    { "feed", { "base", "device", "tensor", "ops" } },
    { "objective", { "base", "device", "tensor", "ops", "model", "feed" } },
    { "exchange", { "base", "device", "tensor", "ops", "model", "feed", "objective" } },
    { "run", { "base", "config", "dataset", "device", "tensor", "ops", "model", "feed", "objective" } },
    { "infer", { "base", "config", "dataset", "device", "tensor", "ops", "model", "feed", "objective", "run" } },
    { "tune", { "base", "config", "dataset", "device", "tensor", "ops", "model", "feed", "objective", "exchange", "run", "infer" } },
    { "report", { "base", "config", "image", "run" } },
    { "train",
      { "base", "config", "image", "dataset", "device", "tensor", "ops", "model", "feed", "objective", "exchange", "run", "infer", "tune",
        "report" } },
    { "check", { "base", "device", "tensor", "ops" } },
    { "cli", { NULL } },
    { "manual", { "config", "cli" } },
};

static const layer *find_layer(const char *name, size_t length)
{
    for (size_t i = 0; i < CC_COUNT(layers); i++)
        if (strlen(layers[i].name) == length && memcmp(layers[i].name, name, length) == 0) return &layers[i];
    return NULL;
}

static bool may_include(const layer *from, const char *name, size_t length)
{
    if (strlen(from->name) == length && memcmp(from->name, name, length) == 0) return true;
    for (size_t i = 0; i < CC_COUNT(from->below) && from->below[i]; i++)
        if (strlen(from->below[i]) == length && memcmp(from->below[i], name, length) == 0) return true;
    return false;
}

static bool is_source(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && (strcmp(dot, ".c") == 0 || strcmp(dot, ".h") == 0);
}

static bool exists(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file) fclose(file);
    return file != NULL;
}

static bool is_folder(const char *path)
{
    DIR *folder = opendir(path);
    if (folder) closedir(folder);
    return folder != NULL;
}

static size_t failures, includes;

static void complain(const char *path, const char *what, const char *rule)
{
    printf("%s includes %s: %s\n", path, what, rule);
    failures++;
}

/* ---- walking */

typedef void (*judge)(const layer *self, const char *folder, const char *path, const char *what, bool quoted);

static void read_includes(const layer *self, const char *folder, const char *path, judge check)
{
    size_t size;
    char *text = scratch_read(path, &size);
    assert_non_null(text);
    for (char *line = text, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next) *next++ = '\0';
        line += strspn(line, " \t");
        if (*line != '#') continue;
        line += 1 + strspn(line + 1, " \t");
        if (strncmp(line, "include", 7) != 0) continue;
        line += 7 + strspn(line + 7, " \t");
        char close = *line == '<' ? '>' : '"', *end = *line ? strchr(line + 1, close) : NULL;
        if (end == NULL) fail_msg("%s: an include that this test cannot read: %s", path, line);
        *end = '\0';
        includes++;
        check(self, folder, path, line + 1, close == '"');
    }
    free(text);
}

/* Every source of the folder and those below it; returns how many. */
static size_t walk(const layer *self, const char *folder, judge check)
{
    size_t files = 0;
    DIR *entries = opendir(folder);
    if (entries == NULL) fail_msg("%s: cannot be read (run the tests in the project's top folder)", folder);
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        char path[1024];
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (is_folder(path)) files += walk(self, path, check);
        if (!is_source(entry->d_name)) continue;
        read_includes(self, folder, path, check);
        files++;
    }
    closedir(entries);
    return files;
}

/* ---- rules */

static void check_public_name(const char *path, const char *what)
{
    char file[1024];
    snprintf(file, sizeof file, "include/%s", what);
    if (!exists(file)) complain(path, what, "there is no such public header");
}

/* Libraries of which one place alone knows. */
static void check_library(const layer *self, const char *path, const char *what)
{
    bool gemm = strcmp(path, "host/ops/gemm.c") == 0;
    if (strstr(what, "iniparser") && strcmp(self->name, "config") != 0) complain(path, what, "only host/config knows iniparser");
    if (strstr(what, "clblast") && !gemm) complain(path, what, "only host/ops/gemm.c knows CLBlast");
    if ((strncmp(what, "CL/", 3) == 0 || strncmp(what, "OpenCL/", 7) == 0) && strcmp(self->name, "device") != 0 && !gemm)
        complain(path, what, "only host/device knows OpenCL");
    if ((strncmp(what, "png", 3) == 0 || strncmp(what, "jpeg", 4) == 0 || strncmp(what, "archive", 7) == 0) &&
        strcmp(self->name, "image") != 0 && strcmp(self->name, "dataset") != 0)
        complain(path, what, "only host/image and host/dataset know libraries of file formats");
    if (strncmp(what, "curl/", 5) == 0 && strcmp(path, "host/dataset/download.c") != 0)
        complain(path, what, "only host/dataset/download.c knows libcurl");
    if (strncmp(what, "nettle/", 7) == 0 && strcmp(path, "host/dataset/checksum.c") != 0)
        complain(path, what, "only host/dataset/checksum.c knows nettle");
    if (strcmp(what, "mpi.h") == 0 && strncmp(path, "host/exchange/mpi/", 18) != 0)
        complain(path, what, "only host/exchange/mpi knows MPI");
}

static bool sees_configuration(const layer *self)
{
    return strcmp(self->name, "cli") == 0 || may_include(self, "config", strlen("config"));
}

static void check_host(const layer *self, const char *folder, const char *path, const char *what, bool quoted)
{
    check_library(self, path, what);
    if (!quoted) return;
    const char *slash = strchr(what, '/');
    char file[1024];
    if (strncmp(what, "camcl/", 6) == 0) {
        check_public_name(path, what);
        if (strcmp(what, "camcl/config.h") == 0 && !sees_configuration(self))
            complain(path, what, "only the rooms that may include config/ see the configuration");
        return;
    }
    if (strcmp(self->name, "cli") == 0) {
        snprintf(file, sizeof file, "%s/%s", folder, what);
        if (slash || !exists(file)) complain(path, what, "the commands use public headers and their own alone");
        return;
    }
    if (strncmp(path, "host/check/ref/", 15) == 0 && strncmp(what, "check/ref/", 10) != 0)
        complain(path, what, "a reference is plain C and includes nothing but references");
    if (slash == NULL || find_layer(what, (size_t)(slash - what)) == NULL)
        complain(path, what, "is neither \"layer/file.h\" nor \"camcl/file.h\"");
    else if (!may_include(self, what, (size_t)(slash - what)))
        complain(path, what, "that layer is not below this one");
    /* The inside of the device layer stays there. */
    if ((strcmp(what, "device/opencl.h") == 0 || strcmp(what, "device/tape_internal.h") == 0) && strcmp(self->name, "device") != 0)
        complain(path, what, "is internal to host/device");
}

static void check_public(const layer *self, const char *folder, const char *path, const char *what, bool quoted)
{
    static const char *const standard[] = { "stdbool.h", "stddef.h", "stdint.h", "string.h" };
    (void)self;
    (void)folder;
    if (quoted) {
        if (strncmp(what, "camcl/", 6) != 0)
            complain(path, what, "public headers include public headers alone");
        else
            check_public_name(path, what);
        return;
    }
    for (size_t i = 0; i < CC_COUNT(standard); i++)
        if (strcmp(what, standard[i]) == 0) return;
    complain(path, what, "public headers need no more than the standard library's types");
}

/* ---- tests */

static void layers_include_downwards(void **state)
{
    (void)state;
    failures = includes = 0;
    for (size_t i = 0; i < CC_COUNT(layers); i++) {
        char folder[64];
        snprintf(folder, sizeof folder, "host/%s", layers[i].name);
        if (walk(&layers[i], folder, check_host) == 0) fail_msg("%s: no sources", folder);
    }
    assert_true(includes > 300); /* that it really reads them */
    assert_int_equal(failures, 0);
}

static void every_folder_is_a_known_layer(void **state)
{
    (void)state;
    DIR *entries = opendir("host");
    assert_non_null(entries);
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "cmake") == 0) continue;
        if (find_layer(entry->d_name, strlen(entry->d_name)) == NULL) fail_msg("host/%s is no layer that this test knows", entry->d_name);
    }
    closedir(entries);
}

static void public_headers_stand_alone(void **state)
{
    (void)state;
    failures = 0;
    assert_true(walk(NULL, "include/camcl", check_public) >= 9);
    assert_int_equal(failures, 0);
}

/* ---- circles */

/* A source file and its header are one unit, and so is what they keep to themselves in NAME_internal.h. */
enum { MOST_UNITS = 1024, MOST_USES = 8192, UNIT_NAME = 96 };
static char units[MOST_UNITS][UNIT_NAME];
static struct {
    size_t from, to;
} uses[MOST_USES];
static size_t unit_count, use_count;

static size_t unit_of(const char *file)
{
    static const char internal[] = "_internal";
    char name[UNIT_NAME];
    assert_true(strlen(file) < sizeof name);
    strcpy(name, file);
    *strrchr(name, '.') = '\0';
    const size_t length = strlen(name), tail = sizeof internal - 1;
    if (length > tail && strcmp(name + length - tail, internal) == 0) name[length - tail] = '\0';
    for (size_t i = 0; i < unit_count; i++)
        if (strcmp(units[i], name) == 0) return i;
    assert_true(unit_count < MOST_UNITS);
    strcpy(units[unit_count], name);
    return unit_count++;
}

/* The commands include each other without a folder. */
static void note_use(const layer *self, const char *folder, const char *path, const char *what, bool quoted)
{
    char file[UNIT_NAME];
    if (!quoted || strncmp(what, "camcl/", 6) == 0) return;
    snprintf(file, sizeof file, "%s%s%s", strcmp(self->name, "cli") == 0 ? folder + strlen("host/") : "",
             strcmp(self->name, "cli") == 0 ? "/" : "", what);
    const size_t from = unit_of(path + strlen("host/")), to = unit_of(file);
    assert_true(use_count < MOST_USES);
    if (from == to) return;
    uses[use_count].from = from;
    uses[use_count++].to = to;
}

/* Takes away, again and again, units that use none of those left: what stays uses a circle or is in one. The same the other way round
 * leaves the circles and what lies between them. Returns how many units stay in `left`. */
static size_t reduce(bool *left, bool backwards)
{
    size_t stay = 0;
    for (bool changed = true; changed;) {
        changed = false;
        stay = 0;
        for (size_t i = 0; i < unit_count; i++) {
            bool needed = false;
            for (size_t u = 0; u < use_count && left[i] && !needed; u++) {
                const size_t self = backwards ? uses[u].to : uses[u].from, other = backwards ? uses[u].from : uses[u].to;
                needed = self == i && left[other];
            }
            changed = changed || (left[i] && !needed);
            left[i] = needed;
            stay += needed;
        }
    }
    return stay;
}

static size_t circles(bool *left)
{
    for (size_t i = 0; i < unit_count; i++)
        left[i] = true;
    reduce(left, false);
    return reduce(left, true);
}

static void no_circles_among_files(void **state)
{
    (void)state;
    static bool left[MOST_UNITS];
    unit_count = use_count = 0;
    for (size_t i = 0; i < CC_COUNT(layers); i++) {
        char folder[64];
        snprintf(folder, sizeof folder, "host/%s", layers[i].name);
        (void)walk(&layers[i], folder, note_use);
    }
    assert_true(use_count > 400);
    if (circles(left) > 0) {
        for (size_t u = 0; u < use_count; u++)
            if (left[uses[u].from] && left[uses[u].to]) printf("%s uses %s\n", units[uses[u].from], units[uses[u].to]);
        fail_msg("these files include each other in a circle");
    }
    /* The rule itself: one more use closes a circle. */
    const size_t base = unit_of("base/memory.h"), top = unit_of("cli/main.c");
    uses[use_count].from = base;
    uses[use_count++].to = top;
    uses[use_count].from = top;
    uses[use_count++].to = base;
    assert_true(circles(left) >= 2 && left[base] && left[top]);
}

/* The rules themselves: what they have to catch, they catch. */
static void rules_bite(void **state)
{
    (void)state;
    const struct {
        const char *folder, *file, *what;
        bool quoted;
        size_t wrong;
    } cases[] = {
        { "base", "host/base/x.c", "base/file.h", true, 0 },
        { "base", "host/base/x.c", "device/device.h", true, 1 },
        { "config", "host/config/x.c", "device/device.h", true, 1 },
        { "config", "host/config/ini.c", "iniparser.h", false, 0 },
        { "train", "host/train/x.c", "iniparser.h", false, 1 },
        { "ops", "host/ops/gemm.c", "clblast_c.h", false, 0 },
        { "ops", "host/ops/linear.c", "clblast_c.h", false, 1 },
        { "ops", "host/ops/linear.c", "CL/cl.h", false, 1 },
        { "device", "host/device/x.c", "CL/cl.h", false, 0 },
        { "ops", "host/ops/x.c", "device/opencl.h", true, 1 },
        { "model", "host/model/x.c", "dataset/split.h", true, 1 },
        { "dataset", "host/dataset/x.c", "model/graph.h", true, 1 },
        { "dataset", "host/dataset/x.c", "device/device.h", true, 1 },
        { "objective", "host/objective/x.c", "train/run.h", true, 1 },
        { "ops", "host/ops/x.c", "camcl/config.h", true, 1 },
        { "cli", "host/cli/main.c", "cli.h", true, 0 },
        { "cli", "host/cli/main.c", "base/text.h", true, 1 },
        { "cli", "host/cli/main.c", "camcl/device.h", true, 0 },
        { "cli", "host/cli/main.c", "camcl/internal.h", true, 1 },
        { "train", "host/train/x.c", "run.h", true, 1 },
        { "train", "host/train/x.c", "png.h", false, 1 },
        { "image", "host/image/x.c", "png.h", false, 0 },
        { "check", "host/check/x.c", "check/ref/pool_ref.h", true, 0 },
        { "check", "host/check/ref/x.c", "check/ref/pool_ref.h", true, 0 },
        { "check", "host/check/ref/x.c", "base/memory.h", true, 1 },
        { "ops", "host/ops/x.c", "check/ref/pool_ref.h", true, 1 },
        { "check", "host/check/x.c", "model/model.h", true, 1 },
        { "exchange", "host/exchange/mpi/x.h", "mpi.h", false, 0 },
        { "exchange", "host/exchange/x.c", "mpi.h", false, 1 },
    };
    for (size_t i = 0; i < CC_COUNT(cases); i++) {
        char folder[64];
        snprintf(folder, sizeof folder, "host/%s", cases[i].folder);
        failures = 0;
        check_host(find_layer(cases[i].folder, strlen(cases[i].folder)), folder, cases[i].file, cases[i].what, cases[i].quoted);
        if (failures != cases[i].wrong)
            fail_msg("%s with %s: %zu complaints, should be %zu", cases[i].file, cases[i].what, failures, cases[i].wrong);
    }
    failures = 0;
    check_public(NULL, NULL, "x.h", "base/diag.h", true);
    check_public(NULL, NULL, "x.h", "CL/cl.h", false);
    assert_int_equal(failures, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_include_downwards),
        cmocka_unit_test(every_folder_is_a_known_layer),
        cmocka_unit_test(public_headers_stand_alone),
        cmocka_unit_test(no_circles_among_files),
        cmocka_unit_test(rules_bite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
