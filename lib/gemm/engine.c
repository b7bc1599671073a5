/* Which tables of engines this build has (gemm/engine.h), and which of them the machine takes. */
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
