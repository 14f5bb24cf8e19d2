#include "model/graph.h"

#include <stdlib.h>
#include <string.h>

void cc_graph_destroy(cc_graph **graph)
{
    if (*graph == NULL) return;
    free((*graph)->nodes);
    free((*graph)->params);
    free(*graph);
    *graph = NULL;
}

size_t cc_graph_find(const cc_graph *graph, const char *name)
{
    for (size_t i = 0; i < graph->param_count; i++)
        if (strcmp(graph->params[i].name, name) == 0) return i;
    return CC_NONE;
}

size_t cc_node_reads(const cc_node *node, size_t input)
{
    size_t times = 0;
    for (size_t i = 0; i < node->input_count; i++)
        times += node->inputs[i] == input;
    return times;
}

/* ---- shapes */

bool cc_node_shapes_equal(const cc_node_shape *a, const cc_node_shape *b)
{
    return a->rank == b->rank && memcmp(a->dim, b->dim, a->rank * sizeof *a->dim) == 0;
}
