#include "dataset/source_missing.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "base/content.h"
#include "base/memory.h"
#include "base/text.h"

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Whether one of the path's parts fits the pattern. */
static bool fits(const char *pattern, const char *path)
{
    char part[256];
    for (size_t length; *path; path += length + (path[length] == '/')) {
        length = strcspn(path, "/");
        snprintf(part, sizeof part, "%.*s", (int)cc_min_size(length, sizeof part - 1), path);
        if (fnmatch(pattern, part, 0) == 0) return true;
    }
    return false;
}

/* The first hint that fits one of the names. */
static const cc_source_hint *find_hint(const cc_source *source, const cc_names *names, const char **name)
{
    for (const cc_source_hint *hint = source->hints; hint->pattern; hint++)
        for (size_t i = 0; i < names->count; i++) {
            *name = names->names[i];
            if (fits(hint->pattern, *name)) return hint;
        }
    return NULL;
}

static void add_names(cc_text *text, const cc_names *names)
{
    enum { most = 8 };
    if (names->count == 0) cc_text_add(text, "nothing else is there");
    for (size_t i = 0; i < names->count && i < most; i++) {
        cc_text_add(text, "%s", i ? ", " : "found: ");
        cc_text_add_visible(text, names->names[i], 48);
    }
    if (names->count > most) cc_text_add(text, " and %zu more", names->count - most);
}

static void add_missing(cc_text *text, const cc_source *source, const cc_place *place, const cc_source_match *match)
{
    if (match->form) {
        bool first = true;
        cc_text_add(text, "%s%s%s lacks ", place->path, !*match->folder ? "" : place->archive ? ": " : "/", match->folder);
        for (size_t i = 0; i < CC_SOURCE_FILES && match->form->names[i].name; i++) {
            if (match->files[i].path || match->form->names[i].optional) continue;
            cc_text_add(text, "%s%s", first ? "" : ", ", match->form->names[i].name);
            first = false;
        }
        cc_text_add(text, " of %s", match->form->title);
        return;
    }
    cc_text_add(text, "%s holds no %s: neither ", place->path, source->title);
    for (size_t i = 0; i < source->form_count; i++)
        cc_text_add(text, "%s%s and so on (%s)", i ? ", nor " : "", source->forms[i].names[0].name, source->forms[i].title);
    for (size_t i = 0; i < source->form_count && !place->archive; i++)
        cc_text_add(text, "%s%s.tar.gz", i ? " or " : ", nor an archive such as ", source->forms[i].archives[0]);
}

camcl_status cc_source_missing(const cc_source *source, const cc_place *place, const cc_source_match *match, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_text text = CC_TEXT_INIT;
    cc_names names = { NULL, 0, 0 };
    const char *name = NULL;
    CC_TRY(cc_place_list(place, match->form ? match->folder : "", &names, err));
    add_missing(&text, source, place, match);
    cc_text_add(&text, "; ");
    const cc_source_hint *hint = match->form ? NULL : find_hint(source, &names, &name);
    if (hint) {
        cc_text_add(&text, "found: ");
        cc_text_add_visible(&text, name, 64);
        cc_text_add(&text, ", %s", hint->what);
    } else {
        add_names(&text, &names);
        cc_text_add(&text, " (%s; the data is at %s, camcl data fetch %s gets it)", match->form ? "fetch it again" : "set data.root",
                    source->fetch, source->dataset);
    }
    status = cc_fail(err, text.failed ? CAMCL_NO_MEMORY : CAMCL_BAD_DATA, "data set %s: %s", source->dataset,
                     text.failed ? "out of memory (close other programs)" : text.data);
cleanup:
    cc_text_free(&text);
    cc_names_free(&names);
    return status;
}

camcl_status cc_source_check_mishap(const cc_source *source, const char *path, const void *data, size_t size, camcl_error *err)
{
    const cc_content content = cc_content_of(data, size);
    const char *advice;
    switch (content.kind) {
    case CC_CONTENT_LFS_POINTER: advice = "run `git lfs pull` where it came from"; break;
    case CC_CONTENT_WEB_PAGE: advice = "the download went wrong: fetch it again"; break;
    case CC_CONTENT_XML: advice = "the download went wrong, and this is probably the server's message: fetch it again"; break;
    default: return CAMCL_OK;
    }
    return cc_fail(err, CAMCL_BAD_DATA, "data set %s: %s: %s, not the file itself (%s)", source->dataset, path, content.name, advice);
}

static bool is_one_of_the_files(const cc_source *source, const char *base)
{
    for (size_t i = 0; i < source->form_count; i++)
        for (size_t k = 0; k < CC_SOURCE_FILES && source->forms[i].names[k].name; k++) {
            const cc_source_name *name = &source->forms[i].names[k];
            size_t length = strlen(name->name), other = name->alias ? strlen(name->alias) : 0;
            if (strncmp(base, name->name, length) == 0 && (!base[length] || base[length] == '.')) return true;
            if (other && strncmp(base, name->alias, other) == 0 && (!base[other] || base[other] == '.')) return true;
        }
    return false;
}

camcl_status cc_source_no_archive(const cc_source *source, const char *root, camcl_status status, camcl_error *err)
{
    char start[512];
    const char *base = base_of(root), *name = NULL;
    char *names[] = { (char *)base };
    const cc_names alone = { names, 1, 1 };
    FILE *file = fopen(root, "rb");
    size_t size = file ? fread(start, 1, sizeof start, file) : 0;
    if (file) fclose(file);
    CC_RETURN_IF_FAILED(cc_source_check_mishap(source, root, start, size, err));
    if (is_one_of_the_files(source, base))
        return cc_fail(err, CAMCL_BAD_DATA, "data set %s: %s is one of its files (set data.root to the folder that it is in)",
                       source->dataset, root);
    const cc_source_hint *hint = find_hint(source, &alone, &name);
    if (hint) return cc_fail(err, CAMCL_BAD_DATA, "data set %s: %s is %s", source->dataset, root, hint->what);
    const cc_content content = cc_content_of(start, size);
    switch (content.kind) {
    case CC_CONTENT_UNKNOWN:
    case CC_CONTENT_EMPTY:
    case CC_CONTENT_ZEROS:
    case CC_CONTENT_TEXT:
    case CC_CONTENT_JSON:
    case CC_CONTENT_ZIP:
    case CC_CONTENT_ARCHIVE:
    case CC_CONTENT_COMPRESSED: return status;
    case CC_CONTENT_RAR:
        return cc_fail(err, CAMCL_BAD_DATA, "data set %s: %s is %s, which camcl does not read (unpack it, and set data.root to the folder)",
                       source->dataset, root, content.name);
    default:
        return cc_fail(err, CAMCL_BAD_DATA, "data set %s: %s is %s (set data.root to the data set's folder or archive; the data is at %s)",
                       source->dataset, root, content.name, source->fetch);
    }
}
