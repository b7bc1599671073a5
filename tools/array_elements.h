/* The elements of an ONNX array as numbers, for the command and for the tests. */
#ifndef TOOLS_ARRAY_ELEMENTS_H
#define TOOLS_ARRAY_ELEMENTS_H

#include <cnnblas/onnx.h>
#include <stdint.h>

/* The number of an array's elements; INT64_MAX if that is too large for the type. */
int64_t array_elements(const cnnblas_onnx_array *array);

/* Element i of an array of any type as a number. */
double array_at(const cnnblas_onnx_array *array, int64_t i);

#endif
