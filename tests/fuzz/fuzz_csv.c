/* CSV files. */
#include <string.h>

#include "dataset/csv.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cc_csv csv;
    cc_csv_row row = { 0 };
    camcl_error err;
    bool more = true;
    size_t line = 0, length = 0;
    camcl_status status = cc_csv_open(fuzz_file("list.csv", data, size), &csv, &err);
    while (status == CAMCL_OK && more) {
        status = cc_csv_next(&csv, &row, &more, &err);
        if (status != CAMCL_OK || !more) break;
        fuzz_expect(row.line > line, "lines are counted upwards");
        line = row.line;
        for (size_t i = 0; i < row.count; i++)
            length += strlen(row.fields[i]);
        fuzz_expect(length <= size, "fields are no longer than the file");
    }
    cc_csv_row_free(&row);
    cc_csv_close(&csv);
    return 0;
}
