/* The network of the fixtures: resnet18 of width 4 for ten classes. */
#ifndef TESTS_FUZZ_NETWORK_H
#define TESTS_FUZZ_NETWORK_H

#include "model/arch.h"

/* Made once, for the life of the process. */
const cc_graph *fuzz_network(void);

#endif
