/* Names of the vector loops: the build gives CB_REAL_BITS (32 or 64) and CB_SUFFIX (f32_avx2); cb_activate becomes
   cb_activate_f32_avx2. loops.c declares and lists them through the same macros. */
#ifndef CB_LAYERS_LOOPS_BUILD_H
#define CB_LAYERS_LOOPS_BUILD_H

#include "layers/loops.h"

#define CB_DECLARE_LOOPS(suffix)                                                                                       \
  void cb_activate_##suffix(const cnnblas_activation *, int64_t, const void *, void *);                                \
  void cb_activate_back_##suffix(const cnnblas_activation *, int64_t, const void *, const void *, void *);             \
  void cb_sgd_##suffix(double, double, double, int64_t, void *, const void *, void *);                                 \
  void cb_bias_relu_##suffix(int64_t, int64_t, const void *, int, void *);                                             \
  void cb_column_sums_##suffix(int64_t, int64_t, int64_t, const void *, void *);                                       \
  void cb_softmax_##suffix(int64_t, const void *, void *, double *);                                                   \
  uint32_t cb_largest_index_##suffix(int64_t, const int32_t *);                                                        \
  void cb_pool_forward_##suffix(cnnblas_pool_kind, const cb_pool_run *);                                               \
  void cb_pool_backward_##suffix(cnnblas_pool_kind, const cb_pool_run *);

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
/* loops_pool_windows.c and loops_pool_whole.c, called by loops_pool.c: nonzero if it did the channels, zero if it has no
   loops for them. */
int CB_NAME(cb_pool_forward_windows)(cnnblas_pool_kind kind, const cb_pool_run *run);
int CB_NAME(cb_pool_backward_windows)(cnnblas_pool_kind kind, const cb_pool_run *run);
int CB_NAME(cb_pool_forward_whole)(cnnblas_pool_kind kind, const cb_pool_run *run);
int CB_NAME(cb_pool_backward_whole)(cnnblas_pool_kind kind, const cb_pool_run *run);
/* loops_pool.c: any windows, any elements; called by loops_pool_windows.c for a channel that it does not do right. */
void CB_NAME(cb_pool_forward_any)(cnnblas_pool_kind kind, const cb_pool_run *run);
void CB_NAME(cb_pool_backward_any)(cnnblas_pool_kind kind, const cb_pool_run *run);
/* A run of channel i alone. */
cb_pool_run CB_NAME(cb_pool_channel)(const cb_pool_run *run, int64_t i);
/* loops_pool_separable.c, called by loops_pool.c: whether it serves a geometry, and the two directions. dx is zeros. */
int CB_NAME(cb_pool_separable)(cnnblas_pool_kind kind, const cb_pool_geometry *geometry);
void CB_NAME(cb_pool_forward_separable)(cnnblas_pool_kind kind, const cb_pool_run *plane);
void CB_NAME(cb_pool_backward_separable)(cnnblas_pool_kind kind, const cb_pool_run *plane);
#if CB_REAL_BITS == 32
typedef float real;
typedef uint32_t bits;
#else
typedef double real;
typedef uint64_t bits;
#endif
#endif

#endif
