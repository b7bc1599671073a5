/* Every engine in turn; see levels.h. */
#include "internal/levels.h"
#include <stdio.h>

void levels_run(level_test test)
{
  for (int dtype = CNNBLAS_F32; dtype <= CNNBLAS_F64; dtype++)
    for (int isa = 0; isa < CB_ISA_COUNT; isa++) {
      const cb_engine *engine = cb_engine_at((cnnblas_dtype)dtype, (cb_isa)isa);
      if (isa == CB_ISA_BASELINE) assert_non_null(engine);
      if (engine && isa <= (int)cb_cpu_get()->detected)
        test(engine, (cnnblas_dtype)dtype);
      else
        printf("  %s %s: skipped, %s\n", dtype == CNNBLAS_F64 ? "f64" : "f32", cb_isa_name((cb_isa)isa),
               engine ? "the machine has it not" : "not built");
    }
}
