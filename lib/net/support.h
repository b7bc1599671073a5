/* Errors and memory of libcnnblas_net, through libcnnblas; and a look for NaN and Inf. */
#ifndef CB_NET_SUPPORT_H
#define CB_NET_SUPPORT_H

#include "base/shared.h"
#include <cnnblas/conv.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Formats the sentence behind cnnblas_last_error() and returns status. */
cnnblas_status cb_net_fail(cnnblas_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Fails with CNNBLAS_OUT_OF_MEMORY and a sentence that names the bytes and what they were for. */
cnnblas_status cb_net_no_memory(size_t bytes, const char *what);

/* True if all count elements are finite. */
bool cb_net_finite(cnnblas_dtype dtype, int64_t count, const void *array);

#endif
