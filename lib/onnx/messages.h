/* Errors and memory of libcnnblas_onnx, through libcnnblas. */
#ifndef CB_ONNX_MESSAGES_H
#define CB_ONNX_MESSAGES_H

#include "base/shared.h"
#include <stddef.h>

/* Formats the sentence behind cnnblas_last_error() and returns status. */
cnnblas_status cb_onnx_fail(cnnblas_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Fails with CNNBLAS_OUT_OF_MEMORY and a sentence that names the bytes and what they were for. */
cnnblas_status cb_onnx_no_memory(size_t bytes, const char *what);

/* Allocates count * bytes zeroed bytes; NULL if memory is out or the product wraps. */
void *cb_onnx_zeroed(size_t count, size_t bytes);

#endif
