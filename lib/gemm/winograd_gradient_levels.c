/* The tables of the weight gradient's parts in this build (gemm/winograd_gradient.h), and the one of the machine. */
#include "gemm/dispatch.h"
#include "gemm/winograd_gradient.h"

CB_LEVEL_TABLES(cb_winograd_gradient, tables);

const cb_winograd_gradient *cb_winograd_gradient_at(cnnblas_dtype dtype, cb_isa isa)
{
  return tables[isa][dtype == CNNBLAS_F64];
}

const cb_winograd_gradient *cb_winograd_gradient_get(cnnblas_dtype dtype)
{
  return CB_LEVEL_CHOICE(tables, dtype);
}
