/* The table of operators. */
#ifndef CB_ONNX_OPERATORS_H
#define CB_ONNX_OPERATORS_H

#include "onnx/node.h"

/* The row of the operator of a name in a version of the operator set; NULL if there is none. */
const cb_onnx_operator *cb_onnx_find_operator(const char *name, int version);

#endif
