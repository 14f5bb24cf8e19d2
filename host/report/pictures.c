#include "report/pictures.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"

#define IMAGES_MOST 72                     /* per run; if there are more, the last ones by name, which are the latest */
#define IMAGE_BYTES_MOST ((size_t)2 << 20) /* a larger file was not written by camcl */

/* A damaged file is noted, and the others are read. Every other failure is returned to the caller. */
typedef struct reader {
    cc_pictures *pictures;
    const char *folder;
    cc_picture_note note;
    void *context;
} reader;

static camcl_status note(const reader *r, camcl_status status, const camcl_error *problem, camcl_error *err)
{
    if (status == CAMCL_OK) return CAMCL_OK;
    if (status == CAMCL_NO_MEMORY) return cc_fail(err, status, "%s", problem->message);
    return r->note(r->context, problem->message, err);
}

/* ---- names */

static bool is_png_name(const char *name)
{
    size_t length = strlen(name);
    return name[0] != '.' && length > 4 && strcmp(name + length - 4, ".png") == 0;
}

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* Sorted names of the folder's PNG files; the caller frees each and the list. */
static camcl_status list_pictures(const char *path, char ***names, size_t *count, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    size_t capacity = 0;
    DIR *folder = opendir(path);
    if (folder == NULL) return errno == ENOENT ? CAMCL_OK : cc_fail_errno(err, "read", path, errno);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (!is_png_name(entry->d_name)) continue;
        CC_TRY(cc_grow((void **)names, &capacity, *count + 1, sizeof **names, err));
        CC_TRY(cc_copy_text(entry->d_name, &(*names)[*count], err));
        ++*count;
    }
cleanup:
    closedir(folder);
    if (*count > 0) qsort(*names, *count, sizeof **names, by_text);
    return status;
}

/* Splits "00012_overlay.png" into stem "00012" and part "overlay". Only the names in `parts` are split off. */
static camcl_status split_name(const char *name, cc_picture *image, camcl_error *err)
{
    static const char *const parts[] = { "image", "input", "cam", "overlay", "mask", "target", "weak", "strong", "before" };
    CC_RETURN_IF_FAILED(cc_copy_text(name, &image->stem, err));
    image->stem[strlen(name) - 4] = '\0';
    char *underscore = strrchr(image->stem, '_');
    for (size_t i = 0; underscore != NULL && underscore != image->stem && i < CC_COUNT(parts); i++) {
        if (strcmp(underscore + 1, parts[i]) != 0) continue;
        *underscore = '\0';
        return cc_copy_text(parts[i], &image->part, err);
    }
    return cc_copy_text("", &image->part, err);
}

/* ---- files */

static unsigned big_endian(const char *bytes)
{
    const unsigned char *b = (const unsigned char *)bytes;
    return (unsigned)b[0] << 24 | (unsigned)b[1] << 16 | (unsigned)b[2] << 8 | b[3];
}

static camcl_status check_png(const char *path, cc_picture *image, camcl_error *err)
{
    static const char signature[] = "\x89PNG\r\n\x1a\n";
    if (image->size < 24 || memcmp(image->data, signature, 8) != 0) return cc_fail(err, CAMCL_BAD_DATA, "'%s': not a PNG picture", path);
    if (image->size > IMAGE_BYTES_MOST) return cc_fail(err, CAMCL_BAD_DATA, "'%s': too large for the page", path);
    image->width = big_endian(image->data + 16);
    image->height = big_endian(image->data + 20);
    return CAMCL_OK;
}

static void free_picture(cc_picture *image)
{
    free(image->stem);
    free(image->part);
    free(image->data);
    *image = (cc_picture){ 0 };
}

static camcl_status read_picture(const reader *r, const char *name, camcl_error *err)
{
    cc_picture *image = &r->pictures->items[r->pictures->count];
    camcl_error problem = { 0 };
    char *path = NULL;
    camcl_status status, part;
    CC_TRY(cc_path_join(r->folder, name, &path, err));
    CC_TRY(split_name(name, image, err));
    part = cc_file_read(path, &image->data, &image->size, &problem);
    if (part == CAMCL_OK) part = check_png(path, image, &problem);
    CC_TRY(note(r, part, &problem, err));
    if (part == CAMCL_OK)
        r->pictures->count++;
    else
        free_picture(image);
cleanup:
    if (status != CAMCL_OK) free_picture(image);
    free(path);
    return status;
}

static camcl_status read_files(const reader *r, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    camcl_error problem = { 0 };
    cc_pictures *pictures = r->pictures;
    char **names = NULL;
    size_t count = 0;
    CC_TRY(note(r, list_pictures(r->folder, &names, &count, &problem), &problem, err));
    pictures->left_out = count > IMAGES_MOST ? count - IMAGES_MOST : 0;
    CC_TRY(CC_NEW(count, &pictures->items, err));
    for (size_t i = pictures->left_out; i < count; i++)
        CC_TRY(read_picture(r, names[i], err));
cleanup:
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
    return status;
}

/* ---- index.json */

static camcl_status copy_member(const cc_json *object, const char *name, char **out, camcl_error *err)
{
    const char *text = cc_json_string(cc_json_get(object, name));
    return text ? cc_copy_text(text, out, err) : CAMCL_OK;
}

/* Members that are missing or of another kind are not known. */
static camcl_status take_captions(const cc_json *images, cc_pictures *pictures, camcl_error *err)
{
    CC_RETURN_IF_FAILED(CC_NEW(images->count, &pictures->captions, err));
    for (size_t i = 0; i < images->count; i++) {
        const cc_json *one = &images->items[i];
        cc_caption *caption = &pictures->captions[pictures->caption_count++];
        CC_RETURN_IF_FAILED(copy_member(one, "file", &caption->stem, err));
        CC_RETURN_IF_FAILED(copy_member(one, "class", &caption->class_name, err));
        CC_RETURN_IF_FAILED(copy_member(one, "predicted", &caption->predicted, err));
        if (!cc_json_number(cc_json_get(one, "confidence"), &caption->confidence)) caption->confidence = NAN;
        if (!cc_json_number(cc_json_get(one, "index"), &caption->index)) caption->index = NAN;
    }
    return CAMCL_OK;
}

static camcl_status read_index(const reader *r, camcl_error *err)
{
    camcl_status status = CAMCL_OK, part;
    camcl_error problem = { 0 };
    char *path = NULL, *text = NULL;
    size_t size = 0;
    cc_json *json = NULL;
    CC_TRY(cc_path_join(r->folder, "index.json", &path, err));
    if (!cc_file_exists(path)) goto cleanup;
    part = cc_file_read(path, &text, &size, &problem);
    if (part == CAMCL_OK) part = cc_json_parse(text, size, &json, &problem);
    const cc_json *images = cc_json_get(json, "images");
    if (part == CAMCL_OK && (images == NULL || images->kind != CC_JSON_ARRAY))
        part = cc_fail(&problem, CAMCL_BAD_DATA, "no list of images");
    if (part != CAMCL_OK) cc_context(&problem, "'%s'", path);
    CC_TRY(note(r, part, &problem, err));
    if (part == CAMCL_OK) CC_TRY(take_captions(images, r->pictures, err));
cleanup:
    cc_json_free(&json);
    free(text);
    free(path);
    return status;
}

/* ---- both */

camcl_status cc_pictures_read(const char *folder, cc_pictures *pictures, cc_picture_note noted, void *context, camcl_error *err)
{
    const reader r = { pictures, folder, noted, context };
    *pictures = (cc_pictures){ .count = 0 };
    CC_RETURN_IF_FAILED(read_files(&r, err));
    return read_index(&r, err);
}

void cc_pictures_free(cc_pictures *pictures)
{
    for (size_t i = 0; i < pictures->count; i++)
        free_picture(&pictures->items[i]);
    for (size_t i = 0; i < pictures->caption_count; i++) {
        free(pictures->captions[i].stem);
        free(pictures->captions[i].class_name);
        free(pictures->captions[i].predicted);
    }
    free(pictures->items);
    free(pictures->captions);
    *pictures = (cc_pictures){ .count = 0 };
}

const cc_caption *cc_pictures_caption(const cc_pictures *pictures, const char *stem)
{
    for (size_t i = 0; i < pictures->caption_count; i++)
        if (pictures->captions[i].stem && strcmp(pictures->captions[i].stem, stem) == 0) return &pictures->captions[i];
    return NULL;
}
