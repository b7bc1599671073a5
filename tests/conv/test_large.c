/*
 * Arrays of more than 2^31 elements (suite long): x and dx, y and dy, w and dw, each through every algorithm that applies.
 *
 * The inputs are zero but for some spots at both ends, around element 2^31 and at random; so the output is zero but where
 * two spots meet. That is computed from the definition, spot by spot, and compared exactly, together with the zeros in the
 * pages around and at the ends. Memory is mapped sparsely (support/sparse.h): a few hundred MiB will do.
 */
#include "support/oracle.h"
#include "support/sparse.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SPOTS = 160, MOST_SUMS = 1 << 16, LOOK = 1000 };

typedef struct {
  int64_t at;
  double value;
} spot;

typedef struct {
  spot list[MOST_SPOTS];
  int count;
} spots;

/* The output's elements that are not zero, in order of their places. */
typedef struct {
  spot *list;
  int64_t count;
} sums;

static bool too_slow(const problem *p, const char *algorithm)
{
  return algorithm_info(algorithm).by_name_only && problem_macs(p) > 6e9;
}

static void add_spot(spots *s, sparse *array, int64_t at, rng *r)
{
  if (at < 0 || at >= array->elements || s->count == MOST_SPOTS || array->data[at] != 0) return;
  double value = (double)rng_range(r, 1, 9);
  array->data[at] = (float)value;
  s->list[s->count++] = (spot){at, value};
}

static void scatter_spots(spots *s, sparse *array, rng *r)
{
  const int64_t end = array->elements, middle = INT64_C(1) << 31;
  s->count = 0;
  for (int64_t i = 0; i < 12; i++) {
    add_spot(s, array, i, r);
    add_spot(s, array, end - 1 - i, r);
    add_spot(s, array, middle - 6 + i, r);
    add_spot(s, array, 2 * middle - 6 + i, r);
  }
  while (s->count < MOST_SPOTS && s->count < end) add_spot(s, array, rng_range(r, 0, end - 1), r);
}

static void split(int64_t index, const int64_t extent[3], int64_t at[3])
{
  for (int i = 2; i >= 0; i--) {
    at[i] = index % extent[i];
    index /= extent[i];
  }
}

/* Coordinates of an element of x [n][c][pixel], y [n][k][pixel], w [k][c/g][tap]. */
typedef struct {
  int64_t outer, channel, at[3];
} place;

static place place_of(int64_t index, int64_t channels, const int64_t extent[3])
{
  int64_t plane = extent[0] * extent[1] * extent[2];
  place p = {index / plane / channels, index / plane % channels, {0}};
  split(index % plane, extent, p.at);
  return p;
}

/* Where the product of two spots goes, -1 if nowhere: i = o * stride - pad + t * dilation on each axis. groups == 1. */
static int64_t meeting_place(const problem *p, cnnblas_conv_direction d, int64_t a, int64_t b)
{
  place x = place_of(a, p->c, p->in), w = place_of(b, p->cg, p->taps), y;
  int64_t index = 0;
  if (d == CNNBLAS_FORWARD) {
    if (x.channel != w.channel) return -1;
    index = x.outer * p->k + w.outer;
    for (int i = 0; i < 3; i++) {
      int64_t reach = x.at[i] + p->begin[i] - w.at[i] * p->dilation[i];
      if (reach < 0 || reach % p->stride[i] || reach / p->stride[i] >= p->out[i]) return -1;
      index = index * p->out[i] + reach / p->stride[i];
    }
    return index;
  }
  y = place_of(d == CNNBLAS_BACKWARD_DATA ? a : b, p->k, p->out);
  if (d == CNNBLAS_BACKWARD_DATA) {
    if (y.channel != w.outer) return -1;
    index = y.outer * p->c + w.channel;
  } else {
    if (y.outer != x.outer) return -1;
    index = y.channel * p->cg + x.channel;
  }
  for (int i = 0; i < 3; i++) {
    int64_t from = y.at[i] * p->stride[i] - p->begin[i];
    int64_t tap = x.at[i] - from, at = from + w.at[i] * p->dilation[i];
    bool data = d == CNNBLAS_BACKWARD_DATA;
    if (data ? at < 0 || at >= p->in[i] : tap < 0 || tap % p->dilation[i] || tap / p->dilation[i] >= p->taps[i])
      return -1;
    index = data ? index * p->in[i] + at : index * p->taps[i] + tap / p->dilation[i];
  }
  return index;
}

static int by_place(const void *a, const void *b)
{
  int64_t x = ((const spot *)a)->at, y = ((const spot *)b)->at;
  return (x > y) - (x < y);
}

static void expect(sums *want, const problem *p, cnnblas_conv_direction d, const spots *a, const spots *b)
{
  int64_t count = 0;
  for (int i = 0; i < a->count; i++)
    for (int j = 0; j < b->count; j++) {
      int64_t at = meeting_place(p, d, a->list[i].at, b->list[j].at);
      if (at < 0) continue;
      assert_true(count < MOST_SUMS);
      want->list[count++] = (spot){at, a->list[i].value * b->list[j].value};
    }
  qsort(want->list, (size_t)count, sizeof *want->list, by_place);
  want->count = 0;
  for (int64_t i = 0; i < count; i++)
    if (want->count && want->list[want->count - 1].at == want->list[i].at)
      want->list[want->count - 1].value += want->list[i].value;
    else
      want->list[want->count++] = want->list[i];
}

/* The expected value of one element. */
static double wanted(const sums *want, int64_t at)
{
  spot key = {at, 0};
  const spot *found = bsearch(&key, want->list, (size_t)want->count, sizeof key, by_place);
  return found ? found->value : 0;
}

static long check_around(const sums *want, const sparse *out, int64_t middle)
{
  long looked = 0;
  for (int64_t at = middle - LOOK; at <= middle + LOOK; at++) {
    if (at < 0 || at >= out->elements) continue;
    if ((double)out->data[at] != wanted(want, at))
      FAIL("element %" PRId64 " is %g, expected %g", at, (double)out->data[at], wanted(want, at));
    looked++;
  }
  return looked;
}

static cnnblas_status call(const cnnblas_conv_plan *plan, const problem *p, cnnblas_conv_direction d, const float *a,
                           const float *b, float *out)
{
  if (d == CNNBLAS_FORWARD) return cnnblas_conv_forward(plan, p->n, a, b, NULL, out, NULL, 0);
  if (d == CNNBLAS_BACKWARD_DATA) return cnnblas_conv_backward_data(plan, p->n, a, b, out, NULL, 0);
  return cnnblas_conv_backward_weights(plan, p->n, a, b, out, NULL, NULL, 0);
}

static void run_direction(const problem *p, cnnblas_conv_direction d, const char *text)
{
  static spots a_spots, b_spots;
  static spot list[MOST_SUMS];
  sums want = {list, 0};
  sparse a, b;
  rng r = rng_at(2147483648u, (uint64_t)d);
  assert_true(sparse_input(&a, d == CNNBLAS_BACKWARD_DATA ? p->y_elements : p->x_elements));
  assert_true(sparse_input(&b, d == CNNBLAS_BACKWARD_WEIGHTS ? p->y_elements : p->w_elements));
  scatter_spots(&a_spots, &a, &r);
  scatter_spots(&b_spots, &b, &r);
  expect(&want, p, d, &a_spots, &b_spots);
  assert_true(want.count > 0);
  for (int i = 0; i <= algorithm_count(); i++) {
    cnnblas_conv_options options = {.algorithm = cnnblas_conv_algorithm_name(i)};
    const char *name = options.algorithm ? options.algorithm : "auto";
    if (too_slow(p, options.algorithm)) continue;
    harness_doing("large: %s | %s | %s", text, cnnblas_conv_direction_name((cnnblas_conv_direction)d), name);
    cnnblas_conv_plan *plan = NULL;
    cnnblas_status status = cnnblas_conv_plan_create(&p->desc, d, &options, &plan);
    if (status == CNNBLAS_UNSUPPORTED && options.algorithm) continue;
    ASSERT_OK(status);
    sparse out;
    assert_true(sparse_output(&out, problem_outputs(p, d, p->n)));
    int64_t always[] = {0, out.elements - 1, INT64_C(1) << 31, INT64_C(1) << 32};
    for (int j = 0; j < 4; j++)
      if (always[j] < out.elements) sparse_keep(&out, always[j]);
    int64_t step = want.count / 2000 + 1;
    for (int64_t j = 0; j < want.count; j += step) sparse_keep(&out, want.list[j].at);
    ASSERT_OK(call(plan, p, d, a.data, b.data, out.data));
    long looked = 0;
    for (int j = 0; j < 4; j++)
      if (always[j] < out.elements) looked += check_around(&want, &out, always[j]);
    for (int64_t j = 0; j < want.count; j += step) looked += check_around(&want, &out, want.list[j].at);
    printf("%s | %s | %s%s%s: %" PRId64 " sums, %ld elements looked at\n", text,
           cnnblas_conv_direction_name((cnnblas_conv_direction)d), name, options.algorithm ? "" : " ",
           options.algorithm ? "" : cnnblas_conv_plan_algorithm(plan), want.count, looked);
    fflush(stdout);
    sparse_free(&out);
    cnnblas_conv_plan_destroy(plan);
  }
  sparse_free(&a);
  sparse_free(&b);
}

static void run(const cnnblas_conv_desc *desc)
{
  problem p = {.desc = *desc};
  problem_finish(&p);
  char text[PROBLEM_TEXT];
  problem_text(&p, text);
  for (int d = 0; d < DIRECTIONS; d++) run_direction(&p, (cnnblas_conv_direction)d, text);
}

static void test_one_long_row(void **state)
{
  (void)state;
  run(&(cnnblas_conv_desc){.n = 1,
                           .rank = 1,
                           .c = 1,
                           .k = 1,
                           .size = {(INT64_C(1) << 31) + 1000},
                           .kernel = {3},
                           .pad_begin = {1},
                           .pad_end = {1}});
}

static void test_large_images(void **state)
{
  (void)state;
  run(&(cnnblas_conv_desc){
      .n = 2, .c = 2, .k = 2, .size = {25000, 25000}, .kernel = {2, 2}, .stride = {3, 3}, .pad_begin = {1, 1}});
}

static void test_large_outputs(void **state)
{
  (void)state;
  run(&(cnnblas_conv_desc){.n = 1, .c = 2, .k = 32, .size = {9000, 9000}, .kernel = {1, 1}});
}

static void test_large_weights(void **state)
{
  (void)state;
  run(&(cnnblas_conv_desc){.n = 1, .rank = 1, .c = 46500, .k = 46500, .size = {1}, .kernel = {1}});
}

/* usage: test_large [PATTERN]: only the tests whose names match, "*weights*" */
int main(int argc, char **argv)
{
  if (argc > 1) cmocka_set_test_filter(argv[1]);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_one_long_row),
      cmocka_unit_test(test_large_images),
      cmocka_unit_test(test_large_outputs),
      cmocka_unit_test(test_large_weights),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
