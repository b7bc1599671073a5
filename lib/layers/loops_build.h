/* Names of the vector loops: the build gives CB_REAL_BITS (32 or 64) and CB_SUFFIX (f32_avx2); cb_activate becomes
   cb_activate_f32_avx2. loops.c declares and lists them through the same macros. */
#ifndef CB_LAYERS_LOOPS_BUILD_H
#define CB_LAYERS_LOOPS_BUILD_H

#include "layers/loops.h"

#define CB_DECLARE_LOOPS(suffix)                                                                                       \
  void cb_activate_##suffix(cnnblas_nonlinearity, double, int64_t, const void *, void *);                              \
  void cb_activate_back_##suffix(cnnblas_nonlinearity, double, int64_t, const void *, const void *, void *);           \
  void cb_sgd_##suffix(double, double, double, int64_t, void *, const void *, void *);                                 \
  void cb_bias_relu_##suffix(int64_t, int64_t, const void *, int, void *);                                             \
  void cb_column_sums_##suffix(int64_t, int64_t, const void *, void *);                                                \
  void cb_softmax_##suffix(int64_t, const void *, void *, double *);                                                   \
  uint32_t cb_largest_index_##suffix(int64_t, const int32_t *);                                                        \
  void cb_pool_forward_##suffix(cnnblas_pool_kind, const cb_pool_plane *);                                             \
  void cb_pool_backward_##suffix(cnnblas_pool_kind, const cb_pool_plane *);

#define CB_LOOPS(suffix)                                                                                               \
  {                                                                                                                    \
    cb_activate_##suffix, cb_activate_back_##suffix, cb_sgd_##suffix, cb_bias_relu_##suffix, cb_column_sums_##suffix,  \
        cb_softmax_##suffix, cb_largest_index_##suffix, cb_pool_forward_##suffix, cb_pool_backward_##suffix            \
  }

#ifdef CB_SUFFIX
#define CB_JOIN2(a, b)      a##_##b
#define CB_JOIN(a, b)       CB_JOIN2(a, b)
#define CB_NAME(name)       CB_JOIN(name, CB_SUFFIX)
#define CB_DECLARE2(suffix) CB_DECLARE_LOOPS(suffix)
CB_DECLARE2(CB_SUFFIX)
/* loops_pool_windows.c, called by loops_pool.c: nonzero if it did the channel, zero if it has no loops for it. */
int CB_NAME(cb_pool_forward_windows)(cnnblas_pool_kind kind, const cb_pool_plane *plane);
int CB_NAME(cb_pool_backward_windows)(cnnblas_pool_kind kind, const cb_pool_plane *plane);
/* loops_pool_separable.c, called by loops_pool.c: whether it serves a geometry, and the two directions. dx is zeros. */
int CB_NAME(cb_pool_separable)(cnnblas_pool_kind kind, const cb_pool_geometry *geometry);
void CB_NAME(cb_pool_forward_separable)(cnnblas_pool_kind kind, const cb_pool_plane *plane);
void CB_NAME(cb_pool_backward_separable)(cnnblas_pool_kind kind, const cb_pool_plane *plane);
#if CB_REAL_BITS == 32
typedef float real;
typedef uint32_t bits;
#else
typedef double real;
typedef uint64_t bits;
#endif
#endif

#endif
