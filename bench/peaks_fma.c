/*
 * The compute peak's loops, one per vector length, in GNU C vectors. meson compiles this file with optimisation whatever
 * the build type, and with contraction, so that sum * factor + term is one instruction where there is one.
 */
#include "peaks_fma.h"
#include <stddef.h>

enum { CHAINS = 16 };

/* Not known to the compiler, which would otherwise compute the whole loop itself. */
static volatile float start[2] = {0.999f, 0.25f};

typedef float f32x4 __attribute__((vector_size(16)));
typedef double f64x2 __attribute__((vector_size(16)));

#define VECTOR f32x4
#define NAME   fma_f32x4
#define TARGET
#include "peaks_fma_loop.h"
#undef VECTOR
#undef NAME
#define VECTOR f64x2
#define NAME   fma_f64x2
#include "peaks_fma_loop.h"
#undef VECTOR
#undef NAME
#undef TARGET

#if defined(__x86_64__)
typedef float f32x8 __attribute__((vector_size(32)));
typedef double f64x4 __attribute__((vector_size(32)));
typedef float f32x16 __attribute__((vector_size(64)));
typedef double f64x8 __attribute__((vector_size(64)));

#define TARGET __attribute__((target("avx2,fma")))
#define VECTOR f32x8
#define NAME   fma_f32x8
#include "peaks_fma_loop.h"
#undef VECTOR
#undef NAME
#define VECTOR f64x4
#define NAME   fma_f64x4
#include "peaks_fma_loop.h"
#undef VECTOR
#undef NAME
#undef TARGET
#define TARGET __attribute__((target("avx512f")))
#define VECTOR f32x16
#define NAME   fma_f32x16
#include "peaks_fma_loop.h"
#undef VECTOR
#undef NAME
#define VECTOR f64x8
#define NAME   fma_f64x8
#include "peaks_fma_loop.h"
#endif

bench_fma bench_fma_widest(cnnblas_dtype dtype)
{
  int wide = dtype == CNNBLAS_F64;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f"))
    return wide ? (bench_fma){"avx512", fma_f64x8, 2.0 * CHAINS * 8}
                : (bench_fma){"avx512", fma_f32x16, 2.0 * CHAINS * 16};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return wide ? (bench_fma){"avx2", fma_f64x4, 2.0 * CHAINS * 4} : (bench_fma){"avx2", fma_f32x8, 2.0 * CHAINS * 8};
#endif
  return wide ? (bench_fma){"baseline", fma_f64x2, 2.0 * CHAINS * 2}
              : (bench_fma){"baseline", fma_f32x4, 2.0 * CHAINS * 4};
}
