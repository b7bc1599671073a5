/* Selected input maps: a table of connections laid over a convolution's weights, or over their gradient. */
#include "base/arguments.h"
#include "base/size.h"
#include <cnnblas/layers.h>
#include <string.h>

cnnblas_status cnnblas_maps_apply(cnnblas_dtype dtype, int64_t k, int64_t c, int64_t taps, const uint8_t *table,
                                  void *weights)
{
  int64_t pairs, elements, bytes;
  cnnblas_status status = cb_check_dtype(dtype);
  if (!status) status = cb_check_size("k", k, 1);
  if (!status) status = cb_check_size("c", c, 1);
  if (!status) status = cb_check_size("taps", taps, 1);
  if (status) return status;
  if (!cb_mul(k, c, &pairs) || !cb_mul(pairs, taps, &elements) || !cb_mul(elements, 8, &bytes))
    return cb_fail(CNNBLAS_SIZE_OVERFLOW, "k * c * taps does not fit in 63 bits");
  cb_array arrays[] = {{"weights", weights, elements, cb_element_size(dtype), false},
                       {"table", table, pairs, 1, false}};
  status = cb_check_arrays(arrays, 2, 1);
  if (status) return status;
  for (int64_t i = 0; i < pairs; i++)
    if (table[i] > 1)
      return cb_fail(CNNBLAS_INVALID_ARGUMENT, "table[%lld][%lld] is %d; it must be 0 or 1", (long long)(i / c),
                     (long long)(i % c), (int)table[i]);
  size_t row = (size_t)taps * cb_element_size(dtype);
  for (int64_t i = 0; i < pairs; i++)
    if (!table[i]) memset((char *)weights + (size_t)i * row, 0, row);
  return CNNBLAS_OK;
}
