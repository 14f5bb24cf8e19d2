#include "run/metrics_lines.h"

#include <inttypes.h>

#include "base/file.h"
#include "base/text.h"

static void add_row(cc_text *text, const cc_columns *columns, const cc_metrics_row *row)
{
    cc_text_add(text, "{\"step\": %" PRIu64 ", \"epoch\": %" PRIu64, row->step, row->epoch);
    for (size_t i = 0; i < columns->count; i++) {
        cc_text_add(text, ", \"%s\": ", columns->names[i]);
        cc_text_add_json_number(text, row->values[i]);
    }
    cc_text_add(text, "}\n");
}

camcl_status cc_metrics_write_lines(const cc_metrics *metrics, const char *path, camcl_error *err)
{
    cc_text text = CC_TEXT_INIT;
    for (size_t i = 0; i < metrics->count; i++)
        add_row(&text, &metrics->columns, &metrics->rows[i]);
    return cc_file_write_built(path, &text, err);
}
