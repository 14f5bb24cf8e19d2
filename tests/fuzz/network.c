#include "network.h"

#include "fuzz.h"

const cc_graph *fuzz_network(void)
{
    static cc_graph *graph;
    const cc_graph_spec spec = { .arch = "resnet18", .stem = "cifar", .width = 4, .classes = 10, .channels = 3 };
    camcl_error err;
    if (!graph) fuzz_expect(cc_graph_build(&spec, 16, &graph, &err) == CAMCL_OK, "the network can be built");
    return graph;
}
