#include "report/pictures.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"

#define IMAGES_MOST 160                    /* per run; if there are more, the last ones by name, which are the latest */
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

static const char *const part_names[] = { "image", "input", "cam", "overlay", "mask", "target", "weak", "strong", "before", "seen" };

/* The place of a part in the table, or CC_COUNT(part_names). */
static size_t find_part(const char *part)
{
    size_t i = 0;
    while (i < CC_COUNT(part_names) && strcmp(part_names[i], part) != 0)
        i++;
    return i;
}

/* Splits "00012_overlay.png" into stem "00012" and part "overlay". Only the names in the table are split off. */
static camcl_status split_name(const char *name, cc_picture *image, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_copy_text(name, &image->stem, err));
    image->stem[strlen(name) - 4] = '\0';
    char *underscore = strrchr(image->stem, '_');
    const size_t part = underscore != NULL && underscore != image->stem ? find_part(underscore + 1) : CC_COUNT(part_names);
    if (part == CC_COUNT(part_names)) return cc_copy_text("", &image->part, err);
    *underscore = '\0';
    return cc_copy_text(part_names[part], &image->part, err);
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

static void take_parts(const cc_json *list, cc_caption *caption)
{
    if (list == NULL || list->kind != CC_JSON_ARRAY) return;
    caption->lists_parts = true;
    for (size_t i = 0; i < list->count; i++) {
        const char *name = cc_json_string(&list->items[i]);
        const size_t part = name ? find_part(name) : CC_COUNT(part_names);
        if (part < CC_COUNT(part_names)) caption->parts |= 1u << part;
    }
}

static double number_of(const cc_json *object, const char *name)
{
    double number;
    return cc_json_number(cc_json_get(object, name), &number) ? number : NAN;
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
        CC_RETURN_IF_FAILED(copy_member(one, "explained", &caption->explained, err));
        caption->confidence = number_of(one, "confidence");
        caption->index = number_of(one, "index");
        caption->distance = number_of(one, "distance");
        const char *why = cc_json_string(cc_json_get(one, "why"));
        caption->mistake = why && strcmp(why, "mistake") == 0;
        take_parts(cc_json_get(one, "pictures"), caption);
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

static const cc_caption *find_caption(const cc_pictures *pictures, const char *stem, bool mistake)
{
    for (size_t i = 0; i < pictures->caption_count; i++) {
        const cc_caption *caption = &pictures->captions[i];
        if (caption->stem && caption->mistake == mistake && strcmp(caption->stem, stem) == 0) return caption;
    }
    return NULL;
}

/* A picture that the index of its image does not list is of an earlier state of the run. */
static bool is_listed(const cc_pictures *pictures, const cc_picture *picture)
{
    const unsigned bit = picture->part[0] ? 1u << find_part(picture->part) : 0;
    bool lists = false, listed = false;
    for (int mistake = 0; mistake < 2; mistake++) {
        const cc_caption *caption = find_caption(pictures, picture->stem, mistake);
        if (caption == NULL) continue;
        lists |= caption->lists_parts;
        listed |= (caption->parts & bit) != 0;
    }
    return !lists || listed;
}

static void drop_unlisted(cc_pictures *pictures)
{
    size_t kept = 0;
    for (size_t i = 0; i < pictures->count; i++) {
        if (is_listed(pictures, &pictures->items[i]))
            pictures->items[kept++] = pictures->items[i];
        else
            free_picture(&pictures->items[i]);
    }
    pictures->count = kept;
}

camcl_status cc_pictures_read(const char *folder, cc_pictures *pictures, cc_picture_note noted, void *context, camcl_error *err)
{
    const reader r = { pictures, folder, noted, context };
    *pictures = (cc_pictures){ .count = 0 };
    CC_RETURN_IF_FAILED(read_files(&r, err));
    CC_RETURN_IF_FAILED(read_index(&r, err));
    drop_unlisted(pictures);
    return CAMCL_OK;
}

void cc_pictures_free(cc_pictures *pictures)
{
    for (size_t i = 0; i < pictures->count; i++)
        free_picture(&pictures->items[i]);
    for (size_t i = 0; i < pictures->caption_count; i++) {
        free(pictures->captions[i].stem);
        free(pictures->captions[i].class_name);
        free(pictures->captions[i].predicted);
        free(pictures->captions[i].explained);
    }
    free(pictures->items);
    free(pictures->captions);
    *pictures = (cc_pictures){ .count = 0 };
}

const cc_caption *cc_pictures_caption(const cc_pictures *pictures, const char *stem)
{
    const cc_caption *spread = find_caption(pictures, stem, false);
    return spread ? spread : find_caption(pictures, stem, true);
}

bool cc_pictures_is_spread(const cc_pictures *pictures, const char *stem)
{
    return find_caption(pictures, stem, false) != NULL || find_caption(pictures, stem, true) == NULL;
}

bool cc_pictures_is_mistake(const cc_pictures *pictures, const char *stem) { return find_caption(pictures, stem, true) != NULL; }
