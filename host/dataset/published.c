#include "dataset/published.h"

#include "base/memory.h"

static const char *const cifar_addresses[] = { "https://www.cs.toronto.edu/~kriz",
                                               "https://mindspore-website.obs.cn-north-4.myhuaweicloud.com/notebook/datasets", NULL };

static const cc_published_file cifar10_files[] = {
    { "cifar-10-binary.tar.gz", 170052171, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd" },
    { NULL, 0, NULL },
};

static const cc_published_file cifar100_files[] = {
    { "cifar-100-binary.tar.gz", 168513733, "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec" },
    { NULL, 0, NULL },
};

static const char *const mnist_addresses[] = { "https://ossci-datasets.s3.amazonaws.com/mnist",
                                               "https://storage.googleapis.com/cvdf-datasets/mnist", NULL };

static const cc_published_file mnist_files[] = {
    { "train-images-idx3-ubyte.gz", 9912422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609" },
    { "train-labels-idx1-ubyte.gz", 28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c" },
    { "t10k-images-idx3-ubyte.gz", 1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6" },
    { "t10k-labels-idx1-ubyte.gz", 4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6" },
    { NULL, 0, NULL },
};

static const char *const fashion_addresses[] = { "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion",
                                                 "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com", NULL };

static const cc_published_file fashion_files[] = {
    { "train-images-idx3-ubyte.gz", 26421880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84" },
    { "train-labels-idx1-ubyte.gz", 29515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845" },
    { "t10k-images-idx3-ubyte.gz", 4422102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073" },
    { "t10k-labels-idx1-ubyte.gz", 5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5" },
    { NULL, 0, NULL },
};

/* The files of MNIST and Fashion-MNIST have the same names, so that each needs a folder of its own. */
const cc_published cc_published_sets[] = {
    { "cifar10", "", cifar10_files, cifar_addresses },
    { "cifar100", "", cifar100_files, cifar_addresses },
    { "mnist", "mnist", mnist_files, mnist_addresses },
    { "fashion-mnist", "fashion-mnist", fashion_files, fashion_addresses },
};
const size_t cc_published_count = CC_COUNT(cc_published_sets);
