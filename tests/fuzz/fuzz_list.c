/* A list of pictures, and the pictures. */
#include "fuzz.h"
#include "opened.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = { "list.csv", "a.png", "b.png" };
    fuzz_files(data, size, names, sizeof names / sizeof names[0]);
    fuzz_open_dataset("list", fuzz_path("list.csv"));
    return 0;
}
