#include "base/content.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"

static bool starts_with(const char *data, size_t size, const char *start, size_t length)
{
    return size >= length && memcmp(data, start, length) == 0;
}

/* Without regard to case; `start` is in lower case. */
static bool starts_with_word(const char *data, size_t size, const char *start)
{
    size_t i = 0;
    while (start[i] && i < size && tolower((unsigned char)data[i]) == start[i])
        i++;
    return !start[i];
}

const char *cc_content_mishap(const void *data, size_t size)
{
    const char *text = data;
    size_t blank = 0;
    if (starts_with_word(text, size, "version https://git-lfs"))
        return "a Git LFS pointer, not the file itself (run `git lfs pull` where it came from)";
    if (starts_with(text, size, "\xEF\xBB\xBF", 3)) blank = 3;
    while (blank < size && strchr(" \t\r\n", text[blank]) && text[blank])
        blank++;
    text += blank;
    size -= blank;
    if (starts_with_word(text, size, "<!doctype html") || starts_with_word(text, size, "<html") || starts_with_word(text, size, "<head"))
        return "a web page (HTML), not the file itself: the download went wrong (fetch it again)";
    if (starts_with_word(text, size, "<?xml") || starts_with_word(text, size, "<error>"))
        return "a server's message (XML), not the file itself: the download went wrong (fetch it again)";
    return NULL;
}

const char *cc_content_kind(const void *data, size_t size)
{
    static const struct {
        const char *start;
        size_t length;
        const char *kind;
    } kinds[] = {
        { "PK\3\4", 4, "a ZIP archive" },
        { "\x1F\x8B", 2, "compressed with gzip" },
        { "BZh", 3, "compressed with bzip2" },
        { "\xFD"
          "7zXZ",
          5, "compressed with xz" },
        { "\x28\xB5\x2F\xFD", 4, "compressed with zstd" },
        { "7z\xBC\xAF", 4, "a 7z archive" },
        { "Rar!", 4, "a RAR archive" },
        { "\x80\2", 2, "a Python pickle" },
        { "\x80\3", 2, "a Python pickle" },
        { "\x80\4", 2, "a Python pickle" },
        { "\x80\5", 2, "a Python pickle" },
        { "\x93NUMPY", 6, "a NumPy array (.npy)" },
        { "MATLAB", 6, "a MATLAB file" },
        { "PAR1", 4, "a Parquet table" },
        { "\x89HDF", 4, "an HDF5 file" },
        { "\x89PNG", 4, "a PNG picture" },
        { "\xFF\xD8\xFF", 3, "a JPEG picture" },
        { "SQLite", 6, "an SQLite database" },
    };
    for (size_t i = 0; i < CC_COUNT(kinds); i++)
        if (starts_with(data, size, kinds[i].start, kinds[i].length)) return kinds[i].kind;
    return NULL;
}
