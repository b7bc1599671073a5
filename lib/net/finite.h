/* A look for NaN and Inf in arrays. */
#ifndef CB_NET_FINITE_H
#define CB_NET_FINITE_H

#include "base/shared.h"
#include <cnnblas/conv.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True if all count elements are finite. */
bool cb_net_finite(cnnblas_dtype dtype, int64_t count, const void *array);

#endif
