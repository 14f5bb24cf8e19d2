/* CIFAR-10 and CIFAR-100 in the binary version. */
#include "fuzz.h"
#include "opened.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = { "data_batch_1.bin", "data_batch_2.bin",    "data_batch_3.bin", "data_batch_4.bin",
                                         "data_batch_5.bin", "test_batch.bin",      "batches.meta.txt", "train.bin",
                                         "test.bin",         "fine_label_names.txt" };
    fuzz_files(data, size, names, sizeof names / sizeof names[0]);
    fuzz_open_dataset("cifar10", fuzz_folder());
    fuzz_open_dataset("cifar100", fuzz_folder());
    return 0;
}
