/* Data sets as small as the tests need them, in place of the published ones; e2e/test_fetch.c makes their files. */
#include "base/memory.h"
#include "dataset/published.h"

/* Nobody listens there. */
static const char *const addresses[] = { "http://127.0.0.1:9/first", "http://127.0.0.1:9/second/", NULL };

static const cc_published_file mnist_files[] = {
    { "train-images-idx3-ubyte", 47056, "b7eec11c2c7a1477cc69bba57d0db58fd5835f4264711180537694c5c5539104" },
    { "train-labels-idx1-ubyte", 68, "0057a552a5c5e3ca77066730db94241cc01d9ee1b247963ce817b70f2f5bb893" },
    { "t10k-images-idx3-ubyte", 15696, "2810c9ea6237d3dbee19aac6480e0e2c3909cc7121d847c0dc7d882ae793765e" },
    { "t10k-labels-idx1-ubyte", 28, "be5713d8829571e59f34b543f7eeb521b1207d313487555fc3ab72f4165083f4" },
    { NULL, 0, NULL },
};

/* One file, without a folder of its own. */
static const cc_published_file cifar10_files[] = {
    { "train-images-idx3-ubyte", 47056, "b7eec11c2c7a1477cc69bba57d0db58fd5835f4264711180537694c5c5539104" },
    { NULL, 0, NULL },
};

const cc_published cc_published_sets[] = {
    { "cifar10", "", cifar10_files, addresses },
    { "mnist", "mnist", mnist_files, addresses },
};
const size_t cc_published_count = CC_COUNT(cc_published_sets);
