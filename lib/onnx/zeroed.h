/* Zeroed memory for so many elements of libcnnblas_onnx, whose sizes are checked. */
#ifndef CB_ONNX_ZEROED_H
#define CB_ONNX_ZEROED_H

#include "base/shared.h"
#include <stddef.h>

/* Allocates count * bytes zeroed bytes; NULL if memory is out or the product wraps. */
void *cb_onnx_zeroed(size_t count, size_t bytes);

#endif
