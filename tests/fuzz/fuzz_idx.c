/* MNIST and Fashion-MNIST, whose idx files may be compressed. */
#include "fuzz.h"
#include "opened.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = { "train-images-idx3-ubyte",   "train-labels-idx1-ubyte",    "t10k-images-idx3-ubyte",
                                         "t10k-labels-idx1-ubyte",    "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz",
                                         "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz" };
    fuzz_files(data, size, names, sizeof names / sizeof names[0]);
    fuzz_open_dataset("mnist", fuzz_folder());
    fuzz_open_dataset("fashion-mnist", fuzz_folder());
    return 0;
}
