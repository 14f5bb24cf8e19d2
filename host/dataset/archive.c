#include "dataset/archive.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#ifdef CAMCL_HAVE_ARCHIVE
#include <archive.h>
#include <archive_entry.h>

/* No data set's file is this large, so a member that claims more is damaged or malicious. */
static const int64_t member_limit = (int64_t)1 << 31;

bool cc_archive_supported(void) { return true; }

static camcl_status corrupt(struct archive *archive, const char *path, camcl_error *err)
{
    const char *why = archive_error_string(archive);
    return cc_fail(err, CAMCL_BAD_DATA, "%s: truncated or corrupt archive: %s (fetch it again)", path, why ? why : "cannot read it");
}

/* Reads the current member's content. If the header does not tell the size (0 for a bare .gz), the buffer grows as data arrives. */
static camcl_status read_member(struct archive *archive, struct archive_entry *entry, const char *path, cc_blob *blob, camcl_error *err)
{
    int64_t declared = archive_entry_size_is_set(entry) ? archive_entry_size(entry) : 0;
    size_t capacity = 0, size = 0;
    char *data = NULL;
    camcl_status status = CAMCL_OK;
    if (declared < 0 || declared > member_limit) {
        return cc_fail(err, CAMCL_BAD_DATA, "%s: %s claims %lld bytes: more than a data set's file has", path,
                       archive_entry_pathname(entry), (long long)declared);
    }
    CC_TRY(cc_grow((void **)&data, &capacity, (size_t)declared + 2, 1, err));
    for (;;) {
        if (capacity - size < 2) CC_TRY(cc_grow((void **)&data, &capacity, capacity + (1u << 16), 1, err));
        la_ssize_t got = archive_read_data(archive, data + size, capacity - size - 1);
        if (got < 0) {
            status = corrupt(archive, path, err);
            goto cleanup;
        }
        if (got == 0) break;
        size += (size_t)got;
        if (size > (size_t)member_limit) {
            status = cc_fail(err, CAMCL_BAD_DATA, "%s: expands to more than 2 GiB: not a data set's file", path);
            goto cleanup;
        }
    }
    if (declared && size != (size_t)declared) {
        status = cc_fail(err, CAMCL_BAD_DATA, "%s: truncated archive: %s has %zu of %lld bytes (fetch it again)", path,
                         archive_entry_pathname(entry), size, (long long)declared);
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

static camcl_status create_reader(const char *path, bool bare, struct archive **out, camcl_error *err)
{
    *out = archive_read_new();
    if (!*out) return cc_fail(err, CAMCL_NO_MEMORY, "%s: out of memory", path);
    archive_read_support_filter_all(*out);
    if (bare)
        archive_read_support_format_raw(*out);
    else
        archive_read_support_format_all(*out);
    return CAMCL_OK;
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
static camcl_status check_gzip(const char *path, const cc_blob *content, camcl_error *err)
{
    uint8_t head[2], trailer[8];
    FILE *file = fopen(path, "rb");
    bool read = file && fread(head, 1, 2, file) == 2 && head[0] == 0x1F && head[1] == 0x8B && fseek(file, -8, SEEK_END) == 0 &&
                fread(trailer, 1, 8, file) == 8;
    if (file) fclose(file);
    if (!read || little_endian(trailer + 4) != (uint32_t)content->size) return CAMCL_OK;
    if (checksum(content->data, content->size) == little_endian(trailer)) return CAMCL_OK;
    return cc_fail(err, CAMCL_BAD_DATA, "%s: corrupt archive: its content does not match its checksum (fetch it again)", path);
}

static size_t find_name(const char *member, const char *const *names, size_t count)
{
    const char *slash = member ? strrchr(member, '/') : NULL;
    const char *base = slash ? slash + 1 : member;
    size_t i = 0;
    while (base && i < count && strcmp(base, names[i]) != 0)
        i++;
    return base ? i : count;
}

camcl_status cc_archive_decompress(const char *path, cc_blob *blob, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    struct archive *archive = NULL;
    struct archive_entry *entry = NULL;
    CC_TRY(create_reader(path, true, &archive, err));
    if (archive_read_open_filename(archive, path, 1 << 18) != ARCHIVE_OK || archive_read_next_header(archive, &entry) != ARCHIVE_OK) {
        status = corrupt(archive, path, err);
        goto cleanup;
    }
    CC_TRY(read_member(archive, entry, path, blob, err));
    CC_TRY(check_gzip(path, blob, err));
cleanup:
    archive_read_free(archive);
    return status;
}

/* Decompresses the file first and then walks the members in memory, so that the checksum is checked before any member is used. */
camcl_status cc_archive_read(const char *path, const char *const *names, size_t count, cc_blob *blobs, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    struct archive *archive = NULL;
    struct archive_entry *entry = NULL;
    cc_blob whole = { NULL, 0 };
    int code = ARCHIVE_OK;
    CC_TRY(cc_archive_decompress(path, &whole, err));
    CC_TRY(create_reader(path, false, &archive, err));
    if (archive_read_open_memory(archive, whole.data, whole.size) != ARCHIVE_OK) {
        status = corrupt(archive, path, err);
        goto cleanup;
    }
    while ((code = archive_read_next_header(archive, &entry)) == ARCHIVE_OK || code == ARCHIVE_WARN) {
        if (archive_entry_filetype(entry) != AE_IFREG) continue;
        size_t i = find_name(archive_entry_pathname(entry), names, count);
        if (i < count) CC_TRY(read_member(archive, entry, path, &blobs[i], err));
    }
    if (code != ARCHIVE_EOF) status = corrupt(archive, path, err);
cleanup:
    archive_read_free(archive);
    free(whole.data);
    return status;
}

#else

bool cc_archive_supported(void) { return false; }

static camcl_status not_built(const char *path, camcl_error *err)
{
    return cc_fail(err, CAMCL_UNSUPPORTED, "%s: this build cannot read archives (unpack it, or install libarchive-dev and build again)",
                   path);
}

camcl_status cc_archive_read(const char *path, const char *const *names, size_t count, cc_blob *blobs, camcl_error *err)
{
    (void)names, (void)count, (void)blobs;
    return not_built(path, err);
}

camcl_status cc_archive_decompress(const char *path, cc_blob *blob, camcl_error *err)
{
    (void)blob;
    return not_built(path, err);
}

#endif
