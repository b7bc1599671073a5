/* The compute peak's loops of all levels (peaks_fma_level.c), lowest first: meson names them as ROW(baseline) ROW(avx2) .... */
#include "peaks_fma.h"
#include <cnnblas/system.h>
#include <stddef.h>
#include <string.h>

#define ROW(level) extern const bench_fma bench_fma_##level[2];
BENCH_LEVELS
#undef ROW

#define ROW(level) bench_fma_##level,
static const bench_fma *const loops[] = {BENCH_LEVELS};

enum { LEVELS = sizeof loops / sizeof *loops };

/* The highest level that this CPU can run; the lowest if the library's is unknown here. */
static int highest(void)
{
  cnnblas_system_info info;
  cnnblas_system_get_info(&info);
  int i = LEVELS - 1;
  while (i > 0 && strcmp(loops[i]->isa, info.isa_detected) != 0) i--;
  return i;
}

bench_fma bench_fma_at(cnnblas_dtype dtype, const char *isa)
{
  for (int i = highest(); i >= 0; i--)
    if (strcmp(loops[i]->isa, isa) == 0) return loops[i][dtype == CNNBLAS_F64];
  return (bench_fma){.isa = isa};
}

bench_fma bench_fma_widest(cnnblas_dtype dtype)
{
  return loops[highest()][dtype == CNNBLAS_F64];
}
