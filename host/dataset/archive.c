#include "dataset/archive.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"

#ifdef CAMCL_HAVE_ARCHIVE
#include <archive.h>
#include <archive_entry.h>

/* The largest of these data sets has 60,000 pictures; an archive with more members than this is something else. */
static const size_t member_count_limit = (size_t)1 << 18;

typedef struct member {
    char *path;
    size_t position; /* among all entries, folders and links too */
} member;

struct cc_archive {
    char *path;
    cc_blob content; /* decompressed */
    member *members;
    size_t count, capacity;
};

bool cc_archive_supported(void) { return true; }

static camcl_status corrupt(struct archive *reader, const char *path, camcl_error *err)
{
    const char *why = archive_error_string(reader);
    return cc_fail(err, CAMCL_BAD_DATA, "%s: truncated or corrupt archive: %s (fetch it again)", path, why ? why : "cannot read it");
}

static camcl_status too_large(const char *path, camcl_error *err)
{
    return cc_fail(err, CAMCL_BAD_DATA, "%s: expands to more than %zu MiB: not a data set's file", path, CC_CONTENT_LIMIT >> 20);
}

/* Reads the current entry's content, `limit` bytes at most. If the header does not tell the size (0 for a bare .gz), the buffer grows as
 * data arrives; a size that is told is trusted only as far as data arrive. */
static camcl_status read_entry(struct archive *reader, struct archive_entry *entry, const char *path, size_t limit, cc_blob *blob,
                               camcl_error *err)
{
    int64_t declared = archive_entry_size_is_set(entry) ? archive_entry_size(entry) : 0;
    size_t capacity = 0, size = 0;
    char *data = NULL;
    camcl_status status = CAMCL_OK;
    if (declared < 0 || (uint64_t)declared > limit) return too_large(path, err);
    CC_TRY(cc_grow((void **)&data, &capacity, cc_min_size((size_t)declared + 2, (size_t)1 << 26), 1, err));
    for (;;) {
        if (capacity - size < 2) CC_TRY(cc_grow((void **)&data, &capacity, capacity + (1u << 16), 1, err));
        la_ssize_t got = archive_read_data(reader, data + size, capacity - size - 1);
        if (got < 0) {
            status = corrupt(reader, path, err);
            goto cleanup;
        }
        if (got == 0) break;
        size += (size_t)got;
        if (size > limit) {
            status = too_large(path, err);
            goto cleanup;
        }
    }
    if (declared && size != (size_t)declared) {
        status = cc_fail(err, CAMCL_BAD_DATA, "%s: truncated archive: a member has %zu of %lld bytes (fetch it again)", path, size,
                         (long long)declared);
        goto cleanup;
    }
    data[size] = '\0';
    free(blob->data);
    *blob = (cc_blob){ data, size };
    data = NULL;
cleanup:
    free(data);
    return status;
}

/* Filters and formats are named one by one: libarchive would run programs for some others, and open files that a listing names. */
static camcl_status create_reader(const char *path, bool bare, const cc_blob *content, struct archive **out, camcl_error *err)
{
    struct archive *reader = *out = archive_read_new();
    if (!reader) return cc_fail(err, CAMCL_NO_MEMORY, "%s: out of memory (close other programs)", path);
    if (bare) {
        archive_read_support_filter_gzip(reader);
        archive_read_support_filter_bzip2(reader);
        archive_read_support_filter_xz(reader);
        archive_read_support_filter_lzma(reader);
        archive_read_support_filter_zstd(reader);
        archive_read_support_filter_lz4(reader);
        archive_read_support_format_raw(reader);
    } else {
        archive_read_support_format_tar(reader);
        archive_read_support_format_zip(reader);
        archive_read_support_format_7zip(reader);
    }
    if (archive_read_open_memory(reader, content->data, content->size) == ARCHIVE_OK) return CAMCL_OK;
    if (bare) return corrupt(reader, path, err);
    return cc_fail(err, CAMCL_BAD_DATA,
                   "%s: no archive of a known kind (.tar, .tar.gz and the like, .zip, .7z), or corrupt (fetch it again)", path);
}

/* CRC-32 as gzip has it: reflected, polynomial 0xEDB88320. */
static uint32_t checksum(const char *data, size_t size)
{
    uint32_t table[256], crc = 0xFFFFFFFFu;
    for (uint32_t i = 0; i < 256; i++) {
        table[i] = i;
        for (int bit = 0; bit < 8; bit++)
            table[i] = table[i] & 1 ? table[i] >> 1 ^ 0xEDB88320u : table[i] >> 1;
    }
    for (size_t i = 0; i < size; i++)
        crc = table[(crc ^ (uint8_t)data[i]) & 255] ^ crc >> 8;
    return ~crc;
}

static uint32_t little_endian(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* libarchive does not check gzip's checksum, and a flipped bit often decompresses to other pixels. The file's last eight bytes are the
 * checksum and the size. If the size differs, the file has several members or trailing bytes, and this check does not apply. */
static camcl_status check_gzip(const char *path, const cc_blob *packed, const cc_blob *content, camcl_error *err)
{
    const uint8_t *head = (const uint8_t *)packed->data, *trailer = head + packed->size - 8;
    if (packed->size < 18 || head[0] != 0x1F || head[1] != 0x8B) return CAMCL_OK;
    if (little_endian(trailer + 4) != (uint32_t)content->size) return CAMCL_OK;
    if (checksum(content->data, content->size) == little_endian(trailer)) return CAMCL_OK;
    return cc_fail(err, CAMCL_BAD_DATA, "%s: corrupt archive: its content does not match its checksum (fetch it again)", path);
}

camcl_status cc_archive_decompress(const char *path, cc_blob *blob, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    struct archive *reader = NULL;
    struct archive_entry *entry = NULL;
    cc_blob content = { NULL, 0 };
    CC_TRY(create_reader(path, true, blob, &reader, err));
    if (archive_read_next_header(reader, &entry) != ARCHIVE_OK) {
        status = corrupt(reader, path, err);
        goto cleanup;
    }
    if (archive_filter_code(reader, 0) == ARCHIVE_FILTER_NONE) goto cleanup; /* not compressed: stays as it is */
    CC_TRY(read_entry(reader, entry, path, CC_CONTENT_LIMIT, &content, err));
    CC_TRY(check_gzip(path, blob, &content, err));
    free(blob->data);
    *blob = content;
    content.data = NULL;
cleanup:
    archive_read_free(reader);
    free(content.data);
    return status;
}

static camcl_status add_member(cc_archive *archive, const char *path, size_t position, camcl_error *err)
{
    if (archive->count == member_count_limit) {
        return cc_fail(err, CAMCL_BAD_DATA, "%s: more than %zu files in one archive: no published data set", archive->path,
                       member_count_limit);
    }
    CC_RETURN_IF_FAILED(cc_grow((void **)&archive->members, &archive->capacity, archive->count + 1, sizeof(member), err));
    member *added = &archive->members[archive->count];
    added->position = position;
    CC_RETURN_IF_FAILED(cc_copy_text(path, &added->path, err));
    for (char *at = added->path; *at; at++)
        if (*at == '\\') *at = '/'; /* as some programs of Windows pack */
    archive->count++;
    return CAMCL_OK;
}

/* A hard link has the type of a file, but no content of its own. */
static bool is_file(struct archive_entry *entry) { return archive_entry_filetype(entry) == AE_IFREG && !archive_entry_hardlink(entry); }

static camcl_status list_members(cc_archive *archive, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    struct archive *reader = NULL;
    struct archive_entry *entry = NULL;
    int code = ARCHIVE_OK;
    CC_TRY(create_reader(archive->path, false, &archive->content, &reader, err));
    for (size_t position = 0; (code = archive_read_next_header(reader, &entry)) == ARCHIVE_OK || code == ARCHIVE_WARN; position++) {
        const char *path = archive_entry_pathname(entry);
        if (!path) path = archive_entry_pathname_utf8(entry);
        if (path && is_file(entry)) CC_TRY(add_member(archive, path, position, err));
    }
    if (code != ARCHIVE_EOF) status = corrupt(reader, archive->path, err);
cleanup:
    archive_read_free(reader);
    return status;
}

/* Decompresses the file first and then walks the members in memory, so that the checksum is checked before any member is used. */
camcl_status cc_archive_open(const char *path, cc_archive **out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_archive *archive = NULL;
    *out = NULL;
    CC_TRY(CC_NEW(1, &archive, err));
    CC_TRY(cc_copy_text(path, &archive->path, err));
    CC_TRY(cc_file_read(path, &archive->content.data, &archive->content.size, err));
    CC_TRY(cc_archive_decompress(path, &archive->content, err));
    CC_TRY(list_members(archive, err));
    *out = archive;
    archive = NULL;
cleanup:
    cc_archive_close(&archive);
    return status;
}

void cc_archive_close(cc_archive **archive)
{
    if (!*archive) return;
    for (size_t i = 0; i < (*archive)->count; i++)
        free((*archive)->members[i].path);
    free((*archive)->members);
    free((*archive)->content.data);
    free((*archive)->path);
    free(*archive);
    *archive = NULL;
}

size_t cc_archive_count(const cc_archive *archive) { return archive->count; }

const char *cc_archive_member(const cc_archive *archive, size_t index) { return archive->members[index].path; }

camcl_status cc_archive_read(cc_archive *archive, const size_t *members, size_t count, cc_blob *blobs, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    struct archive *reader = NULL;
    struct archive_entry *entry = NULL;
    size_t left = CC_CONTENT_LIMIT, missing = count;
    int code = ARCHIVE_OK;
    CC_TRY(create_reader(archive->path, false, &archive->content, &reader, err));
    for (size_t position = 0; missing > 0; position++) {
        code = archive_read_next_header(reader, &entry);
        if (code != ARCHIVE_OK && code != ARCHIVE_WARN) break;
        for (size_t i = 0; i < count; i++) {
            if (archive->members[members[i]].position != position) continue;
            CC_TRY(read_entry(reader, entry, archive->path, left, &blobs[i], err));
            left -= blobs[i].size;
            missing--;
        }
    }
    if (missing > 0) status = corrupt(reader, archive->path, err);
cleanup:
    archive_read_free(reader);
    return status;
}

#else

bool cc_archive_supported(void) { return false; }

static camcl_status not_built(const char *path, camcl_error *err)
{
    return cc_fail(err, CAMCL_UNSUPPORTED, "%s: this build cannot read archives (unpack it, or install libarchive-dev and build again)",
                   path);
}

camcl_status cc_archive_open(const char *path, cc_archive **out, camcl_error *err)
{
    *out = NULL;
    return not_built(path, err);
}

void cc_archive_close(cc_archive **archive) { (void)archive; }

size_t cc_archive_count(const cc_archive *archive)
{
    (void)archive;
    return 0;
}

const char *cc_archive_member(const cc_archive *archive, size_t index)
{
    (void)archive, (void)index;
    return "";
}

camcl_status cc_archive_read(cc_archive *archive, const size_t *members, size_t count, cc_blob *blobs, camcl_error *err)
{
    (void)archive, (void)members, (void)count, (void)blobs;
    return not_built("archive", err);
}

camcl_status cc_archive_decompress(const char *path, cc_blob *blob, camcl_error *err)
{
    (void)blob;
    return not_built(path, err);
}

#endif
