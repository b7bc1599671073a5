/* The elements of an ONNX array as numbers; see array_elements.h. */
#include "array_elements.h"

int64_t array_elements(const cnnblas_onnx_array *a)
{
  int64_t n = 1;
  for (int i = 0; i < a->rank; i++)
    if (__builtin_mul_overflow(n, a->size[i], &n)) return INT64_MAX;
  return n;
}

double array_at(const cnnblas_onnx_array *a, int64_t i)
{
  switch (a->type) {
  case CNNBLAS_ONNX_F32:
    return ((const float *)a->data)[i];
  case CNNBLAS_ONNX_F64:
    return ((const double *)a->data)[i];
  case CNNBLAS_ONNX_I32:
    return ((const int32_t *)a->data)[i];
  case CNNBLAS_ONNX_I64:
    return (double)((const int64_t *)a->data)[i];
  default:
    return ((const uint8_t *)a->data)[i];
  }
}
