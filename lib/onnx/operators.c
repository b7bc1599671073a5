/* The table of operators: the rows of all kinds. */
#include "onnx/operators.h"
#include "onnx/rows.h"
#include <string.h>

static const cb_onnx_operator *const kinds[] = {
    cb_onnx_activation_rows, cb_onnx_binary_rows,    cb_onnx_cast_rows,
    cb_onnx_constant_rows,   cb_onnx_conv_rows,      cb_onnx_conv_transpose_rows,
    cb_onnx_joining_rows,    cb_onnx_normalise_rows, cb_onnx_pad_rows,
    cb_onnx_pool_rows,       cb_onnx_product_rows,   cb_onnx_reduce_rows,
    cb_onnx_resize_rows,     cb_onnx_selecting_rows, cb_onnx_softmax_rows,
    cb_onnx_unary_rows,      cb_onnx_variadic_rows,  cb_onnx_view_rows};

const cb_onnx_operator *cb_onnx_find_operator(const char *name, int version)
{
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
    for (const cb_onnx_operator *row = kinds[k]; row->name; row++)
      if (!strcmp(row->name, name) && version >= row->from && version <= row->to) return row;
  return NULL;
}

const char *cnnblas_onnx_operator_name(int32_t index)
{
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds && index >= 0; k++)
    for (const cb_onnx_operator *row = kinds[k]; row->name; row++)
      if (!index--) return row->name;
  return NULL;
}
