/* Fuses addition, activation and Clip into the store of the convolution before them; see passes.h. */
#include "onnx/convolution.h"
#include "onnx/functions.h"
#include "onnx/passes.h"
#include <string.h>

/* The other array of its shape that an Add or Sum adds to the convolution's output `value`, or CB_ONNX_NONE. */
static int64_t addend(const cb_onnx_scheme *s, const cb_onnx_node *node, int64_t value)
{
  if ((strcmp(node->op->name, "Add") && strcmp(node->op->name, "Sum")) || node->inputs != 2) return CB_ONNX_NONE;
  int64_t other = node->input[node->input[0] == value];
  const cb_graph_shape *a = &s->values[value].shape, *b = &s->values[other].shape;
  bool same = a->rank == b->rank && a->type == b->type && !memcmp(a->size, b->size, sizeof a->size);
  return same && other != value ? other : CB_ONNX_NONE;
}

static bool function_of(const cb_onnx_scheme *s, const cb_onnx_node *node, cnnblas_activation *f)
{
  const cb_graph_shape *in[CB_GRAPH_INPUTS];
  const void *known[CB_GRAPH_INPUTS];
  cb_onnx_scheme_look(s, node, in, known, NULL);
  return cb_onnx_function(node, in, known, f);
}

/* True if the other addend is made by a convolution that comes later and could do the sum itself. */
static bool later_takes_it(const cb_onnx_scheme *s, const cb_onnx_node *conv, int64_t other)
{
  int64_t producer = s->values[other].producer;
  if (producer == CB_ONNX_NONE || &s->nodes[producer] < conv) return false;
  const cb_onnx_convolution *c = cb_onnx_as_convolution(&s->nodes[producer]);
  return c && c->activation.kind == CNNBLAS_IDENTITY && s->nodes[producer].inputs <= CB_ONNX_CONV_RESIDUAL &&
         cb_onnx_scheme_reader(s, other);
}

cnnblas_status cb_onnx_pass_store(cb_onnx_scheme *s)
{
  for (int64_t i = 0; i < s->node_count; i++) {
    cb_onnx_node *conv = &s->nodes[i];
    cb_onnx_convolution *c = conv->gone ? NULL : cb_onnx_as_convolution(conv);
    if (!c || c->activation.kind != CNNBLAS_IDENTITY) continue;
    cb_onnx_node *next = cb_onnx_scheme_reader(s, conv->output[0]);
    if (!next) continue;
    cnnblas_activation f;
    if (function_of(s, next, &f)) {
      c->activation = f;
      cb_onnx_scheme_absorb(s, conv, next);
      continue;
    }
    int64_t other = addend(s, next, conv->output[0]);
    if (other == CB_ONNX_NONE || conv->inputs > CB_ONNX_CONV_RESIDUAL || later_takes_it(s, conv, other)) continue;
    cb_onnx_scheme_read(s, conv, CB_ONNX_CONV_RESIDUAL, other);
    cb_onnx_scheme_absorb(s, conv, next); /* the loop sees conv again in next's place, where an activation may follow */
  }
  return CNNBLAS_OK;
}
