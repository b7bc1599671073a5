/* The table of OpenBLAS's cores: what is not in it counts as generic, and estimates of OpenBLAS's products follow it. */
#include "gemm/blas.h"
#include "gemm/blas_cores.h"
#include "support/harness.h"
#include <cnnblas/system.h>

static void test_unknown_is_generic(void **state)
{
  (void)state;
  const int generic = cb_blas_core_speed("Prescott");
  static const char *const unknown[] = {"", "Zen 17", "Haswell2", "armv8", "Core2", "unknown"};
  for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
    assert_int_equal(cb_blas_core_speed(unknown[i]), generic);
  assert_int_equal(cb_blas_core_speed("HASWELL"), cb_blas_core_speed("Haswell"));
}

/* Wider instructions are faster: in the order of the levels, and each level's own core is in the table. */
static void test_order(void **state)
{
  (void)state;
  assert_int_equal(cb_blas_core_speed("Haswell"), 100);
  assert_int_equal(cb_blas_core_speed("Zen"), cb_blas_core_speed("Haswell"));
  assert_true(cb_blas_core_speed("Prescott") < cb_blas_core_speed("Sandybridge"));
  assert_true(cb_blas_core_speed("Sandybridge") < cb_blas_core_speed("Haswell"));
  assert_true(cb_blas_core_speed("Haswell") < cb_blas_core_speed("SkylakeX"));
  for (int isa = 1; isa < CB_ISA_COUNT; isa++)
    assert_true(cb_blas_core_speed(cb_blas_core_for((cb_isa)isa)) >=
                cb_blas_core_speed(cb_blas_core_for((cb_isa)(isa - 1))));
}

/* The system's figure is the loaded core's speed over that of the processor's own. */
static void test_system(void **state)
{
  (void)state;
  cnnblas_system_info info;
  ASSERT_OK(cnnblas_system_get_info(&info));
  assert_string_equal(info.openblas_core, cb_blas_core());
  assert_int_equal(info.openblas_speed, 100 * cb_blas_core_speed(cb_blas_core()) /
                                            cb_blas_core_speed(cb_blas_core_for(cb_cpu_get()->detected)));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_unknown_is_generic),
      cmocka_unit_test(test_order),
      cmocka_unit_test(test_system),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
