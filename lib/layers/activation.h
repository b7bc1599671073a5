/* An activation over an array, for the layers whose products are followed by one. */
#ifndef CB_LAYERS_ACTIVATION_H
#define CB_LAYERS_ACTIVATION_H

#include <cnnblas/layers.h>

/* y[i] = f(y[i]) for i < count; f as cb_activation_check leaves it, threads as in a descriptor. */
void cb_activate_array(cnnblas_dtype dtype, int32_t threads, const cnnblas_activation *f, int64_t count, void *y);

#endif
