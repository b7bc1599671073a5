/*
 * The table of OpenBLAS's cores; see blas_cores.h.
 *
 * The speeds were measured by products of f32 on one core of an Intel Xeon (family 6, model 207) that OPENBLAS_CORETYPE
 * told to run each, OpenBLAS 0.3.21, in GFLOP/s: SkylakeX 156, Zen 82, Haswell 81, Sandybridge 60, Prescott 33, Nehalem
 * 25. The others run, or are built like, one of these: those with AVX-512 SkylakeX's, those with FMA and 256 bits
 * Haswell's; AMD's with FMA4, which no processor at hand has, are taken for Sandybridge.
 */
#include "gemm/blas_cores.h"
#include <strings.h>

enum { GENERIC = 40 };

static const struct {
  const char *name;
  int speed; /* as cb_blas_core_speed returns it, in percent of Haswell's */
} cores[] = {{"SkylakeX", 192}, {"Cooperlake", 192}, {"SapphireRapids", 192}, {"Haswell", 100},
             {"Zen", 100},      {"Excavator", 74},   {"Steamroller", 74},     {"Piledriver", 74},
             {"Bulldozer", 74}, {"Sandybridge", 74}, {"Nehalem", 31},         {"Prescott", GENERIC}};

int cb_blas_core_speed(const char *core)
{
  for (size_t i = 0; i < sizeof cores / sizeof *cores; i++)
    if (strcasecmp(cores[i].name, core) == 0) return cores[i].speed;
  return GENERIC;
}

const char *cb_blas_core_for(cb_isa level)
{
  return level >= CB_ISA_AVX512 ? "SkylakeX" : level >= CB_ISA_AVX2 ? "Haswell" : "Prescott";
}
