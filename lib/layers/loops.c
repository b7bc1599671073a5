/* Chooses the table of vector loops: the highest instruction-set level that this build has and the machine allows. */
#include "layers/loops.h"
#include "base/cpu.h"
#include "layers/loops_build.h"

CB_DECLARE_LOOPS(f32_baseline)
CB_DECLARE_LOOPS(f64_baseline)
#ifdef __x86_64__
CB_DECLARE_LOOPS(f32_avx2)
CB_DECLARE_LOOPS(f64_avx2)
CB_DECLARE_LOOPS(f32_avx512)
CB_DECLARE_LOOPS(f64_avx512)
#define AVX2(type)   CB_LOOPS(type##_avx2)
#define AVX512(type) CB_LOOPS(type##_avx512)
#else
#define AVX2(type)   CB_LOOPS(type##_baseline)
#define AVX512(type) CB_LOOPS(type##_baseline)
#endif

static const cb_layer_loops tables[CB_ISA_COUNT][2] = {
    [CB_ISA_BASELINE] = {CB_LOOPS(f32_baseline), CB_LOOPS(f64_baseline)},
    [CB_ISA_AVX2] = {AVX2(f32), AVX2(f64)},
    [CB_ISA_AVX512] = {AVX512(f32), AVX512(f64)},
};

const cb_layer_loops *cb_layer_loops_for(cnnblas_dtype dtype)
{
  return &tables[cb_cpu_get()->level][dtype == CNNBLAS_F64];
}
