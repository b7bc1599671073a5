/* What depends on the machine: nothing that orders a sum depends on more than its level. */
#include "base/parameters.h"
#include "support/harness.h"
#include <string.h>

static const cb_maker makers[] = {CB_MAKER_ANY, CB_MAKER_INTEL, CB_MAKER_AMD};
static const size_t caches[][3] = {{16 << 10, 128 << 10, 0}, {48 << 10, 2 << 20, 260 << 20}};

static void test_order_by_level_alone(void **state)
{
  (void)state;
  for (int isa = 0; isa < CB_ISA_COUNT; isa++) {
    cb_cpu cpu = {.level = (cb_isa)isa};
    cb_order order = cb_parameters_of(&cpu).order;
    assert_in_range(order.chunk_steps, 1, CB_MAX_CHUNK_STEPS);
    for (size_t m = 0; m < sizeof makers / sizeof *makers; m++)
      for (size_t c = 0; c < sizeof caches / sizeof *caches; c++) {
        cpu = (cb_cpu){.detected = CB_ISA_COUNT - 1, .level = (cb_isa)isa, .maker = makers[m]};
        cpu.l1d = caches[c][0], cpu.l2 = caches[c][1], cpu.l3 = caches[c][2];
        cb_order other = cb_parameters_of(&cpu).order;
        assert_memory_equal(&order, &other, sizeof order);
      }
  }
}

/* What a core may count on of a cache that a machine shares out among many. */
static void test_caches(void **state)
{
  (void)state;
  cb_cpu cpu = {.l2 = 1 << 20, .l3 = 260 << 20};
  cb_pace pace = cb_parameters_of(&cpu).pace;
  assert_int_equal(pace.l2_bytes, 1 << 20);
  assert_int_equal(pace.last_bytes, 4 << 20);
  cpu.l3 = 2 << 20;
  assert_int_equal(cb_parameters_of(&cpu).pace.last_bytes, 2 << 20);
}

static void test_machine(void **state)
{
  (void)state;
  cb_parameters p = cb_parameters_of(cb_cpu_get());
  assert_memory_equal(cb_parameters_get(), &p, sizeof p);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_order_by_level_alone),
      cmocka_unit_test(test_caches),
      cmocka_unit_test(test_machine),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
