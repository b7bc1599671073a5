/*
 * The compute peak's loops, one per vector length, in GNU C vectors. meson compiles this file with optimisation
 * whatever the build type, and with contraction, so that sum * factor + term is one instruction where there is one.
 */
#include "peaks_fma.h"
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Chains of a loop: enough to hide the latency, few enough for the registers (two hold the constants). x86 has 32 vector
   registers with AVX-512 alone, 16 otherwise. */
#if defined(__x86_64__)
enum { WIDE_CHAINS = 16, CHAINS_OF_16 = 12 };
#else
enum { CHAINS_OF_16 = 16 };
#endif

/* Not known to the compiler, which would otherwise compute the whole loop itself. */
static volatile float start[2] = {0.999f, 0.25f};

typedef float f32x4 __attribute__((vector_size(16)));
typedef double f64x2 __attribute__((vector_size(16)));

#define CHAINS CHAINS_OF_16
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
#undef CHAINS
#define CHAINS WIDE_CHAINS
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

/* Widest first. */
static const bench_fma loops[][2] = {
#if defined(__x86_64__)
    {{"avx512", fma_f32x16, 2.0 * WIDE_CHAINS * 16}, {"avx512", fma_f64x8, 2.0 * WIDE_CHAINS * 8}},
    {{"avx2", fma_f32x8, 2.0 * CHAINS_OF_16 * 8}, {"avx2", fma_f64x4, 2.0 * CHAINS_OF_16 * 4}},
#endif
    {{"baseline", fma_f32x4, 2.0 * CHAINS_OF_16 * 4}, {"baseline", fma_f64x2, 2.0 * CHAINS_OF_16 * 2}},
};

static bool cpu_runs(const char *isa)
{
#if defined(__x86_64__)
  if (strcmp(isa, "avx512") == 0) return __builtin_cpu_supports("avx512f");
  if (strcmp(isa, "avx2") == 0) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
  return strcmp(isa, "baseline") == 0;
}

bench_fma bench_fma_at(cnnblas_dtype dtype, const char *isa)
{
  for (size_t i = 0; i < sizeof loops / sizeof *loops; i++)
    if (strcmp(loops[i][0].isa, isa) == 0 && cpu_runs(isa)) return loops[i][dtype == CNNBLAS_F64];
  return (bench_fma){.isa = isa};
}

bench_fma bench_fma_widest(cnnblas_dtype dtype)
{
  size_t i = 0;
  while (!cpu_runs(loops[i][0].isa)) i++;
  return loops[i][dtype == CNNBLAS_F64];
}
