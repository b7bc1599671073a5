/* Passes: each makes a scheme cheaper to run and leaves its outputs what they were, up to rounding. One file each. */
#ifndef CB_ONNX_PASSES_H
#define CB_ONNX_PASSES_H

#include "onnx/scheme.h"

/* Pairs of transposes are cancelled, after they were pushed behind the element-wise nodes between them. */
cnnblas_status cb_onnx_pass_transpose(cb_onnx_scheme *scheme);

/* Pad by zeros goes into the convolution that alone reads it. */
cnnblas_status cb_onnx_pass_pad(cb_onnx_scheme *scheme);

/* BatchNormalization, and Mul, Div, Add and Sub by constants of each channel, go into the weights and bias of the
   convolution before them. */
cnnblas_status cb_onnx_pass_normalise(cb_onnx_scheme *scheme);

/* Addition, activation and Clip go into the store of the convolution before them. */
cnnblas_status cb_onnx_pass_store(cb_onnx_scheme *scheme);

/* Nodes whose results nobody reads are taken away. */
void cb_onnx_pass_dead(cb_onnx_scheme *scheme);

/* Parts of a Concat that lie whole in its output are written there by the nodes that make them. Works on the graph that
   was built from the scheme, before outputs are laid over inputs; node_of[i] is the scheme's node of the graph's node
   i. */
void cb_onnx_pass_concat(const cb_onnx_scheme *scheme, cb_graph *graph, const int64_t *node_of);

/* Outputs lie over inputs: views always, others where `over` is true and nobody reads the input any more. Works on the
   graph that was built from the scheme; node_of[i] is the scheme's node of the graph's node i. */
cnnblas_status cb_onnx_pass_in_place(const cb_onnx_scheme *scheme, cb_graph *graph, const int64_t *node_of, bool over);

#endif
