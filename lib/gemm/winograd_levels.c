/* The tables of Winograd's parts that this build has (gemm/winograd.h), and the one that the machine takes. */
#include "gemm/dispatch.h"
#include "gemm/winograd.h"

CB_LEVEL_TABLES(cb_winograd, tables);

const cb_winograd *cb_winograd_at(cnnblas_dtype dtype, cb_isa isa)
{
  return tables[isa][dtype == CNNBLAS_F64];
}

const cb_winograd *cb_winograd_get(cnnblas_dtype dtype)
{
  return CB_LEVEL_CHOICE(tables, dtype);
}
