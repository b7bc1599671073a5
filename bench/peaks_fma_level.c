/*
 * The compute peak's loops of one level, in GNU C vectors. meson compiles this file once a level, with optimisation whatever
 * the build type and with contraction, so that sum * factor + term is one instruction where there is one. It defines
 *   LEVEL  the level's name     VECTOR_BYTES  bytes of a vector     REGISTERS  how many vectors there are
 */
#include "peaks_fma.h"
#include <stddef.h>

/* Chains of a loop: enough to hide the latency of 4 or 5 cycles at two a cycle, few enough for the registers, of which two
   hold the constants. */
enum { CHAINS = REGISTERS == 16 ? 12 : 16 };

/* Not known to the compiler, which would otherwise compute the whole loop itself. */
static volatile float start[2] = {0.999f, 0.25f};

/* sum = sum * factor + term in CHAINS independent chains. */
#define DEFINE_LOOP(name, type)                                                                                        \
  static double name(int64_t iterations)                                                                               \
  {                                                                                                                    \
    typedef type vector __attribute__((vector_size(VECTOR_BYTES)));                                                    \
    vector sum[CHAINS], factor = (type)start[0] - (vector){0}, term = (type)start[1] - (vector){0}, total = {0};       \
    for (int i = 0; i < CHAINS; i++) sum[i] = term * (type)(i + 1); /* all different, or they would become one */      \
    for (int64_t j = 0; j < iterations; j++) {                                                                         \
      _Pragma("GCC unroll 16") for (int i = 0; i < CHAINS; i++) sum[i] = sum[i] * factor + term;                       \
    }                                                                                                                  \
    for (int i = 0; i < CHAINS; i++) total += sum[i];                                                                  \
    double result = 0;                                                                                                 \
    for (size_t lane = 0; lane < VECTOR_BYTES / sizeof(type); lane++) result += (double)total[lane];                   \
    return result;                                                                                                     \
  }
DEFINE_LOOP(fma_f32, float)
DEFINE_LOOP(fma_f64, double)

#define JOIN_(a, b) a##b
#define JOIN(a, b)  JOIN_(a, b)
#define TEXT_(x)    #x
#define TEXT(x)     TEXT_(x)

extern const bench_fma JOIN(bench_fma_, LEVEL)[2];
const bench_fma JOIN(bench_fma_, LEVEL)[2] = {
    {TEXT(LEVEL), fma_f32, 2.0 * CHAINS *VECTOR_BYTES / sizeof(float)},
    {TEXT(LEVEL), fma_f64, 2.0 * CHAINS *VECTOR_BYTES / sizeof(double)},
};
