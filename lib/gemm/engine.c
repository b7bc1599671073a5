/* The table of engines: every level of this build, filled portable-first; the machine's level picks the highest it may. */
#include "gemm/engine.h"
#include <stddef.h>

extern const cb_engine cb_engine_f32_baseline, cb_engine_f64_baseline;
#ifdef CB_HAVE_X86
extern const cb_engine cb_engine_f32_avx2, cb_engine_f64_avx2, cb_engine_f32_avx512, cb_engine_f64_avx512;
#endif

static const cb_engine *const table[CB_ISA_COUNT][2] = {
    [CB_ISA_BASELINE] = {&cb_engine_f32_baseline, &cb_engine_f64_baseline},
#ifdef CB_HAVE_X86
    [CB_ISA_AVX2] = {&cb_engine_f32_avx2, &cb_engine_f64_avx2},
    [CB_ISA_AVX512] = {&cb_engine_f32_avx512, &cb_engine_f64_avx512},
#endif
};

const cb_engine *cb_engine_at(cnnblas_dtype dtype, cb_isa isa)
{
  return table[isa][dtype == CNNBLAS_F64];
}

const cb_engine *cb_engine_get(cnnblas_dtype dtype)
{
  int isa = (int)cb_cpu_get()->level;
  while (isa > CB_ISA_BASELINE && !cb_engine_at(dtype, (cb_isa)isa)) isa--;
  return cb_engine_at(dtype, (cb_isa)isa);
}
