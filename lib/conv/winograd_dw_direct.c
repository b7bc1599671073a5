/* winograd*, weight gradient: a filter's plane by the definition, where a sum that came through the transforms is not
   finite. */
#include "base/size.h"
#include "conv/winograd_dw.h"

#define REAL    float
#define NAME(x) x##_f32
#include "conv/winograd_dw_direct_loops.h"

#define REAL    double
#define NAME(x) x##_f64
#include "conv/winograd_dw_direct_loops.h"

void cb_winograd_dw_directly(const cb_call *call, int64_t group, int64_t k, int64_t c, void *to, int64_t pitch)
{
  const cb_geometry *geo = &call->plan->problem.geo;
  for (int64_t r = 0; r < geo->axis[1].taps; r++)
    for (int64_t s = 0; s < geo->axis[2].taps; s++) {
      const int64_t at = (r * geo->axis[2].taps + s) * pitch;
      if (geo->dtype == CNNBLAS_F64)
        ((double *)to)[at] = sum_f64(call, group, k, c, r, s);
      else
        ((float *)to)[at] = (float)sum_f32(call, group, k, c, r, s);
    }
}
