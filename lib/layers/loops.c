/* The vector loops of this build, and the machine's. */
#include "layers/loops.h"
#include "gemm/dispatch.h"

CB_LEVEL_TABLES(cb_layer_loops, loops);

const cb_layer_loops *cb_layer_loops_for(cnnblas_dtype dtype)
{
  return CB_LEVEL_CHOICE(loops, dtype);
}
