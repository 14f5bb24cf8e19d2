#include "report/sections.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/base64.h"
#include "report/html.h"

/* ---- CAM gallery ---- */

#define SMALL_IMAGE 96 /* pictures of up to this many pixels a side are enlarged without smoothing */

/* The width on the page. It is smaller for several runs, which stand side by side. */
static double shown_width(const cc_report_image *image, size_t count)
{
    double most = count <= 2 ? 172 : count == 3 ? 156 : 124;
    return image->width <= SMALL_IMAGE || image->width > most ? most : image->width;
}

static void add_image(cc_text *out, const cc_report_image *image, size_t count, bool with_part)
{
    double width = shown_width(image, count), height = image->width > 0 ? width * image->height / image->width : width;
    cc_text_add(out, "<span><img%s alt=\"", image->width <= SMALL_IMAGE ? " class=\"px\"" : "");
    cc_html_escape(out, image->stem);
    cc_text_add(out, " ");
    cc_html_escape(out, image->part);
    cc_text_add(out, "\" width=\"");
    cc_html_number(out, width, 0);
    cc_text_add(out, "\" height=\"");
    cc_html_number(out, height, 0);
    cc_text_add(out, "\" src=\"data:image/png;base64,");
    cc_text_add_base64(out, image->data, image->size);
    cc_text_add(out, "\">");
    if (with_part) cc_html_escape(out, image->part);
    cc_text_add(out, "</span>");
}

/* How many consecutive pictures, from `first` on, have the stem of the first. A run's pictures are sorted by stem. */
static size_t same_stem(const cc_report_run *run, size_t first)
{
    size_t i = first + 1;
    while (i < run->image_count && strcmp(run->images[i].stem, run->images[first].stem) == 0)
        i++;
    return i - first;
}

/* Adds all pictures of one stem: a run's pictures in a row, several runs side by side. */
static void add_figure(cc_text *out, const cc_report_run *runs, size_t count, const char *stem)
{
    cc_text_add(out, "<figure class=\"card cam\"><figcaption>");
    cc_html_escape(out, stem);
    cc_text_add(out, "</figcaption><div class=\"rows\">");
    for (size_t r = 0; r < count; r++) {
        size_t first = 0;
        while (first < runs[r].image_count && strcmp(runs[r].images[first].stem, stem) != 0)
            first++;
        if (first == runs[r].image_count) continue;
        size_t n = same_stem(&runs[r], first);
        cc_text_add(out, "<div>");
        if (count > 1) {
            cc_text_add(out, "<figcaption class=\"c%zu\"><span class=\"dot\"></span>", r % 8);
            cc_html_escape_cut(out, runs[r].name, 20);
            cc_text_add(out, "</figcaption>");
        }
        cc_text_add(out, "<div class=\"row\">");
        for (size_t i = 0; i < n; i++)
            add_image(out, &runs[r].images[first + i], count, n > 1);
        cc_text_add(out, "</div></div>");
    }
    cc_text_add(out, "</div></figure>\n");
}

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

/* Stems of all runs, sorted, each once. NULL when there is no memory. */
static const char **collect_stems(const cc_report_run *runs, size_t count, size_t total, size_t *stems)
{
    const char **list = NULL;
    size_t all = 0;
    *stems = 0;
    if (CC_NEW(total, &list, NULL) != CAMCL_OK) return NULL;
    for (size_t r = 0; r < count; r++)
        for (size_t i = 0; i < runs[r].image_count; i++)
            list[all++] = runs[r].images[i].stem;
    qsort(list, all, sizeof *list, by_text);
    for (size_t i = 0; i < all; i++)
        if (i == 0 || strcmp(list[i], list[*stems - 1]) != 0) list[(*stems)++] = list[i];
    return list;
}

/* The width of the widest figure, with every run's widest row side by side, so that the cards of the grid fit their content. */
static double widest_figure(const cc_report_run *runs, size_t count)
{
    double all = 0;
    for (size_t r = 0; r < count; r++) {
        double widest = 0;
        for (size_t i = 0, n; i < runs[r].image_count; i += n) {
            double row = 0;
            n = same_stem(&runs[r], i);
            for (size_t k = 0; k < n; k++)
                row += shown_width(&runs[r].images[i + k], count) + 10;
            if (row > widest) widest = row;
        }
        all += widest;
    }
    return all + 18;
}

void cc_report_add_gallery(cc_text *out, const cc_report_run *runs, size_t count)
{
    size_t total = 0, left_out = 0, stems;
    for (size_t r = 0; r < count; r++) {
        total += runs[r].image_count;
        left_out += runs[r].images_left_out;
    }
    cc_text_add(out, "<section><h2>Class activation maps</h2>\n");
    if (total == 0) {
        cc_text_add(out, "<p class=\"missing\">No CAM pictures: the folder cams is missing or empty (output.cams_every says when they "
                         "are written).</p></section>\n");
        return;
    }
    const char **list = collect_stems(runs, count, total, &stems);
    if (list == NULL) {
        out->failed = true;
        return;
    }
    cc_text_add(out, "<p class=\"note\">Where the network looks: the Grad-CAM of the class it predicts, warm where it counts most.");
    if (left_out > 0) cc_text_add(out, " %zu earlier pictures stay in the folder cams.", left_out);
    cc_text_add(out, "</p><div class=\"gallery\" style=\"--cell:");
    cc_html_number(out, widest_figure(runs, count), 0);
    cc_text_add(out, "px\">\n");
    for (size_t i = 0; i < stems; i++)
        add_figure(out, runs, count, list[i]);
    cc_text_add(out, "</div></section>\n");
    free(list);
}

/* ---- configuration ---- */

/* The key's text in a run, or NULL. */
static const char *setting(const cc_report_run *run, const char *key)
{
    return run->config != NULL ? camcl_config_string(run->config, key) : NULL;
}

/* Whether the key is worth showing. Several runs: if their values differ. One run: if the value is not the default; paths never are. */
static bool stands_out(const cc_report_run *runs, size_t count, const char *key, camcl_key_type type)
{
    const char *first = NULL;
    if (count == 1)
        return type != CAMCL_KEY_PATH && runs[0].config != NULL &&
               strcmp(setting(&runs[0], key), camcl_config_default_of(runs[0].config, key)) != 0;
    for (size_t r = 0; r < count; r++) {
        const char *value = setting(&runs[r], key);
        if (value == NULL) continue;
        if (first != NULL && strcmp(first, value) != 0) return true;
        first = value;
    }
    return false;
}

static void add_setting(cc_text *out, const cc_report_run *runs, size_t count, const char *key, const camcl_config_key *row,
                        const char *label)
{
    cc_text_add(out, "<tr%s><th scope=\"row\" title=\"", stands_out(runs, count, key, row->type) ? " class=\"diff\"" : "");
    cc_html_escape(out, row->help != NULL ? row->help : "");
    cc_text_add(out, "\">");
    cc_html_escape(out, label);
    cc_text_add(out, "</th>");
    for (size_t r = 0; r < count; r++) {
        const char *value = setting(&runs[r], key);
        cc_text_add(out, "<td>");
        if (value == NULL || value[0] == '\0')
            cc_text_add(out, "<span class=\"empty\">%s</span>", value == NULL ? "unknown" : "empty");
        else
            cc_html_escape(out, value);
        cc_text_add(out, "</td>");
    }
    cc_text_add(out, "</tr>\n");
}

static void add_config_head(cc_text *out, const cc_report_run *runs, size_t count)
{
    cc_text_add(out, "<div class=\"scroll\"><table class=\"config\">");
    if (count > 1) {
        cc_text_add(out, "<thead><tr><th></th>");
        for (size_t r = 0; r < count; r++) {
            cc_text_add(out, "<th scope=\"col\" class=\"c%zu\"><span class=\"dot\"></span>", r % 8);
            cc_html_escape(out, runs[r].name);
            cc_text_add(out, "</th>");
        }
        cc_text_add(out, "</tr></thead>");
    }
    cc_text_add(out, "<tbody>\n");
}

/* Adds the schema's keys: all of them under their sections, or only those that stand out under their full names. Returns how many stand
 * out. */
static size_t add_settings(cc_text *out, const cc_report_run *runs, size_t count, bool all)
{
    size_t rows, found = 0;
    const camcl_config_key *schema = camcl_config_schema(&rows);
    for (size_t i = 0; i < rows; i++) {
        cc_text key = CC_TEXT_INIT;
        cc_text_add(&key, "%s.%s", schema[i].section, schema[i].name);
        if (key.failed) {
            out->failed = true;
            return found;
        }
        bool different = stands_out(runs, count, key.data, schema[i].type);
        found += different;
        if (all && (i == 0 || strcmp(schema[i].section, schema[i - 1].section) != 0))
            cc_text_add(out, "<tr class=\"sect\"><th colspan=\"%zu\">[%s]</th></tr>\n", count + 1, schema[i].section);
        if (all || different) add_setting(out, runs, count, key.data, &schema[i], all ? schema[i].name : key.data);
        cc_text_free(&key);
    }
    return found;
}

static void add_config_tables(cc_text *out, const cc_report_run *runs, size_t count)
{
    cc_text different = CC_TEXT_INIT;
    size_t found = add_settings(&different, runs, count, false);
    if (found > 0) {
        cc_text_add(out, "<div class=\"card panel\"><h3>%s</h3>", count == 1 ? "Not the default" : "Where the runs differ");
        add_config_head(out, runs, count);
        cc_text_add_bytes(out, different.data, different.length);
        cc_text_add(out, "</tbody></table></div></div>\n");
    }
    if (different.failed) out->failed = true;
    cc_text_free(&different);
    cc_text_add(out, "<details class=\"card\"><summary>Everything in force</summary><div class=\"inner\">");
    add_config_head(out, runs, count);
    add_settings(out, runs, count, true);
    cc_text_add(out, "</tbody></table></div></div></details>\n");
}

void cc_report_add_config(cc_text *out, const cc_report_run *runs, size_t count)
{
    bool understood = false, text = false;
    for (size_t r = 0; r < count; r++) {
        understood |= runs[r].config != NULL;
        text |= runs[r].config_text != NULL;
    }
    cc_text_add(out, "<section><h2>Configuration</h2><div class=\"panels\">\n");
    if (understood) add_config_tables(out, runs, count);
    for (size_t r = 0; r < count; r++) {
        if (runs[r].config_text == NULL) continue;
        cc_text_add(out, "<details class=\"card\"><summary>config.ini as it stands: ");
        cc_html_escape(out, runs[r].name);
        cc_text_add(out, "</summary><div class=\"inner\"><pre>");
        cc_html_escape(out, runs[r].config_text);
        cc_text_add(out, "</pre></div></details>\n");
    }
    if (!understood && !text) cc_text_add(out, "<p class=\"missing\">No config.ini.</p>\n");
    cc_text_add(out, "</div></section>\n");
}
