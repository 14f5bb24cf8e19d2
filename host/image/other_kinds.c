/* What stands in folders of pictures, under names of pictures, and is none that can be read. */
#include <string.h>

#include "base/memory.h"
#include "image/codec.h"

#define CONVERT "convert it to PNG or JPEG"
#define AGAIN "download it again"
#define DELETE "delete it"

/* A kind that has `bytes` at `offset`. */
typedef struct signature {
    size_t offset, size;
    const char *bytes;
    cc_other_kind kind;
} signature;

#define AT(offset, bytes, what, advice)                                                                                                    \
    {                                                                                                                                      \
        (offset), sizeof(bytes) - 1, (bytes), { (what), (advice) }                                                                         \
    }

static const signature signatures[] = {
    AT(0, "GIF8", "a GIF", CONVERT),
    AT(0, "BM", "a BMP", CONVERT),
    AT(0, "II*\0", "a TIFF or a camera's raw file", CONVERT),
    AT(0, "MM\0*", "a TIFF or a camera's raw file", CONVERT),
    AT(0, "II+\0", "a BigTIFF", CONVERT),
    AT(0, "MM\0+", "a BigTIFF", CONVERT),
    AT(4, "ftypavif", "an AVIF", CONVERT),
    AT(4, "ftypavis", "an AVIF", CONVERT),
    AT(4, "ftyphe", "a HEIC", CONVERT),
    AT(4, "ftypmif1", "a HEIC or AVIF", CONVERT),
    AT(4, "ftypmsf1", "a HEIC or AVIF", CONVERT),
    AT(4, "ftypcrx", "a camera's raw file", CONVERT),
    AT(4, "ftyp", "a video", "take pictures out of it first"),
    AT(0, "\x1A\x45\xDF\xA3", "a video", "take pictures out of it first"),
    AT(0, "\xFF\x0A", "a JPEG XL", CONVERT),
    AT(4, "JXL ", "a JPEG XL", CONVERT),
    AT(4, "jP  ", "a JPEG 2000", CONVERT),
    AT(0, "\xFF\x4F\xFF\x51", "a JPEG 2000", CONVERT),
    AT(0, "8BPS", "a Photoshop file", CONVERT),
    AT(0, "\0\0\1\0", "an icon", CONVERT),
    AT(0, "P4\n", "a PNM", CONVERT),
    AT(0, "P5\n", "a PNM", CONVERT),
    AT(0, "P6\n", "a PNM", CONVERT),
    AT(0, "DDS ", "a DDS texture", CONVERT),
    AT(0, "\x93NUMPY", "a NumPy array", CONVERT),
    AT(0, "%PDF", "a PDF", CONVERT),
    AT(0, "PK\3\4", "a ZIP archive", "unpack it"),
    AT(0, "\x1F\x8B", "a gzip archive", "unpack it"),
    AT(0, "Rar!", "a RAR archive", "unpack it"),
    AT(0, "7z\xBC\xAF\x27\x1C", "a 7-Zip archive", "unpack it"),
    AT(257, "ustar", "a tar archive", "unpack it"),
    AT(0, "version https://git-lfs.github.com/", "a Git LFS pointer to one", "run git lfs pull"),
    AT(0, "\0\5\x16\7", "what macOS keeps about one", DELETE),
};

/* Texts begin so, in letters of either case, after blanks and comments. */
static const struct {
    const char *word;
    cc_other_kind kind;
} texts[] = {
    { "<svg", { "an SVG drawing", CONVERT } },
    { "<!doctype svg", { "an SVG drawing", CONVERT } },
    { "<!doctype html", { "a web page, which a server sent in its place", AGAIN } },
    { "<html", { "a web page, which a server sent in its place", AGAIN } },
    { "<head", { "a web page, which a server sent in its place", AGAIN } },
    { "<body", { "a web page, which a server sent in its place", AGAIN } },
};

static bool all_zero(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (data[i]) return false;
    return true;
}

static bool is_text(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < cc_min_size(size, 512); i++)
        if (data[i] < 32 && (data[i] < 9 || data[i] > 13)) return false;
    return true;
}

static bool begins_with(const uint8_t *data, size_t size, const char *word)
{
    for (size_t i = 0; word[i]; i++) {
        if (i == size) return false;
        uint8_t c = data[i] >= 'A' && data[i] <= 'Z' ? (uint8_t)(data[i] + 'a' - 'A') : data[i];
        if (c != (uint8_t)word[i]) return false;
    }
    return true;
}

/* Which of the texts stands first within the beginning. An XML declaration and comments may come before it. */
static cc_other_kind kind_of_text(const uint8_t *data, size_t size)
{
    for (size_t at = 0; at < cc_min_size(size, 4096); at++)
        for (size_t i = 0; i < CC_COUNT(texts) && data[at] == '<'; i++)
            if (begins_with(data + at, size - at, texts[i].word)) return texts[i].kind;
    return (cc_other_kind){ "a text", "look into it, it may say why" };
}

cc_other_kind cc_other_kind_of(const uint8_t *data, size_t size)
{
    if (size == 0) return (cc_other_kind){ "an empty file", "copy or " AGAIN };
    for (size_t i = 0; i < CC_COUNT(signatures); i++) {
        const signature *s = &signatures[i];
        if (size >= s->offset + s->size && memcmp(data + s->offset, s->bytes, s->size) == 0) return s->kind;
    }
    if (all_zero(data, size)) return (cc_other_kind){ "zeros only", "copy or " AGAIN };
    if (is_text(data, size)) return kind_of_text(data, size);
    return (cc_other_kind){ "a file of an unknown kind", "if it is a picture, " CONVERT };
}
