#include "base/content.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"

/* A kind that has `bytes` at `offset`; a question mark stands for any byte. The first that fits counts. */
typedef struct signature {
    size_t offset, size;
    const char *bytes;
    cc_content content;
} signature;

#define AT(offset, bytes, kind, name)                                                                                                      \
    {                                                                                                                                      \
        (offset), sizeof(bytes) - 1, (bytes), { CC_CONTENT_##kind, (name) }                                                                \
    }

static const signature signatures[] = {
    AT(0, "\xFF\xD8\xFF", JPEG, "a JPEG picture"),
    AT(0, "\x89PNG\r\n\x1A\n", PNG, "a PNG picture"),
    AT(0, "RIFF????WEBP", WEBP, "a WebP picture"),
    AT(0, "GIF8", PICTURE, "a GIF picture"),
    AT(0, "BM????\0\0\0\0", PICTURE, "a BMP picture"),
    AT(0, "II*\0", PICTURE, "a TIFF picture or a camera's raw file"),
    AT(0, "MM\0*", PICTURE, "a TIFF picture or a camera's raw file"),
    AT(0, "II+\0", PICTURE, "a BigTIFF picture"),
    AT(0, "MM\0+", PICTURE, "a BigTIFF picture"),
    AT(4, "ftypavif", PICTURE, "an AVIF picture"),
    AT(4, "ftypavis", PICTURE, "an AVIF picture"),
    AT(4, "ftyphe", PICTURE, "a HEIC picture"),
    AT(4, "ftypmif1", PICTURE, "a HEIC or AVIF picture"),
    AT(4, "ftypmsf1", PICTURE, "a HEIC or AVIF picture"),
    AT(4, "ftypcrx", PICTURE, "a camera's raw file"),
    AT(0, "\xFF\x0A", PICTURE, "a JPEG XL picture"),
    AT(4, "JXL ", PICTURE, "a JPEG XL picture"),
    AT(4, "jP  ", PICTURE, "a JPEG 2000 picture"),
    AT(0, "\xFF\x4F\xFF\x51", PICTURE, "a JPEG 2000 picture"),
    AT(0, "8BPS", PICTURE, "a Photoshop file"),
    AT(0, "\0\0\1\0", PICTURE, "an icon"),
    AT(0, "P4\n", PICTURE, "a PNM picture"),
    AT(0, "P5\n", PICTURE, "a PNM picture"),
    AT(0, "P6\n", PICTURE, "a PNM picture"),
    AT(0, "DDS ", PICTURE, "a DDS texture"),
    AT(4, "ftyp", VIDEO, "a video"),
    AT(0, "\x1A\x45\xDF\xA3", VIDEO, "a video"),
    AT(0, "%PDF", DOCUMENT, "a PDF document"),
    AT(0, "\0\5\x16\7", MACOS, "what macOS keeps about another file"),
    AT(0, "PK\3\4", ZIP, "a ZIP archive"),
    AT(0, "Rar!", RAR, "a RAR archive"),
    AT(0, "7z\xBC\xAF\x27\x1C", ARCHIVE, "a 7z archive"),
    AT(257, "ustar", ARCHIVE, "a tar archive"),
    AT(0, "\x1F\x8B", COMPRESSED, "a gzip file"),
    AT(0, "BZh", COMPRESSED, "a bzip2 file"),
    AT(0, "\xFD\x37zXZ", COMPRESSED, "an xz file"),
    AT(0, "\x28\xB5\x2F\xFD", COMPRESSED, "a zstd file"),
    AT(0, "\x80\2", PICKLE, "a Python pickle"),
    AT(0, "\x80\3", PICKLE, "a Python pickle"),
    AT(0, "\x80\4", PICKLE, "a Python pickle"),
    AT(0, "\x80\5", PICKLE, "a Python pickle"),
    AT(0, "\x93NUMPY", TABLE, "a NumPy array"),
    AT(0, "MATLAB", TABLE, "a MATLAB file"),
    AT(0, "PAR1", TABLE, "a Parquet table"),
    AT(0, "SQLite", TABLE, "an SQLite database"),
    AT(0, "\x89HDF\r\n\x1A\n", TABLE, "an HDF5 file"),
    AT(0, "GGUF", MODEL, "a GGUF file, which holds a language model"),
    AT(4, "TFL3", MODEL, "a TensorFlow Lite file"),
};

/* Texts that begin so, in letters of either case. */
static const struct {
    const char *word;
    cc_content content;
} texts[] = {
    { "version https://git-lfs", { CC_CONTENT_LFS_POINTER, "a Git LFS pointer" } },
    { "<svg", { CC_CONTENT_DRAWING, "an SVG drawing" } },
    { "<!doctype svg", { CC_CONTENT_DRAWING, "an SVG drawing" } },
    { "<!doctype html", { CC_CONTENT_WEB_PAGE, "a web page" } },
    { "<html", { CC_CONTENT_WEB_PAGE, "a web page" } },
    { "<head", { CC_CONTENT_WEB_PAGE, "a web page" } },
    { "<title", { CC_CONTENT_WEB_PAGE, "a web page" } },
    { "<meta", { CC_CONTENT_WEB_PAGE, "a web page" } },
    { "<script", { CC_CONTENT_WEB_PAGE, "a web page" } },
    { "<body", { CC_CONTENT_WEB_PAGE, "a web page" } },
    { "<error>", { CC_CONTENT_XML, "an XML text" } },
    { "<?xml", { CC_CONTENT_XML, "an XML text" } },
    { "{", { CC_CONTENT_JSON, "a JSON text" } },
};

static bool fits(const signature *s, const char *data, size_t size)
{
    size_t i = 0;
    while (s->offset + i < size && i < s->size && (s->bytes[i] == '?' || s->bytes[i] == data[s->offset + i]))
        i++;
    return i == s->size;
}

/* Without regard to case; `word` is in lower case. */
static bool starts_with(const char *text, const char *end, const char *word)
{
    while (*word && text < end && tolower((unsigned char)*text) == (unsigned char)*word)
        text++, word++;
    return !*word;
}

static const char *skip_blanks(const char *text, const char *end)
{
    while (text < end && *text && strchr(" \t\r\n", *text))
        text++;
    return text;
}

/* Where the text itself begins, behind declarations and comments. */
static const char *skip_prologue(const char *text, const char *end)
{
    for (;;) {
        const char *close = starts_with(text, end, "<!--") ? "-->" : starts_with(text, end, "<?") ? "?>" : NULL;
        if (!close) return text;
        while (text < end && !starts_with(text, end, close))
            text++;
        text = skip_blanks(text < end ? text + strlen(close) : end, end);
    }
}

static const cc_content *find_text(const char *text, const char *end)
{
    for (size_t i = 0; i < CC_COUNT(texts); i++)
        if (starts_with(text, end, texts[i].word)) return &texts[i].content;
    return NULL;
}

static bool is_text(const char *data, size_t size)
{
    for (size_t i = 0; i < cc_min_size(size, 512); i++)
        if ((unsigned char)data[i] < 32 && (data[i] < 9 || data[i] > 13)) return false;
    return true;
}

static cc_content text_of(const char *data, size_t size)
{
    const char *end = data + cc_min_size(size, 4096);
    const char *begin = skip_blanks(starts_with(data, end, "\xEF\xBB\xBF") ? data + 3 : data, end);
    const cc_content *found = find_text(skip_prologue(begin, end), end);
    if (!found) found = find_text(begin, end);
    return found ? *found : (cc_content){ CC_CONTENT_TEXT, "a text" };
}

static bool all_zero(const char *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (data[i]) return false;
    return true;
}

cc_content cc_content_of(const void *data, size_t size)
{
    if (size == 0) return (cc_content){ CC_CONTENT_EMPTY, "an empty file" };
    for (size_t i = 0; i < CC_COUNT(signatures); i++)
        if (fits(&signatures[i], data, size)) return signatures[i].content;
    if (is_text(data, size)) return text_of(data, size);
    if (all_zero(data, size)) return (cc_content){ CC_CONTENT_ZEROS, "zeros only" };
    return (cc_content){ CC_CONTENT_UNKNOWN, "a file of an unknown kind" };
}
