/*
 * The table of algorithms as users see it: names, declarations that hold, orientations that are forced, described and refused with
 * their reasons, and one family's forward, which has the same bits in each orientation.
 *
 * To see one problem again: CNNBLAS_TEST_SEED=S test_algorithms --only I
 */
#include "support/names.h"
#include "support/rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t only = -1;

/* Problems of which each row can do some and must refuse others. */
static const cnnblas_conv_desc shapes[] = {
    {.n = 2, .c = 6, .k = 8, .size = {9, 9}, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}},
    {.n = 2, .c = 6, .k = 8, .size = {9, 9}, .kernel = {3, 3}, .stride = {2, 2}},
    {.n = 16, .c = 6, .k = 8, .size = {9, 9}, .kernel = {3, 3}},
    {.n = 2, .c = 40, .k = 24, .size = {7, 7}, .kernel = {1, 1}},
    {.n = 2, .c = 8, .k = 8, .groups = 8, .size = {9, 9}, .kernel = {3, 3}},
    {.n = 16, .c = 24, .k = 20, .size = {1, 2}, .kernel = {3, 5}, .pad_begin = {1, 2}, .pad_end = {1, 2}},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static void test_direction_names(void **state)
{
  (void)state;
  for (int d = 0; d < DIRECTIONS; d++) {
    const char *name = cnnblas_conv_direction_name((cnnblas_conv_direction)d);
    assert_true(name && name[0]);
    for (int other = 0; other < d; other++)
      assert_string_not_equal(name, cnnblas_conv_direction_name((cnnblas_conv_direction)other));
  }
  assert_null(cnnblas_conv_direction_name((cnnblas_conv_direction)DIRECTIONS));
  assert_null(cnnblas_conv_direction_name((cnnblas_conv_direction)-1));
}

/* The names that other tests ask for are names of rows, or of families. */
static void test_names_of_tests(void **state)
{
  (void)state;
  static const char *const names[] = {IMPLICIT_GEMM,
                                      IMPLICIT_GEMM_CHANNELS,
                                      IMPLICIT_GEMM_PIXELS,
                                      IMPLICIT_GEMM_SLIVERS,
                                      IM2COL,
                                      IM2COL_ROT180,
                                      GEMM_1X1,
                                      DEPTHWISE,
                                      WINOGRAD,
                                      NAIVE,
                                      REFERENCE};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    bool found = false;
    cnnblas_algorithm_info row;
    for (int a = 0; cnnblas_conv_algorithm_info(a, &row) == CNNBLAS_OK; a++)
      found |= strcmp(row.name, names[i]) == 0 || strcmp(row.family, names[i]) == 0;
    if (!found) FAIL("%s is in no row of the table", names[i]);
  }
}

/* Whether the problem is in the row's directions and scope. */
static bool declared(const cnnblas_algorithm_info *row, const problem *p, int direction)
{
  bool pointwise = true, stride_1 = true, one_tap = true;
  for (int i = 0; i < 3; i++) {
    stride_1 &= p->stride[i] == 1;
    one_tap &= p->taps[i] == 1 && p->begin[i] == 0 && (p->out[i] - 1) * p->stride[i] < p->in[i];
    pointwise &= p->taps[i] == 1 && p->stride[i] == 1 && p->begin[i] == 0 && p->out[i] == p->in[i];
  }
  return (row->directions >> direction & 1) && (row->scope != CNNBLAS_SCOPE_STRIDE_1 || stride_1) &&
         (row->scope != CNNBLAS_SCOPE_POINTWISE || pointwise) && (row->scope != CNNBLAS_SCOPE_ONE_TAP || one_tap) &&
         (row->scope != CNNBLAS_SCOPE_DEPTHWISE || p->cg == 1);
}

static cnnblas_status plan_of(const problem *p, int direction, const char *name, cnnblas_conv_plan **plan)
{
  const cnnblas_conv_options options = {.algorithm = name};
  *plan = NULL;
  harness_doing("problem of %d channels, kernel %d, %s, %s", (int)p->c, (int)p->taps[2],
                cnnblas_conv_direction_name((cnnblas_conv_direction)direction), name ? name : "auto");
  return cnnblas_conv_plan_create(&p->desc, (cnnblas_conv_direction)direction, &options, plan);
}

/* What a row does not declare it refuses, under its full name and with a reason; what it declares without "some" it does. */
static void test_declarations_hold(void **state)
{
  (void)state;
  long refused = 0, done = 0;
  for (int a = 0; a < algorithm_count(); a++)
    for (int s = 0; s < SHAPES; s++)
      for (int d = 0; d < DIRECTIONS; d++) {
        problem p = {.desc = shapes[s]};
        problem_finish(&p);
        cnnblas_algorithm_info row;
        cnnblas_conv_plan *plan;
        ASSERT_OK(cnnblas_conv_algorithm_info(a, &row));
        const bool must_not = !declared(&row, &p, d), must = !must_not && row.scope != CNNBLAS_SCOPE_SOME;
        cnnblas_status status = plan_of(&p, d, row.name, &plan);
        if (status) assert_null(plan);
        if (must) ASSERT_OK(status);
        if (must_not || status) {
          char start[96];
          snprintf(start, sizeof start, "algorithm \"%s\" does not apply: ", row.name);
          assert_int_equal(status, CNNBLAS_UNSUPPORTED);
          assert_int_equal(strncmp(cnnblas_last_error(), start, strlen(start)), 0);
          assert_true(strlen(cnnblas_last_error()) > strlen(start) + 5);
        }
        if (!(row.directions >> d & 1))
          assert_non_null(strstr(cnnblas_last_error(), cnnblas_conv_direction_name((cnnblas_conv_direction)d)));
        if (plan) assert_string_equal(cnnblas_conv_plan_algorithm(plan), row.name);
        refused += status != CNNBLAS_OK;
        done += status == CNNBLAS_OK;
        cnnblas_conv_plan_destroy(plan);
      }
  printf("plans by full name: %ld made, %ld refused\n", done, refused);
  assert_true(done > 0 && refused > 0);
}

/* The words behind "not NAME: " in a description. */
static void reason_in(const char *text, const char *name, char *reason, size_t size)
{
  char line[96];
  snprintf(line, sizeof line, "\nnot %s: ", name);
  const char *found = strstr(text, line);
  if (!found) FAIL("the description has no line \"not %s: \":\n%s", name, text);
  found += strlen(line);
  snprintf(reason, size, "%.*s", (int)strcspn(found, "\n"), found);
}

/* A description names what lies on the lanes, and for each other row the reason that its refusal has. */
static void check_description(const problem *p, int direction, const cnnblas_conv_plan *plan)
{
  char text[4096], reason[256], lanes[64];
  cnnblas_algorithm_info row;
  const cnnblas_algorithm_info mine = algorithm_info(cnnblas_conv_plan_algorithm(plan));
  ASSERT_OK(cnnblas_conv_plan_describe(plan, text, sizeof text, NULL));
  snprintf(lanes, sizeof lanes, "\nlanes: %s\n", mine.orientation);
  assert_int_equal(strstr(text, lanes) != NULL, mine.orientation[0] != 0);
  assert_non_null(strstr(text, "\ntime: "));
  for (int i = 0; cnnblas_conv_algorithm_info(i, &row) == CNNBLAS_OK; i++) {
    cnnblas_conv_plan *rival;
    if (strcmp(row.name, mine.name) == 0) continue;
    reason_in(text, row.name, reason, sizeof reason);
    assert_true(strlen(reason) > 5);
    cnnblas_status status = plan_of(p, direction, row.name, &rival);
    if (status && !strstr(cnnblas_last_error(), reason))
      FAIL("described as \"%s\", refused with \"%s\"", reason, cnnblas_last_error());
    if (!status) assert_true(strstr(reason, "name") || strstr(reason, "estimated "));
    cnnblas_conv_plan_destroy(rival);
  }
}

/* Who asks for a family has its other orientations passed over by their estimates, not by name. */
static void test_family_description(void **state)
{
  (void)state;
  problem p = {.desc = shapes[0]};
  problem_finish(&p);
  cnnblas_algorithm_info row;
  cnnblas_conv_plan *plan;
  for (int i = 0; cnnblas_conv_algorithm_info(i, &row) == CNNBLAS_OK; i++) {
    char text[4096], reason[256];
    cnnblas_conv_plan *rival;
    if (!row.orientation[0] || plan_of(&p, CNNBLAS_FORWARD, row.family, &plan)) continue;
    ASSERT_OK(cnnblas_conv_plan_describe(plan, text, sizeof text, NULL));
    const bool chosen = strcmp(row.name, cnnblas_conv_plan_algorithm(plan)) == 0;
    cnnblas_conv_plan_destroy(plan);
    if (chosen || plan_of(&p, CNNBLAS_FORWARD, row.name, &rival)) continue;
    cnnblas_conv_plan_destroy(rival);
    reason_in(text, row.name, reason, sizeof reason);
    assert_non_null(strstr(reason, "estimated "));
  }
}

/* The automatic choice has its estimate beside its rivals'. A gradient's is the least of them; a forward's orientation alone follows
   the batch, so it is the least of its family's. */
static void test_estimates_beside_each_other(void **state)
{
  (void)state;
  long compared = 0;
  for (int s = 0; s < SHAPES; s++)
    for (int d = 0; d < DIRECTIONS; d++) {
      problem p = {.desc = shapes[s]};
      char text[4096], reason[256];
      double own, other;
      cnnblas_conv_plan *plan;
      cnnblas_algorithm_info row;
      problem_finish(&p);
      ASSERT_OK(plan_of(&p, d, NULL, &plan));
      ASSERT_OK(cnnblas_conv_plan_describe(plan, text, sizeof text, NULL));
      const cnnblas_algorithm_info mine = algorithm_info(cnnblas_conv_plan_algorithm(plan));
      cnnblas_conv_plan_destroy(plan);
      const char *line = strstr(text, "\ntime: estimated ");
      assert_non_null(line);
      assert_int_equal(sscanf(line, "\ntime: estimated %lf ms", &own), 1);
      for (int i = 0; cnnblas_conv_algorithm_info(i, &row) == CNNBLAS_OK; i++) {
        if (strcmp(row.name, mine.name) == 0) continue;
        reason_in(text, row.name, reason, sizeof reason);
        if (sscanf(reason, "estimated %lf ms", &other) != 1) continue;
        if (d == CNNBLAS_FORWARD && strcmp(row.family, mine.family) != 0) continue;
        if (other < own) FAIL("%s was chosen:\n%s", mine.name, text);
        compared++;
      }
    }
  assert_true(compared > 0);
}

static void test_descriptions(void **state)
{
  (void)state;
  long oriented = 0;
  for (int a = 0; a <= algorithm_count(); a++)
    for (int s = 0; s < SHAPES; s++)
      for (int d = 0; d < DIRECTIONS; d++) {
        problem p = {.desc = shapes[s]};
        cnnblas_conv_plan *plan;
        problem_finish(&p);
        if (plan_of(&p, d, cnnblas_conv_algorithm_name(a), &plan)) continue;
        oriented += algorithm_info(cnnblas_conv_plan_algorithm(plan)).orientation[0] != 0;
        check_description(&p, d, plan);
        cnnblas_conv_plan_destroy(plan);
      }
  assert_true(oriented > 0);
}

/* A family's name is taken by one of its rows, and by the same one each time. */
static void test_family_names(void **state)
{
  (void)state;
  cnnblas_algorithm_info row;
  for (int i = 0; cnnblas_conv_algorithm_info(i, &row) == CNNBLAS_OK; i++)
    for (int s = 0; s < SHAPES; s++)
      for (int d = 0; d < DIRECTIONS; d++) {
        problem p = {.desc = shapes[s]};
        cnnblas_conv_plan *plan, *again;
        problem_finish(&p);
        if (plan_of(&p, d, row.family, &plan)) continue;
        ASSERT_OK(plan_of(&p, d, row.family, &again));
        assert_string_equal(algorithm_info(cnnblas_conv_plan_algorithm(plan)).family, row.family);
        assert_string_equal(cnnblas_conv_plan_algorithm(plan), cnnblas_conv_plan_algorithm(again));
        cnnblas_conv_plan_destroy(plan);
        cnnblas_conv_plan_destroy(again);
      }
}

/* Results of a family's rows, to be compared with the first of them that applies. */
typedef struct {
  rig arrays;
  char *first;
  size_t bytes;
  char of[64]; /* the row that gave them; "": none yet */
  long compared[32];
} orientations;

static void compare_bits(orientations *o, const problem *p, variant *v, int row)
{
  v->algorithm = cnnblas_conv_algorithm_name(row);
  if (!rig_run(&o->arrays, p, CNNBLAS_FORWARD, p->n, v)) return;
  if (!o->of[0]) {
    o->bytes = o->arrays.out.bytes;
    o->first = realloc(o->first, o->bytes + 1);
    assert_non_null(o->first);
    memcpy(o->first, o->arrays.out.data, o->bytes);
    snprintf(o->of, sizeof o->of, "%s", v->algorithm);
    return;
  }
  if (memcmp(o->first, o->arrays.out.data, o->bytes) != 0) FAIL("%s and %s give other bits", o->of, v->algorithm);
  o->compared[row]++;
}

/* The rows that have an orientation, family after family. */
static void run_problem(orientations *o, const problem *p, variant *v)
{
  cnnblas_algorithm_info row, other;
  for (int i = 0; cnnblas_conv_algorithm_info(i, &row) == CNNBLAS_OK; i++) {
    bool begun = false;
    for (int j = 0; j < i && cnnblas_conv_algorithm_info(j, &other) == CNNBLAS_OK; j++)
      begun |= strcmp(row.family, other.family) == 0;
    if (begun || !row.orientation[0]) continue;
    o->of[0] = 0;
    for (int j = i; cnnblas_conv_algorithm_info(j, &other) == CNNBLAS_OK; j++)
      if (strcmp(row.family, other.family) == 0) compare_bits(o, p, v, j);
  }
}

/* Random problems, reals, with epilogues, workspaces and threads: each orientation adds the same products in the same order. */
static void test_orientations_have_the_same_bits(void **state)
{
  (void)state;
  enum { COUNT = 600, MANY_IMAGES = 17 };
  const uint64_t seed = rng_seed(1802);
  orientations o = {.first = NULL};
  for (int64_t item = only < 0 ? 0 : only; item < (only < 0 ? COUNT : only + 1); item++) {
    problem p;
    variant v;
    char text[PROBLEM_TEXT], how[VARIANT_TEXT];
    rng r = rng_at(seed, (uint64_t)item);
    problem_random(&p, &r, rng_chance(&r, 20) ? 5e5 : 6e4); /* sums of several chunks among them */
    if (rng_chance(&r, 40)) {                               /* images enough for the lanes of a vector */
      p.desc.n = rng_range(&r, 12, MANY_IMAGES);
      problem_finish(&p);
    }
    variant_random(&v, CNNBLAS_FORWARD, &r);
    v.packed = false;
    problem_text(&p, text);
    variant_text(&v, how);
    harness_doing("%s | %s | CNNBLAS_TEST_SEED=%llu test_algorithms --only %lld", text, how, (unsigned long long)seed,
                  (long long)item);
    rig_fill(&o.arrays, &p, &r, false, v.where);
    run_problem(&o, &p, &v);
  }
  cnnblas_algorithm_info row;
  for (int i = 0; cnnblas_conv_algorithm_info(i, &row) == CNNBLAS_OK; i++)
    if (o.compared[i]) printf("%s: %ld forwards with the bits of its family\n", row.name, o.compared[i]);
  for (int i = 1; cnnblas_conv_algorithm_info(i, &row) == CNNBLAS_OK && only < 0; i++) {
    cnnblas_algorithm_info before;
    ASSERT_OK(cnnblas_conv_algorithm_info(i - 1, &before));
    if (row.directions >> CNNBLAS_FORWARD & 1 && strcmp(before.family, row.family) == 0) assert_true(o.compared[i] > 0);
  }
  free(o.first);
  rig_free(&o.arrays);
}

int main(int argc, char **argv)
{
  if (argc == 3 && strcmp(argv[1], "--only") == 0) only = atoll(argv[2]);
  harness_skip_without_isa();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_direction_names),
      cmocka_unit_test(test_names_of_tests),
      cmocka_unit_test(test_declarations_hold),
      cmocka_unit_test(test_descriptions),
      cmocka_unit_test(test_estimates_beside_each_other),
      cmocka_unit_test(test_family_description),
      cmocka_unit_test(test_family_names),
      cmocka_unit_test(test_orientations_have_the_same_bits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
