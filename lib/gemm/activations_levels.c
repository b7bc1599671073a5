/* The activations' loops of this build, and the machine's. */
#include "gemm/activations.h"
#include "gemm/dispatch.h"

CB_LEVEL_TABLES(cb_activations, activations);

const cb_activations *cb_activations_for(cnnblas_dtype dtype)
{
  return CB_LEVEL_CHOICE(activations, dtype);
}
