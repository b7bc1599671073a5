/* Smoothed labels; see smoothing.h. */
#include "net/smoothing.h"
#include "net/logits.h"

#define SMOOTH(name, type)                                                                                             \
  static double name(const cnnblas_net *net, int64_t n, const int32_t *labels, double divisor, const type *z,          \
                     type *dz)                                                                                         \
  {                                                                                                                    \
    const int64_t classes = net->classes;                                                                              \
    const double e = net->smoothing;                                                                                   \
    double all = 0;                                                                                                    \
    for (int64_t in = 0; in < n; in++) {                                                                               \
      double sum = 0;                                                                                                  \
      for (int64_t j = 0; j < classes; j++) {                                                                          \
        sum += (double)z[in * classes + j];                                                                            \
        dz[in * classes + j] += (type)(e * ((double)(j == labels[in]) - 1 / (double)classes) / divisor);               \
      }                                                                                                                \
      all += (double)z[in * classes + labels[in]] - sum / (double)classes;                                             \
    }                                                                                                                  \
    return e * all / divisor;                                                                                          \
  }
SMOOTH(smooth_f32, float)
SMOOTH(smooth_f64, double)

void cb_net_smooth(const cnnblas_net *net, int64_t first, int64_t n, const int32_t *labels, double divisor,
                   double *loss, void *dz)
{
  if (net->smoothing == 0) return;
  const void *z = (const char *)cb_net_logits(net) + (size_t)(first * net->classes) * net->element;
  *loss += net->options.dtype == CNNBLAS_F64 ? smooth_f64(net, n, labels, divisor, z, dz)
                                             : smooth_f32(net, n, labels, divisor, z, dz);
}
