/* Every engine in turn; see levels.h. */
#include "internal/levels.h"
#include "support/oracle.h"
#include <stdio.h>

void levels_run(level_test test)
{
  for (int dtype = CNNBLAS_F32; dtype <= CNNBLAS_F64; dtype++)
    for (int isa = 0; isa < CB_ISA_COUNT; isa++) {
      const cb_engine *engine = cb_engine_at((cnnblas_dtype)dtype, (cb_isa)isa);
      if (isa <= (int)cb_cpu_get()->detected)
        test(engine, (cnnblas_dtype)dtype);
      else
        printf("  %s: skipped, the machine has it not\n", engine->name);
    }
}

bool level_fuses(const cb_engine *engine, cnnblas_dtype dtype)
{
  double e = dtype == CNNBLAS_F64 ? 0x1p-30 : 0x1p-14;
  double x[2 * CB_MAX_LANES], y[2 * CB_MAX_LANES], z[CB_MAX_LANES];
  int32_t zero = 0, steps[2] = {0, 1}, lanes[2] = {0, engine->lanes};
  array_set(dtype, x, 0, 1);
  array_set(dtype, x, 1, 1 + e);
  for (int j = 0; j < engine->lanes; j++) {
    array_set(dtype, y, j, -(1 + 2 * e));
    array_set(dtype, y, engine->lanes + j, 1 + e);
  }
  engine->kernel[1][1](&(cb_tile){
      .a = x, .row = &zero, .awalk = steps, .b = y, .bwalk = lanes, .steps = 2, .c = z, .ldc = engine->lanes});
  double got = array_get(dtype, z, 0);
  if (got != 0 && got != e * e) FAIL("%s: (1 + e)^2 - (1 + 2 e) is %g", engine->name, got);
  return got != 0;
}
