/* The tables of engines that this build has (gemm/engine.h), and the one among them that the machine takes. */
#include "gemm/engine.h"
#include "gemm/dispatch.h"

CB_LEVEL_TABLES(cb_engine, engines);

const cb_engine *cb_engine_at(cnnblas_dtype dtype, cb_isa isa)
{
  return engines[isa][dtype == CNNBLAS_F64];
}

const cb_engine *cb_engine_get(cnnblas_dtype dtype)
{
  return CB_LEVEL_CHOICE(engines, dtype);
}
