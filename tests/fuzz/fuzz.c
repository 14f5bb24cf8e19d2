#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[256];

void fuzz_expect(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "fuzz: this must hold: %s\n", what);
    abort();
}

void fuzz_look(const void *data, size_t size)
{
    const volatile uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++)
        (void)bytes[i];
}

const char *fuzz_folder(void)
{
    if (*folder) return folder;
    const char *root = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/camcl-fuzz-XXXXXX", root && *root ? root : "/tmp");
    fuzz_expect(mkdtemp(folder) != NULL, "a folder can be made below TMPDIR");
    return folder;
}

const char *fuzz_path(const char *name)
{
    static char paths[64][512];
    static unsigned next;
    char *path = paths[next++ % 64];
    snprintf(path, sizeof paths[0], "%s/%s", fuzz_folder(), name);
    return path;
}

const char *fuzz_file(const char *name, const void *data, size_t size)
{
    const char *path = fuzz_path(name);
    FILE *file = fopen(path, "wb");
    fuzz_expect(file && fwrite(data, 1, size, file) == size && fclose(file) == 0, "the input can be written as a file");
    return path;
}

char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    fuzz_expect(text != NULL, "there is memory for the input");
    if (size) memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

/* The next line FUZZ_PART from `at` on, or `end`. */
static const uint8_t *next_part(const uint8_t *at, const uint8_t *end)
{
    const size_t mark = sizeof FUZZ_PART - 1;
    for (; (size_t)(end - at) >= mark + 2; at++)
        if (memcmp(at, FUZZ_PART, mark) == 0 && at[mark + 1] == '\n') return at;
    return end;
}

/* Makes the folders of a path below the folder. */
static void make_folders(const char *name)
{
    for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
        char part[256];
        snprintf(part, sizeof part, "%.*s", (int)(slash - name), name);
        (void)mkdir(fuzz_path(part), 0700);
    }
}

void fuzz_files(const uint8_t *data, size_t size, const char *const *names, size_t count)
{
    const size_t mark = sizeof FUZZ_PART - 1;
    const uint8_t *end = data + size, *part = size ? next_part(data, end) : end;
    for (size_t i = 0; i < count; i++)
        (void)unlink(fuzz_path(names[i]));
    while (part < end) {
        const size_t place = (size_t)part[mark] - '0';
        const uint8_t *content = part + mark + 2;
        part = next_part(content, end);
        if (place >= count) continue;
        make_folders(names[place]);
        (void)fuzz_file(names[place], content, (size_t)(part - content));
    }
}
