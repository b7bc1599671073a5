/* The tables of the activations' loops that this build has (gemm/activations.h), and the machine's one among them. */
#include "gemm/activations.h"
#include "gemm/dispatch.h"

CB_LEVEL_TABLES(cb_activations, activations);

const cb_activations *cb_activations_for(cnnblas_dtype dtype)
{
  return CB_LEVEL_CHOICE(activations, dtype);
}
