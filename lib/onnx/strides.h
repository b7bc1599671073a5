/* Walks over arrays by strides, up to three inputs and one output: what broadcasting, transposing and slicing are made
   of. */
#ifndef CB_ONNX_STRIDES_H
#define CB_ONNX_STRIDES_H

#include "onnx/node.h"

enum { CB_ONNX_WALKED = 3 };

/* A box of contiguous outputs, and how far apart the inputs' elements lie along each of its axes. */
typedef struct {
  int rank;
  int64_t size[2 * CB_GRAPH_RANK];
  int64_t stride[CB_ONNX_WALKED][2 * CB_GRAPH_RANK]; /* distance in elements; 0 where the input is repeated */
} cb_onnx_walk;

/* Computes one row of outputs: count elements from `out` on, of inputs from in[i] on, step[i] apart; all in
   elements. */
typedef void (*cb_onnx_row)(void *context, int64_t out, const int64_t *in, const int64_t *step, int64_t count);

/* Joins axes of a walk that can be walked as one. */
void cb_onnx_walk_simplify(cb_onnx_walk *w, int inputs);

/* Calls `row` once for each row of the box, in parallel. */
void cb_onnx_walk_run(const cb_onnx_walk *w, int inputs, int32_t threads, cb_onnx_row row, void *context);

/* Fills y with the elements of x, each of `bytes` bytes, in the order in which the walk meets input 0. */
void cb_onnx_walk_copy(const cb_onnx_walk *w, int32_t threads, size_t bytes, const void *x, void *y);

/* Makes the walk of inputs that are broadcast to `out`; input i's last axis lies on out's axis `last[i]`, or, with last
   NULL, on out's last. */
void cb_onnx_walk_broadcast(cb_onnx_walk *w, const cb_graph_shape *out, const cb_graph_shape *const *in, int inputs,
                            const int *last);

/* Sets out's sizes to those to which a and b are broadcast. Returns false if they do not fit. `a` and `out` may be the
   same. */
bool cb_onnx_broadcast(const cb_graph_shape *a, const cb_graph_shape *b, cb_graph_shape *out);

#endif
