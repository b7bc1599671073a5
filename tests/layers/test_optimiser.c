/* SGD against its definition, learning-rate steps, tables of selected input maps. */
#include "check.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void sgd_is_its_definition(void **state)
{
  (void)state;
  enum { COUNT = 1003 };
  double *p = check_reals(1, COUNT), *g = check_reals(2, COUNT), *want = check_reals(1, COUNT);
  double v[COUNT] = {0}, want_v[COUNT] = {0};
  cnnblas_sgd_desc d = {.dtype = CNNBLAS_F64, .lr = 0.1, .momentum = 0.9, .weight_decay = 0.01};
  for (int step = 0; step < 3; step++) {
    ASSERT_OK(cnnblas_sgd_step(&d, COUNT, p, g, v));
    for (int i = 0; i < COUNT; i++) {
      want_v[i] = 0.9 * want_v[i] + (g[i] + 0.01 * want[i]);
      want[i] -= 0.1 * want_v[i];
      if (!(fabs(p[i] - want[i]) <= 4e-16 * (1 + fabs(want[i])))) FAIL("p[%d] is %.17g, not %.17g", i, p[i], want[i]);
    }
  }
  free(p), free(g), free(want);
}

/* The first steps of torch.optim.SGD(lr=0.1, momentum=0.9, weight_decay=0.5) on p = 1 with gradient 1, by hand:
   g' = 1.5, v = 1.5, p = 0.85; g' = 1.425, v = 2.775, p = 0.5725. */
static void sgd_matches_a_worked_example(void **state)
{
  (void)state;
  float p = 1, g = 1, v = 0;
  cnnblas_sgd_desc d = {.lr = 0.1, .momentum = 0.9, .weight_decay = 0.5};
  ASSERT_OK(cnnblas_sgd_step(&d, 1, &p, &g, &v));
  assert_true(fabsf(p - 0.85f) < 1e-6f && fabsf(v - 1.5f) < 1e-6f);
  ASSERT_OK(cnnblas_sgd_step(&d, 1, &p, &g, &v));
  assert_true(fabsf(p - 0.5725f) < 1e-6f && fabsf(v - 2.775f) < 1e-6f);
  d.momentum = 0;
  ASSERT_OK(cnnblas_sgd_step(&d, 1, &p, &g, NULL));
  assert_true(fabsf(p - (0.5725f - 0.1f * (1 + 0.5f * 0.5725f))) < 1e-6f);
}

static void sgd_bits_do_not_depend_on_threads(void **state)
{
  (void)state;
  enum { COUNT = 50001 };
  float *p1 = check_floats(1, COUNT), *p2 = check_floats(1, COUNT), *v1 = check_floats(2, COUNT);
  float *v2 = check_floats(2, COUNT), *g = check_floats(3, COUNT);
  cnnblas_sgd_desc d = {.lr = 0.1, .momentum = 0.9, .weight_decay = 0.01, .threads = 1};
  ASSERT_OK(cnnblas_sgd_step(&d, COUNT, p1, g, v1));
  for (int i = 0; i < CHECK_TEAMS; i++) {
    free(p2), free(v2);
    p2 = check_floats(1, COUNT), v2 = check_floats(2, COUNT);
    d.threads = check_teams[i];
    ASSERT_OK(cnnblas_sgd_step(&d, COUNT, p2, g, v2));
    assert_memory_equal(p1, p2, COUNT * sizeof *p1);
    assert_memory_equal(v1, v2, COUNT * sizeof *p1);
  }
  assert_int_equal(cnnblas_sgd_step(&d, COUNT, p2, p2, v2), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_sgd_step(&d, COUNT, p2, g, NULL), CNNBLAS_INVALID_ARGUMENT);
  d.lr = NAN;
  assert_int_equal(cnnblas_sgd_step(&d, COUNT, p2, g, v2), CNNBLAS_INVALID_ARGUMENT);
  free(p1), free(p2), free(v1), free(v2), free(g);
}

static void learning_rate_steps_multiply(void **state)
{
  (void)state;
  const cnnblas_lr_step steps[] = {{.epoch = 3, .factor = 0.5}, {.epoch = 5, .factor = 0.1}};
  const double want[] = {2, 2, 2, 1, 1, 0.1, 0.1};
  for (int epoch = 0; epoch < 7; epoch++) assert_true(fabs(cnnblas_lr_get(2, steps, 2, epoch) - want[epoch]) < 1e-15);
  assert_true(cnnblas_lr_get(2, NULL, 0, 9) == 2);
}

/* LeNet-5's C3: which of the six maps of S2 each of the sixteen filters sees. */
static void lenet_table_keeps_sixty_pairs(void **state)
{
  (void)state;
  static const char *const c3[6] = {"1000111001111011", "1100011100111101", "1110001110010111",
                                    "0111001111001011", "0011100111101101", "0001110011110111"};
  uint8_t table[16][6];
  float w[16][6][25];
  int connections = 0;
  for (int k = 0; k < 16; k++)
    for (int c = 0; c < 6; c++) {
      connections += table[k][c] = c3[c][k] == '1';
      for (int t = 0; t < 25; t++) w[k][c][t] = (float)(1 + t);
    }
  assert_int_equal(connections, 60);
  ASSERT_OK(cnnblas_maps_apply(CNNBLAS_F32, 16, 6, 25, table[0], w));
  for (int k = 0; k < 16; k++)
    for (int c = 0; c < 6; c++)
      for (int t = 0; t < 25; t++) assert_true(w[k][c][t] == (table[k][c] ? (float)(1 + t) : 0));
  table[2][3] = 2;
  assert_int_equal(cnnblas_maps_apply(CNNBLAS_F32, 16, 6, 25, table[0], w), CNNBLAS_INVALID_ARGUMENT);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sgd_is_its_definition), cmocka_unit_test(sgd_matches_a_worked_example),
      cmocka_unit_test(sgd_bits_do_not_depend_on_threads), cmocka_unit_test(learning_rate_steps_multiply),
      cmocka_unit_test(lenet_table_keeps_sixty_pairs)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
