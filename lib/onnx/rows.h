/* The rows of each kind of operator; each list ends in a row without a name. operators.c joins them. */
#ifndef CB_ONNX_ROWS_H
#define CB_ONNX_ROWS_H

#include "onnx/node.h"

enum { CB_ONNX_NEWEST = 17 /* the newest version of the operator set that rows know */ };

extern const cb_onnx_operator cb_onnx_activation_rows[];
extern const cb_onnx_operator cb_onnx_binary_rows[];
extern const cb_onnx_operator cb_onnx_cast_rows[];
extern const cb_onnx_operator cb_onnx_constant_rows[];
extern const cb_onnx_operator cb_onnx_conv_rows[];
extern const cb_onnx_operator cb_onnx_conv_transpose_rows[];
extern const cb_onnx_operator cb_onnx_joining_rows[];
extern const cb_onnx_operator cb_onnx_normalise_rows[];
extern const cb_onnx_operator cb_onnx_pad_rows[];
extern const cb_onnx_operator cb_onnx_pool_rows[];
extern const cb_onnx_operator cb_onnx_product_rows[];
extern const cb_onnx_operator cb_onnx_reduce_rows[];
extern const cb_onnx_operator cb_onnx_resize_rows[];
extern const cb_onnx_operator cb_onnx_selecting_rows[];
extern const cb_onnx_operator cb_onnx_softmax_rows[];
extern const cb_onnx_operator cb_onnx_unary_rows[];
extern const cb_onnx_operator cb_onnx_variadic_rows[];
extern const cb_onnx_operator cb_onnx_view_rows[];

#endif
