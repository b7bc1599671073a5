/* What both convolutions' operators do with weights; see convolution.h. */
#include "onnx/convolution.h"

cnnblas_status cb_onnx_pack(const cnnblas_conv_plan *plan, const void *weights, cb_onnx_packed *packed)
{
  cnnblas_status status = cnnblas_conv_plan_packed_bytes(plan, &packed->bytes);
  if (!status && !(packed->weights = cnnblas_shared_alloc(packed->bytes, 0)))
    status = cnnblas_shared_no_memory(packed->bytes, "packed weights");
  return status ? status : cnnblas_conv_plan_pack_weights(plan, weights, packed->weights, packed->bytes);
}

/* How much longer packed weights may be estimated to take: what packs none is mostly OpenBLAS, whose products of few pixels are
   one task, and whose packing in each run the estimates know from arrays in the caches. One image at 7x7, two cores of a Zen 3 at
   AVX2: 160 to 960 channels estimated 0.125 against 0.118 ms, took 0.18 against 0.33; 512 to 2048 0.82 against 0.79 and 1.08
   against 1.24. */
static const double DOUBT = 1.1;

bool cb_onnx_prefers_packed(const cnnblas_conv_plan *packing, const cnnblas_conv_plan *plain, cnnblas_effort effort)
{
  if (cnnblas_conv_plan_packs(plain)) return true;
  return effort == CNNBLAS_ESTIMATE && cnnblas_conv_plan_estimate(packing) < DOUBT * cnnblas_conv_plan_estimate(plain);
}
