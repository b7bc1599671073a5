/* Sums, products, joined arrays, padding and slices: definitions, gradients, threads, in place, bad arguments. */
#include "check.h"
#include "support/guarded.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Both, their gradients, every tail, apart and in place. */
static void sums_and_products_are_their_definitions(void **state)
{
  (void)state;
  static const int64_t counts[] = {0, 1, 2, 7, 8, 9, 31, 33, 100, 16384, 16385, 70001};
  for (int c = 0; c < 12; c++)
    for (int dtype = CNNBLAS_F32; dtype <= CNNBLAS_F64; dtype++) {
      int64_t count = counts[c];
      cnnblas_dtype t = (cnnblas_dtype)dtype;
      size_t bytes = (size_t)count * (dtype ? 8 : 4);
      void *x[6];
      for (int i = 0; i < 6; i++) x[i] = malloc(bytes + 8), check_fill(t, x[i], (uint64_t)i, count);
      for (int in_place = 0; in_place < 2; in_place++) {
        void *sum = in_place ? memcpy(x[4], x[0], bytes) : x[4], *product = in_place ? memcpy(x[5], x[1], bytes) : x[5];
        ASSERT_OK(cnnblas_add_forward(t, 0, count, in_place ? sum : x[0], x[1], sum));
        ASSERT_OK(cnnblas_mul_forward(t, 0, count, x[0], in_place ? product : x[1], product));
        for (int64_t i = 0; i < count; i++) {
          double a = array_get(t, x[0], i), b = array_get(t, x[1], i);
          assert_true(array_get(t, sum, i) == (dtype ? a + b : (double)((float)a + (float)b)));
          assert_true(array_get(t, product, i) == (dtype ? a * b : (double)((float)a * (float)b)));
        }
        memcpy(x[3], x[2], bytes);
        ASSERT_OK(cnnblas_mul_backward(t, 0, count, x[0], x[1], in_place ? x[3] : x[2], x[4], in_place ? x[3] : x[5]));
        void *db = in_place ? x[3] : x[5];
        for (int64_t i = 0; i < count; i++) {
          double dy = array_get(t, x[2], i), a = array_get(t, x[0], i), b = array_get(t, x[1], i);
          assert_true(array_get(t, x[4], i) == (dtype ? dy * b : (double)((float)dy * (float)b)));
          assert_true(array_get(t, db, i) == (dtype ? dy * a : (double)((float)dy * (float)a)));
        }
      }
      for (int i = 0; i < 6; i++) free(x[i]);
    }
}

typedef struct {
  double *a, *b, *y, *r;
} product_probe;

static double run_product(void *context)
{
  product_probe *p = context;
  ASSERT_OK(cnnblas_mul_forward(CNNBLAS_F64, 0, 50, p->a, p->b, p->y));
  return check_dot(p->y, p->r, 50);
}

static void the_products_gradients_agree_with_differences(void **state)
{
  (void)state;
  product_probe p = {check_reals(1, 50), check_reals(2, 50), check_reals(3, 50), check_reals(4, 50)};
  double *da = check_reals(5, 50), *db = check_reals(6, 50);
  ASSERT_OK(cnnblas_mul_backward(CNNBLAS_F64, 0, 50, p.a, p.b, p.r, da, db));
  check_gradient("a", run_product, &p, p.a, da, 50);
  check_gradient("b", run_product, &p, p.b, db, 50);
  free(p.a), free(p.b), free(p.y), free(p.r), free(da), free(db);
}

enum { MOST_PARTS = 4 };

/* Joined by the definition, and cut apart again, on several numbers of threads, between guard pages. */
static void parts_are_joined_and_cut(void **state)
{
  (void)state;
  static const int64_t shapes[][3 + MOST_PARTS] = {/* outer, inner, parts, sizes */
                                                   {1, 1, 1, 1},        {3, 1, 2, 2, 5},       {2, 49, 4, 3, 0, 8, 1},
                                                   {70000, 1, 2, 1, 2}, {2, 3136, 3, 5, 1, 7}, {0, 4, 2, 3, 3}};
  static guarded parts[MOST_PARTS], joined;
  for (int s = 0; s < 6; s++)
    for (int run = 0; run < 6; run++) {
      const int64_t *shape = shapes[s];
      size_t element = run % 2 ? 8 : 4;
      cnnblas_concat_desc d = {.dtype = run % 2 ? CNNBLAS_F64 : CNNBLAS_F32, .threads = run};
      d.outer = shape[0], d.inner = shape[1], d.parts = shape[2], d.sizes = shape + 3;
      int64_t total = 0;
      void *x[MOST_PARTS];
      for (int64_t i = 0; i < d.parts; i++) {
        int64_t count = d.outer * d.sizes[i] * d.inner;
        guarded_reset(&parts[i], (size_t)count * element, i % 2 ? AGAINST_END : AGAINST_START);
        x[i] = parts[i].data;
        check_fill(d.dtype, x[i], (uint64_t)i, count);
        total += d.sizes[i];
      }
      int64_t row = total * d.inner;
      guarded_reset(&joined, (size_t)(d.outer * row) * element, run > 2 ? AGAINST_END : AGAINST_START);
      harness_doing("shape %d, run %d", s, run);
      ASSERT_OK(cnnblas_concat_forward(&d, (const void *const *)x, joined.data));
      assert_true(guarded_intact(&joined));
      for (int64_t o = 0; o < d.outer; o++)
        for (int64_t i = 0, at = 0; i < d.parts; at += d.sizes[i++] * d.inner) {
          size_t length = (size_t)(d.sizes[i] * d.inner) * element;
          assert_memory_equal((char *)joined.data + (size_t)(o * row + at) * element, (char *)x[i] + (size_t)o * length,
                              length);
        }
      for (int64_t i = 0; i < d.parts; i++) memset(x[i], 0xee, parts[i].bytes);
      if (d.parts > 1) x[1] = NULL;
      ASSERT_OK(cnnblas_concat_backward(&d, joined.data, x));
      for (int64_t i = 0; i < d.parts; i++) {
        assert_true(guarded_intact(&parts[i]));
        if (i == 1) continue;
        for (int64_t e = 0; e < d.outer * d.sizes[i] * d.inner; e++)
          assert_true(array_get(d.dtype, x[i], e) ==
                      (double)(run % 2
                                   ? 2 * cnnblas_random_uniform(2024, (uint64_t)i, (uint64_t)e) - 1
                                   : (double)(float)(2 * cnnblas_random_uniform(2024, (uint64_t)i, (uint64_t)e) - 1)));
      }
    }
}

/* Every element of a framed array by its five coordinates. */
static void frames_are_their_definition(void **state)
{
  (void)state;
  static guarded box, whole, again;
  for (uint64_t problem = 0; problem < 600; problem++) {
    uint64_t n = 0;
#define PICK(from, to) ((from) + (int64_t)(cnnblas_random_uniform(77, problem, n++) * (double)((to) - (from) + 1)))
    cnnblas_frame_desc d = {.dtype = problem % 2 ? CNNBLAS_F64 : CNNBLAS_F32, .rank = PICK(1, 5), .value = 2.5};
    int64_t size[5] = {1, 1, 1, 1, 1}, begin[5] = {0}, length[5] = {1, 1, 1, 1, 1}, inside = 1, outside = 1;
    d.threads = (int32_t)PICK(0, 4);
    for (int i = 0; i < d.rank; i++) {
      bool framed = PICK(0, 2) > 0;
      int64_t most = d.rank == 1 ? 40000 : d.rank == 2 ? 150 : 7;
      d.size[i] = PICK(problem % 9 == 0 ? 0 : 1, most);
      if (framed) d.begin[i] = PICK(0, 3), d.end[i] = PICK(0, 3);
      size[i] = d.size[i], begin[i] = d.begin[i], length[i] = d.size[i] + d.begin[i] + d.end[i];
      inside *= size[i], outside *= length[i];
    }
    size_t element = problem % 2 ? 8 : 4;
    placement where = problem % 3 ? AGAINST_END : AGAINST_START;
    guarded_reset(&box, (size_t)inside * element, where), guarded_reset(&whole, (size_t)outside * element, where);
    guarded_reset(&again, (size_t)inside * element, where);
    harness_doing("problem %d, rank %d", (int)problem, (int)d.rank);
    for (int backward = 0; backward < 2; backward++) {
      check_fill(d.dtype, box.data, problem, inside);
      memset(whole.data, 0xee, whole.bytes), memset(again.data, 0xee, again.bytes);
      if (backward)
        ASSERT_OK(cnnblas_slice_backward(&d, box.data, whole.data));
      else
        ASSERT_OK(cnnblas_pad_forward(&d, box.data, whole.data));
      assert_true(guarded_intact(&whole));
      for (int64_t e = 0; e < outside; e++) {
        int64_t rest = e, at = 0, pitch = 1;
        bool in = true;
        for (int i = 4; i >= 0; i--) {
          int64_t place = rest % length[i] - begin[i];
          in = in && place >= 0 && place < size[i];
          at += place * pitch, pitch *= size[i], rest /= length[i];
        }
        double want = in ? array_get(d.dtype, box.data, at) : backward ? 0 : 2.5;
        if (array_get(d.dtype, whole.data, e) != want)
          FAIL("element %lld is %g, not %g", (long long)e, array_get(d.dtype, whole.data, e), want);
      }
      if (backward)
        ASSERT_OK(cnnblas_slice_forward(&d, whole.data, again.data));
      else
        ASSERT_OK(cnnblas_pad_backward(&d, whole.data, again.data));
      assert_true(guarded_intact(&again));
      assert_memory_equal(again.data, box.data, box.bytes);
    }
  }
}

static void bad_arguments_are_refused(void **state)
{
  (void)state;
  float x[8] = {0}, y[8] = {0}, z[8] = {0};
  const int64_t sizes[2] = {1, 3}, negative[2] = {1, -1}, large[2] = {INT64_MAX, 1};
  const void *parts[2] = {x, x + 1};
  void *out[2] = {y, y + 2};
  assert_int_equal(cnnblas_add_forward(CNNBLAS_F32, 0, -1, x, y, z), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_add_forward(CNNBLAS_F32, -1, 8, x, y, z), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_add_forward(CNNBLAS_BF16, 0, 8, x, y, z), CNNBLAS_UNSUPPORTED);
  assert_int_equal(cnnblas_add_forward(CNNBLAS_F32, 0, 7, x, y, x + 1), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_mul_forward(CNNBLAS_F32, 0, 8, NULL, y, z), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_mul_backward(CNNBLAS_F32, 0, 8, x, y, z, y, NULL), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_mul_backward(CNNBLAS_F32, 0, 8, x, x, y, z, z), CNNBLAS_INVALID_ARGUMENT);
  const cnnblas_concat_desc fine = {.outer = 1, .inner = 1, .parts = 2, .sizes = sizes};
  cnnblas_concat_desc c;
#define REFUSED(status, change) c = fine, change, assert_int_equal(cnnblas_concat_forward(&c, parts, y), status)
  REFUSED(CNNBLAS_INVALID_ARGUMENT, c.parts = 0);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, c.sizes = NULL);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, c.sizes = negative);
  REFUSED(CNNBLAS_SIZE_OVERFLOW, c.sizes = large);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, c.inner = 0);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, c.outer = -1);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, c.reserved[3] = 1);
  assert_int_equal(cnnblas_concat_forward(&fine, NULL, y), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_concat_forward(&fine, parts, x + 2), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_concat_backward(&fine, y, out), CNNBLAS_INVALID_ARGUMENT);
  const cnnblas_frame_desc good = {.rank = 1, .size = {4}, .begin = {1}};
  cnnblas_frame_desc f;
#define BAD(status, change) f = good, change, assert_int_equal(cnnblas_pad_forward(&f, x, y), status)
  BAD(CNNBLAS_INVALID_ARGUMENT, f.rank = 0);
  BAD(CNNBLAS_INVALID_ARGUMENT, f.rank = 6);
  BAD(CNNBLAS_INVALID_ARGUMENT, f.size[1] = 1);
  BAD(CNNBLAS_INVALID_ARGUMENT, f.begin[0] = -1);
  BAD(CNNBLAS_INVALID_ARGUMENT, f.end[0] = -1);
  BAD(CNNBLAS_SIZE_OVERFLOW, f.size[0] = INT64_MAX);
  BAD(CNNBLAS_INVALID_ARGUMENT, f.value = -1e300);
  BAD(CNNBLAS_UNSUPPORTED, f.dtype = CNNBLAS_BF16);
  assert_int_equal(cnnblas_pad_forward(&good, x, x + 2), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_slice_forward(&good, NULL, y), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_slice_forward(NULL, x, y), CNNBLAS_INVALID_ARGUMENT);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sums_and_products_are_their_definitions),
      cmocka_unit_test(the_products_gradients_agree_with_differences), cmocka_unit_test(parts_are_joined_and_cut),
      cmocka_unit_test(frames_are_their_definition), cmocka_unit_test(bad_arguments_are_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
