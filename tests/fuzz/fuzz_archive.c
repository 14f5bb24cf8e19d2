/* Archives and compressed files: nothing leaves memory, whatever members are called. */
#include <dirent.h>
#include <stdlib.h>

#include "dataset/archive.h"
#include "fuzz.h"

enum { READ_AT_ONCE = 8 };

static size_t entries(const char *folder)
{
    size_t count = 0;
    DIR *open = opendir(folder);
    while (open && readdir(open))
        count++;
    if (open) closedir(open);
    return count;
}

static void read_members(cc_archive *archive)
{
    size_t members[READ_AT_ONCE], count = cc_archive_count(archive);
    cc_blob blobs[READ_AT_ONCE] = { { NULL, 0 } };
    camcl_error err;
    for (size_t i = 0; i < count; i++)
        fuzz_expect(cc_archive_member(archive, i) != NULL, "every member has a name");
    if (count > READ_AT_ONCE) count = READ_AT_ONCE;
    for (size_t i = 0; i < count; i++)
        members[i] = count - 1 - i;
    const camcl_status status = cc_archive_read(archive, members, count, blobs, &err);
    for (size_t i = 0; i < count; i++) {
        fuzz_expect(status != CAMCL_OK || (blobs[i].data && blobs[i].data[blobs[i].size] == '\0'), "a NUL byte follows a member's content");
        free(blobs[i].data);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cc_archive *archive = NULL;
    cc_blob blob = { fuzz_text(data, size), size };
    camcl_error err;
    const char *path = fuzz_file("archive", data, size);
    (void)cc_archive_decompress(path, &blob, &err);
    free(blob.data);
    if (cc_archive_open(path, &archive, &err) == CAMCL_OK) read_members(archive);
    cc_archive_close(&archive);
    fuzz_expect(entries(fuzz_folder()) == 3, "reading an archive writes nothing");
    return 0;
}
