/* Stored timings. Input: 0 and a whole file, or 1 and lines that get the header and the checksum of a valid file. */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "fuzz.h"
#include "ops/choice/timings.h"

static const camcl_device_info device = { .platform = "p", .vendor = "v", .name = "n", .driver = "d" };

/* The name of the device's file, and its header: what an empty file has before its checksum. */
static const char *empty_file(char **header)
{
    cc_timings none = { 0 };
    char name[300], *end;
    size_t size;
    static const char *path;
    static char *text;
    if (!text) {
        cc_timings_store(&none, &device, fuzz_folder());
        DIR *folder = opendir(fuzz_path("tuned"));
        for (struct dirent *entry; folder && (entry = readdir(folder));)
            if (entry->d_name[0] != '.') {
                snprintf(name, sizeof name, "tuned/%.200s", entry->d_name);
                path = strdup(fuzz_path(name));
            }
        closedir(folder);
        fuzz_expect(path && cc_file_read(path, &text, &size, NULL) == CAMCL_OK, "timings are stored");
        end = strstr(text, "checksum ");
        fuzz_expect(end != NULL, "a file ends with its checksum");
        *end = '\0';
    }
    *header = text;
    return path;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cc_timings timings = { 0 }, again = { 0 };
    cc_text text = CC_TEXT_INIT;
    char *header;
    if (size == 0) return 0;
    const char *path = empty_file(&header);
    if (data[0] & 1) cc_text_add(&text, "%s", header);
    cc_text_add_bytes(&text, data + 1, size - 1);
    if (data[0] & 1) cc_text_add(&text, "checksum %016llx\n", (unsigned long long)cc_hash(CC_HASH_START, text.data, text.length));
    FILE *file = fopen(path, "wb");
    fuzz_expect(file != NULL, "the file can be written");
    if (text.length) (void)fwrite(text.data, 1, text.length, file);
    fclose(file);
    cc_text_free(&text);
    cc_timings_load(&timings, &device, fuzz_folder());
    for (size_t i = 0; i < timings.count; i++)
        fuzz_expect(timings.rows[i].ms >= 0 && strlen(timings.rows[i].key) < 128, "a timing is a time");
    cc_timings_store(&timings, &device, fuzz_folder());
    cc_timings_load(&again, &device, fuzz_folder());
    fuzz_expect(again.count == timings.count, "what is stored is loaded");
    cc_timings_free(&timings);
    cc_timings_free(&again);
    return 0;
}
