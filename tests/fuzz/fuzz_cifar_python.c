/* CIFAR-10 and CIFAR-100 in the Python version. */
#include "fuzz.h"
#include "opened.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = { "data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5",
                                         "test_batch",   "batches.meta", "train",        "test",         "meta" };
    fuzz_files(data, size, names, sizeof names / sizeof names[0]);
    fuzz_open_dataset("cifar10", fuzz_folder());
    fuzz_open_dataset("cifar100", fuzz_folder());
    return 0;
}
