/* The tables of the weight gradient's parts that this build has (gemm/winograd_gradient.h), and the machine's one among
   them. */
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
