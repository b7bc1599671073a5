/* Running a graph: each node in its order, with the arrays of this run. */
#include "graph/graph.h"

cnnblas_status cnnblas_graph_run(const cb_graph *g, const cb_graph_run *run, int64_t from, int64_t to)
{
  cnnblas_status status = CNNBLAS_OK;
  for (int64_t i = from; i < to && !status; i++) {
    const cb_graph_node *n = &g->nodes[i];
    const void *inputs[CB_GRAPH_INPUTS];
    void *outputs[CB_GRAPH_OUTPUTS];
    for (int j = 0; j < n->inputs; j++) inputs[j] = run->locate(run->context, cb_graph_input(g, i, j));
    for (int j = 0; j < n->outputs; j++) outputs[j] = run->locate(run->context, cb_graph_output(g, i, j));
    status = n->op->run(&(cb_graph_call){n->self, run->context, inputs, outputs});
  }
  return status;
}
