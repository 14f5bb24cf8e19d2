/* Pictures that a CSV file names: path,label[,split]. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/words.h"
#include "dataset/csv.h"
#include "dataset/own_pictures.h"
#include "dataset/walk.h"

enum { PATH, LABEL, SPLIT, COLUMNS };
static const char *const column_names[COLUMNS] = { "path", "label", "split" };
#define NO_COLUMN SIZE_MAX

/* A line of the file. Label and split point into the file. */
typedef struct named {
    char *path;
    char *plain; /* the path without "..", while duplicates are looked for */
    const char *label;
    size_t line;
    cc_picture_pool pool;
} named;

typedef struct listing {
    const char *root;
    char *folder; /* of the file, absolute */
    cc_csv csv;
    cc_csv_row row;
    size_t columns, at[COLUMNS]; /* columns of the header, and where those are that are read */
    named *items;
    size_t count, capacity;
    const char **classes; /* in byte order */
    size_t class_count;
} listing;

/* The same text without blanks around it. */
static char *trimmed(char *text)
{
    text += strspn(text, " \t");
    size_t length = strlen(text);
    while (length > 0 && strchr(" \t", text[length - 1]))
        length--;
    text[length] = '\0';
    return text;
}

/* ---- The header ---- */

static camcl_status missing_column(const listing *list, const char *name, camcl_error *err)
{
    const char *near = cc_nearest(name, (const char *const *)list->row.fields, list->row.count);
    const char *only = list->row.count == 1 ? list->row.fields[0] + strcspn(list->row.fields[0], ";\t|") : "";
    if (*only)
        return cc_csv_fail(&list->csv, list->row.line, err, "no column '%s': fields are separated by %s (separate them by commas)", name,
                           *only == '\t'  ? "tabs"
                           : *only == ';' ? "semicolons"
                                          : "bars");
    return cc_csv_fail(&list->csv, list->row.line, err, "no column '%s'%s%s%s (the first line names the columns: path,label[,split])", name,
                       near ? ", but '" : "", near ? near : "", near ? "'" : "");
}

static camcl_status read_header(listing *list, camcl_error *err)
{
    bool more;
    CC_RETURN_IF_FAILED(cc_csv_next(&list->csv, &list->row, &more, err));
    if (!more) return cc_fail(err, CAMCL_BAD_DATA, "%s: empty (its first line is path,label[,split])", list->root);
    list->columns = list->row.count;
    for (int c = 0; c < COLUMNS; c++)
        list->at[c] = NO_COLUMN;
    for (size_t i = 0; i < list->columns; i++) {
        list->row.fields[i] = trimmed(list->row.fields[i]);
        for (int c = 0; c < COLUMNS; c++) {
            if (strcasecmp(list->row.fields[i], column_names[c]) != 0) continue;
            if (list->at[c] != NO_COLUMN)
                return cc_csv_fail(&list->csv, list->row.line, err, "two columns '%s' (remove one)", column_names[c]);
            list->at[c] = i;
        }
    }
    for (int c = 0; c < SPLIT; c++)
        if (list->at[c] == NO_COLUMN) return missing_column(list, column_names[c], err);
    return CAMCL_OK;
}

/* ---- Lines ---- */

/* Removes "./" and doubled slashes, so that most files have one path. */
static void tidy(char *path)
{
    char *to = path;
    for (const char *from = path; *from;) {
        const bool starts = to == path || to[-1] == '/';
        if (starts && to != path && *from == '/')
            from++;
        else if (starts && from[0] == '.' && from[1] == '/')
            from += 2;
        else
            *to++ = *from++;
    }
    *to = '\0';
}

static camcl_status read_path(const listing *list, const char *text, char **path, camcl_error *err)
{
    char *expanded;
    if (!*text) return cc_csv_fail(&list->csv, list->row.line, err, "no path");
    if (strlen(text) >= PATH_MAX)
        return cc_csv_fail(&list->csv, list->row.line, err, "a path of %zu bytes (a path has fewer than %d)", strlen(text), PATH_MAX);
    CC_RETURN_IF_FAILED(cc_path_expand(text, &expanded, err));
    camcl_status status = expanded[0] == '/' ? cc_copy_text(expanded, path, err) : cc_path_join(list->folder, expanded, path, err);
    free(expanded);
    if (status == CAMCL_OK) tidy(*path);
    return status;
}

static camcl_status read_split(const listing *list, const char *text, named *out, camcl_error *err)
{
    static const struct {
        const char *word;
        cc_picture_pool pool;
    } words[] = { { "", CC_POOL_LABELED },         { "train", CC_POOL_LABELED },         { "val", CC_POOL_VALIDATION },
                  { "valid", CC_POOL_VALIDATION }, { "validation", CC_POOL_VALIDATION }, { "test", CC_POOL_TEST } };
    size_t i = 0;
    while (i < CC_COUNT(words) && strcasecmp(words[i].word, text) != 0)
        i++;
    if (i == CC_COUNT(words)) {
        char near[32];
        const bool is_near = cc_words_nearest("train | validation | test", text, near, sizeof near);
        return cc_csv_fail(&list->csv, list->row.line, err, "split '%.80s'%s%s%s (one of train, validation, test, or empty for train)",
                           text, is_near ? ", did you mean '" : "", is_near ? near : "", is_near ? "'?" : "");
    }
    out->pool = words[i].pool;
    if (*out->label) return CAMCL_OK;
    if (out->pool != CC_POOL_LABELED)
        return cc_csv_fail(&list->csv, list->row.line, err, "no label, but split '%s' (only training pictures may be without)", text);
    out->pool = CC_POOL_UNLABELED;
    return CAMCL_OK;
}

static camcl_status read_line(listing *list, camcl_error *err)
{
    char **fields = list->row.fields;
    if (list->row.count != list->columns)
        return cc_csv_fail(&list->csv, list->row.line, err, "%zu fields where the first line has %zu (put a path with a comma in quotes)",
                           list->row.count, list->columns);
    named line = { NULL, NULL, trimmed(fields[list->at[LABEL]]), list->row.line, CC_POOL_LABELED };
    if (!cc_is_class_name(line.label))
        return cc_csv_fail(&list->csv, list->row.line, err, "label '%.80s' is not UTF-8 (save the file as UTF-8)", line.label);
    CC_RETURN_IF_FAILED(read_split(list, list->at[SPLIT] == NO_COLUMN ? "" : trimmed(fields[list->at[SPLIT]]), &line, err));
    CC_RETURN_IF_FAILED(cc_grow((void **)&list->items, &list->capacity, list->count + 1, sizeof line, err));
    CC_RETURN_IF_FAILED(read_path(list, fields[list->at[PATH]], &line.path, err));
    list->items[list->count++] = line;
    return CAMCL_OK;
}

static camcl_status read_file(listing *list, camcl_error *err)
{
    if (cc_is_folder(list->root))
        return cc_fail(err, CAMCL_BAD_DATA, "data set list: %s is a folder (set data.root to the CSV file, or data.dataset to folder)",
                       list->root);
    if (!cc_file_exists(list->root))
        return cc_fail(err, CAMCL_BAD_DATA, "data set list: %s: no such file (set data.root to the CSV file)", list->root);
    CC_RETURN_IF_FAILED(cc_csv_open(list->root, &list->csv, err));
    CC_RETURN_IF_FAILED(read_header(list, err));
    for (bool more = true;;) {
        CC_RETURN_IF_FAILED(cc_csv_next(&list->csv, &list->row, &more, err));
        if (!more) break;
        CC_RETURN_IF_FAILED(read_line(list, err));
    }
    if (list->count == 0) return cc_fail(err, CAMCL_BAD_DATA, "%s: no pictures behind the first line", list->root);
    return CAMCL_OK;
}

/* ---- The whole ---- */

/* Takes ".." out of an absolute path that is tidy, together with the folder before it. */
static void take_out_parents(char *path)
{
    char *to = path;
    for (const char *from = path; *from;) {
        const size_t length = 1 + strcspn(from + 1, "/");
        if (length == 3 && memcmp(from, "/..", 3) == 0) {
            while (to > path && *--to != '/')
                ;
        } else {
            memmove(to, from, length);
            to += length;
        }
        from += length;
    }
    *to = '\0';
}

static int by_path(const void *a, const void *b)
{
    const named *left = *(const named *const *)a, *right = *(const named *const *)b;
    int order = strcmp(left->plain, right->plain);
    return order ? order : (left->line > right->line) - (left->line < right->line);
}

/* Where a link is followed by "..", paths of different files can be equal without it. */
static bool is_same_file(const named *a, const named *b)
{
    struct stat one, other;
    if (strcmp(a->plain, b->plain) != 0) return false;
    if (strcmp(a->path, b->path) == 0) return true;
    return stat(a->path, &one) == 0 && stat(b->path, &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

static camcl_status check_duplicates(const listing *list, camcl_error *err)
{
    const named **sorted, *first = NULL, *again = NULL;
    for (size_t i = 0; i < list->count; i++) {
        CC_RETURN_IF_FAILED(cc_copy_text(list->items[i].path, &list->items[i].plain, err));
        take_out_parents(list->items[i].plain);
    }
    CC_RETURN_IF_FAILED(CC_NEW(list->count, &sorted, err));
    for (size_t i = 0; i < list->count; i++)
        sorted[i] = &list->items[i];
    qsort(sorted, list->count, sizeof *sorted, by_path);
    for (size_t i = 1; i < list->count; i++) {
        if ((again && again->line < sorted[i]->line) || !is_same_file(sorted[i - 1], sorted[i])) continue;
        first = sorted[i - 1];
        again = sorted[i];
    }
    free(sorted);
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].plain);
        list->items[i].plain = NULL;
    }
    if (!again) return CAMCL_OK;
    return cc_csv_fail(&list->csv, again->line, err, "'%s' is on line %zu already (name each picture once)", again->path, first->line);
}

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

/* The classes are the labels of training pictures. */
static camcl_status find_classes(listing *list, camcl_error *err)
{
    size_t labelled = 0, count = 0;
    CC_RETURN_IF_FAILED(CC_NEW(list->count, &list->classes, err));
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].pool == CC_POOL_LABELED) list->classes[labelled++] = list->items[i].label;
    if (labelled == 0) return cc_fail(err, CAMCL_BAD_DATA, "%s: no training picture has a label (label some of them)", list->root);
    qsort(list->classes, labelled, sizeof *list->classes, by_text);
    for (size_t i = 0; i < labelled; i++)
        if (i == 0 || strcmp(list->classes[i], list->classes[count - 1]) != 0) list->classes[count++] = list->classes[i];
    list->class_count = count;
    return CAMCL_OK;
}

static camcl_status find_label(const listing *list, const named *item, int32_t *label, camcl_error *err)
{
    *label = -1;
    if (!*item->label) return CAMCL_OK;
    const char **found = bsearch(&item->label, list->classes, list->class_count, sizeof *list->classes, by_text);
    if (!found)
        return cc_csv_fail(&list->csv, item->line, err, "label '%.80s' has no training picture (add one, or correct the label)",
                           item->label);
    *label = (int32_t)(found - list->classes);
    return CAMCL_OK;
}

static camcl_status add_pictures(listing *list, cc_picture_set *set, camcl_error *err)
{
    const size_t base = cc_walk_base(list->folder);
    for (size_t i = 0; i < list->count; i++) {
        named *item = &list->items[i];
        const bool is_below = strncmp(item->path, list->folder, base - 1) == 0 && item->path[base - 1] == '/';
        cc_picture picture = { item->path, item->path + (is_below ? base : 0), item->line, -1, item->pool };
        CC_RETURN_IF_FAILED(find_label(list, item, &picture.label, err));
        item->path = NULL;
        CC_RETURN_IF_FAILED(cc_picture_set_add(set, item->pool == CC_POOL_TEST ? CAMCL_TEST_IMAGES : CAMCL_TRAIN_IMAGES, picture, err));
    }
    return CAMCL_OK;
}

/* The folder of a file; the caller frees. */
static camcl_status folder_of(const char *path, char **out, camcl_error *err)
{
    camcl_status status = cc_path_absolute(path, out, err);
    if (status != CAMCL_OK) return status;
    char *slash = strrchr(*out, '/');
    slash[slash == *out] = '\0';
    tidy(*out);
    return CAMCL_OK;
}

static void free_listing(listing *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].path);
        free(list->items[i].plain);
    }
    free(list->items);
    free(list->classes);
    free(list->folder);
    cc_csv_row_free(&list->row);
    cc_csv_close(&list->csv);
}

static camcl_status read_list(camcl_dataset *dataset, const camcl_dataset_spec *spec, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    listing list = { .root = spec->root };
    cc_picture_set set = CC_PICTURE_SET_INIT;
    set.list = spec->root;
    CC_TRY(folder_of(spec->root, &list.folder, err));
    CC_TRY(read_file(&list, err));
    CC_TRY(check_duplicates(&list, err));
    CC_TRY(find_classes(&list, err));
    CC_TRY(cc_own_classes(dataset, spec->root, list.classes, list.class_count, err));
    CC_TRY(add_pictures(&list, &set, err));
    CC_TRY(cc_own_pictures_read(dataset, spec, &set, err));
cleanup:
    free_listing(&list);
    cc_picture_set_free(&set);
    return status;
}

const cc_dataset_kind cc_dataset_list = { .read = read_list, .has_statistics = false };
