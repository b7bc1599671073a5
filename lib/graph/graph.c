/* Building a graph: lists that grow, shapes inferred as nodes are added. */
#include "graph/graph.h"
#include "base/memory.h"
#include "base/size.h"
#include "base/status.h"
#include <string.h>

size_t cnnblas_graph_type_bytes(cb_graph_type type)
{
  static const size_t bytes[CB_GRAPH_TYPES] = {4, 8, 4, 8, 1, 1};
  return bytes[type];
}

void cnnblas_graph_free(cb_graph *g)
{
  for (int64_t i = 0; i < g->node_count; i++)
    if (g->nodes[i].op->release) g->nodes[i].op->release(g->nodes[i].self);
  cb_free(g->values);
  cb_free(g->nodes);
  cb_free(g->links);
  memset(g, 0, sizeof *g);
}

/* Makes room for `more` entries behind the `count` that *list has. */
static cnnblas_status grow(void **list, int64_t *room, int64_t count, int64_t more, size_t entry)
{
  int64_t wanted = *room;
  while (wanted < count + more) wanted = wanted ? 2 * wanted : 16;
  if (wanted == *room) return CNNBLAS_OK;
  size_t bytes = (size_t)wanted * entry;
  void *longer = cb_alloc(bytes);
  if (!longer) return cb_fail(CNNBLAS_OUT_OF_MEMORY, "out of memory: %zu bytes for a graph", bytes);
  if (count) memcpy(longer, *list, (size_t)count * entry);
  cb_free(*list);
  *list = longer;
  *room = wanted;
  return CNNBLAS_OK;
}

static cnnblas_status count_elements(cb_graph_shape *s)
{
  int64_t bytes;
  bool fits = true;
  s->elements = 1;
  for (int i = 0; i < s->rank; i++) fits = fits && cb_mul(s->elements, s->size[i], &s->elements);
  if (fits && cb_mul(s->elements, (int64_t)cnnblas_graph_type_bytes(s->type), &bytes)) return CNNBLAS_OK;
  return cb_fail(CNNBLAS_SIZE_OVERFLOW, "the bytes of an array do not fit in 63 bits");
}

static cnnblas_status add_value(cb_graph *g, const cb_graph_shape *shape, int64_t producer)
{
  cnnblas_status status = grow((void **)&g->values, &g->value_room, g->value_count, 1, sizeof *g->values);
  if (status) return status;
  g->values[g->value_count++] =
      (cb_graph_value){.shape = *shape, .producer = producer, .last = CB_GRAPH_NONE, .shares = CB_GRAPH_NONE};
  return CNNBLAS_OK;
}

cnnblas_status cnnblas_graph_add_value(cb_graph *g, const cb_graph_shape *shape, int64_t *value)
{
  cb_graph_shape counted = *shape;
  cnnblas_status status = count_elements(&counted);
  if (!status) status = add_value(g, &counted, CB_GRAPH_NONE);
  if (!status) *value = g->value_count - 1;
  return status;
}

static cnnblas_status infer(const cb_graph *g, const cb_graph_operator *op, void *self, const int64_t *inputs,
                            int input_count, int output_count, cb_graph_shape *outputs)
{
  const cb_graph_shape *in[CB_GRAPH_INPUTS];
  for (int j = 0; j < input_count; j++) in[j] = &g->values[inputs[j]].shape;
  memset(outputs, 0, (size_t)output_count * sizeof *outputs);
  cnnblas_status status = op->infer(self, in, input_count, outputs);
  for (int j = 0; j < output_count && !status; j++) status = count_elements(&outputs[j]);
  return status;
}

cnnblas_status cnnblas_graph_add_node(cb_graph *g, const cb_graph_operator *op, void *self, const int64_t *inputs,
                                      int input_count, int output_count, int64_t *first)
{
  cb_graph_shape outputs[CB_GRAPH_OUTPUTS];
  if (input_count > CB_GRAPH_INPUTS || output_count > CB_GRAPH_OUTPUTS)
    return cb_fail(CNNBLAS_UNSUPPORTED, "%s has %d inputs and %d outputs; a node can have %d and %d", op->name,
                   input_count, output_count, CB_GRAPH_INPUTS, CB_GRAPH_OUTPUTS);
  cnnblas_status status = infer(g, op, self, inputs, input_count, output_count, outputs);
  int64_t links = input_count + output_count;
  if (!status) status = grow((void **)&g->links, &g->link_room, g->link_count, links, sizeof *g->links);
  if (!status) status = grow((void **)&g->nodes, &g->node_room, g->node_count, 1, sizeof *g->nodes);
  if (!status) status = grow((void **)&g->values, &g->value_room, g->value_count, output_count, sizeof *g->values);
  if (status) return status;
  for (int j = 0; j < input_count; j++) {
    g->links[g->link_count + j] = inputs[j];
    g->values[inputs[j]].readers++;
    g->values[inputs[j]].last = g->node_count;
  }
  *first = g->value_count;
  for (int j = 0; j < output_count; j++) {
    g->links[g->link_count + input_count + j] = g->value_count;
    status = add_value(g, &outputs[j], g->node_count); /* cannot fail: there is room */
  }
  g->nodes[g->node_count++] = (cb_graph_node){op, self, g->link_count, input_count, output_count};
  g->link_count += links;
  return status;
}

cnnblas_status cnnblas_graph_infer(cb_graph *g, int64_t node)
{
  cb_graph_shape outputs[CB_GRAPH_OUTPUTS];
  const cb_graph_node *n = &g->nodes[node];
  cnnblas_status status = infer(g, n->op, n->self, g->links + n->links, n->inputs, n->outputs, outputs);
  for (int j = 0; j < n->outputs && !status; j++) g->values[cb_graph_output(g, node, j)].shape = outputs[j];
  return status;
}

cnnblas_status cnnblas_graph_prepare(const cb_graph *g, void *context, size_t *workspace)
{
  cnnblas_status status = CNNBLAS_OK;
  *workspace = 0;
  for (int64_t i = 0; i < g->node_count && !status; i++) {
    size_t bytes = 0;
    if (g->nodes[i].op->prepare) status = g->nodes[i].op->prepare(g->nodes[i].self, context, &bytes);
    if (bytes > *workspace) *workspace = bytes;
  }
  return status;
}
